package asyncio_test

import (
	"context"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A loop without a task: callbacks, in the order in which they were arranged.
func ExampleLoop_CallSoon() {
	loop := asyncio.NewLoop()
	defer loop.Close()
	loop.CallLater(time.Millisecond, func() {
		fmt.Println("later")
		loop.Stop()
	})
	loop.CallSoon(func() { fmt.Println("soon") })
	loop.CallSoon(func() { fmt.Println("as soon") }).Cancel()
	fmt.Println(loop.RunForever())
	// Output:
	// soon
	// later
	// <nil>
}

func ExampleLoop_CallSoonThreadsafe() {
	loop := asyncio.NewLoop()
	defer loop.Close()
	go loop.CallSoonThreadsafe(func() {
		fmt.Println("from another goroutine")
		loop.Stop()
	})
	loop.RunForever()
	// Output: from another goroutine
}

// Three tasks ask for something, each without knowing of the others. When none of
// them can go on, all they have asked for is fetched at once.
func ExampleLoop_CallWhenQuiet() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		var asked []int
		answer := asyncio.NewFuture[string](loop)
		load := func(id int) *asyncio.Task[string] {
			return asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
				if asked = append(asked, id); len(asked) == 1 {
					loop.CallWhenQuiet(func() { answer.SetResult(fmt.Sprint("rows ", asked)) })
				}
				return answer.Await(ctx)
			})
		}
		tasks := []*asyncio.Task[string]{load(1), load(2), load(3)}
		for _, t := range tasks {
			rows, err := t.Await(ctx)
			fmt.Println(rows, err)
		}
		return nil
	})
	// Output:
	// rows [1 2 3] <nil>
	// rows [1 2 3] <nil>
	// rows [1 2 3] <nil>
}

func ExampleLoop_SetExceptionHandler() {
	loop := asyncio.NewLoop()
	defer loop.Close()
	loop.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		fmt.Println(c.Message)
	})
	loop.CallSoon(func() { panic("out of cheese") })
	loop.CallSoon(loop.Stop)
	loop.RunForever()
	// Output: Exception in callback
}

func ExampleRunUntilComplete() {
	loop := asyncio.NewLoop()
	defer loop.Close()
	f := asyncio.NewFuture[string](loop)
	loop.CallLater(time.Millisecond, func() { f.SetResult("ready") })
	s, err := asyncio.RunUntilComplete(loop, f)
	fmt.Println(s, err)
	// Output: ready <nil>
}

func ExampleFuture() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		f := asyncio.NewFuture[int](loop)
		f.AddDoneCallback(asyncio.NewCallback(func(f asyncio.AnyFuture) {
			fmt.Println("told that it is done:", f.Done())
		}))
		loop.CallSoon(func() { f.SetResult(42) })
		n, err := f.Await(ctx)
		fmt.Println(n, f.SetResult(43))
		return err
	})
	// Output:
	// told that it is done: true
	// 42 asyncio: invalid state
}

// The same seed gives the same order of tasks; without one they stay in theirs.
func ExampleWithSeed() {
	order := func(opts ...asyncio.LoopOption) (names string) {
		asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			for _, name := range []string{"a", "b", "c", "d", "e"} {
				asyncio.Go(ctx, func(context.Context) error {
					names += name
					return nil
				})
			}
			return asyncio.Sleep(ctx, 0)
		}, asyncio.WithLoopOptions(opts...))
		return names
	}
	first, second := order(asyncio.WithSeed(7)), order(asyncio.WithSeed(7))
	fmt.Println(order(), first == second)
	// Output: abcde true
}
