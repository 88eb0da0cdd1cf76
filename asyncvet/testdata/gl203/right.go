package gl203

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func logInGroup(ctx context.Context, send func(ctx context.Context) error) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(send)
		return nil
	})
}

// One that cannot fail.
func tick(ctx context.Context, beat func()) {
	asyncio.Go(ctx, func(ctx context.Context) error {
		for {
			beat()
			if err := asyncio.Sleep(ctx, time.Second); err != nil {
				return err // that it was cancelled
			}
		}
	})
}
