package gl111

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func answer(ctx context.Context, w *asyncio.Worker) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		_, err := w.Go(hello).Result(-1) // want `GL111: asyncio.ConcurrentFuture.Result blocks the loop, in a function that asyncio.Go runs: use its Await`
		return err
	})
}

func hello(context.Context) error { return nil }
