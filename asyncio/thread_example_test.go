package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ExampleToThread() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		text, err := asyncio.ToThread(ctx, func(context.Context) (string, error) {
			time.Sleep(time.Millisecond) // blocks a goroutine, and not the loop
			return "read from somewhere slow", nil
		})
		fmt.Println(text)
		return err
	})
	// Output: read from somewhere slow
}

func ExampleToThreadFunc() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
			return asyncio.Sleep(ctx, time.Second) // no loop there
		})
	})
	fmt.Println(errors.Is(err, asyncio.ErrNoRunningLoop))
	// Output: true
}

func ExampleRunInExecutor() {
	pool := asyncio.NewThreadPool(2)
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		f := asyncio.RunInExecutor(l, pool, func() (int, error) { return 6 * 7, nil })
		v, err := f.Await(ctx)
		fmt.Println(v)
		return err
	})
	fmt.Println(pool.Shutdown(context.Background()))
	// Output:
	// 42
	// <nil>
}

func ExampleNewThreadPool() {
	pool := asyncio.NewThreadPool(1)
	pool.Submit(func() { fmt.Println("first") })
	pool.Submit(func() { fmt.Println("second") })
	pool.Shutdown(context.Background())
	fmt.Println(pool.Submit(func() {}))
	// Output:
	// first
	// second
	// asyncio: cannot schedule new futures after shutdown
}

func ExampleSubmit() {
	pool := asyncio.NewThreadPool(1)
	c := asyncio.Submit(pool, func() (string, error) { return "done elsewhere", nil })
	fmt.Println(c.Result(time.Minute))
	// Output: done elsewhere <nil>
}

// A pool of another package is an Executor if it has this one method.
type goroutines struct{}

func (goroutines) Submit(f func()) error { go f(); return nil }

func ExampleLoop_SetDefaultExecutor() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		l.SetDefaultExecutor(goroutines{})
		v, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { return 1, nil })
		fmt.Println(v)
		return err
	})
	// Output: 1
}

func ExampleRunCoroutineThreadsafe() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		return asyncio.ToThreadFunc(ctx, func(context.Context) error {
			c := asyncio.RunCoroutineThreadsafe(l, func(ctx context.Context) (string, error) {
				return asyncio.SleepResult(ctx, time.Millisecond, "from the loop")
			})
			fmt.Println(c.Result(time.Minute))
			return nil
		})
	})
	// Output: from the loop <nil>
}

func ExampleFromChan() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		ch := make(chan string)
		go func() { ch <- "from a goroutine" }()
		v, err := asyncio.FromChan(l, ch).Await(ctx)
		fmt.Println(v)
		return err
	})
	// Output: from a goroutine
}

func ExampleWrapFuture() {
	c := asyncio.NewConcurrentFuture[int]()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		f := asyncio.WrapFuture(l, c)
		go c.SetResult(3)
		v, err := f.Await(ctx)
		fmt.Println(v)
		return err
	})
	// Output: 3
}

func ExampleWithShutdownTimeout() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { fmt.Println(c.Message) })
		asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if err := asyncio.Sleep(ctx, time.Hour); errors.Is(err, asyncio.ErrLoopClosed) {
					return err
				}
			}
		})
		return asyncio.Sleep(ctx, 0)
	}, asyncio.WithShutdownTimeout(time.Millisecond))
	fmt.Println(err)
	// Output:
	// Task was destroyed but it is pending!
	// <nil>
}

func ExampleWithDebug() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		f := asyncio.NewFuture[int](l)
		return asyncio.ToThreadFunc(ctx, func(context.Context) error {
			fmt.Println(f.SetResult(1))
			return nil
		})
	}, asyncio.WithDebug(true))
	// Output: asyncio: Non-thread-safe operation invoked on an event loop other than the current one
}

// messageOnly keeps the message of what is logged.
func messageOnly(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.MessageKey {
		return a
	}
	return slog.Attr{}
}

func ExampleWithWatchdog() {
	defer slog.SetDefault(slog.Default())
	slog.SetDefault(slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{ReplaceAttr: messageOnly})))
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		time.Sleep(time.Second) // blocks the loop
		return nil
	}, asyncio.WithWatchdog(100*time.Millisecond))
	// Output:
	// msg="asyncio: The loop is blocked"
	// msg="asyncio: The loop goes on"
}
