package asynciotest_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// In a test it is asynciotest.Run(t, func(ctx context.Context) { ... }).
func ExampleSimulate() {
	err := asynciotest.Simulate(1, func(ctx context.Context) error {
		if err := asyncio.Sleep(ctx, time.Hour); err != nil {
			return err
		}
		fmt.Println("an hour later:", asynciotest.Now(ctx))
		return errors.New("it fails")
	})
	fmt.Println(err)
	// Output:
	// an hour later: 1h0m0s
	// it fails
}

func ExampleRun() {
	var t testing.TB = printer{} // a test has its t
	asynciotest.Run(t, func(ctx context.Context) {
		start := asynciotest.Now(ctx)
		err := asyncio.WithTimeout(ctx, time.Minute, func(ctx context.Context, _ *asyncio.Timeout) error {
			return asyncio.Sleep(ctx, 24*time.Hour)
		})
		fmt.Println(err, "after", asynciotest.Now(ctx)-start)
		l, _ := asyncio.RunningLoop(ctx)
		l.CallLater(time.Hour, func() {})
	})
	// Output:
	// asyncio: timeout after 1m0s
	// the test fails: timers left behind: 1
}

// A printer is a testing.TB that prints.
type printer struct{ testing.TB }

func (printer) Helper()                  {}
func (printer) Name() string             { return "TestBank" }
func (printer) Error(args ...any)        { fmt.Println("the test fails:", fmt.Sprint(args...)) }
func (printer) Context() context.Context { return context.Background() }
func (printer) Fatalf(format string, args ...any) {
	fmt.Println("the test fails:", fmt.Sprintf(format, args...))
}

// A check and what relies on it, with a wait in between: in asyncio's order both
// do well, because nobody else is awake. In another order they do not.
func ExampleExplore() {
	var t testing.TB = printer{} // a test has its t
	asynciotest.Explore(t, 100, func(t testing.TB, ctx context.Context) {
		free := true
		take := func(ctx context.Context) error {
			if free {
				asyncio.Sleep(ctx, 0)
				if !free {
					t.Error("taken twice")
				}
				free = false
			}
			return nil
		}
		a := asyncio.Go(ctx, take)
		asyncio.Sleep(ctx, 0)
		b := asyncio.Go(ctx, take)
		a.Await(ctx)
		b.Await(ctx)
	})
	// Output:
	// the test fails: seed 1 fails, of 100:
	//     taken twice
	// run it again: ASYNCIOTEST_SEED=1 go test -run '^TestBank$'
}

func ExampleWaitIdle() {
	var t testing.TB = printer{} // a test has its t
	asynciotest.Run(t, func(ctx context.Context) {
		q := asyncio.NewQueue[string](0)
		reader := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				s, err := q.Get(ctx)
				if err != nil {
					return err
				}
				fmt.Println("read", s)
			}
		})
		q.PutNowait("a")
		q.PutNowait("b")
		asynciotest.WaitIdle(ctx)
		fmt.Println("all was read")
		reader.Cancel()
	})
	// Output:
	// read a
	// read b
	// all was read
}

// With a manual clock the test decides how far time goes.
func ExampleClock_Advance() {
	clock := asynciotest.NewManualClock()
	var t testing.TB = printer{} // a test has its t
	asynciotest.Run(t, func(ctx context.Context) {
		ticker := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Second); err != nil {
					return err
				}
				fmt.Println("tick at", asynciotest.Now(ctx))
			}
		})
		clock.Advance(ctx, 2500*time.Millisecond)
		fmt.Println("it is", clock.Now())
		ticker.Cancel()
	}, asynciotest.WithClock(clock))
	// Output:
	// tick at 1s
	// tick at 2s
	// it is 2.5s
}

// Delay stands for what takes a while: each seed has its own times.
func ExampleDelay() {
	for _, seed := range []uint64{1, 2, 1} {
		asynciotest.Simulate(seed, func(ctx context.Context) error {
			var order []string
			for _, name := range []string{"a", "b", "c"} {
				asyncio.Go(ctx, func(ctx context.Context) error {
					err := asynciotest.Delay(ctx, time.Second)
					order = append(order, name)
					return err
				})
			}
			asynciotest.Advance(ctx, time.Second)
			fmt.Println(order)
			return nil
		})
	}
	// Output:
	// [c a b]
	// [c b a]
	// [c a b]
}
