package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// The durations of these tests are those after which something is reported: as
// short as the clock allows, so nothing is waited for.

func TestSlowStepsAreReported(t *testing.T) {
	logged := captureLog(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetSlowCallbackDuration(time.Nanosecond)
		asyncio.Go(ctx, func(ctx context.Context) error {
			burn(time.Millisecond)
			asyncio.Sleep(ctx, 0)
			return nil
		}, asyncio.WithTaskName("burner")).Await(ctx)
		l.CallSoon(func() { burn(time.Millisecond) })
		asyncio.Sleep(ctx, 0)
		if l.SlowCallbackDuration() != time.Nanosecond || !l.Debug() {
			t.Error("forgotten")
		}
		l.SetDebug(false)
	}, asyncio.WithDebug(true))
	logged.has("task=burner", "TestSlowStepsAreReported.func1.2 (")
	for _, step := range []string{`task \\"burner\\" \(pending\)`, `task \\"burner\\" \(finished\)`, "a callback"} {
		if s := logged.String(); !regexp.MustCompile("asyncio: Executing " + step + ` took \d+\.\d{3} seconds`).MatchString(s) {
			t.Errorf("%s is not in the log:\n%s", step, s)
		}
	}
}

// burn uses the processor.
func burn(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
	}
}

func TestFastStepsAreNot(t *testing.T) {
	logged := captureLog(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetSlowCallbackDuration(time.Hour)
		l.CallSoon(func() {})
		asyncio.Sleep(ctx, 0)
	}, asyncio.WithDebug(true))
	if s := logged.String(); s != "" {
		t.Error(s)
	}
}

func TestDebugEnvironment(t *testing.T) {
	logged := captureLog(t)
	for _, c := range []struct {
		value string
		on    bool
		slow  time.Duration
	}{
		{"", false, 100 * time.Millisecond},
		{"0", false, 100 * time.Millisecond},
		{"1", true, 100 * time.Millisecond},
		{"slow=50ms", true, 50 * time.Millisecond},
		{"1,slow=2s,watchdog=3s", true, 2 * time.Second},
		{"slow=soon", true, 100 * time.Millisecond},
	} {
		t.Setenv("ASYNCIODEBUG", c.value)
		l := asyncio.NewLoop()
		if l.Debug() != c.on || l.SlowCallbackDuration() != c.slow {
			t.Errorf("%q: %v, %v", c.value, l.Debug(), l.SlowCallbackDuration())
		}
		l.Close()
		l = asyncio.NewLoop(asyncio.WithDebug(!c.on))
		if l.Debug() == c.on {
			t.Errorf("%q wins", c.value)
		}
		l.Close()
	}
	logged.has("ASYNCIODEBUG is not understood", "slow=soon")
}

// The debug mode changes no order.
func TestDebugOrder(t *testing.T) {
	play := func(debug bool) (log []string) {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			say := func(s string) { log = append(log, s) }
			var tasks []*asyncio.Task[asyncio.None]
			for _, name := range []string{"a", "b", "c"} {
				tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
					for range 3 {
						say(name)
						l.CallSoon(func() { say(name + " soon") })
						l.CallLater(0, func() { say(name + " later") })
						asyncio.Sleep(ctx, 0)
					}
					asyncio.Go(ctx, func(ctx context.Context) error { say(name + " eager"); return asyncio.Sleep(ctx, 0) }, asyncio.EagerStart(true))
					return asyncio.Sleep(ctx, time.Microsecond)
				}))
			}
			for _, task := range tasks {
				task.Await(ctx)
			}
		}, asyncio.WithDebug(debug), asyncio.WithClock(&jumpingClock{}))
		return log
	}
	plain, debug := strings.Join(play(false), "\n"), strings.Join(play(true), "\n")
	if plain != debug {
		t.Errorf("in debug mode\n%s\nand else\n%s", debug, plain)
	}
}

