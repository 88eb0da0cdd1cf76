package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// changes has tasks that begin, wait for each other in all ways and end, all the time. There
// is no circle among them.
func changes(ctx context.Context) {
	l, _ := asyncio.RunningLoop(ctx)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	var lock asyncio.Lock
	semaphore, event, queue := asyncio.NewSemaphore(1), asyncio.NewEvent(), asyncio.NewQueue[int](3)
	var work func(deep int) func(ctx context.Context) error
	work = func(deep int) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			asyncio.CurrentTask(ctx).SetName(fmt.Sprint("at ", deep))
			switch rand.IntN(8) {
			case 0:
				return asyncio.Sleep(ctx, time.Duration(rand.IntN(300))*time.Microsecond)
			case 1:
				return lock.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) })
			case 2:
				return semaphore.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) })
			case 3:
				return event.Wait(ctx)
			case 4:
				return queue.Put(ctx, deep)
			case 5:
				queue.GetNowait()
				return errors.New("failed")
			}
			if deep == 0 {
				return nil
			}
			a, b := asyncio.Go(ctx, work(deep-1)), asyncio.Go(ctx, work(deep-1))
			if rand.IntN(2) == 0 {
				b.Cancel()
			}
			_, err := asyncio.GatherOutcomes[asyncio.None](ctx, a, asyncio.Shield[asyncio.None](ctx, b)).Await(ctx)
			return err
		}
	}
	ready()
	for {
		asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			for range 40 {
				tg.Go(work(3))
			}
			asyncio.Sleep(ctx, 50*time.Microsecond)
			event.Set()
			event.Clear()
			tg.Cancel()
			return nil
		})
	}
}
