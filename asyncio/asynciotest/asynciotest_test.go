package asynciotest_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// A double is a testing.TB that notes what it is told.
type double struct {
	testing.TB
	told []string
}

func (d *double) Helper()                   {}
func (d *double) Errorf(f string, a ...any) { d.Error(fmt.Sprintf(f, a...)) }
func (d *double) Error(args ...any)         { d.told = append(d.told, fmt.Sprint(args...)) }
func (d *double) Fatalf(f string, a ...any) {
	d.told = append(d.told, fmt.Sprintf(f, a...))
}

// finds checks that the run of f is faulted once, with all the words.
func finds(t *testing.T, f func(ctx context.Context), words ...string) {
	t.Helper()
	d := &double{TB: t}
	asynciotest.Run(d, f)
	if len(d.told) != 1 {
		t.Errorf("%d faults are found, want 1: %q", len(d.told), d.told)
		return
	}
	for _, w := range words {
		if !strings.Contains(d.told[0], w) {
			t.Errorf("%q is not in %q", w, d.told[0])
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestTimeJumps(t *testing.T) {
	asynciotest.CheckLeaks(t)
	start := time.Now()
	asynciotest.Run(t, func(ctx context.Context) {
		var woken []time.Duration
		note := func(d time.Duration) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, d)
				woken = append(woken, asynciotest.Now(ctx))
				return err
			}
		}
		day := asyncio.Go(ctx, note(24*time.Hour))
		hour := asyncio.Go(ctx, note(time.Hour))
		_, err := day.Await(ctx)
		must(t, err)
		if !hour.Done() || !slices.Equal(woken, []time.Duration{time.Hour, 24 * time.Hour}) {
			t.Errorf("woken at %v", woken)
		}
		err = asyncio.WithTimeout(ctx, time.Minute, func(ctx context.Context, _ *asyncio.Timeout) error {
			return asyncio.Sleep(ctx, time.Hour)
		})
		if !errors.Is(err, asyncio.ErrTimeout) || asynciotest.Now(ctx) != 24*time.Hour+time.Minute {
			t.Errorf("%v at %v", err, asynciotest.Now(ctx))
		}
	})
	if d := time.Since(start); d > time.Hour {
		t.Errorf("it took %v", d)
	}
}

func TestManualClock(t *testing.T) {
	clock := asynciotest.NewManualClock()
	asynciotest.Run(t, func(ctx context.Context) {
		ticks := 0
		ticker := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				ticks++
			}
		})
		for i := range 3 {
			must(t, asynciotest.WaitIdle(ctx))
			if ticks != 10*i || clock.Now() != time.Duration(10*i)*time.Second {
				t.Errorf("%d ticks at %v, want %d", ticks, clock.Now(), 10*i)
			}
			must(t, clock.Advance(ctx, 10*time.Second))
		}
		must(t, asynciotest.Advance(ctx, time.Second/2))
		must(t, asynciotest.Advance(ctx, time.Second/2))
		if ticks != 31 {
			t.Errorf("%d ticks, want 31", ticks)
		}
		ticker.Cancel()
	}, asynciotest.WithClock(clock))
}

func TestWaitIdle(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		steps := 0
		worker := asyncio.Go(ctx, func(ctx context.Context) error {
			for range 50 {
				steps++
				asyncio.Sleep(ctx, 0)
			}
			asyncio.Sleep(ctx, time.Hour)
			steps++
			return nil
		})
		both := asyncio.Go(ctx, asynciotest.WaitIdle) // another waits, too
		must(t, asynciotest.WaitIdle(ctx))
		if steps != 50 || asynciotest.Now(ctx) != 0 {
			t.Errorf("%d steps at %v", steps, asynciotest.Now(ctx))
		}
		_, err := both.Await(ctx)
		must(t, err)
		must(t, asynciotest.Advance(ctx, time.Hour))
		if !worker.Done() || steps != 51 {
			t.Errorf("Advance returns before what it wakes has run: %d steps", steps)
		}
	})
}

func TestWaitIdleIsCancelled(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		idle := asyncio.Go(ctx, asynciotest.WaitIdle)
		asyncio.Go(ctx, func(context.Context) error { idle.Cancel(); return nil })
		if _, err := idle.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
	})
	if err := asynciotest.WaitIdle(t.Context()); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error(err)
	}
}

// The clock stands while a goroutine is at work that is held.
func TestHold(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		l, err := asyncio.RunningLoop(ctx)
		must(t, err)
		answer := asyncio.NewFuture[int](l)
		l.Hold()
		go func() {
			defer l.Release()
			l.CallSoonThreadsafe(func() { answer.SetResult(42) })
		}()
		v, err := asyncio.WaitFor(ctx, time.Nanosecond, answer)
		if v != 42 || err != nil {
			t.Errorf("%v, %v", v, err)
		}
		got, err := asyncio.WaitFor(ctx, time.Nanosecond, asyncio.Coro[int](func(ctx context.Context) (int, error) {
			return asyncio.ToThread(ctx, func(context.Context) (int, error) { return 7, nil })
		}))
		if got != 7 || err != nil {
			t.Errorf("ToThread: %v, %v", got, err)
		}
	})
}

