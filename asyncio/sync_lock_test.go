package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Nobody gets a lock before those who wait, though it says that it is free.
func TestLockNoBarging(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var l asyncio.Lock
		var log order
		l.Acquire(ctx)
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			err := l.Acquire(ctx)
			log.add("waiter")
			l.Release()
			return err
		})
		settle(t, ctx)
		assert.Equal(t, 1, l.Waiting(), "waiting")
		l.Release()
		assert.False(t, l.Locked(), "locked")
		assert.Equal(t, 0, l.Waiting(), "waiting")
		assert.NoError(t, l.Acquire(ctx))
		log.add("main")
		log.is(t, "waiter", "main")
		return awaitAll(ctx, waiter)
	})
}

// A task that was chosen and is cancelled before it runs passes the lock on.
func TestLockChosenThenCancelled(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var l asyncio.Lock
		l.Acquire(ctx)
		first := asyncio.Go(ctx, l.Acquire)
		second := asyncio.Go(ctx, l.Acquire)
		settle(t, ctx)
		l.Release()
		first.Cancel()
		_, err := first.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
		settle(t, ctx)
		assert.True(t, second.Done() && l.Locked(), "second has it")
		return awaitAll(ctx, second)
	})
}

// A task that is cancelled while it holds a lock keeps it, unless it releases
// it: Do does.
func TestCancelledHolder(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var l asyncio.Lock
		s := asyncio.NewSemaphore(1)
		forget := asyncio.Go(ctx, func(ctx context.Context) error {
			l.Acquire(ctx)
			s.Acquire(ctx)
			return asyncio.Sleep(ctx, 1e12)
		})
		tick(t, ctx)
		forget.Cancel()
		_, err := forget.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
		assert.True(t, l.Locked() && s.Locked(), "kept")
		l.Release()
		s.Release()

		careful := asyncio.Go(ctx, func(ctx context.Context) error {
			return l.Do(ctx, func() error {
				return s.Do(ctx, func() error { return asyncio.Sleep(ctx, 1e12) })
			})
		})
		tick(t, ctx)
		assert.True(t, l.Locked() && s.Locked(), "held")
		careful.Cancel()
		_, err = careful.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
		assert.False(t, l.Locked() || s.Locked(), "kept")
		return nil
	})
}

func TestDo(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var l asyncio.Lock
		c := asyncio.NewCondition(&l)
		s := asyncio.NewSemaphore(1)
		b := asyncio.NewBoundedSemaphore(1)
		assert.Equal(t, &l, c.Lock(), "the lock")
		oops := errors.New("oops")
		for name, do := range map[string]func(context.Context, func() error) error{
			"lock": l.Do, "condition": c.Do, "semaphore": s.Do, "bounded": b.Do,
		} {
			assert.ErrorIs(t, do(ctx, func() error { return oops }), oops)
			assert.Equal(t, "ValueError p", raised(func() { do(ctx, func() error { panic(valueError("p")) }) }), name+"'s panic")
			assert.False(t, l.Locked() || s.Locked() || b.Locked(), name+" is held")
			asyncio.CurrentTask(ctx).Cancel()
			assert.NoError(t, do(ctx, func() error { return nil })) // it need not wait
			assert.ErrorIs(t, asyncio.Sleep(ctx, 0), asyncio.ErrCancelled)
		}
		l.Acquire(ctx)
		asyncio.CurrentTask(ctx).Cancel()
		assert.ErrorIs(t, l.Do(ctx, func() error { t.Error("called without the lock"); return nil }), asyncio.ErrCancelled)
		l.Release()
		return nil
	})
}

func TestSyncMisuse(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		c := asyncio.NewCondition(nil)
		b := asyncio.NewBoundedSemaphore(1)
		for what, want := range map[string]string{
			raised(new(asyncio.Lock).Release):                  "RuntimeError Lock is not acquired.",
			raised(c.Release):                                  "RuntimeError Lock is not acquired.",
			raised(func() { c.Notify(1) }):                     "RuntimeError cannot notify on un-acquired lock",
			raised(c.NotifyAll):                                "RuntimeError cannot notify on un-acquired lock",
			raised(func() { panic(c.Wait(ctx)) }):              "RuntimeError cannot wait on un-acquired lock",
			raised(b.Release):                                  "ValueError BoundedSemaphore released too many times",
			raised(func() { asyncio.NewSemaphore(-1) }):        "ValueError Semaphore initial value must be >= 0",
			raised(func() { asyncio.NewBoundedSemaphore(-1) }): "ValueError Semaphore initial value must be >= 0",
			raised(func() { asyncio.NewBarrier(0) }):           "ValueError parties must be > 0",
		} {
			assert.Equal(t, want, what, "misuse")
		}
		assert.Equal(t, 1, b.Value(), "value")
		return nil
	})
}

