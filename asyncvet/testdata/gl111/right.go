package gl111

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func answerInTask(ctx context.Context, w *asyncio.Worker) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		_, err := w.Go(hello).Await(ctx)
		return err
	})
}

func answerOnGoroutine(w *asyncio.Worker) error {
	_, err := w.Go(hello).Result(-1)
	return err
}