func TestDebugRefusesForeignCalls(t *testing.T) {
	const refusal = "asyncio: Non-thread-safe operation invoked on an event loop other than the current one"
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		f := asyncio.NewFuture[int](l)
		sleeper := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
			defer greenlet.Close()
			assert.EqualError(t, f.SetResult(1), refusal)
			assert.EqualError(t, f.SetException(errors.New("x")), refusal)
			for what, call := range map[string]func(){
				"CallSoon":  func() { l.CallSoon(func() {}) },
				"CallLater": func() { l.CallLater(0, func() {}) },
				"CallAt":    func() { l.CallAt(0, func() {}) },
				"NewTask":   func() { asyncio.NewTask(l, func(context.Context) (int, error) { return 0, nil }) },
				"Cancel":    func() { f.Cancel() },
				"of a task": func() { sleeper.Cancel() },
				"executor":  func() { asyncio.RunInExecutor(l, nil, nothing) },
				"FromChan":  func() { asyncio.FromChan(l, make(chan int)) },
			} {
				if err := panicOf(call); err == nil || err.Error() != refusal {
					t.Errorf("%s: %v", what, err)
				}
			}
			_, err := l.CallSoonThreadsafe(func() { f.SetResult(2) })
			return err
		})
		assert.NoError(t, err)
		if v, err := f.Await(ctx); v != 2 || err != nil {
			t.Error(v, err)
		}
	}, asyncio.WithDebug(true))
	// While the loop does not run nobody is foreign.
	l := asyncio.NewLoop(asyncio.WithDebug(true))
	f := asyncio.NewFuture[int](l)
	var all sync.WaitGroup
	all.Go(func() { f.SetResult(1); l.CallSoon(l.Stop) })
	all.Wait()
	assert.NoError(t, l.RunForever())
	l.Close()
}

// Reports say where the future was made.
func TestSourceTraceback(t *testing.T) {
	logged := captureLog(t)
	l := asyncio.NewLoop(asyncio.WithDebug(true))
	var sources [][]runtime.Frame
	l.SetExceptionHandler(func(l *asyncio.Loop, c asyncio.ExceptionContext) {
		sources = append(sources, c.Source)
		l.DefaultExceptionHandler(c)
	})
	f := asyncio.NewFuture[int](l)
	f.SetException(errors.New("lost"))
	task := asyncio.NewTask(l, func(ctx context.Context) (int, error) { return 1, asyncio.Sleep(ctx, time.Hour) })
	if got := task.SourceTraceback(); len(got) == 0 || !strings.HasSuffix(got[0].Function, ".TestSourceTraceback") {
		t.Errorf("made at %v", got)
	}
	l.Close()
	if len(sources) != 2 {
		t.Fatalf("%d reports", len(sources))
	}
	for _, s := range sources {
		if len(s) == 0 || !strings.HasSuffix(s[0].Function, ".TestSourceTraceback") {
			t.Errorf("made at %v", s)
		}
	}
	logged.has("created=", "loop_debug_test.go:", "Future exception was never retrieved", "Task was destroyed but it is pending!")

	l = asyncio.NewLoop(asyncio.WithDebug(false))
	if s := asyncio.NewFuture[int](l).SourceTraceback(); s != nil {
		t.Errorf("made at %v, without the debug mode", s)
	}
	l.Close()
}

// blocks is where the loop is stuck in the tests of the watchdog.
func blocks(release chan struct{}) { <-release }

