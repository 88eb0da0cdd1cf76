package asyncio_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceExecutor(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/180_run_in_executor", playRunInExecutor},
		scenario{"seeds/d001_17_thread_pool", playThreadPool},
		scenario{"seeds/d001_20_blocking_call_is_wrong", playBlockingCall},
	)
}

func playRunInExecutor(s *script) {
	home := goroutineNumber()
	work := func(n int, delay time.Duration) func() (int, error) {
		return func() (int, error) {
			time.Sleep(delay)
			return n * n, nil
		}
	}
	s.must(asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s.must(err)
		fut := asyncio.RunInExecutor(l, nil, work(3, 40*time.Millisecond))
		s.print("started, done", yes(fut.Done()))
		asyncio.Sleep(ctx, 20*time.Millisecond)
		s.print("the loop ran meanwhile")
		n, err := fut.Await(ctx)
		s.must(err)
		s.print("result", n)
		_, err = asyncio.RunInExecutor(l, nil, func() (int, error) { return 0, valueError("in thread") }).Await(ctx)
		s.print(pyName(err), err)
		there, err := asyncio.ToThread(ctx, func(context.Context) (string, error) { return goroutineNumber(), nil })
		s.must(err)
		s.print("in main thread", yes(there == home))
		n, err = asyncio.ToThread(ctx, func(context.Context) (int, error) { return work(4, 0)() })
		s.must(err)
		s.print("to_thread", n)
		var order []any
		pool := asyncio.NewThreadPool(1)
		var all []*asyncio.Future[asyncio.None]
		for i := range 4 {
			all = append(all, asyncio.RunInExecutor(l, pool, func() (asyncio.None, error) {
				order = append(order, i)
				return asyncio.None{}, nil
			}))
		}
		for _, f := range all {
			f.Await(ctx)
		}
		s.must(pool.Shutdown(ctx))
		s.print(append([]any{"one thread order"}, order...)...)
		return nil
	}))
}

func playThreadPool(s *script) {
	func1 := func() (string, error) {
		time.Sleep(10 * time.Millisecond)
		return "SB", nil
	}
	s.must(asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s.must(err)
		v, err := asyncio.RunInExecutor(l, nil, func1).Await(ctx)
		s.must(err)
		s.print("default thread pool", v)
		pool := asyncio.NewThreadPool(0)
		v, err = asyncio.RunInExecutor(l, pool, func1).Await(ctx)
		s.must(err)
		s.print("custom thread pool", v)
		return pool.Shutdown(ctx)
	}))
}

func playBlockingCall(s *script) {
	get := func(url string) string { return "text of " + url }
	fetchWrong := func(ctx context.Context, url string) error {
		s.print("begin download", url)
		s.print("result:", get(url))
		return nil
	}
	// The delays of the original only put the texts into an order.
	told := map[string]chan bool{"b": make(chan bool), "c": make(chan bool), "a": make(chan bool)}
	before := map[string]string{"c": "b", "a": "c"}
	fetchRight := func(ctx context.Context, url string) error {
		s.print("begin download", url)
		text, err := asyncio.ToThread(ctx, func(context.Context) (string, error) {
			if b := before[url]; b != "" {
				<-told[b]
			}
			return get(url), nil
		})
		s.print("result:", text)
		close(told[url])
		return err
	}
	s.must(asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for _, fetch := range []func(context.Context, string) error{fetchWrong, fetchRight} {
			var tasks []*asyncio.Task[asyncio.None]
			for _, url := range []string{"a", "b", "c"} {
				tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error { return fetch(ctx, url) }))
			}
			for _, t := range tasks {
				_, err := t.Await(ctx)
				s.must(err)
			}
			s.print("--")
		}
		return nil
	}))
}

// A gate is a function that waits to be let through.
type gate struct{ began, open chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 1), make(chan struct{})} }

func (g *gate) pass() (string, error) {
	g.began <- struct{}{}
	<-g.open
	return "passed", nil
}

