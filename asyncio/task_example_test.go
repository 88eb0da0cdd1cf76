package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ExampleRun() {
	n, err := asyncio.Run(context.Background(), func(ctx context.Context) (int, error) {
		return 42, asyncio.Sleep(ctx, time.Millisecond)
	})
	fmt.Println(n, err)
	// Output: 42 <nil>
}

func ExampleRunFunc() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
	defer cancel()
	err := asyncio.RunFunc(ctx, func(ctx context.Context) error {
		return asyncio.Sleep(ctx, time.Hour)
	})
	fmt.Println(errors.Is(err, context.DeadlineExceeded))
	// Output: true
}

func ExampleRunner() {
	r := asyncio.NewRunner()
	defer r.Close()
	for _, word := range []string{"one", "two"} {
		s, err := asyncio.RunIn(context.Background(), r, func(context.Context) (string, error) {
			return word + " of a kind", nil
		})
		fmt.Println(s, err)
	}
	// Output:
	// one of a kind <nil>
	// two of a kind <nil>
}

// A task begins in the next turn, when its creator waits.
func ExampleCreateTask() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		t := asyncio.CreateTask(ctx, func(context.Context) (int, error) {
			fmt.Println("the task runs")
			return 7, nil
		}, asyncio.WithTaskName("lucky"))
		fmt.Println(t.Name(), "is done:", t.Done())
		n, err := t.Await(ctx)
		fmt.Println(n, err)
		return nil
	})
	// Output:
	// lucky is done: false
	// the task runs
	// 7 <nil>
}

func ExampleEagerStart() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		t := asyncio.Go(ctx, func(ctx context.Context) error {
			fmt.Println("at once")
			asyncio.Sleep(ctx, 0)
			fmt.Println("after its first wait")
			return nil
		}, asyncio.EagerStart(true))
		fmt.Println("the task is made")
		_, err := t.Await(ctx)
		return err
	})
	// Output:
	// at once
	// the task is made
	// after its first wait
}

func ExampleTask_Cancel() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		t := asyncio.Go(ctx, func(ctx context.Context) error {
			defer fmt.Println("cleaned up")
			return asyncio.Sleep(ctx, time.Hour)
		})
		asyncio.Sleep(ctx, 0)
		fmt.Println(t.Cancel("closing time"))
		_, err := t.Await(ctx)
		fmt.Println(err)
		return nil
	})
	// Output:
	// true
	// cleaned up
	// asyncio: cancelled: closing time
}

// A task may refuse a cancel: then Uncancel takes it off the count.
func ExampleTask_Uncancel() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var t *asyncio.Task[string]
		t = asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
			if err := asyncio.Sleep(ctx, time.Hour); err != nil {
				fmt.Println(err, t.Cancelling())
				t.Uncancel()
			}
			return "refused", asyncio.Sleep(ctx, 0)
		})
		asyncio.Sleep(ctx, 0)
		t.Cancel()
		s, err := t.Await(ctx)
		fmt.Println(s, err, t.Cancelling())
		return nil
	})
	// Output:
	// asyncio: cancelled 1
	// refused <nil> 0
}

func ExampleCurrentTask() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for _, name := range []string{"ann", "bob"} {
			asyncio.Go(ctx, func(ctx context.Context) error {
				fmt.Println("this is", asyncio.CurrentTask(ctx).Name())
				return nil
			}, asyncio.WithTaskName(name))
		}
		return asyncio.Sleep(ctx, 0)
	})
	// Output:
	// this is ann
	// this is bob
}

func ExampleAllTasks() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		asyncio.CurrentTask(ctx).SetName("main")
		asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }, asyncio.WithTaskName("sleeper"))
		loop, err := asyncio.RunningLoop(ctx)
		for _, t := range loop.AllTasks() {
			fmt.Println(t.Name())
		}
		return err
	})
	// Output:
	// main
	// sleeper
}

func ExampleSleepResult() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		s, err := asyncio.SleepResult(ctx, time.Millisecond, "good morning")
		fmt.Println(s)
		return err
	})
	// Output: good morning
}

// What catches every Exception lets a cancellation pass.
func ExampleIsException() {
	fmt.Println(asyncio.IsException(errors.New("disk full")))
	fmt.Println(asyncio.IsException(asyncio.ErrTimeout))
	fmt.Println(asyncio.IsException(&asyncio.CancelledError{}))
	fmt.Println(asyncio.IsException(nil))
	// Output:
	// true
	// true
	// false
	// false
}
