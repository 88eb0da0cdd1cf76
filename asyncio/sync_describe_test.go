package asyncio_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestStrings(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		says := func(want string, v any) {
			t.Helper()
			assert.Equal(t, want, fmt.Sprint(v))
		}
		started := func(f func(ctx context.Context) error) (end func()) {
			task := asyncio.Go(ctx, f)
			asyncio.Sleep(ctx, 0)
			return func() { task.Cancel(); task.Await(ctx) }
		}

		lock := asyncio.NewLock()
		says("lock (unlocked)", lock)
		lock.Acquire(ctx)
		says("lock (locked)", lock)
		end := started(lock.Acquire)
		says("lock (locked, 1 waiter)", lock)
		end()
		says("lock (locked)", lock)
		condition := asyncio.NewCondition(lock)
		says("condition (locked)", condition)
		end = started(func(ctx context.Context) error {
			if err := lock.Acquire(ctx); err != nil {
				return err
			}
			defer lock.Release()
			return condition.Wait(ctx)
		})
		lock.Release()
		asyncio.Sleep(ctx, 0)
		says("condition (unlocked, 1 waiter)", condition)
		end()

		event := asyncio.NewEvent()
		says("event (unset)", event)
		end, second := started(event.Wait), started(event.Wait)
		says("event (unset, 2 waiters)", event)
		end()
		second()
		event.Set()
		says("event (set)", event)

		semaphore := asyncio.NewSemaphore(2)
		says("semaphore (value 2)", semaphore)
		semaphore.Acquire(ctx)
		semaphore.Acquire(ctx)
		end = started(semaphore.Acquire)
		says("semaphore (locked, 1 waiter)", semaphore)
		end()
		says("semaphore (value 1)", asyncio.NewBoundedSemaphore(1))

		barrier := asyncio.NewBarrier(3)
		end = started(func(ctx context.Context) error { _, err := barrier.Wait(ctx); return err })
		says("barrier (filling, 1 of 3)", barrier)
		end()
		barrier.Abort(ctx)
		says("barrier (broken, 0 of 3)", barrier)

		queue := asyncio.NewQueue[int](2)
		says("queue (0 items of 2)", queue)
		end = started(func(ctx context.Context) error { _, err := queue.Get(ctx); return err })
		says("queue (0 items of 2, 1 getter)", queue)
		end()
		queue.PutNowait(1)
		queue.PutNowait(2)
		end = started(func(ctx context.Context) error { return queue.Put(ctx, 3) })
		says("queue (2 items of 2, 1 putter, 2 unfinished)", queue)
		end()
		stack := asyncio.NewLifoQueue[int](0)
		stack.PutNowait(1)
		stack.Shutdown(false)
		says("queue (1 item, 1 unfinished, shut down)", stack)

		future := asyncio.NewFuture[int](l)
		says("future (pending)", future)
		future.Cancel()
		says("future (cancelled)", future)
	})
}