func leftHere(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }

func TestFindsTasks(t *testing.T) {
	finds(t, func(ctx context.Context) {
		asyncio.Go(ctx, leftHere, asyncio.WithTaskName("forgotten"))
	}, "tasks left behind: 1", "forgotten", "leftHere")
}

// A task that was cancelled in the last step is not left.
func TestCancelledInTime(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		x := asyncio.Go(ctx, leftHere)
		asyncio.Sleep(ctx, 0)
		x.Cancel()
	})
}

func TestFindsTimers(t *testing.T) {
	finds(t, func(ctx context.Context) {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallLater(time.Hour, func() {})
		l.CallLater(time.Hour, func() {}).Cancel()
	}, "timers left behind: 1")
}

func TestFindsGreenlets(t *testing.T) {
	var g *greenlet.Greenlet
	finds(t, func(ctx context.Context) {
		here := greenlet.Current()
		g = greenlet.New(func(any) (any, error) { return here.Switch(nil) })
		g.Switch(nil)
		greenlet.New(func(any) (any, error) { return here.Switch(nil) }).Switch(nil) // just garbage
	}, "left suspended", "TestFindsGreenlets")
	g.Kill()
}

func TestFindsLostErrors(t *testing.T) {
	finds(t, func(ctx context.Context) {
		asyncio.Go(ctx, func(context.Context) error { return errors.New("nobody looks") })
	}, "never retrieved", "nobody looks")
	finds(t, func(ctx context.Context) {
		l, _ := asyncio.RunningLoop(ctx)
		l.CallSoon(func() { panic("in a callback") })
	}, "unhandled", "in a callback", "asynciotest_test.go")
}

func TestFindsPanics(t *testing.T) {
	finds(t, func(ctx context.Context) { panic("in the main task") }, "in the main task", "TestFindsPanics")
}

func TestFindsDeadlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that the grace takes no time
		defer greenlet.Close()
		finds(t, func(ctx context.Context) {
			l, _ := asyncio.RunningLoop(ctx)
			asyncio.NewFuture[int](l).Await(ctx)
		}, "nothing can happen", "TestFindsDeadlocks")
		d := &double{TB: t}
		asynciotest.Run(d, func(ctx context.Context) { // one that refuses to end
			l, _ := asyncio.RunningLoop(ctx)
			for range 2 {
				asyncio.NewFuture[int](l).Await(ctx)
			}
		})
		if len(d.told) == 0 || !strings.Contains(d.told[0], "nothing can happen") {
			t.Errorf("got %q", d.told)
		}
		// Something outside that was not held may still come.
		asynciotest.Run(t, func(ctx context.Context) {
			l, _ := asyncio.RunningLoop(ctx)
			for range 5 {
				f := asyncio.NewFuture[int](l)
				go func() {
					time.Sleep(time.Second)
					l.CallSoonThreadsafe(func() { f.SetResult(1) })
				}()
				_, err := f.Await(ctx)
				must(t, err)
			}
		})
	})
}

func TestRunInARun(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		if err := asynciotest.Simulate(1, func(context.Context) error { return nil }); !errors.Is(err, asyncio.ErrLoopRunning) {
			t.Error(err)
		}
	})
}

// A test may expect a report.
func TestOwnHandler(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		l, _ := asyncio.RunningLoop(ctx)
		var got string
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { got = c.Message })
		l.CallSoon(func() { panic("expected") })
		must(t, asynciotest.WaitIdle(ctx))
		if got == "" {
			t.Error("no report")
		}
	})
}

// In a bubble with real time everything goes by the bubble's clock.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer greenlet.Close()
		start := time.Now()
		asynciotest.Run(t, func(ctx context.Context) {
			l, _ := asyncio.RunningLoop(ctx)
			ready := asyncio.NewFuture[int](l)
			go func() {
				time.Sleep(time.Hour)
				l.CallSoonThreadsafe(func() { ready.SetResult(1) })
			}()
			limit, cancel := context.WithTimeout(ctx, 2*time.Hour)
			defer cancel()
			_, err := ready.Await(limit)
			must(t, err)
			must(t, asyncio.Sleep(ctx, 30*time.Minute))
			if err := asyncio.Sleep(limit, time.Hour); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}, asynciotest.WithRealTime())
		if d := time.Since(start); d != 2*time.Hour {
			t.Errorf("it took %v", d)
		}
	})
}

