package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

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
		wants(t, "waiting", l.Waiting(), 1)
		l.Release()
		wants(t, "locked", l.Locked(), false)
		wants(t, "waiting", l.Waiting(), 0)
		isError(t, l.Acquire(ctx), nil)
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
		isError(t, err, asyncio.ErrCancelled)
		settle(t, ctx)
		wants(t, "second has it", second.Done() && l.Locked(), true)
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
		isError(t, err, asyncio.ErrCancelled)
		wants(t, "kept", l.Locked() && s.Locked(), true)
		l.Release()
		s.Release()

		careful := asyncio.Go(ctx, func(ctx context.Context) error {
			return l.Do(ctx, func() error {
				return s.Do(ctx, func() error { return asyncio.Sleep(ctx, 1e12) })
			})
		})
		tick(t, ctx)
		wants(t, "held", l.Locked() && s.Locked(), true)
		careful.Cancel()
		_, err = careful.Await(ctx)
		isError(t, err, asyncio.ErrCancelled)
		wants(t, "kept", l.Locked() || s.Locked(), false)
		return nil
	})
}

func TestDo(t *testing.T) {
	runMain(t, func(ctx context.Context) error {
		var l asyncio.Lock
		c := asyncio.NewCondition(&l)
		s := asyncio.NewSemaphore(1)
		b := asyncio.NewBoundedSemaphore(1)
		wants(t, "the lock", c.Lock(), &l)
		oops := errors.New("oops")
		for name, do := range map[string]func(context.Context, func() error) error{
			"lock": l.Do, "condition": c.Do, "semaphore": s.Do, "bounded": b.Do,
		} {
			isError(t, do(ctx, func() error { return oops }), oops)
			wants(t, name+"'s panic", raised(func() { do(ctx, func() error { panic(valueError("p")) }) }), "ValueError p")
			wants(t, name+" is held", l.Locked() || s.Locked() || b.Locked(), false)
			asyncio.CurrentTask(ctx).Cancel()
			isError(t, do(ctx, func() error { return nil }), nil) // it need not wait
			isError(t, asyncio.Sleep(ctx, 0), asyncio.ErrCancelled)
		}
		l.Acquire(ctx)
		asyncio.CurrentTask(ctx).Cancel()
		isError(t, l.Do(ctx, func() error { t.Error("called without the lock"); return nil }), asyncio.ErrCancelled)
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
			wants(t, "misuse", what, want)
		}
		wants(t, "value", b.Value(), 1)
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
		wants(t, "waiting", e.Waiting(), 3)
		tasks[1].Cancel()
		wants(t, "waiting", e.Waiting(), 2)
		e.Set()
		e.Clear()
		wants(t, "set", e.IsSet(), false)
		isError(t, awaitAll(ctx, tasks...), asyncio.ErrCancelled)
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
					wants(t, name+" has the lock", c.Locked(), true)
					log.add(name)
					return err
				})
			})
		}
		mainTask = asyncio.CurrentTask(ctx)
		cancelled, ended, woken := wait("cancelled", ctx), wait("ended", inner), wait("woken", ctx)
		settle(t, ctx)
		wants(t, "waiting", c.Waiting(), 3)
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
		wants(t, "done", cancelled.Done() || woken.Done(), false)
		c.Release()
		_, err := cancelled.Await(ctx)
		var ce *asyncio.CancelledError
		if !errors.As(err, &ce) || ce.Msg != "two" {
			t.Errorf("got %v, want the last request", err)
		}
		_, err = ended.Await(ctx)
		isError(t, err, context.Canceled)
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
			isError(t, err, nil)
			wants(t, "index", got, want)
		}
		wants(t, "waiting", b.NWaiting(), 1)
		isError(t, b.Reset(ctx), nil)
		_, err := three[2].Await(ctx)
		isError(t, err, asyncio.ErrBrokenBarrier)
		wants(t, "error", pyName(err)+" "+pyMessage(err), "BrokenBarrierError Abort or reset of barrier")

		one := indexes(1)
		isError(t, b.Abort(ctx), nil)
		wants(t, "broken", b.Broken(), true)
		wants(t, "waiting", b.NWaiting(), 0)
		_, err = one[0].Await(ctx)
		isError(t, err, asyncio.ErrBrokenBarrier)
		_, err = b.Wait(ctx)
		wants(t, "error", pyName(err)+" "+pyMessage(err), "BrokenBarrierError Barrier aborted")
		isError(t, b.Reset(ctx), nil)
		wants(t, "parties", b.Parties(), 2)
		return awaitAll(ctx, indexes(2)...)
	})
}