func nothing() (asyncio.None, error) { return asyncio.None{}, nil }

func TestCancelReachesQueuedJobsOnly(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		pool := asyncio.NewThreadPool(1)
		g := newGate()
		running := asyncio.RunInExecutor(l, pool, g.pass)
		<-g.began
		ran := false
		queued := asyncio.RunInExecutor(l, pool, func() (int, error) { ran = true; return 0, nil })
		asyncio.Sleep(ctx, 0)
		if !queued.Cancel() || !running.Cancel() {
			t.Error("cannot be cancelled")
		}
		asyncio.Sleep(ctx, 0)
		close(g.open)
		assert.NoError(t, pool.Shutdown(ctx))
		if ran {
			t.Error("the cancelled job ran")
		}
		if !queued.Cancelled() || !running.Cancelled() {
			t.Error("not cancelled")
		}
	})
}

func TestPoolRefusesAfterShutdown(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		pool := asyncio.NewThreadPool(2)
		assert.NoError(t, pool.Shutdown(ctx))
		_, err := asyncio.RunInExecutor(l, pool, nothing).Await(ctx)
		assert.EqualError(t, err, "asyncio: cannot schedule new futures after shutdown")

		assert.NoError(t, l.ShutdownDefaultExecutor(ctx))
		_, err = asyncio.RunInExecutor(l, nil, nothing).Await(ctx)
		assert.EqualError(t, err, "asyncio: Executor shutdown has been called")
		_, err = asyncio.ToThread(ctx, func(context.Context) (int, error) { return 1, nil })
		assert.EqualError(t, err, "asyncio: Executor shutdown has been called")
	})
	for _, bad := range []func(){
		func() { asyncio.NewThreadPool(-1) },
		func() { asyncio.NewLoop().SetDefaultExecutor(nil) },
	} {
		if err := panicOf(bad); err == nil {
			t.Error("misuse goes unnoticed")
		}
	}
}

// A pool that is closed drops what has not begun.
func TestCloseDropsQueuedJobs(t *testing.T) {
	pool := asyncio.NewThreadPool(1)
	g := newGate()
	running := asyncio.Submit(pool, g.pass)
	<-g.began
	queued := asyncio.Submit(pool, nothing)
	pool.Close()
	if _, err := queued.Result(-1); !errors.Is(err, asyncio.ErrCancelled) {
		t.Errorf("got %v", err)
	}
	over, end := context.WithCancel(context.Background())
	end()
	if err := pool.Shutdown(over); err != context.Canceled {
		t.Errorf("Shutdown with an ended context gives %v", err)
	}
	if running.Cancel() {
		t.Error("a running job was cancelled")
	}
	close(g.open)
	if v, err := running.Result(-1); v != "passed" || err != nil {
		t.Error(v, err)
	}
	assert.NoError(t, pool.Shutdown(context.Background()))
}

func TestPoolIsBounded(t *testing.T) {
	pool := asyncio.NewThreadPool(3)
	var now, most atomic.Int32
	var all []*asyncio.ConcurrentFuture[int]
	for i := range 50 {
		all = append(all, asyncio.Submit(pool, func() (int, error) {
			if n := now.Add(1); n > most.Load() {
				most.Store(n)
			}
			time.Sleep(100 * time.Microsecond)
			now.Add(-1)
			return i, nil
		}))
	}
	for i, c := range all {
		if v, err := c.Result(-1); v != i || err != nil {
			t.Error(v, err)
		}
	}
	if n := most.Load(); n > 3 {
		t.Errorf("%d at once", n)
	}
	pool.Shutdown(context.Background())
}

