package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Who does not wait receives nothing: however the future ends, the values stay in
// the channel.
func TestFromChanReceivesForWaitersOnly(t *testing.T) {
	ch := make(chan int, 100)
	full := func(what string) {
		t.Helper()
		if len(ch) != cap(ch) {
			t.Errorf("%s: %d values are gone", what, cap(ch)-len(ch))
		}
		for len(ch) < cap(ch) {
			ch <- 1
		}
	}
	for range cap(ch) {
		ch <- 1
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		turns := func() {
			runtime.Gosched()
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
		}
		for range 50 {
			if f := asyncio.FromChan(l, ch); !f.Cancel() || !f.Cancelled() || f.Cancel() {
				t.Fatal("it cannot be cancelled")
			}
		}
		turns()
		full("cancelled")
		for range 50 {
			if asyncio.FromChan(l, ch).Cancelled() {
				t.Fatal("cancelled")
			}
		}
		turns()
		full("forgotten")
		for range 50 {
			f := asyncio.FromChan(l, ch)
			f.SetException(errors.New("by hand"))
			f.Exception()
		}
		turns()
		full("settled by hand")
		over, end := context.WithCancel(ctx)
		end()
		if _, err := asyncio.FromChan(l, ch).Await(over); err != context.Canceled {
			t.Error(err)
		}
		turns()
		full("a context that has ended")

		// A cancel that is to be delivered comes first, also where each wait has a value.
		me := asyncio.CurrentTask(ctx)
		me.Cancel("enough")
		if _, err := asyncio.FromChan(l, ch).Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		me.Uncancel()
		turns()
		full("a cancel before")
	})
	l := asyncio.NewLoop()
	f := asyncio.FromChan(l, ch)
	l.Close()
	if f.Done() {
		t.Error("done after the end of its loop")
	}
	full("closed")
}

// Waits that end otherwise leave the channel as it is, and no goroutine at it.
func TestFromChanGivenUp(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ch := make(chan int)
		ends := map[string]func(ctx context.Context) error{
			"context": func(ctx context.Context) error {
				c, end := context.WithCancel(ctx)
				l.CallSoon(end)
				_, err := asyncio.FromChan(l, ch).Await(c)
				return err
			},
			"WaitFor": func(ctx context.Context) error {
				_, err := asyncio.WaitFor(ctx, 1, asyncio.FromChan(l, ch))
				return err
			},
			"Wait": func(ctx context.Context) error {
				done, pending, err := asyncio.Wait(ctx, []*asyncio.Future[int]{asyncio.FromChan(l, ch)}, asyncio.Within(1))
				if len(done) != 0 || len(pending) != 1 {
					t.Error(done, pending)
				}
				return errors.Join(err, asyncio.ErrTimeout)
			},
			"Shield": func(ctx context.Context) error {
				_, err := asyncio.WaitFor(ctx, 1, asyncio.Shield(ctx, asyncio.FromChan(l, ch)))
				return err
			},
			"Gather": func(ctx context.Context) error {
				_, err := asyncio.WaitFor(ctx, 1, asyncio.Gather(ctx, asyncio.FromChan(l, ch), asyncio.FromChan(l, ch)))
				return err
			},
			"AsCompleted": func(ctx context.Context) (err error) {
				for _, err = range asyncio.AsCompleted(ctx, []*asyncio.Future[int]{asyncio.FromChan(l, ch)}, asyncio.Within(1)) {
				}
				return err
			},
			"callback": func(ctx context.Context) error {
				f := asyncio.FromChan(l, ch)
				cb := asyncio.NewCallback(func(asyncio.AnyFuture) { t.Error("called") })
				f.AddDoneCallback(cb)
				f.RemoveDoneCallback(cb)
				return asyncio.ErrTimeout
			},
		}
		for what, end := range ends {
			if err := end(ctx); err == nil {
				t.Errorf("%s: no error", what)
			}
			select {
			case ch <- 1:
				t.Errorf("%s: somebody receives", what)
			default:
			}
		}
	})
}

// taken is a value that is on its way to a task: taken from where nobody else can
// get it any more, but the loop has not heard of it. begin returns what waits for it
// and what makes it so.
type taken struct {
	name  string
	begin func(l *asyncio.Loop) (wait asyncio.Coro[int], take func())
}

