package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// What a loop, a run and a task do with those who misuse them: the page
// docs/asyncio-bad-input.md lists it.

func forever(ctx context.Context) (int, error) { return 0, asyncio.Sleep(ctx, math.MaxInt64) }

func TestNestedRun(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		if _, err := asyncio.Run(ctx, number(1)); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Errorf("Run in a task: %v", err)
		}
		if _, err := asyncio.RunUntilComplete(l, number(1)); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Errorf("RunUntilComplete of the same loop: %v", err)
		}
		if err := l.RunForever(); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Errorf("RunForever of the same loop: %v", err)
		}
		other := asyncio.NewLoop()
		defer other.Close()
		if err := other.RunForever(); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Errorf("RunForever of another loop: %v", err)
		}
		if err := l.Close(); err == nil || err.Error() != "asyncio: Cannot close a running event loop" {
			t.Errorf("Close: %v", err)
		}
		if v, err := asyncio.ToThread(ctx, func(ctx context.Context) (int, error) { return asyncio.Run(ctx, number(5)) }); v != 5 || err != nil {
			t.Errorf("Run in a thread: %v, %v", v, err)
		}
	})
}

// What is refused inside a run is one error: nothing is made, so that nothing is
// reported as destroyed.
func TestRefusedRunMakesNothing(t *testing.T) {
	refused := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Errorf("%s: %v", what, err)
		}
	}
	inTask(t, func(ctx context.Context, _ *asyncio.Loop) { // a report fails the test
		made := 0
		var other *asyncio.Loop
		factory := asyncio.WithLoopFactory(func() *asyncio.Loop {
			made++
			other = asyncio.NewLoop()
			other.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { t.Errorf("reported: %s", c.Message) })
			return other
		})
		_, err := asyncio.Run(ctx, number(1), factory)
		refused("Run", err)
		refused("RunFunc", asyncio.RunFunc(ctx, func(context.Context) error { return nil }, factory))
		refused("RunWorkers", asyncio.RunWorkers(ctx, 1, func(context.Context, *asyncio.Worker) error { return nil }, factory))
		refused("Simulate", asynciotest.Simulate(1, func(context.Context) error { return nil }))
		r := asyncio.NewRunner(factory)
		_, err = asyncio.RunIn(ctx, r, number(1))
		refused("RunIn", err)
		if made != 0 {
			t.Errorf("%d loops are made", made)
		}
		r.Loop()
		_, err = asyncio.RunUntilComplete(other, number(1))
		refused("RunUntilComplete of another loop", err)
		if n := len(other.AllTasks()); n != 0 {
			t.Errorf("%d tasks are made", n)
		}
		refused("Close of a Runner", r.Close())
		if other.IsClosed() {
			t.Error("a Runner whose Close was refused is closed")
		}
		if _, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { return 0, r.Close() }); err != nil || !other.IsClosed() {
			t.Errorf("Close of a Runner afterwards: %v", err)
		}
	})
}

// A task that is destroyed is told of as a task. Python: the key "task" only.
func TestDestroyedTask(t *testing.T) {
	l := asyncio.NewLoop()
	var told []asyncio.ExceptionContext
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c) })
	x := asyncio.NewTask(l, asyncio.Func(asyncio.NewEvent().Wait))
	asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }))
	l.Close()
	if len(told) != 1 || told[0].Task != asyncio.AnyTask(x) || told[0].Future != nil || told[0].Exception != nil {
		t.Errorf("told %+v", told)
	}
}

// In a bubble, as a run must have begun before its context ends.
func TestRunEndsWithItsContext(t *testing.T) { synctest.Test(t, testRunEndsWithItsContext) }