func TestWatchdog(t *testing.T) {
	for _, c := range []struct {
		where string
		task  string
		block func(ctx context.Context, l *asyncio.Loop, release chan struct{})
	}{
		{"task", "guilty", func(ctx context.Context, l *asyncio.Loop, release chan struct{}) {
			asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.Sleep(ctx, 0)
				blocks(release)
				return nil
			}, asyncio.WithTaskName("guilty")).Await(ctx)
		}},
		{"numbered task", "Task-", func(ctx context.Context, l *asyncio.Loop, release chan struct{}) {
			asyncio.Go(ctx, func(ctx context.Context) error { blocks(release); return nil }).Await(ctx)
		}},
		{"callback", `"none: a callback"`, func(ctx context.Context, l *asyncio.Loop, release chan struct{}) {
			l.CallSoon(func() { blocks(release) })
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
		}},
		{"greenlet of a task", "guilty", func(ctx context.Context, l *asyncio.Loop, release chan struct{}) {
			asyncio.Go(ctx, func(ctx context.Context) error {
				greenlet.New(func(any) (any, error) { blocks(release); return nil, nil }).Switch(nil)
				return nil
			}, asyncio.WithTaskName("guilty")).Await(ctx)
		}},
		{"mutex", "guilty", func(ctx context.Context, l *asyncio.Loop, release chan struct{}) {
			var mu sync.Mutex
			mu.Lock()
			go func() { <-release; mu.Unlock() }()
			asyncio.Go(ctx, func(ctx context.Context) error { blocksIn(&mu); return nil }, asyncio.WithTaskName("guilty")).Await(ctx)
		}},
	} {
		t.Run(c.where, func(t *testing.T) {
			logged := captureLog(t)
			release := make(chan struct{})
			go func() {
				// Not just for a report: a slow machine may hold the loop up before.
				logged.waitFor("asyncio_test.blocks")
				close(release)
			}()
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				for range 5 { // suspended ones, which are innocent
					asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				}
				asyncio.Sleep(ctx, 0)
				c.block(ctx, l, release)
				logged.waitForTask(ctx, "The loop goes on")
			}, asyncio.WithWatchdog(10*time.Millisecond))
			logged.has("The loop goes on", "blocked=")
			var reports []string // without those of a slow machine
			for line := range strings.Lines(logged.String()) {
				if strings.Contains(line, "at=\"github.com/go-greenlet/greenlet/asyncio_test.blocks") {
					reports = append(reports, line)
				}
			}
			if len(reports) != 1 {
				t.Fatalf("%d reports:\n%s", len(reports), logged)
			}
			for _, part := range []string{"The loop is blocked", "task=" + c.task, "loop_debug_test.go:", "stack="} {
				if !strings.Contains(reports[0], part) {
					t.Errorf("%q is not in the report:\n%s", part, reports[0])
				}
			}
			if strings.Contains(reports[0], "asyncio.Sleep") {
				t.Errorf("the stack of a suspended task:\n%s", reports[0])
			}
		})
	}
}

func blocksIn(mu *sync.Mutex) { mu.Lock() }

// In debug mode there is a watchdog, and else none; a loop that waits or works is
// not reported.
func TestWatchdogIsQuiet(t *testing.T) {
	logged := captureLog(t)
	synctest.Test(t, func(t *testing.T) { // whose clock goes by what the loop does
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			for range 20 {
				asyncio.Sleep(ctx, time.Minute)
			}
			for range 100 {
				time.Sleep(300 * time.Millisecond) // it computes
				asyncio.Sleep(ctx, 0)
			}
		}, asyncio.WithWatchdog(time.Second))
	})
	if s := logged.String(); s != "" {
		t.Error(s)
	}
	t.Setenv("ASYNCIODEBUG", "watchdog=1ms,slow=1h")
	release := make(chan struct{})
	go func() {
		logged.waitFor("The loop is blocked")
		close(release)
	}()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) { blocks(release) })

	before := runtime.NumGoroutine()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		if n := runtime.NumGoroutine(); n > before+4 {
			t.Errorf("%d goroutines, %d before", n, before)
		}
	}, asyncio.WithWatchdog(0))
}

// An error that nobody looks at is reported when its future is collected.
func TestCollectedFuturesAreReported(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		reported := make(map[string]string)
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			reported[c.Message] = c.Exception.Error() + " " + c.Name
		})
		func() {
			asyncio.Go(ctx, func(context.Context) error { return errors.New("of a task") }, asyncio.WithTaskName("failing"))
			asyncio.NewFuture[int](l).SetException(errors.New("of a future"))
			seen := asyncio.NewFuture[string](l)
			seen.SetException(errors.New("seen"))
			seen.Exception()
		}()
		for range 1000 {
			if len(reported) == 2 {
				break
			}
			runtime.GC()
			asyncio.Sleep(ctx, time.Millisecond)
		}
		if reported["Task exception was never retrieved"] != "of a task failing" || reported["Future exception was never retrieved"] != "of a future " {
			t.Error(reported)
		}
	})
}