func taking() []taken {
	return []taken{
		{"FromChan", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			ch := make(chan int)
			return func(ctx context.Context) (int, error) { return asyncio.FromChan(l, ch).Await(ctx) },
				func() { ch <- 7 }
		}},
		{"WrapFuture", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			c := asyncio.NewConcurrentFuture[int]()
			return func(ctx context.Context) (int, error) { return asyncio.WrapFuture(l, c).Await(ctx) },
				func() { c.SetResult(7) }
		}},
		{"ConcurrentFuture", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			c := asyncio.NewConcurrentFuture[int]()
			return c.Await, func() { c.SetResult(7) }
		}},
		{"RunInExecutor", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			ex := new(handExecutor)
			return func(ctx context.Context) (int, error) {
				return asyncio.RunInExecutor(l, ex, func() (int, error) { return 7, nil }).Await(ctx)
			}, ex.run
		}},
		{"ToThread", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			ex := new(handExecutor)
			l.SetDefaultExecutor(ex)
			return func(ctx context.Context) (int, error) {
				return asyncio.ToThread(ctx, func(context.Context) (int, error) { return 7, nil })
			}, ex.run
		}},
		{"RunCoroutineThreadsafe", func(l *asyncio.Loop) (asyncio.Coro[int], func()) {
			ex := new(handExecutor) // it has the other loop
			return func(ctx context.Context) (int, error) {
				other := asyncio.NewLoop()
				c := asyncio.RunCoroutineThreadsafe(other, number(7))
				ex.Submit(func() {
					defer other.Close()
					asyncio.RunUntilComplete(other, asyncio.Coro[int](c.Await))
				})
				return c.Await(ctx)
			}, ex.run
		}},
	}
}

// A handExecutor runs a function when it is told to, on a goroutine.
type handExecutor struct{ f func() }

func (ex *handExecutor) Submit(f func()) error { ex.f = f; return nil }

func (ex *handExecutor) run() {
	done := make(chan struct{})
	go func() { defer close(done); ex.f() }()
	<-done
}

// A value that is on its way when the wait is ended has been taken, so the wait
// returns it. What ends the wait is told by the next one.
func TestTakenValueComesThrough(t *testing.T) {
	for _, from := range taking() {
		// By a cancel.
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			wait, take := from.begin(l)
			var next error
			waiter := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
				v, err := wait(ctx)
				next = asyncio.Sleep(ctx, 0)
				return v, err
			})
			asyncio.Sleep(ctx, 0)
			take()
			waiter.Cancel("enough")
			v, err := waiter.Await(ctx)
			var c *asyncio.CancelledError
			if v != 7 || err != nil || !errors.As(next, &c) || c.Msg != "enough" {
				t.Errorf("%s, a cancel: %d, %v; the next wait: %v", from.name, v, err, next)
			}
		})
		// By a cancel, and there is no next wait.
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			wait, take := from.begin(l)
			waiter := asyncio.CreateTask(ctx, wait)
			asyncio.Sleep(ctx, 0)
			take()
			waiter.Cancel()
			if v, err := waiter.Await(ctx); v != 7 || err != nil {
				t.Errorf("%s, a task that returns it: %d, %v", from.name, v, err)
			}
		})
		// But a second cancel is one of the task, which has it.
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			wait, take := from.begin(l)
			waiter := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
				v, err := wait(ctx)
				asyncio.CurrentTask(ctx).Cancel()
				return v, err
			})
			asyncio.Sleep(ctx, 0)
			take()
			waiter.Cancel()
			if _, err := waiter.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
				t.Errorf("%s, a second cancel: %v", from.name, err)
			}
		})
		// By the end of a context.
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			wait, take := from.begin(l)
			c, end := context.WithCancel(ctx)
			waiter := asyncio.CreateTask(ctx, wait, asyncio.WithTaskContext(c))
			asyncio.Sleep(ctx, 0)
			end()
			take() // before the loop hears of the end, or in the same turn
			if v, err := waiter.Await(ctx); v != 7 || err != nil {
				t.Errorf("%s, a context: %d, %v", from.name, v, err)
			}
		})
		// By a time limit.
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			wait, take := from.begin(l)
			v := 0
			err := asyncio.WithTimeout(ctx, asyncio.NoTimeout, func(ctx context.Context, limit *asyncio.Timeout) (err error) {
				l.CallSoon(func() {
					take()
					limit.Reschedule(0)
				})
				v, err = wait(ctx)
				return err
			})
			if v != 7 || err != nil {
				t.Errorf("%s, a time limit: %d, %v", from.name, v, err)
			}
		})
	}
}

