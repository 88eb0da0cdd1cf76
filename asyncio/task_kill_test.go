package asyncio_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

var errCrash = errors.New("the host has crashed")

// A task that is killed where it waits runs its deferred calls, in which nothing
// waits, and no more. Who waits for it learns why.
func TestKill(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		lock := asyncio.NewLock()
		require.NoError(t, lock.Acquire(ctx))
		for name, wait := range map[string]func(ctx context.Context) error{
			"a sleep":  func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) },
			"a future": func(ctx context.Context) error { _, err := asyncio.NewFuture[int](l).Await(ctx); return err },
			"a lock":   lock.Acquire,
			"a group": func(ctx context.Context) error {
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					return asyncio.Sleep(ctx, time.Hour)
				})
			},
			"its turn": func(ctx context.Context) error {
				for {
					if err := asyncio.Sleep(ctx, 0); err != nil {
						return err
					}
				}
			},
		} {
			var inDefer error
			deferred, after := false, false
			victim := asyncio.Go(ctx, func(ctx context.Context) error {
				defer func() {
					deferred = true
					recover()
					inDefer = asyncio.Sleep(ctx, time.Second)
				}()
				wait(ctx)
				after = true
				return nil
			})
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			// A callback does it as well as a task.
			if name == "a lock" {
				done := asyncio.NewEvent()
				l.CallSoon(func() { assert.NoError(t, asyncio.Kill(victim, errCrash), name); done.Set() })
				done.Wait(ctx)
			} else {
				require.NoError(t, asyncio.Kill(victim, errCrash), name)
			}
			assert.True(t, deferred && !after, name)
			assert.ErrorIs(t, inDefer, asyncio.ErrLoopClosed, name)
			assert.True(t, victim.Done(), name)
			_, err := victim.Await(ctx)
			assert.Equal(t, errCrash, err, name)
			assert.NoError(t, asyncio.Kill(victim, errors.New("again")), name)
			assert.NoError(t, asyncio.Sleep(ctx, 0), "others wait as before")
		}
		assert.Zero(t, lock.Waiting())
		lock.Release()
		assert.False(t, lock.Locked(), "nobody who is dead gets it")
	})
}

func TestKillBeforeItBegins(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ran := false
		victim := asyncio.Go(ctx, func(context.Context) error { ran = true; return nil })
		waiter := asyncio.Go(ctx, func(ctx context.Context) error { _, err := victim.Await(ctx); return err })
		require.NoError(t, asyncio.Kill(victim, errCrash))
		_, err := waiter.Await(ctx)
		assert.Equal(t, errCrash, err)
		assert.False(t, ran)
	})
}

func TestKillRefuses(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		me := asyncio.CurrentTask(ctx)
		assert.ErrorIs(t, asyncio.Kill(me, errCrash), asyncio.ErrRuntime)
		eager := asyncio.Go(ctx, func(context.Context) error { return asyncio.Kill(me, errCrash) }, asyncio.EagerStart(true))
		_, err := eager.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrRuntime, "it waits for the eager one")
		other := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		assert.ErrorIs(t, asyncio.Kill(other, nil), asyncio.ErrType)
		asyncio.Sleep(ctx, 0)
		err = asyncio.ToThreadFunc(ctx, func(context.Context) error { return asyncio.Kill(other, errCrash) })
		assert.Error(t, err)
		other.Cancel()
	})
}

// A panic of a deferred call is what the task has failed with.
func TestKillPanics(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		victim := asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() { panic("deferred") }()
			return asyncio.Sleep(ctx, time.Hour)
		})
		asyncio.Sleep(ctx, 0)
		assert.NoError(t, asyncio.Kill(victim, errCrash))
		_, err := victim.Await(ctx)
		var panicked *asyncio.PanicError
		require.ErrorAs(t, err, &panicked)
		assert.Equal(t, "deferred", panicked.Value)
	})
}

// Each loop numbers its tasks by itself, and those with a name do not count.
func TestTaskNamesByLoop(t *testing.T) {
	for range 2 {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			assert.Equal(t, "Task-1", asyncio.CurrentTask(ctx).Name())
			nothing := func(context.Context) error { return nil }
			asyncio.Go(ctx, nothing, asyncio.WithTaskName("one"))
			assert.Equal(t, "Task-2", asyncio.Go(ctx, nothing).Name())
		})
	}
}

// WithTrace is told of each step, and of equal runs the same.
func TestWithTrace(t *testing.T) {
	run := func() (steps []uint32) {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			var all []asyncio.Awaitable[asyncio.None]
			for range 3 {
				all = append(all, asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }))
			}
			asyncio.Go(ctx, func(ctx context.Context) error { return nil }, asyncio.EagerStart(true))
			asyncio.Gather(ctx, all...).Await(ctx)
		}, asyncio.WithTrace(func(task uint32) { steps = append(steps, task) }))
		return steps
	}
	first := run()
	assert.Equal(t, []uint32{1, 5, 2, 3, 4, 2, 3, 4, 1, 6}, first, "the last one ends the run")
	assert.Equal(t, first, run())
}

// A group whose tasks are all killed, the parent with them, is not told of: in
// whatever order.
func TestKillGroup(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { t.Errorf("%s: %v", c.Message, c.Exception) })
		for _, parentFirst := range []bool{true, false} {
			var doomed []asyncio.AnyTask
			parent := asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					for range 3 {
						child := tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
						doomed = append(doomed, child)
					}
					return asyncio.Sleep(ctx, time.Hour)
				})
			})
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			if doomed = append(doomed, parent); parentFirst {
				slices.Reverse(doomed)
			}
			for _, x := range doomed {
				require.NoError(t, asyncio.Kill(x, errCrash))
			}
			for range 5 {
				asyncio.Sleep(ctx, 0)
			}
			_, err := parent.Await(ctx)
			require.ErrorIs(t, err, errCrash)
		}
	})
}
