package gl106

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func helloInTask(ctx context.Context, addr string) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		conn, err := dial(ctx, addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("hello"))
		return err
	})
}

// For goroutines as well.
func dial(ctx context.Context, addr string) (net.Conn, error) {
	if asyncio.CurrentTask(ctx) == nil {
		return net.Dial("tcp", addr)
	}
	return asyncio.Dial(ctx, "tcp", addr)
}
