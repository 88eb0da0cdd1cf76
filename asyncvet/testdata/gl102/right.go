package gl102

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func fromQueue(ctx context.Context, results *asyncio.Queue[int]) *asyncio.Task[int] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
		sum := 0
		for range 3 {
			v, err := results.Get(ctx)
			if err != nil {
				return 0, err
			}
			sum += v
		}
		return sum, nil
	})
}

func fromChannel(ctx context.Context, loop *asyncio.Loop, result <-chan int) (int, error) {
	return asyncio.FromChan(loop, result).Await(ctx)
}
