package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// What holds for all primitives: each is shown by a way to wait for it.

// A waitable is a primitive on which a task can wait, in its state in which that
// takes until go.
type waitable struct {
	name string
	make func(ctx context.Context) (wait func(ctx context.Context) error, release func())
}

var waitables = []waitable{
	{"Lock", func(ctx context.Context) (func(context.Context) error, func()) {
		l := asyncio.NewLock()
		l.Acquire(ctx)
		return l.Acquire, l.Release
	}},
	{"Event", func(context.Context) (func(context.Context) error, func()) {
		e := asyncio.NewEvent()
		return e.Wait, e.Set
	}},
	{"Condition", func(ctx context.Context) (func(context.Context) error, func()) {
		c := asyncio.NewCondition(nil)
		wait := func(ctx context.Context) error {
			if !c.Locked() {
				c.Acquire(ctx)
			}
			defer c.Release()
			return c.Wait(ctx)
		}
		return wait, func() {
			c.Acquire(ctx)
			c.NotifyAll()
			c.Release()
		}
	}},
	{"Semaphore", func(context.Context) (func(context.Context) error, func()) {
		s := asyncio.NewSemaphore(0)
		return s.Acquire, s.Release
	}},
	{"Condition", func(context.Context) (func(context.Context) error, func()) { // that of the barrier
		b := asyncio.NewBarrier(3)
		wait := func(ctx context.Context) error {
			_, err := b.Wait(ctx)
			return err
		}
		return wait, func() {
			for n := b.NWaiting(); n > 0 && n < b.Parties() && !mainTask.Done(); n++ {
				asyncio.Go(mainTask.Context(), wait)
			}
		}
	}},
	{"Queue", func(context.Context) (func(context.Context) error, func()) {
		q := asyncio.NewQueue[int](1)
		wait := func(ctx context.Context) error {
			_, err := q.Get(ctx)
			return err
		}
		return wait, func() { q.PutNowait(1) }
	}},
	{"Queue", func(context.Context) (func(context.Context) error, func()) {
		q := asyncio.NewQueue[int](1)
		q.PutNowait(1)
		wait := func(ctx context.Context) error { return q.Put(ctx, 2) }
		return wait, func() { q.GetNowait() }
	}},
	{"Queue", func(context.Context) (func(context.Context) error, func()) {
		q := asyncio.NewQueue[int](1)
		q.PutNowait(1)
		return q.Join, func() {
			if q.Unfinished() > 0 {
				q.TaskDone()
			}
		}
	}},
}

// mainTask is the main task of the test that runs.
var mainTask asyncio.AnyTask

// eachWaitable runs a test for each primitive, in the main task.
func eachWaitable(t *testing.T, test func(t *testing.T, ctx context.Context, w waitable)) {
	for i, w := range waitables {
		t.Run(fmt.Sprint(i, w.name), func(t *testing.T) {
			runMain(t, func(ctx context.Context) error {
				mainTask = asyncio.CurrentTask(ctx)
				test(t, ctx, w)
				return nil
			})
		})
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	eachWaitable(t, func(t *testing.T, ctx context.Context, w waitable) {
		wait, release := w.make(ctx)
		inner, end := context.WithCancelCause(ctx)
		waiter := asyncio.Go(ctx, func(context.Context) error { return wait(inner) })
		settle(t, ctx)
		assert.False(t, waiter.Done(), "waits")
		end(nil)
		_, err := waiter.Await(ctx)
		assert.ErrorIs(t, err, context.Canceled)
		assert.False(t, errors.Is(err, asyncio.ErrCancelled), "is a cancel of the task")

		assert.ErrorIs(t, wait(inner), context.Canceled) // at once

		// Nothing is left of it: the next one is woken.
		waiter = asyncio.Go(ctx, wait)
		settle(t, ctx)
		release()
		settle(t, ctx)
		assert.True(t, waiter.Done(), "the next one has got it")
	})
}

func TestWaitIsCancelled(t *testing.T) {
	eachWaitable(t, func(t *testing.T, ctx context.Context, w waitable) {
		wait, release := w.make(ctx)
		ended, end := context.WithCancel(ctx)
		end()
		waiter := asyncio.Go(ctx, wait)
		settle(t, ctx)
		waiter.Cancel("why")
		_, err := waiter.Await(ctx)
		var c *asyncio.CancelledError
		if !errors.As(err, &c) || c.Msg != "why" {
			t.Errorf("got %v", err)
		}
		// A request that came before the wait ends it, too: in the next turn.
		// Of that and the end of its context it is told first, and comes first.
		for _, how := range []context.Context{ctx, ended} {
			waiter = asyncio.Go(ctx, func(context.Context) error {
				waiter.Cancel()
				return wait(how)
			})
			_, err = waiter.Await(ctx)
			assert.ErrorIs(t, err, asyncio.ErrCancelled)
		}

		waiter = asyncio.Go(ctx, wait)
		settle(t, ctx)
		release()
		settle(t, ctx)
		assert.True(t, waiter.Done(), "the next one has got it")
	})
}

func TestWaitOnAnotherLoop(t *testing.T) {
	eachWaitable(t, func(t *testing.T, ctx context.Context, w waitable) {
		wait, _ := w.make(ctx)
		waiter := asyncio.Go(ctx, wait)
		settle(t, ctx)
		done := make(chan error)
		go func() {
			done <- asyncio.RunFunc(context.Background(), wait, asyncio.WithSignals(false))
		}()
		err := <-done
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop)
		assert.Equal(t, "RuntimeError "+w.name+" is bound to a different event loop", pyName(err)+" "+pyMessage(err), "error")
		waiter.Cancel()
	})
}

