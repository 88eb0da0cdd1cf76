package gl106

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func hello(ctx context.Context, addr string) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		conn, err := net.Dial("tcp", addr) // want `GL106: net.Dial blocks the loop, in a function that asyncio.Go runs: use asyncio.Dial or OpenConnection`
		if err != nil {
			return err
		}
		defer conn.Close()
		_, err = conn.Write([]byte("hello"))
		return err
	})
}
