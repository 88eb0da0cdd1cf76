package gl104

import (
	"context"
	"sync"

	"github.com/go-greenlet/greenlet/asyncio"
)

func all(ctx context.Context, jobs []func()) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		var group sync.WaitGroup
		for _, job := range jobs {
			group.Go(job)
		}
		group.Wait() // want `GL104: sync.WaitGroup.Wait blocks the loop, in a function that asyncio.Go runs: use a TaskGroup or Gather`
		return nil
	})
}
