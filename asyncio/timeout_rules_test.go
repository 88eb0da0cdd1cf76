package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestTimeoutRules(t *testing.T) {
	type body = func(ctx context.Context, tm *asyncio.Timeout) error
	sleep := func(ctx context.Context, _ *asyncio.Timeout) error { return asyncio.Sleep(ctx, time.Minute) }
	bad := valueError("bad")
	for _, c := range []struct {
		what    string
		d       time.Duration
		f       body
		want    error
		expired bool
	}{
		{"in time", time.Hour, sleep, nil, false},
		{"too late", time.Second, sleep, asyncio.ErrTimeout, true},
		{"in the same turn", time.Minute, sleep, asyncio.ErrTimeout, true},
		{"zero", 0, sleep, asyncio.ErrTimeout, true},
		{"negative", math.MinInt64, sleep, asyncio.ErrTimeout, true},
		{"none", asyncio.NoTimeout, sleep, nil, false},
		{"huge", asyncio.NoTimeout - 1, sleep, nil, false},
		{"zero, and no wait", 0, func(context.Context, *asyncio.Timeout) error { return nil }, nil, false},
		{"zero, and an error of its own", 0, func(context.Context, *asyncio.Timeout) error { return bad }, bad, false},
		{"the cancel is refused", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			sleep(ctx, tm)
			return nil
		}, nil, true},
		{"the cancel makes another error", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			sleep(ctx, tm)
			return bad
		}, bad, true},
		{"the cancel is wrapped", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			return fmt.Errorf("while asleep: %w", sleep(ctx, tm))
		}, asyncio.ErrTimeout, true},
		{"cancelled from elsewhere", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			asyncio.CurrentTask(ctx).Cancel()
			return sleep(ctx, tm)
		}, asyncio.ErrCancelled, false},
		{"cancelled from elsewhere in the same turn", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			me := asyncio.CurrentTask(ctx)
			me.Loop().CallLater(time.Second, func() { me.Cancel() })
			return sleep(ctx, tm)
		}, asyncio.ErrCancelled, true},
		{"given more time", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			return errors.Join(tm.Reschedule(tm.When()+time.Hour), sleep(ctx, tm))
		}, nil, false},
		{"given less time", time.Hour, func(ctx context.Context, tm *asyncio.Timeout) error {
			if err := tm.Reschedule(asyncio.CurrentTask(ctx).Loop().Time() - 1); err != nil {
				return err
			}
			return sleep(ctx, tm)
		}, asyncio.ErrTimeout, true},
		{"given all the time", 0, func(ctx context.Context, tm *asyncio.Timeout) error {
			return errors.Join(tm.Reschedule(asyncio.NoTimeout), sleep(ctx, tm))
		}, nil, false},
		{"entered after a cancel that was refused", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			asyncio.CurrentTask(ctx).Cancel()
			asyncio.Sleep(ctx, 0)
			return asyncio.WithTimeout(ctx, time.Millisecond, sleep)
		}, asyncio.ErrTimeout, false},
		{"two that are over in the same turn", time.Second, func(ctx context.Context, tm *asyncio.Timeout) error {
			err := asyncio.WithTimeoutAt(ctx, tm.When(), sleep)
			assert.ErrorIs(t, err, asyncio.ErrCancelled, "the inner one")
			return err
		}, asyncio.ErrTimeout, true},
		{"two, the inner one is over first", time.Minute, func(ctx context.Context, tm *asyncio.Timeout) error {
			return asyncio.WithTimeout(ctx, time.Second, sleep)
		}, asyncio.ErrTimeout, false},
	} {
		play(t, func(ctx context.Context) error {
			asyncio.Sleep(ctx, time.Second) // the clock is not at zero
			var tm *asyncio.Timeout
			err := asyncio.WithTimeout(ctx, c.d, func(ctx context.Context, timeout *asyncio.Timeout) error {
				tm = timeout
				return c.f(ctx, timeout)
			})
			if err != c.want && !errors.Is(err, c.want) || tm.Expired() != c.expired {
				t.Errorf("%s: error %v, expired %v, want %v, %v", c.what, err, tm.Expired(), c.want, c.expired)
			}
			me := asyncio.CurrentTask(ctx)
			elsewhere := 0
			if c.want == asyncio.ErrCancelled || c.what == "entered after a cancel that was refused" {
				elsewhere = 1
			}
			if n := me.Cancelling(); n != elsewhere {
				t.Errorf("%s: %d requests to end are left, want %d", c.what, n, elsewhere)
			}
			if err := asyncio.Sleep(ctx, 2*time.Hour); err != nil {
				t.Errorf("%s: something comes later: %v", c.what, err)
			}
			return nil
		})
	}
}

