package gl202

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func bothOfTheirOwn(ctx context.Context) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Hour)
		})
		return nil
	})
}
