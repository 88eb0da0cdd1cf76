//go:build linux

package main

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/asyncio"
)

// jobs has workers that take jobs from a bounded queue, into which another puts five million.
var jobs = program{
	name: "jobs", title: "A queue of five million tasks", unit: "job", n: 5_000_000, short: 2000,
	ways: []way{
		{name: "asyncio.Queue, tasks", run: jobsInTasks},
		{name: "channel, goroutines", run: jobsOnGoroutines},
		{name: "asyncio in CPython", script: "jobs.py", needs: "asyncio", slow: true},
	},
}

const (
	workers = 100
	waiting = 1000 // jobs, at most
)

// job is the work.
func job(i int) uint64 { return uint64(i) * 2654435761 & (1<<32 - 1) }

func jobsInTasks(r run) (result, error) {
	return timed(r.n, func() (sum uint64, err error) {
		err = asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			q := asyncio.NewQueue[int](waiting)
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for range workers {
					tg.Go(func(ctx context.Context) error {
						for i, err := range q.All(ctx) {
							if err != nil {
								return err
							}
							sum += job(i)
							q.TaskDone()
						}
						return nil
					})
				}
				for i := range r.n {
					if err := q.Put(ctx, i); err != nil {
						return err
					}
				}
				if err := q.Join(ctx); err != nil {
					return err
				}
				q.Shutdown(false)
				return nil
			})
		})
		return sum, err
	})
}

func jobsOnGoroutines(r run) (result, error) {
	return timed(r.n, func() (uint64, error) {
		var sum atomic.Uint64
		var done sync.WaitGroup
		q := make(chan int, waiting)
		for range workers {
			done.Go(func() {
				for i := range q {
					sum.Add(job(i))
				}
			})
		}
		for i := range r.n {
			q <- i
		}
		close(q)
		done.Wait()
		return sum.Load(), nil
	})
}