func TestThreadPanicsAndGoexit(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		pool := asyncio.NewThreadPool(1)
		l.SetDefaultExecutor(pool)
		_, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { panic(valueError("boom")) })
		var p *asyncio.PanicError
		if !errors.As(err, &p) || p.Value.(error).Error() != "boom" || len(p.Stack) == 0 {
			t.Errorf("a panic gives %v", err)
		}
		_, err = asyncio.ToThread(ctx, func(context.Context) (int, error) { return 0, goexit() })
		assert.EqualError(t, err, "asyncio: the function has ended its goroutine by runtime.Goexit")
		v, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { return 7, nil })
		if v != 7 || err != nil {
			t.Errorf("after that: %v, %v", v, err)
		}
	})
}

// A function of Go may return a value beside an error, as a Read does at the end of a
// file. Whoever hands its result on hands on both.
func TestValuesBesideErrors(t *testing.T) {
	read := func() (int, error) { return 3, io.EOF }
	gaveUp := func() (int, error) { return 3, asyncio.ErrCancelled }
	reads := func(context.Context) (int, error) { return read() }
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		other := func(f func() (int, error)) *asyncio.ConcurrentFuture[int] {
			return asyncio.Submit(asyncio.NewThreadPool(1), f)
		}
		waits := func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, 0)
			return read()
		}
		for name, call := range map[string]func() (int, error){
			"ToThread":      func() (int, error) { return asyncio.ToThread(ctx, reads) },
			"RunInExecutor": func() (int, error) { return asyncio.RunInExecutor(l, nil, read).Await(ctx) },
			"Submit, to a task": func() (int, error) {
				return other(read).Await(ctx)
			},
			"Submit, to a goroutine": func() (int, error) {
				c := other(read)
				<-c.Done()
				return c.Result(0)
			},
			"RunCoroutineThreadsafe": func() (int, error) { return asyncio.RunCoroutineThreadsafe(l, reads).Await(ctx) },
			"WrapFuture":             func() (int, error) { return asyncio.WrapFuture(l, other(read)).Await(ctx) },
			"Shield":                 func() (int, error) { return asyncio.Shield(ctx, asyncio.Coro[int](waits)).Await(ctx) },
			"Task":                   func() (int, error) { return asyncio.CreateTask(ctx, reads).Await(ctx) },
		} {
			n, err := call()
			assert.Equal(t, 3, n, name)
			assert.ErrorIs(t, err, io.EOF, name)
		}
		n, err := asyncio.RunInExecutor(l, nil, gaveUp).Await(ctx)
		assert.Equal(t, 3, n, "beside a cancel")
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
	})
}

func TestThreadContext(t *testing.T) {
	type key struct{}
	outer := context.WithValue(context.Background(), key{}, "carried")
	err := asyncio.RunFunc(outer, func(ctx context.Context) error {
		l, _ := asyncio.RunningLoop(ctx)
		f := asyncio.NewFuture[int](l)
		err := asyncio.ToThreadFunc(ctx, func(inside context.Context) error {
			if inside.Value(key{}) != "carried" {
				t.Error("the values are not there")
			}
			if _, err := asyncio.RunningLoop(inside); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("RunningLoop: %v", err)
			}
			if err := asyncio.Sleep(inside, time.Hour); !errors.Is(err, asyncio.ErrNoRunningLoop) || !strings.Contains(err.Error(), "comes from no task") {
				t.Errorf("Sleep: %v", err)
			}
			if err := asyncio.Sleep(ctx, time.Hour); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("Sleep with the loop's context: %v", err)
			}
			if _, err := f.Await(ctx); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Errorf("Await with the loop's context: %v", err)
			}
			if asyncio.CurrentTask(inside) != nil || asyncio.CurrentTask(ctx) != nil {
				t.Error("there is a current task")
			}
			// A loop of one's own is allowed.
			return asyncio.RunFunc(inside, func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) })
		})
		assert.NoError(t, err)

		// A cancel of the wait ends the thread's context.
		g := make(chan error, 1)
		began := make(chan struct{})
		waiter := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.ToThreadFunc(ctx, func(inside context.Context) error {
				close(began)
				<-inside.Done()
				g <- context.Cause(inside)
				return nil
			})
		})
		asyncio.FromChan(l, began).Await(ctx)
		waiter.Cancel("enough")
		if _, err := waiter.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Errorf("the wait gives %v", err)
		}
		if err := <-g; !errors.Is(err, asyncio.ErrCancelled) {
			t.Errorf("the thread's context ended with %v", err)
		}
		return nil
	})
	assert.NoError(t, err)
}