// random is a program that logs the order of what it does.
func random(ctx context.Context, log *[]string) error {
	return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
		for _, name := range []string{"a", "b", "c"} {
			asyncio.GroupTask(tg, func(ctx context.Context) (asyncio.None, error) {
				for i := range 4 {
					*log = append(*log, fmt.Sprint(name, i, asynciotest.Now(ctx)))
					if err := asynciotest.Delay(ctx, time.Second); err != nil {
						return asyncio.None{}, err
					}
					asyncio.Sleep(ctx, 0)
				}
				return asyncio.None{}, nil
			})
		}
		return nil
	})
}

func TestEqualSeedsEqualRuns(t *testing.T) {
	orders := make(map[string]bool)
	for seed := range uint64(30) {
		var once, again []string
		must(t, asynciotest.Simulate(seed, func(ctx context.Context) error { return random(ctx, &once) }))
		must(t, asynciotest.Simulate(seed, func(ctx context.Context) error { return random(ctx, &again) }))
		if !slices.Equal(once, again) {
			t.Fatalf("seed %d: %v\nand %v", seed, once, again)
		}
		orders[fmt.Sprint(once)] = true
	}
	if len(orders) < 25 {
		t.Errorf("30 seeds give %d runs", len(orders))
	}
}

func TestSimulateReturnsErrors(t *testing.T) {
	boom := errors.New("boom")
	err := asynciotest.Simulate(1, func(ctx context.Context) error {
		asyncio.Go(ctx, leftHere)
		return boom
	})
	if !errors.Is(err, boom) || !strings.Contains(err.Error(), "leftHere") {
		t.Errorf("got %v", err)
	}
}

func TestExplorePasses(t *testing.T) {
	seen := make(map[uint64]bool)
	cleaned := 0
	asynciotest.Explore(t, 20, func(t testing.TB, ctx context.Context) {
		seen[asynciotest.Rand(ctx).Uint64()] = true
		t.Cleanup(func() { cleaned++ })
		t.Log("not shown")
		fmt.Fprintln(t.Output(), "nor this")
	})
	if os.Getenv(asynciotest.SeedVar) == "" && (len(seen) != 20 || cleaned != 20) {
		t.Errorf("%d seeds, %d clean-ups", len(seen), cleaned)
	}
}

// raced fails in some orders: the reader comes before the writer.
func raced(t testing.TB, ctx context.Context) {
	value := 0
	w := asyncio.Go(ctx, func(ctx context.Context) error { value = 1; return nil })
	r := asyncio.Go(ctx, func(ctx context.Context) error {
		if value == 0 {
			t.Logf("read too early, random number %d", asynciotest.Rand(ctx).IntN(1000))
			t.FailNow()
		}
		return nil
	})
	w.Await(ctx)
	r.Await(ctx)
}

// The seed that fails is named, and fails again by itself, in the same way.
func TestExploreReplays(t *testing.T) {
	if os.Getenv(asynciotest.SeedVar) != "" {
		asynciotest.Explore(t, 100, raced)
		return
	}
	d := &double{TB: t}
	asynciotest.Explore(d, 100, raced)
	if len(d.told) != 1 {
		t.Fatalf("got %q", d.told)
	}
	var seed, n int
	if _, err := fmt.Sscanf(d.told[0], "seed %d fails, of 100:\n    read too early, random number %d", &seed, &n); err != nil {
		t.Fatalf("%v: %s", err, d.told[0])
	}
	if want := fmt.Sprintf("ASYNCIOTEST_SEED=%d go test -run '^TestExploreReplays$'", seed); !strings.Contains(d.told[0], want) {
		t.Errorf("%s does not tell %s", d.told[0], want)
	}
	argv := append(strings.Fields(os.Getenv("TEST_EXEC")), os.Args[0], "-test.run=^TestExploreReplays$", "-test.v")
	again := exec.Command(argv[0], argv[1:]...)
	again.Env = append(os.Environ(), fmt.Sprint(asynciotest.SeedVar, "=", seed))
	out, err := again.CombinedOutput()
	if err == nil || !strings.Contains(string(out), fmt.Sprint("random number ", n, "\n")) {
		t.Errorf("seed %d fails with %d; run again: %v\n%s", seed, n, err, out)
	}
}

// The first seed that fails ends it, and a skip is one of the whole.
func TestExploreStops(t *testing.T) {
	if os.Getenv(asynciotest.SeedVar) != "" {
		t.Skip("runs one seed")
	}
	runs := 0
	d := &double{TB: t}
	asynciotest.Explore(d, 10, func(t testing.TB, ctx context.Context) {
		runs++
		asyncio.Go(ctx, leftHere)
	})
	if len(d.told) != 1 || runs > 1 && !strings.Contains(d.told[0], "tasks left behind") {
		t.Errorf("%d runs: %q", runs, d.told)
	}
	t.Run("skip", func(t *testing.T) {
		asynciotest.Explore(t, 10, func(t testing.TB, ctx context.Context) { t.Skip("not here") })
		t.Error("it goes on")
	})
}