func TestWaitOutsideOfTasks(t *testing.T) {
	eachWaitable(t, func(t *testing.T, ctx context.Context, w waitable) {
		wait, _ := w.make(ctx)
		assert.ErrorIs(t, wait(context.Background()), asyncio.ErrNoRunningLoop)
		done := make(chan error)
		go func() { done <- wait(ctx) }()
		assert.ErrorIs(t, <-done, asyncio.ErrNoRunningLoop)
		asyncio.CurrentTask(ctx).Loop().CallSoon(func() { assert.ErrorIs(t, wait(ctx), asyncio.ErrNoRunningLoop) })
		settle(t, ctx)
	})
}

// A task waits also where one of its own greenlets does.
func TestWaitInGreenletOfTask(t *testing.T) {
	eachWaitable(t, func(t *testing.T, ctx context.Context, w waitable) {
		wait, release := w.make(ctx)
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			g := greenlet.New(func(any) (any, error) { return nil, wait(ctx) })
			_, err := g.Switch(nil)
			return err
		})
		settle(t, ctx)
		assert.False(t, waiter.Done(), "waits")
		release()
		_, err := waiter.Await(ctx)
		assert.NoError(t, err)
	})
}

// Closing a loop kills its tasks. Their deferred calls may use the primitive in
// which they waited, and others that wait there are not disturbed by the dead.
func TestCloseKillsWaiting(t *testing.T) {
	for i, w := range waitables {
		t.Run(fmt.Sprint(i, w.name), func(t *testing.T) {
			l := asyncio.NewLoop()
			l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
				if c.Exception != nil {
					t.Error(c.Message, c.Exception)
				}
			})
			var ended []error
			_, err := asyncio.RunUntilComplete(l, asyncio.Coro[int](func(ctx context.Context) (int, error) {
				mainTask = asyncio.CurrentTask(ctx)
				wait, release := w.make(ctx)
				for range 2 {
					asyncio.Go(ctx, func(ctx context.Context) error {
						defer func() {
							release()
							ended = append(ended, wait(ctx), wait(ctx))
						}()
						return wait(ctx)
					})
				}
				settle(t, ctx)
				return 0, nil
			}))
			assert.NoError(t, err)
			assert.NoError(t, l.Close())
			assert.Equal(t, 4, len(ended), "deferred waits")
			for _, err := range ended {
				if err != nil {
					assert.ErrorIs(t, err, asyncio.ErrLoopClosed)
				}
			}
		})
	}
}