func TestEventWakesThoughCleared(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		e := asyncio.NewEvent()
		var log order
		var tasks []*asyncio.Task[asyncio.None]
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				err := e.Wait(ctx)
				log.add(name)
				return err
			}))
		}
		tick(t, ctx)
		assert.Equal(t, 3, e.Waiting(), "waiting")
		tasks[1].Cancel()
		assert.Equal(t, 2, e.Waiting(), "waiting")
		e.Set()
		e.Clear()
		assert.False(t, e.IsSet(), "set")
		assert.ErrorIs(t, awaitAll(ctx, tasks...), asyncio.ErrCancelled)
		log.is(t, "b", "a", "c") // in the order in which they were woken
		return nil
	})
}

// Whatever ends the wait, the task has the lock again; and a notification that
// it cannot use goes to another.
func TestConditionAcquiresAgain(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var c asyncio.Condition
		var log order
		inner, end := context.WithCancel(ctx)
		wait := func(name string, ctx context.Context) *asyncio.Task[asyncio.None] {
			return asyncio.Go(ctx, func(context.Context) error {
				return c.Do(mainTask.Context(), func() error {
					err := c.Wait(ctx)
					assert.True(t, c.Locked(), name+" has the lock")
					log.add(name)
					return err
				})
			})
		}
		mainTask = asyncio.CurrentTask(ctx)
		cancelled, ended, woken := wait("cancelled", ctx), wait("ended", inner), wait("woken", ctx)
		settle(t, ctx)
		assert.Equal(t, 3, c.Waiting(), "waiting")
		c.Acquire(ctx)
		c.Notify(1)
		cancelled.Cancel("one")
		tick(t, ctx) // it waits for the lock now
		cancelled.Cancel("two")
		end()
		for c.Waiting() > 1 { // another goroutine tells the loop
			asyncio.Sleep(ctx, time.Millisecond)
		}
		settle(t, ctx)
		assert.False(t, cancelled.Done() || woken.Done(), "done")
		c.Release()
		_, err := cancelled.Await(ctx)
		var ce *asyncio.CancelledError
		if !errors.As(err, &ce) || ce.Msg != "two" {
			t.Errorf("got %v, want the last request", err)
		}
		_, err = ended.Await(ctx)
		assert.ErrorIs(t, err, context.Canceled)
		return awaitAll(ctx, woken)
	})
}

func TestBarrier(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		b := asyncio.NewBarrier(2)
		indexes := func(n int) (tasks []*asyncio.Task[int]) {
			for range n {
				tasks = append(tasks, asyncio.CreateTask(ctx, b.Wait))
			}
			settle(t, ctx)
			return tasks
		}
		three := indexes(3)
		for i, want := range []int{0, 1} {
			got, err := three[i].Await(ctx)
			assert.NoError(t, err)
			assert.Equal(t, want, got, "index")
		}
		assert.Equal(t, 1, b.NWaiting(), "waiting")
		assert.NoError(t, b.Reset(ctx))
		_, err := three[2].Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrBrokenBarrier)
		assert.Equal(t, "BrokenBarrierError Abort or reset of barrier", pyName(err)+" "+pyMessage(err), "error")

		one := indexes(1)
		assert.NoError(t, b.Abort(ctx))
		assert.True(t, b.Broken(), "broken")
		assert.Equal(t, 0, b.NWaiting(), "waiting")
		_, err = one[0].Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrBrokenBarrier)
		_, err = b.Wait(ctx)
		assert.Equal(t, "BrokenBarrierError Barrier aborted", pyName(err)+" "+pyMessage(err), "error")
		assert.NoError(t, b.Reset(ctx))
		assert.Equal(t, 2, b.Parties(), "parties")
		return awaitAll(ctx, indexes(2)...)
	})
}