// What a future has been given for cannot be overruled, nor lost with the loop.
func TestTakenValueStaysWithFuture(t *testing.T) {
	begun := func(l *asyncio.Loop) (f *asyncio.Future[int], take func()) {
		ch := make(chan int)
		f = asyncio.FromChan(l, ch)
		f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) {}))
		return f, func() { ch <- 7 }
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for what, end := range map[string]func(f *asyncio.Future[int]) bool{
			"SetResult":    func(f *asyncio.Future[int]) bool { return f.SetResult(1) == asyncio.ErrInvalidState },
			"SetException": func(f *asyncio.Future[int]) bool { return f.SetException(errors.New("")) == asyncio.ErrInvalidState },
			"Cancel":       func(f *asyncio.Future[int]) bool { return !f.Cancel() },
		} {
			f, take := begun(l)
			take()
			if !end(f) {
				t.Errorf("%s was not refused", what)
			}
			if v, err := f.Result(); v != 7 || err != nil {
				t.Errorf("%s: %d, %v", what, v, err)
			}
			f, _ = begun(l)
			if end(f) {
				t.Errorf("%s was refused where nothing was on its way", what)
			}
			f.Exception()
		}
		// Who asks gets it, without a wait.
		ch := make(chan int, 3)
		f := asyncio.FromChan(l, ch)
		if f.Done() {
			t.Error("done")
		}
		ch <- 7
		if f.Cancelled() || len(ch) != 1 || !f.Done() || len(ch) != 0 || f.Cancel() {
			t.Error("not received when asked")
		}
		if v, err := f.Result(); v != 7 || err != nil {
			t.Error(v, err)
		}
		// A channel that is always full does not keep the others from running.
		ch <- 1
		ran := false
		l.CallSoon(func() { ran = true })
		if asyncio.FromChan(l, ch).Await(ctx); !ran {
			t.Error("Await has not let others run")
		}
	})
	l := asyncio.NewLoop()
	f, take := begun(l)
	take()
	l.Close()
	if v, err := f.Result(); v != 7 || err != nil {
		t.Errorf("after the end of the loop: %d, %v", v, err)
	}
	// A task that waits is killed by Close: who has the future has the value.
	l = asyncio.NewLoop()
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // it is told of the task
	ch := make(chan int)
	f, other := asyncio.FromChan(l, ch), asyncio.FromChan(l, ch)
	var killed error
	asyncio.NewTask(l, func(ctx context.Context) (int, error) {
		defer func() { _, killed = other.Await(ctx) }()
		return f.Await(ctx)
	})
	l.Stop()
	l.RunForever()
	ch <- 7
	l.Close()
	if v, err := f.Result(); v != 7 || err != nil || killed == nil {
		t.Errorf("a task that was killed: %d, %v; its deferred call: %v", v, err, killed)
	}
	select {
	case ch <- 8:
		t.Error("somebody receives after the end of the loop")
	default:
	}
	// The last turn of the loop has brought a result for another goroutine.
	l = asyncio.NewLoop()
	c := asyncio.RunCoroutineThreadsafe(l, func(context.Context) (int, error) { l.Stop(); return 7, nil })
	l.RunForever()
	l.Close()
	if v, err := c.Result(time.Minute); v != 7 || err != nil {
		t.Errorf("RunCoroutineThreadsafe after the end of the loop: %d, %v", v, err)
	}
}

// In a loop that waits with a limit, where limits and values come at any time, all
// values arrive, in order.
func TestFromChanLosesNothing(t *testing.T) {
	const values = 2000
	ways := map[string]func(ctx context.Context, l *asyncio.Loop, ch chan int, stop chan func()) (int, error){
		"context": func(ctx context.Context, l *asyncio.Loop, ch chan int, stop chan func()) (int, error) {
			c, end := context.WithCancel(ctx)
			defer end()
			stop <- end
			return asyncio.FromChan(l, ch).Await(c)
		},
		"task": func(ctx context.Context, l *asyncio.Loop, ch chan int, stop chan func()) (int, error) {
			waiter := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return asyncio.FromChan(l, ch).Await(ctx) })
			stop <- func() { l.CallSoonThreadsafe(func() { waiter.Cancel() }) }
			return waiter.Await(ctx)
		},
		"WaitFor": func(ctx context.Context, l *asyncio.Loop, ch chan int, stop chan func()) (int, error) {
			stop <- func() {}
			return asyncio.WaitFor(ctx, 20*time.Microsecond, asyncio.FromChan(l, ch))
		},
		"Cancel": func(ctx context.Context, l *asyncio.Loop, ch chan int, stop chan func()) (int, error) {
			f := asyncio.FromChan(l, ch)
			stop <- func() { l.CallSoonThreadsafe(func() { f.Cancel() }) }
			return f.Await(ctx)
		},
	}
	for name, way := range ways {
		ch := make(chan int)
		go func() {
			for v := range values {
				ch <- v
			}
			close(ch)
		}()
		stop := make(chan func(), 1)
		go func() { // ends each wait, sooner or later
			for end := range stop {
				runtime.Gosched()
				end()
			}
		}()
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			for next := 0; next < values; {
				v, err := way(ctx, l, ch, stop)
				switch {
				case err == nil && v != next:
					t.Errorf("%s: %d came in the place of %d", name, v, next)
					return
				case err == nil:
					next++
				}
			}
		})
		close(stop)
		for range ch { // if it has failed
		}
	}
}
