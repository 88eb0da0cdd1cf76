package gl130

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func laterInTask(ctx context.Context, loop *asyncio.Loop) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		return asyncio.Sleep(ctx, time.Second)
	})
}

func fromGoroutine(loop *asyncio.Loop) {
	go func() {
		asyncio.RunCoroutineThreadsafe(loop, func(ctx context.Context) (string, error) {
			return asyncio.SleepResult(ctx, time.Second, "awake")
		})
	}()
}