// An executor of another package is a function that takes functions.
type goEach struct{ all sync.WaitGroup }

func (e *goEach) Submit(f func()) error {
	e.all.Go(f)
	return nil
}

func TestOtherExecutors(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ex := &goEach{}
		l.SetDefaultExecutor(ex)
		v, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { return 3, nil })
		if v != 3 || err != nil {
			t.Error(v, err)
		}
		ex.all.Wait()
	})
}

// The end of a run waits for the threads.
func TestRunWaitsForThreads(t *testing.T) {
	g := newGate()
	finished := false
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.RunInExecutor(l, nil, func() (int, error) {
			g.pass()
			finished = true
			return 0, nil
		})
		<-g.began
		time.AfterFunc(10*time.Millisecond, func() { close(g.open) })
	})
	if !finished {
		t.Error("Run has returned before the thread")
	}
}

func TestShutdownDefaultExecutorGivesUp(t *testing.T) {
	logged := captureLog(t)
	g := newGate()
	l := asyncio.NewLoop()
	asyncio.RunInExecutor(l, nil, g.pass)
	<-g.began
	_, err := asyncio.RunUntilComplete(l, asyncio.Coro[asyncio.None](func(ctx context.Context) (asyncio.None, error) {
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		return asyncio.None{}, l.ShutdownDefaultExecutor(ctx)
	}))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	l.Close()
	close(g.open)
	logged.has("did not finish its calls in time")
}

func TestRunCoroutineThreadsafe(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
			c := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) {
				return 42, asyncio.Sleep(ctx, 0)
			})
			if v, err := c.Result(-1); v != 42 || err != nil {
				t.Error(v, err)
			}
			c = asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) {
				return 0, valueError("bad")
			})
			<-c.Done()
			_, err := c.Result(0)
			assert.EqualError(t, err, "bad")

			ended := make(chan error, 1)
			began := make(chan struct{})
			c = asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) {
				close(began)
				err := asyncio.Sleep(ctx, time.Hour)
				ended <- err
				return 0, err
			})
			if _, err := c.Result(0); !errors.Is(err, asyncio.ErrTimeout) {
				t.Errorf("Result(0) gives %v", err)
			}
			if _, err := c.Result(time.Microsecond); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("Result gives %v", err)
			}
			<-began
			if !c.Cancel() || c.Cancel() || !c.Cancelled() {
				t.Error("Cancel")
			}
			if err := <-ended; !errors.Is(err, asyncio.ErrCancelled) {
				t.Errorf("the task ended with %v", err)
			}
			return nil
		})
		assert.NoError(t, err)
	})
}

// A loop that is closed leaves nobody waiting.
func TestClosedLoopEndsWhatIsOutside(t *testing.T) {
	l := asyncio.NewLoop()
	early := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) { return 1, nil })
	asyncio.FromChan(l, make(chan int)) // its goroutine would show in the next test
	hangs := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) {
		l.Stop()
		return 2, asyncio.Sleep(ctx, time.Hour)
	})
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	assert.NoError(t, l.RunForever())
	late := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) { return 1, nil })
	l.Close()
	after := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (int, error) { return 1, nil })
	for what, c := range map[string]*asyncio.ConcurrentFuture[int]{"hanging": hangs, "late": late, "after": after} {
		if _, err := c.Result(time.Minute); !errors.Is(err, asyncio.ErrLoopClosed) {
			t.Errorf("%s: %v", what, err)
		}
	}
	early.Result(time.Minute)
}