func testRunEndsWithItsContext(t *testing.T) {
	cause := errors.New("the cause")
	soon := func() (context.Context, context.CancelFunc) {
		return context.WithTimeout(context.Background(), time.Hour)
	}
	for _, c := range []struct {
		name string
		make func() (context.Context, context.CancelFunc)
		want error
	}{
		{"deadline", soon, context.DeadlineExceeded},
		{"deadline before", func() (context.Context, context.CancelFunc) {
			return context.WithDeadline(context.Background(), time.Now().Add(-time.Hour))
		}, context.DeadlineExceeded},
		{"cancel", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			time.AfterFunc(time.Hour, func() { cancel(cause) })
			return ctx, func() { cancel(nil) }
		}, context.Canceled},
		{"cancel before", func() (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(context.Background())
			cancel(cause)
			return ctx, func() {}
		}, context.Canceled},
	} {
		ctx, cancel := c.make()
		defer cancel()
		began, cleaned := false, false
		var seen error
		_, err := asyncio.Run(ctx, func(ctx context.Context) (int, error) {
			began = true
			_, seen = forever(ctx)
			asyncio.Sleep(ctx, 0)
			cleaned = true
			return 0, seen
		})
		if !errors.Is(err, c.want) || !errors.Is(err, asyncio.ErrCancelled) || asyncio.IsException(err) {
			t.Errorf("%s: the run gives %v", c.name, err)
		}
		if before := strings.HasSuffix(c.name, "before"); began == before || cleaned == before {
			t.Errorf("%s: began: %v, cleaned up: %v", c.name, began, cleaned)
		}
		var cancelled *asyncio.CancelledError
		if began && (!errors.As(seen, &cancelled) || cancelled.Msg != context.Cause(ctx)) {
			t.Errorf("%s: main sees %v, the cause is %v", c.name, seen, context.Cause(ctx))
		}
	}
	// A main that refuses has a result.
	ctx, cancel := soon()
	defer cancel()
	v, err := asyncio.Run(ctx, func(ctx context.Context) (int, error) {
		forever(ctx)
		return 3, nil
	})
	if v != 3 || err != nil {
		t.Error(v, err)
	}
}

func TestRunner(t *testing.T) {
	r := asyncio.NewRunner()
	var left *asyncio.Task[int]
	got := 0
	v, err := asyncio.RunIn(context.Background(), r, func(ctx context.Context) (int, error) {
		left = asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			for {
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return 0, err
				}
				got++
			}
		})
		return 1, nil
	})
	if v != 1 || err != nil || left.Done() {
		t.Error(v, err, left)
	}
	before := got
	v, err = asyncio.RunIn(context.Background(), r, func(ctx context.Context) (int, error) {
		for range 10 {
			asyncio.Sleep(ctx, 0)
		}
		return 2, nil
	})
	if v != 2 || err != nil || got < before+9 {
		t.Errorf("second run: %v, %v; the task made %d steps", v, err, got-before)
	}
	if _, err := asyncio.RunIn(context.Background(), r, func(context.Context) (int, error) { return 0, valueError("third") }); err == nil || err.Error() != "third" {
		t.Error(err)
	}
	if _, err := asyncio.RunIn[int](context.Background(), r, nil); pyName(err) != "TypeError" {
		t.Error(err)
	}
	l, _ := r.Loop()
	for range 2 {
		assert.NoError(t, r.Close())
	}
	if !left.Cancelled() || !l.IsClosed() {
		t.Error("the end of the runner does not end its tasks")
	}
	_, err = asyncio.RunIn(context.Background(), r, number(1))
	assert.EqualError(t, err, "asyncio: Runner is closed")
	_, err = r.Loop()
	assert.EqualError(t, err, "asyncio: Runner is closed")
	assert.NoError(t, asyncio.NewRunner().Close())
}

