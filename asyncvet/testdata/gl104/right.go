package gl104

import (
	"context"
	"sync"

	"github.com/go-greenlet/greenlet/asyncio"
)

func inTasks(ctx context.Context, jobs []func(context.Context) error) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for _, job := range jobs {
			tg.Go(job)
		}
		return nil
	})
}

func inThreads(ctx context.Context, jobs []func()) error {
	return asyncio.ToThreadFunc(ctx, func(context.Context) error {
		var group sync.WaitGroup
		for _, job := range jobs {
			group.Go(job)
		}
		group.Wait()
		return nil
	})
}