func TestDebugOwner(t *testing.T) {
	var (
		l asyncio.Lock
		e asyncio.Event
		s asyncio.Semaphore
		q asyncio.Queue[int]
		c asyncio.Condition
	)
	runMain(t, func(ctx context.Context) error {
		l.Acquire(ctx)
		for _, wait := range []func(context.Context) error{
			l.Acquire, e.Wait, s.Acquire,
			func(ctx context.Context) error { return c.Do(ctx, func() error { return c.Wait(ctx) }) },
			func(ctx context.Context) error { _, err := q.Get(ctx); return err },
		} {
			asyncio.Go(ctx, wait)
		}
		settle(t, ctx)
		var got []string
		done := make(chan bool)
		go func() {
			for _, f := range []func(){
				l.Release, e.Set, e.Clear, s.Release, func() { q.PutNowait(1) }, q.TaskDone,
				func() { q.Shutdown(false) }, c.NotifyAll,
			} {
				got = append(got, raised(f))
			}
			done <- true
		}()
		<-done
		want := "RuntimeError Non-thread-safe operation invoked on an event loop other than the current one"
		for i, g := range got {
			if g != want {
				t.Errorf("call %d: %s", i, g)
			}
		}
		return nil
	}, asyncio.WithDebug(true))
}

// Waits that go through: nobody else runs meanwhile, and no loop is needed.
func TestNoWaitNoSwitch(t *testing.T) {
	ctx := context.Background()
	var l asyncio.Lock
	assert.NoError(t, l.Acquire(ctx))
	l.Release()
	var e asyncio.Event
	e.Set()
	assert.NoError(t, e.Wait(ctx))
	assert.NoError(t, asyncio.NewSemaphore(1).Acquire(ctx))
	var q asyncio.Queue[string]
	assert.NoError(t, q.Put(ctx, "x"))
	v, err := q.Get(ctx)
	assert.Equal(t, "x", v, "item")
	assert.NoError(t, err)
	q.TaskDone()
	assert.NoError(t, q.Join(ctx))

	runMain(t, func(ctx context.Context) error {
		var log []string
		other := asyncio.Go(ctx, func(ctx context.Context) error {
			log = append(log, "other")
			return nil
		})
		for range 2 {
			l.Acquire(ctx)
			l.Release()
			e.Wait(ctx)
			q.Put(ctx, "x")
			q.Get(ctx)
		}
		log = append(log, "main")
		other.Await(ctx)
		assert.Equal(t, "main other", strings.Join(log, " "), "order")
		return nil
	})
}

// Waiting allocates nothing.
func TestSyncAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	var l asyncio.Lock
	s := asyncio.NewSemaphore(1)
	var ping, pong asyncio.Event
	c := asyncio.NewCondition(nil)
	b := asyncio.NewBarrier(2)
	q := asyncio.NewQueue[int](1)
	useLock := func(ctx context.Context) error {
		return l.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) })
	}
	useSemaphore := func(ctx context.Context) error {
		return s.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) })
	}
	notify := func(ctx context.Context) error {
		return c.Do(ctx, func() error {
			c.NotifyAll()
			return c.Wait(ctx)
		})
	}
	for name, forms := range map[string][2]func(ctx context.Context) error{
		"lock":      {useLock, useLock},
		"semaphore": {useSemaphore, useSemaphore},
		"condition": {notify, notify},
		"event": {
			func(ctx context.Context) error { ping.Set(); err := pong.Wait(ctx); pong.Clear(); return err },
			func(ctx context.Context) error { err := ping.Wait(ctx); ping.Clear(); pong.Set(); return err },
		},
		"barrier": {
			func(ctx context.Context) error { _, err := b.Wait(ctx); return err },
			func(ctx context.Context) error { _, err := b.Wait(ctx); return err },
		},
		"queue": {
			func(ctx context.Context) error { return q.Put(ctx, 1) },
			func(ctx context.Context) error { _, err := q.Get(ctx); return err },
		},
	} {
		t.Run(name, func(t *testing.T) {
			runMain(t, func(ctx context.Context) error {
				other := asyncio.Go(ctx, func(ctx context.Context) error {
					for {
						if err := forms[1](ctx); err != nil {
							return err
						}
					}
				})
				n := testing.AllocsPerRun(100, func() {
					assert.NoError(t, forms[0](ctx))
				})
				assert.Zero(t, n, "allocations")
				other.Cancel()
				settle(t, ctx)
				return nil
			})
		})
	}
}

// order is a log of tasks' names.
type order []string

func (o *order) add(name string) { *o = append(*o, name) }

func (o order) is(t *testing.T, names ...string) {
	t.Helper()
	if !slices.Equal(o, names) {
		t.Errorf("got %v, want %v", o, names)
	}
}