func TestClosedLoop(t *testing.T) {
	l := asyncio.NewLoop()
	var inside context.Context
	f := asyncio.NewFuture[int](l)
	f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) { t.Error("called") }))
	waiting := asyncio.NewTask(l, f.Await)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	asyncio.RunUntilComplete(l, asyncio.Coro[int](func(ctx context.Context) (int, error) {
		inside = ctx
		return 0, asyncio.Sleep(ctx, 0)
	}))
	for range 2 {
		assert.NoError(t, l.Close())
	}
	nop := func() {}
	for what, call := range map[string]func(){
		"CallSoon":         func() { l.CallSoon(nop) },
		"CallLater":        func() { l.CallLater(1, nop) },
		"CallAt":           func() { l.CallAt(1, nop) },
		"CallWhenQuiet":    func() { l.CallWhenQuiet(nop) },
		"NewTask":          func() { asyncio.NewTask(l, number(1)) },
		"RunInExecutor":    func() { asyncio.RunInExecutor(l, nil, nothing) },
		"WrapFuture":       func() { asyncio.WrapFuture(l, asyncio.NewConcurrentFuture[int]()) },
		"FromChan":         func() { asyncio.FromChan(l, make(chan int)) },
		"no executor left": func() { asyncio.RunInExecutor(l, asyncio.NewThreadPool(1), nothing) },
	} {
		if err := panicOf(call); !errors.Is(err, asyncio.ErrLoopClosed) || err.Error() != "asyncio: Event loop is closed" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := l.CallSoonThreadsafe(nop); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("CallSoonThreadsafe: %v", err)
	}
	if err := l.RunForever(); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("RunForever: %v", err)
	}
	if _, err := asyncio.RunUntilComplete(l, number(1)); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("RunUntilComplete: %v", err)
	}
	if _, err := asyncio.RunCoroutineThreadsafe(l, number(1)).Result(-1); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Errorf("RunCoroutineThreadsafe: %v", err)
	}
	if err := panicOf(func() { asyncio.CreateTask(inside, number(1)) }); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("CreateTask: %v", err)
	}
	if err := asyncio.Sleep(inside, 1); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Errorf("Sleep: %v", err)
	}
	if err := f.SetResult(1); err != nil || !f.Done() {
		t.Errorf("SetResult: %v", err)
	}
	l.Stop()
	l.Time()
	l.SetDebug(true)
	if l.IsRunning() || !l.IsClosed() || len(l.AllTasks()) != 0 {
		t.Error("it still seems to live")
	}
	_ = waiting
}

// Close kills what has not ended: deferred calls run, and whatever they try is
// refused, without harm.
func TestCloseKills(t *testing.T) {
	l := asyncio.NewLoop()
	var reports, log []string
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		if c.Task != nil {
			c.Name = c.Task.Name()
		}
		reports = append(reports, c.Message+" "+c.Name)
	})
	f := asyncio.NewFuture[int](l)
	f.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) {}))
	asyncio.NewTask(l, func(ctx context.Context) (int, error) {
		defer func() {
			log = append(log, fmt.Sprint(asyncio.Sleep(ctx, time.Second)), fmt.Sprint(f.SetResult(1)))
		}()
		return forever(ctx)
	}, asyncio.WithTaskName("first"))
	asyncio.NewTask(l, func(ctx context.Context) (int, error) {
		defer func() {
			log = append(log, fmt.Sprint(panicOf(func() { l.CallSoon(func() {}) })))
			panic("in a deferred call")
		}()
		return forever(ctx)
	}, asyncio.WithTaskName("second"))
	l.Stop()
	l.RunForever()
	asyncio.NewTask(l, number(3), asyncio.WithTaskName("not begun"))
	assert.NoError(t, l.Close())
	if got := strings.Join(log, "; "); got != "asyncio: Event loop is closed; asyncio: Event loop is closed; <nil>" {
		t.Errorf("the deferred call: %q", got)
	}
	const report = "Task was destroyed but it is pending! "
	if got := strings.Join(reports, "\n"); got != report+"first\n"+report+"second\n"+report+"not begun\nTask exception was never retrieved second" {
		t.Error(got)
	}
}

