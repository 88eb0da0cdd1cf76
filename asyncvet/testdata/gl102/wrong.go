package gl102

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func total(ctx context.Context, results <-chan int) *asyncio.Task[int] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
		sum := 0
		for range 3 {
			sum += <-results // want `GL102: a receive from a channel blocks the loop, in a function that asyncio.CreateTask runs: use asyncio.FromChan`
		}
		return sum, nil
	})
}
