package deps

import (
	"context"

	"example.com/other"

	"github.com/go-greenlet/greenlet/asyncio"
)

func poll(ctx context.Context) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(context.Context) error {
		other.Poll() // want `GL101: other.Poll blocks the loop, .* it calls time.Sleep at other.go:\d+`
		return nil
	})
}