func TestErrorsThatEndTheRun(t *testing.T) {
	exit := &asyncio.SystemExit{Code: 3}
	for _, end := range []error{exit, asyncio.ErrKeyboardInterrupt} {
		for what, start := range map[string]func(l *asyncio.Loop){
			"task":               func(l *asyncio.Loop) { asyncio.NewTask(l, func(context.Context) (int, error) { return 0, end }) },
			"panic of a task":    func(l *asyncio.Loop) { asyncio.NewTask(l, func(context.Context) (int, error) { panic(end) }) },
			"callback":           func(l *asyncio.Loop) { l.CallSoon(func() { panic(end) }) },
			"done callback":      func(l *asyncio.Loop) { doneWith(l, func(asyncio.AnyFuture) { panic(end) }) },
			"exception handler":  func(l *asyncio.Loop) { handleWith(l, func() { panic(end) }) },
			"wrapped in a group": func(l *asyncio.Loop) { l.CallSoon(func() { panic(fmt.Errorf("more: %w", end)) }) },
		} {
			l := asyncio.NewLoop()
			start(l)
			ran := false
			l.CallSoon(func() {
				l.CallSoon(func() { ran = true; l.Stop() })
			})
			if err := l.RunForever(); !errors.Is(err, end) {
				t.Errorf("%v in a %s: RunForever gives %v", end, what, err)
			}
			l.SetExceptionHandler(nil)
			if err := l.RunForever(); err != nil || !ran {
				t.Errorf("%v in a %s: the next run gives %v", end, what, err)
			}
			l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
			l.Close()
		}
		_, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) { return 0, end })
		if !errors.Is(err, end) {
			t.Errorf("%v of main: Run gives %v", end, err)
		}
	}
	if exit.Error() != "asyncio: exit with code 3" {
		t.Error(exit)
	}
}

func doneWith(l *asyncio.Loop, cb func(asyncio.AnyFuture)) {
	f := asyncio.NewFuture[int](l)
	f.AddDoneCallback(asyncio.NewCallback(cb))
	f.SetResult(1)
}

func handleWith(l *asyncio.Loop, h func()) {
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) { h() })
	l.CallSoon(func() { panic("for the handler") })
}

func TestPanics(t *testing.T) {
	logged := captureLog(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, err := asyncio.Go(ctx, func(context.Context) error { panic("boom") }, asyncio.WithTaskName("careless")).Await(ctx)
		var p *asyncio.PanicError
		if !errors.As(err, &p) || p.Value != "boom" || p.Greenlet != "careless" || !strings.Contains(string(p.Stack), "loop_life_test.go") {
			t.Errorf("a task that panics: %v", err)
		}

		// A callback that panics is told to the handler, and a handler that panics to
		// the default one. The loop goes on.
		handled := 0
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			handled++
			if c.Message != "Exception in callback" || c.Handle == nil || !errors.As(c.Exception, &p) || p.Value != "in a callback" {
				t.Errorf("%+v", c)
			}
			panic("in the handler")
		})
		l.CallSoon(func() { panic("in a callback") })
		l.CallLater(0, func() { panic("in a callback") })
		asyncio.Sleep(ctx, time.Millisecond)
		if handled != 2 {
			t.Errorf("%d reports", handled)
		}
	})
	logged.has("Unhandled error in exception handler", "in the handler")
}

