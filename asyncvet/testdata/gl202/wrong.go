package gl202

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func both(ctx context.Context) error {
	return asyncio.RunTaskGroup(ctx, func(_ context.Context, tg *asyncio.TaskGroup) error {
		tg.Go(func(context.Context) error {
			return asyncio.Sleep(ctx, time.Hour) // want `GL202: ctx is the context of the function around: the function that asyncio.TaskGroup.Go runs has one of its own`
		})
		return nil
	})
}