// In a testing/synctest bubble threads and the watchdog have the bubble's clock.
func TestThreadsInBubble(t *testing.T) {
	logged := captureLog(t)
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
				time.Sleep(time.Hour)
				return nil
			})
			if took := time.Since(start); err != nil || took != time.Hour {
				t.Errorf("after %v: %v", took, err)
			}
			asyncio.Sleep(ctx, time.Hour)
			time.Sleep(time.Minute) // blocks the loop
		}, asyncio.WithWatchdog(10*time.Second))
		if took := time.Since(start); took != 2*time.Hour+time.Minute {
			t.Errorf("after %v", took)
		}
	})
	if n := strings.Count(logged.String(), "The loop is blocked"); n != 1 {
		t.Errorf("%d reports:\n%s", n, logged)
	}
}

// Tasks that wait for each other's locks are reported by the one that closes the circle,
// and others that wait for locks are not.
func TestLockCirclesAreReported(t *testing.T) {
	for name, c := range map[string]struct {
		locks int
		debug bool
		order func(n int) (first, second int) // of the locks of task n
		want  string
	}{
		"two": {2, true, func(n int) (int, int) { return n, (n + 1) % 2 },
			"task-1 waits for the lock held by task-0, which waits for the lock held by task-1"},
		"three": {3, true, func(n int) (int, int) { return n, (n + 1) % 3 },
			"task-2 waits for the lock held by task-0, which waits for the lock held by task-1, which waits for the lock held by task-2"},
		"no debug mode":   {2, false, func(n int) (int, int) { return n, (n + 1) % 2 }, ""},
		"one order":       {2, true, func(int) (int, int) { return 0, 1 }, ""},
		"a line, no ring": {4, true, func(n int) (int, int) { return n, min(n+1, 3) }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			logged := captureLog(t)
			play(t, func(ctx context.Context) error {
				locks := make([]asyncio.Lock, c.locks)
				var tasks []*asyncio.Task[asyncio.None]
				for n := range c.locks {
					first, second := c.order(n)
					tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
						return locks[first].Do(ctx, func() error {
							asyncio.Sleep(ctx, time.Second)
							if first == second {
								return nil
							}
							return locks[second].Do(ctx, func() error { return nil })
						})
					}, asyncio.WithTaskName(fmt.Sprint("task-", n))))
				}
				asyncio.Sleep(ctx, time.Minute)
				for _, task := range tasks {
					task.Cancel()
					task.Await(ctx)
				}
				return nil
			}, asyncio.WithDebug(c.debug))
			if c.want == "" {
				assert.Empty(t, logged.String())
			} else {
				assert.Equal(t, 1, strings.Count(logged.String(), "a circle: "+c.want), logged.String())
			}
		})
	}
}

// The same with semaphores: of one of more than one all holders must wait, and it must not be
// one that others release.
func TestSemaphoreCirclesAreReported(t *testing.T) {
	for name, c := range map[string]struct {
		first, second int // how many may have each
		sleeps        bool
		want          string
	}{
		"one": {1, 1, false, "right waits for the semaphore held by left, which waits for the semaphore held by right"},
		"two": {2, 2, false, "right waits for the semaphore held by left (and by another, which waits, too), " +
			"which waits for the semaphore held by right (and by another, which waits, too)"},
		"one of them sleeps": {2, 2, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			logged := captureLog(t)
			play(t, func(ctx context.Context) error {
				first, second := asyncio.NewSemaphore(c.first), asyncio.NewSemaphore(c.second)
				both := func(a, b *asyncio.Semaphore) func(ctx context.Context) error {
					return func(ctx context.Context) error {
						return a.Do(ctx, func() error {
							if c.sleeps {
								c.sleeps = false
								return asyncio.Sleep(ctx, time.Hour)
							}
							asyncio.Sleep(ctx, time.Second)
							return b.Do(ctx, func() error { return nil })
						})
					}
				}
				var tasks []*asyncio.Task[asyncio.None]
				for range c.first {
					tasks = append(tasks, named(ctx, "left", both(first, second)))
				}
				for range c.second {
					tasks = append(tasks, named(ctx, "right", both(second, first)))
				}
				asyncio.Sleep(ctx, time.Minute)
				for _, task := range tasks {
					task.Cancel()
					task.Await(ctx)
				}
				return nil
			}, asyncio.WithDebug(true))
			if c.want == "" {
				assert.Empty(t, logged.String())
			} else {
				assert.Equal(t, 1, strings.Count(logged.String(), "a circle: "+c.want), logged.String())
			}
		})
	}
}