func TestAwaitWhereItCannotBe(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		var self *asyncio.Task[int]
		self = asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return self.Await(ctx) }, asyncio.WithTaskName("self"))
		_, err := self.Await(ctx)
		assert.EqualError(t, err, `asyncio: Task cannot await on itself: self`)

		f := asyncio.NewFuture[int](l)
		sleeper := asyncio.CreateTask(ctx, forever)
		outside := context.Background()
		if _, err := f.Await(outside); !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Errorf("Future.Await: %v", err)
		}
		if _, err := sleeper.Await(outside); !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Errorf("Task.Await: %v", err)
		}
		if err := asyncio.Sleep(outside, 0); !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Errorf("Sleep: %v", err)
		}
		l.CallSoon(func() {
			if err := asyncio.Sleep(ctx, 0); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("Sleep in a callback: %v", err)
			}
			if _, err := f.Await(ctx); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("Await in a callback: %v", err)
			}
		})
		asyncio.Sleep(ctx, 0)

		// Another goroutine, with the loop's context, while the loop goes on.
		foreign := make(chan struct{})
		go func() {
			defer close(foreign)
			defer greenlet.Close()
			for range 100 {
				if err := asyncio.Sleep(ctx, 0); !errors.Is(err, asyncio.ErrNoRunningLoop) {
					t.Errorf("Sleep on another goroutine: %v", err)
				}
				if _, err := f.Await(ctx); !errors.Is(err, asyncio.ErrNoRunningLoop) {
					t.Errorf("Await on another goroutine: %v", err)
				}
				if _, err := asyncio.RunningLoop(ctx); !errors.Is(err, asyncio.ErrNoRunningLoop) {
					t.Errorf("RunningLoop on another goroutine: %v", err)
				}
				if err := panicOf(func() { asyncio.CreateTask(ctx, number(1)) }); !errors.Is(err, asyncio.ErrNoRunningLoop) {
					t.Errorf("CreateTask on another goroutine: %v", err)
				}
			}
		}()
		for done := asyncio.FromChan(l, foreign); !done.Done(); {
			asyncio.Sleep(ctx, 0)
		}

		// Another loop, on another goroutine.
		other := asyncio.NewLoop()
		defer other.Close()
		of := asyncio.NewFuture[int](other)
		if _, err := of.Await(ctx); !errors.Is(err, asyncio.ErrOtherLoop) {
			t.Errorf("a future of another loop: %v", err)
		}
	})
	// RunUntilComplete with a future of another loop.
	a, b := asyncio.NewLoop(), asyncio.NewLoop()
	defer a.Close()
	defer b.Close()
	if _, err := asyncio.RunUntilComplete(a, asyncio.NewFuture[int](b)); !errors.Is(err, asyncio.ErrOtherLoop) || pyName(err) != "ValueError" {
		t.Error(err)
	}
}

func TestStrangeDelays(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		var order []string
		say := func(s string) func() { return func() { order = append(order, s) } }
		huge := l.CallLater(math.MaxInt64, say("for ever"))
		l.CallAt(math.MaxInt64, say("for ever"))
		l.CallAt(math.MinInt64, say("long ago"))
		l.CallLater(math.MinInt64, say("negative"))
		l.CallLater(0, say("zero"))
		sleeper := asyncio.CreateTask(ctx, forever)
		if err := asyncio.Sleep(ctx, math.MinInt64); err != nil { // one turn
			t.Error(err)
		}
		asyncio.Sleep(ctx, 5*time.Millisecond)
		if got := strings.Join(order, ", "); got != "long ago, negative, zero" {
			t.Error(got)
		}
		if sleeper.Done() || huge.When() != math.MaxInt64 {
			t.Error("for ever is over")
		}
		huge.Cancel()
	})
}