func TestFromChan(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ch := make(chan int, 2)
		ch <- 5
		if v, err := asyncio.FromChan(l, ch).Await(ctx); v != 5 || err != nil {
			t.Error(v, err)
		}
		f := asyncio.FromChan(l, ch)
		f.Cancel()
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		close(ch)
		if v, err := asyncio.FromChan(l, ch).Await(ctx); v != 0 || err != nil {
			t.Error(v, err)
		}
	})
}

func TestConcurrentFuture(t *testing.T) {
	c := asyncio.NewConcurrentFuture[int]()
	var order []int
	c.AddDoneCallback(func(*asyncio.ConcurrentFuture[int]) { order = append(order, 1) })
	c.AddDoneCallback(func(c *asyncio.ConcurrentFuture[int]) { order = append(order, 2) })
	if !c.SetRunning() || c.Cancel() {
		t.Error("running")
	}
	if err := c.SetException(nil); err == nil {
		t.Error("no error is an error")
	}
	assert.NoError(t, c.SetResult(1))
	c.AddDoneCallback(func(*asyncio.ConcurrentFuture[int]) { order = append(order, 3) })
	if len(order) != 3 || order[0] != 1 || order[2] != 3 {
		t.Error(order)
	}
	if err := c.SetResult(2); !errors.Is(err, asyncio.ErrInvalidState) {
		t.Error(err)
	}
	if err := c.SetException(errors.New("late")); !errors.Is(err, asyncio.ErrInvalidState) {
		t.Error(err)
	}
	if c.SetRunning() || c.Cancel() {
		t.Error("done")
	}

	// A task is suspended by Await, another goroutine blocked.
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		c := asyncio.NewConcurrentFuture[string]()
		l.CallSoon(func() { c.SetResult("from a callback") })
		if v, err := c.Await(ctx); v != "from a callback" || err != nil {
			t.Error(v, err)
		}
		d := asyncio.NewConcurrentFuture[string]()
		w := asyncio.WrapFuture(l, d)
		w.Cancel()
		asyncio.Sleep(ctx, 0)
		if !d.Cancelled() {
			t.Error("the cancel has not gone through")
		}
		e := asyncio.NewConcurrentFuture[string]()
		w = asyncio.WrapFuture(l, e)
		e.Cancel()
		if _, err := w.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) || !w.Cancelled() {
			t.Error("the cancel has not come through", err)
		}
	})
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	if _, err := asyncio.NewConcurrentFuture[int]().Await(ctx); err != context.DeadlineExceeded {
		t.Error(err)
	}
}

// A clock that jumps stands still while a job is out.
func TestClockWaitsForJobs(t *testing.T) {
	clock := &jumpingClock{}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		g := newGate()
		job := asyncio.RunInExecutor(l, nil, g.pass)
		<-g.began
		woke := false
		l.CallLater(time.Hour, func() { woke = true })
		time.AfterFunc(5*time.Millisecond, func() { close(g.open) })
		job.Await(ctx)
		if woke || l.Time() >= time.Hour {
			t.Error("the clock ran ahead")
		}
		asyncio.Sleep(ctx, 2*time.Hour)
		if !woke {
			t.Error("the clock does not jump")
		}
	}, asyncio.WithClock(clock))
}

type jumpingClock struct{ now time.Duration }

func (c *jumpingClock) Now() time.Duration { return c.now }
func (c *jumpingClock) Until(when time.Duration, alone bool) time.Duration {
	if alone && when < 1<<62 {
		c.now = max(c.now, when)
		return 0
	}
	return 1<<63 - 1
}

func TestSharedPool(t *testing.T) {
	pool := asyncio.NewThreadPool(4)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			defer greenlet.Close()
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				for i := range 50 {
					v, err := asyncio.RunInExecutor(l, pool, func() (int, error) { return i, nil }).Await(ctx)
					if v != i || err != nil {
						t.Error(v, err)
					}
				}
			})
		})
	}
	all.Wait()
	pool.Shutdown(context.Background())
}