func TestTimeoutMisuse(t *testing.T) {
	tm := asyncio.NewTimeout(time.Second)
	assert.ErrorIs(t, tm.Enter(context.Background()), asyncio.ErrNoRunningLoop, "entered by no task")
	assert.ErrorIs(t, asyncio.WithTimeout(context.Background(), 1, func(context.Context, *asyncio.Timeout) error { return nil }), asyncio.ErrNoRunningLoop, "no task")
	_, err := asyncio.WaitFor(context.Background(), 1, returning(1, nil))
	assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "no task")
	wantPy(t, "no function", asyncio.WithTimeoutAt(context.Background(), 1, nil), "TypeError", "got nil")
	play(t, func(ctx context.Context) error {
		bad := valueError("bad")
		wantPy(t, "rescheduled before Enter", tm.Reschedule(1), "RuntimeError", "has not been entered")
		err := tm.Exit(bad)
		assert.ErrorIs(t, err, bad, "left before Enter")
		if tm.When() != asyncio.NoTimeout || tm.Expired() {
			t.Errorf("before Enter it is over at %v", tm.When())
		}
		if err := tm.Enter(ctx); err != nil || tm.When() != time.Second {
			t.Errorf("Enter: %v, over at %v", err, tm.When())
		}
		wantPy(t, "entered twice", tm.Enter(ctx), "RuntimeError", "already been entered")
		err = asyncio.Sleep(ctx, time.Hour)
		wantPy(t, "rescheduled when it is over", tm.Reschedule(1), "RuntimeError", "Cannot change state of expiring Timeout")
		assert.ErrorIs(t, tm.Exit(err), asyncio.ErrTimeout, "Exit")
		wantPy(t, "rescheduled later", tm.Reschedule(1), "RuntimeError", "Cannot change state of expired Timeout")
		assert.ErrorIs(t, tm.Exit(bad), bad, "left twice")
		wantPy(t, "entered again", tm.Enter(ctx), "RuntimeError", "already been entered")
		again := asyncio.NewTimeoutAt(asyncio.NoTimeout)
		again.Enter(ctx)
		again.Exit(nil)
		wantPy(t, "left twice", again.Exit(nil), "RuntimeError", "Cannot change state of finished Timeout")
		return nil
	})
}

// TestTimeoutPanic: a body that panics leaves nothing behind.
func TestTimeoutPanic(t *testing.T) {
	play(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		for _, f := range []func(){
			func() {
				asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
					asyncio.Sleep(ctx, time.Minute)
					panic("bad")
				})
			},
			func() {
				asyncio.WaitFor(ctx, time.Second, asyncio.Coro[int](func(ctx context.Context) (int, error) { panic("bad") }))
			},
		} {
			func() {
				defer func() {
					if p := recover(); p != "bad" {
						t.Errorf("recovered %v", p)
					}
				}()
				f()
			}()
			if err := asyncio.Sleep(ctx, time.Minute); err != nil || me.Cancelling() != 0 {
				t.Errorf("after the panic: %v, %d requests to end", err, me.Cancelling())
			}
		}
		return nil
	})
}

func TestWaitForRules(t *testing.T) {
	play(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		l := me.Loop()
		ran := false
		runs := asyncio.Coro[int](func(ctx context.Context) (int, error) { ran = true; return 0, nil })
		for _, d := range []time.Duration{0, -1} {
			_, err := asyncio.WaitFor(ctx, d, runs)
			if assert.ErrorIs(t, err, asyncio.ErrTimeout, "no time"); ran {
				t.Errorf("within %v: the coroutine was begun", d)
			}
			ready := asyncio.NewFuture[int](l)
			ready.SetResult(7)
			if v, err := asyncio.WaitFor(ctx, d, ready); v != 7 || err != nil {
				t.Errorf("within %v: %d, %v of what is done", d, v, err)
			}
			pending := asyncio.NewFuture[int](l)
			if _, err := asyncio.WaitFor(ctx, d, pending); err != asyncio.ErrTimeout || !pending.Cancelled() {
				t.Errorf("within %v: %v of what is pending", d, err)
			}
		}
		asyncio.WaitFor(ctx, time.Second, asyncio.Coro[int](func(ctx context.Context) (int, error) {
			if asyncio.CurrentTask(ctx) != me {
				t.Error("a coroutine runs in a task of its own")
			}
			return 0, nil
		}))
		ended := false
		before := l.Time()
		task := asyncio.CreateTask(ctx, slowToEnd(time.Minute, &ended))
		_, err := asyncio.WaitFor(ctx, time.Second, task)
		if err != asyncio.ErrTimeout || !ended || !task.Cancelled() || l.Time()-before != time.Minute+time.Second {
			t.Errorf("a task that cleans up: %v, ended %v, after %v", err, ended, l.Time()-before)
		}
		v, err := asyncio.WaitFor(ctx, time.Second, asyncio.CreateTask(ctx, stubborn(time.Minute, 3)))
		if v != 3 || err != nil {
			t.Errorf("a task that refuses: %d, %v", v, err)
		}
		v, err = asyncio.WaitFor(ctx, -1, begun(ctx, stubborn(time.Minute, 3)))
		if v != 3 || err != nil {
			t.Errorf("a task that refuses, with no time: %d, %v", v, err)
		}
		f := asyncio.NewFuture[int](l)
		l.CallLater(time.Second, func() { f.SetResult(1) })
		_, err = asyncio.WaitFor(ctx, time.Second, f)
		assert.ErrorIs(t, err, asyncio.ErrTimeout, "a result in the same turn")
		inner := begun(ctx, sleeping(time.Hour, 1))
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.WaitFor(ctx, time.Minute, inner)
			return err
		})
		asyncio.Sleep(ctx, 0)
		waits.Cancel()
		_, err = waits.Await(ctx)
		if assert.ErrorIs(t, err, asyncio.ErrCancelled, "cancelled from elsewhere"); !inner.Cancelled() {
			t.Error("what it waited for goes on")
		}
		_, err = asyncio.WaitFor[int](ctx, time.Second, nil)
		wantPy(t, "nil", err, "TypeError", "awaitable is required")
		_, err = asyncio.WaitFor(ctx, time.Second, asyncio.Coro[int](nil))
		wantPy(t, "a nil coroutine", err, "TypeError", "awaitable is required")
		other := asyncio.NewLoop()
		defer other.Close()
		_, err = asyncio.WaitFor(ctx, 0, asyncio.NewFuture[int](other))
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop, "a foreign future")
		return nil
	})
}