func TestTaskFactories(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for what, bad := range map[string]asyncio.TaskFactory{
			"nil": func(*asyncio.Loop, func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask { return nil },
			"another type": func(*asyncio.Loop, func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask {
				return asyncio.CurrentTask(ctx)
			},
			"a nil task": func(*asyncio.Loop, func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask {
				return (*asyncio.Task[int])(nil)
			},
		} {
			l.SetTaskFactory(bad)
			err := panicOf(func() { asyncio.CreateTask(ctx, number(1)) })
			if pyName(err) != "TypeError" || !strings.Contains(err.Error(), "the task factory returned") {
				t.Errorf("%s: %v", what, err)
			}
			if _, err := asyncio.RunCoroutineThreadsafe(l, number(1)).Await(ctx); pyName(err) != "TypeError" {
				t.Errorf("%s, from outside: %v", what, err)
			}
		}
		l.SetTaskFactory(func(l *asyncio.Loop, make func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask {
			return make(asyncio.WithTaskName("made"))
		})
		if name := asyncio.CreateTask(ctx, number(1)).Name(); name != "made" {
			t.Error(name)
		}
		l.SetTaskFactory(nil)
		if l.TaskFactory() != nil {
			t.Error("there is still a factory")
		}
		if err := panicOf(func() { asyncio.CreateTask[int](ctx, nil) }); pyName(err) != "TypeError" {
			t.Error(err)
		}
		// The end of the run, which waits for the executor, does not mind.
		l.SetTaskFactory(func(*asyncio.Loop, func(...asyncio.TaskOption) asyncio.AnyTask) asyncio.AnyTask { return nil })
	})
}

// A task that refuses to end keeps the run from ending, unless that has a time.
func TestStubbornTasks(t *testing.T) {
	logged := captureLog(t)
	killed, refused := false, 0
	clock := &jumpingClock{}
	v, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			defer func() { killed = true }()
			for {
				err := asyncio.Sleep(ctx, time.Hour)
				if errors.Is(err, asyncio.ErrLoopClosed) {
					return 0, err
				}
				if errors.Is(err, asyncio.ErrCancelled) {
					refused++
				}
			}
		}, asyncio.WithTaskName("stubborn"))
		return 7, asyncio.Sleep(ctx, 0)
	}, asyncio.WithShutdownTimeout(5*time.Hour), asyncio.WithClock(clock))
	if v != 7 || err != nil || !killed || refused != 1 {
		t.Errorf("%v, %v; killed: %v, refused %d times", v, err, killed, refused)
	}
	if clock.now != 5*time.Hour {
		t.Errorf("after %v", clock.now)
	}
	logged.has("Task was destroyed but it is pending!", "task=stubborn")

	// Without a time it is waited for, until it ends.
	ended := false
	asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			for range 5 {
				asyncio.Sleep(ctx, time.Hour)
			}
			ended = true
			return 0, nil
		})
		return 0, asyncio.Sleep(ctx, 0)
	}, asyncio.WithClock(&jumpingClock{}), asyncio.WithShutdownTimeout(24*time.Hour))
	if !ended {
		t.Error("it was not waited for")
	}
}

// What t.FailNow does in a task or a callback ends the goroutine that runs the
// loop, after all deferred calls, as anywhere.
func TestGoexit(t *testing.T) {
	for what, main := range map[string]func(ctx context.Context, l *asyncio.Loop){
		"main": func(ctx context.Context, l *asyncio.Loop) { goexit() },
		"task": func(ctx context.Context, l *asyncio.Loop) {
			asyncio.Go(ctx, func(context.Context) error { return goexit() }).Await(ctx)
		},
		"task that has waited": func(ctx context.Context, l *asyncio.Loop) {
			asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.Sleep(ctx, 0)
				return goexit()
			}).Await(ctx)
		},
		"eager task": func(ctx context.Context, l *asyncio.Loop) {
			asyncio.Go(ctx, func(ctx context.Context) error { return goexit() }, asyncio.EagerStart(true))
		},
		"callback": func(ctx context.Context, l *asyncio.Loop) {
			l.CallSoon(func() { goexit() })
			forever(ctx)
		},
	} {
		t.Run(what, func(t *testing.T) {
			logged := captureLog(t)
			var loop *asyncio.Loop
			returned, deferred := false, 0
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				defer greenlet.Close()
				defer func() { deferred++ }()
				asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
					loop, _ = asyncio.RunningLoop(ctx)
					asyncio.Go(ctx, func(ctx context.Context) error {
						defer func() { deferred++ }()
						_, err := forever(ctx)
						return err
					})
					asyncio.Sleep(ctx, 0)
					defer func() { deferred++ }()
					main(ctx, loop)
					asyncio.Sleep(ctx, 0)
					return nil
				})
				returned = true
			}()
			<-ended
			if returned || deferred != 3 || !loop.IsClosed() || loop.IsRunning() {
				t.Errorf("Run returned: %v; %d deferred calls ran; closed: %v", returned, deferred, loop.IsClosed())
			}
			_ = logged
		})
	}
}