// begun returns a task that has begun.
func begun[T any](ctx context.Context, f asyncio.Coro[T]) *asyncio.Task[T] {
	t := asyncio.CreateTask(ctx, f)
	asyncio.Sleep(ctx, 0)
	return t
}

func TestShieldRules(t *testing.T) {
	var reports []string
	l := asyncio.NewLoop(asyncio.WithClock(new(jumpClock)))
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		reports = append(reports, fmt.Sprint(c.Message, ": ", c.Exception))
	})
	other := asyncio.NewLoop()
	defer other.Close()
	asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		v, err := asyncio.Shield(ctx, sleeping(time.Second, 5)).Await(ctx)
		if v != 5 || err != nil {
			t.Errorf("a coroutine: %d, %v", v, err)
		}
		_, err = asyncio.Shield(ctx, returning(0, valueError("bad"))).Await(ctx)
		wantPy(t, "one that fails", err, "ValueError", "bad")
		inner := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, time.Second)
			return 0, valueError("late")
		})
		outer := asyncio.Shield(ctx, inner)
		if !outer.Cancel() || inner.Cancelling() != 0 {
			t.Error("a cancel of the shield reaches what is shielded")
		}
		asyncio.Sleep(ctx, time.Minute)
		pending := asyncio.NewFuture[int](l)
		outer = asyncio.Shield(ctx, pending)
		pending.Cancel("why")
		_, err = outer.Await(ctx)
		var c *asyncio.CancelledError
		if !errors.As(err, &c) || c.Msg != nil || !outer.Cancelled() {
			t.Errorf("the shield of one that is cancelled: %v, want a cancel without the message of the inner one", err)
		}
		_, err = asyncio.Shield[int](ctx, nil).Await(ctx)
		wantPy(t, "nil", err, "TypeError", "awaitable is required")
		_, err = asyncio.Shield(ctx, asyncio.NewFuture[int](other)).Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop, "a foreign future")
		return nil
	}))
	l.Close()
	if want := []string{"ValueError exception in shielded future: late"}; !reflect.DeepEqual(reports, want) {
		t.Errorf("reports %q, want %q", reports, want)
	}
	_, err := asyncio.Shield(context.Background(), returning(1, nil)).Result()
	assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "no loop")
}

func TestEnsureFuture(t *testing.T) {
	panics := func(what string, class string, f func()) {
		t.Helper()
		defer func() { wantPy(t, what, recover().(error), class, "") }()
		f()
	}
	panics("a coroutine on no loop", "RuntimeError", func() { asyncio.EnsureFuture(context.Background(), returning(1, nil)) })
	play(t, func(ctx context.Context) error {
		task := asyncio.CreateTask(ctx, returning(1, nil))
		if f := asyncio.EnsureFuture(ctx, task); f != asyncio.FutureOf[int](task) {
			t.Errorf("%v, want the task itself", f)
		}
		if f, ok := asyncio.EnsureFuture(ctx, returning(1, nil)).(*asyncio.Task[int]); !ok {
			t.Errorf("%v, want a task", f)
		}
		panics("nil", "TypeError", func() { asyncio.EnsureFuture[int](ctx, nil) })
		panics("a nil coroutine", "TypeError", func() { asyncio.EnsureFuture(ctx, asyncio.Func(nil)) })
		panics("a nil task", "TypeError", func() { asyncio.EnsureFuture(ctx, (*asyncio.Task[int])(nil)) })
		return nil
	})
}

// TestTimeoutOfThePast: it is over before what is called soon afterwards.
func TestTimeoutOfThePast(t *testing.T) {
	play(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		asyncio.WithTimeout(ctx, 0, func(ctx context.Context, tm *asyncio.Timeout) error {
			me.Loop().CallSoon(func() {
				if !tm.Expired() || me.Cancelling() != 1 {
					t.Error("a callback that came later is called first")
				}
			})
			return asyncio.Sleep(ctx, time.Second)
		})
		return nil
	})
}
