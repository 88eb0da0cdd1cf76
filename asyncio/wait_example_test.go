package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// after is a coroutine that has the result v after n times 50 milliseconds.
func after[T any](n int, v T) asyncio.Coro[T] {
	return func(ctx context.Context) (T, error) {
		return asyncio.SleepResult(ctx, time.Duration(n)*50*time.Millisecond, v)
	}
}

func ExampleGather() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		words, err := asyncio.Gather(ctx, after(2, "hello"), after(1, "world")).Await(ctx)
		fmt.Println(words, err)
		return nil
	})
	// Output:
	// [hello world] <nil>
}

func ExampleGatherOutcomes() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		fails := asyncio.Coro[int](func(context.Context) (int, error) { return 0, errors.New("out of order") })
		outcomes, _ := asyncio.GatherOutcomes(ctx, after(1, 42), fails).Await(ctx)
		for _, o := range outcomes {
			fmt.Println(o.Value, o.Err)
		}
		return nil
	})
	// Output:
	// 42 <nil>
	// 0 out of order
}

func ExampleFunc() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		greet := func(context.Context) error {
			fmt.Println("hello")
			return nil
		}
		_, err := asyncio.Gather(ctx, asyncio.Func(greet), asyncio.Func(greet)).Await(ctx)
		return err
	})
	// Output:
	// hello
	// hello
}

func ExampleAwaitables() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var tasks []*asyncio.Task[int]
		for i := range 3 {
			tasks = append(tasks, asyncio.CreateTask(ctx, after(1, i*i)))
		}
		squares, err := asyncio.Gather(ctx, asyncio.Awaitables(tasks)...).Await(ctx)
		fmt.Println(squares)
		return err
	})
	// Output:
	// [0 1 4]
}

func ExampleLimit() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var steps []asyncio.Coro[asyncio.None]
		for i := range 4 {
			steps = append(steps, asyncio.Func(func(ctx context.Context) error {
				fmt.Println("begin", i)
				defer fmt.Println("end", i)
				return asyncio.Sleep(ctx, 0)
			}))
		}
		_, err := asyncio.Gather(ctx, asyncio.Limit(2, steps...)...).Await(ctx)
		return err
	})
	// Output:
	// begin 0
	// begin 1
	// end 0
	// end 1
	// begin 2
	// begin 3
	// end 2
	// end 3
}

func ExampleWait() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		tasks := []*asyncio.Task[string]{
			asyncio.CreateTask(ctx, after(1, "quick")),
			asyncio.CreateTask(ctx, after(10_000, "slow")),
		}
		done, pending, err := asyncio.Wait(ctx, tasks, asyncio.FirstCompleted, asyncio.Within(time.Minute))
		for _, t := range done {
			fmt.Println(t.Result())
		}
		for _, t := range pending {
			t.Cancel()
		}
		return err
	})
	// Output:
	// quick <nil>
}

func ExampleAsCompleted() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		coros := []asyncio.Coro[string]{after(9, "third"), after(1, "first"), after(5, "second")}
		for v, err := range asyncio.AsCompleted(ctx, coros) {
			fmt.Println(v, err)
		}
		return nil
	})
	// Output:
	// first <nil>
	// second <nil>
	// third <nil>
}

func ExampleAsCompletedTasks() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		names := map[asyncio.AnyFuture]string{}
		var tasks []*asyncio.Task[int]
		for i, name := range []string{"a", "b"} {
			t := asyncio.CreateTask(ctx, after(2-i, i))
			names[t] = name
			tasks = append(tasks, t)
		}
		for t, err := range asyncio.AsCompletedTasks(ctx, tasks, asyncio.Within(time.Minute)) {
			if err != nil {
				return err
			}
			v, _ := t.Result()
			fmt.Println(names[t], v)
		}
		return nil
	})
	// Output:
	// b 1
	// a 0
}

func ExampleShield() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		saving := asyncio.CreateTask(ctx, after(2, "saved"))
		request := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
			return asyncio.Shield(ctx, saving).Await(ctx)
		})
		asyncio.Sleep(ctx, time.Millisecond)
		request.Cancel()
		_, err := request.Await(ctx)
		fmt.Println(err)
		fmt.Println(saving.Await(ctx))
		return nil
	})
	// Output:
	// asyncio: cancelled
	// saved <nil>
}

func ExampleEnsureFuture() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		task := asyncio.EnsureFuture(ctx, after(1, "of a coroutine"))
		same := asyncio.EnsureFuture(ctx, task)
		fmt.Println(same == task)
		fmt.Println(task.Await(ctx))
		return nil
	})
	// Output:
	// true
	// of a coroutine <nil>
}

func ExampleWaitFor() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		_, err := asyncio.WaitFor(ctx, time.Millisecond, after(10_000, "too late"))
		fmt.Println(err, errors.Is(err, context.DeadlineExceeded))
		return nil
	})
	// Output:
	// asyncio: timeout true
}

func ExampleWithTimeout() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		err := asyncio.WithTimeout(ctx, time.Millisecond, func(ctx context.Context, t *asyncio.Timeout) error {
			// Go on: there is a good reason.
			if err := t.Reschedule(t.When() + time.Millisecond); err != nil {
				return err
			}
			return asyncio.Sleep(ctx, time.Hour)
		})
		fmt.Println(err == asyncio.ErrTimeout)
		return nil
	})
	// Output:
	// true
}

func ExampleNewTimeout() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		t := asyncio.NewTimeout(time.Millisecond)
		if err := t.Enter(ctx); err != nil {
			return err
		}
		err := t.Exit(asyncio.Sleep(ctx, time.Hour))
		fmt.Println(err, t.Expired())
		return nil
	})
	// Output:
	// asyncio: timeout true
}

func ExampleRunTaskGroup() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var answer *asyncio.Task[int]
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Millisecond) })
			answer = asyncio.GroupTask(tg, after(1, 42))
			return nil
		})
		if err != nil {
			return err
		}
		fmt.Println(answer.Result())
		return nil
	})
	// Output:
	// 42 <nil>
}

func ExampleTaskGroup_Cancel() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		found := ""
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			for i, name := range []string{"slow", "quick"} {
				tg.Go(func(ctx context.Context) error {
					if err := asyncio.Sleep(ctx, time.Duration(1-i)*time.Hour); err != nil {
						return err
					}
					found = name
					tg.Cancel()
					return nil
				})
			}
			return nil
		})
		fmt.Println(found, err)
		return nil
	})
	// Output:
	// quick <nil>
}

func ExampleTaskGroup_SetLimit() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.SetLimit(1)
			for i := range 3 {
				tg.Go(func(ctx context.Context) error {
					fmt.Println("begin", i)
					defer fmt.Println("end", i)
					return asyncio.Sleep(ctx, 0)
				})
			}
			return nil
		})
	})
	// Output:
	// begin 0
	// end 0
	// begin 1
	// end 1
	// begin 2
	// end 2
}

func ExampleExceptionGroup() {
	missing := errors.New("missing")
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(context.Context) error { return fmt.Errorf("a: %w", missing) })
			tg.Go(func(context.Context) error { return errors.New("b: broken") })
			return nil
		})
		fmt.Println(err)
		fmt.Println(errors.Is(err, missing))
		return nil
	})
	// Output:
	// unhandled errors in a TaskGroup (2 sub-exceptions): a: missing; b: broken
	// true
}

func ExampleExceptionGroup_Split() {
	missing := errors.New("missing")
	eg := asyncio.NewExceptionGroup("while loading",
		fmt.Errorf("a: %w", missing), errors.New("b: broken"), fmt.Errorf("c: %w", missing))
	gone, rest := eg.Split(func(err error) bool { return errors.Is(err, missing) })
	for _, err := range gone.Exceptions {
		fmt.Println("skip", err)
	}
	fmt.Println(rest.Err())
	// Output:
	// skip a: missing
	// skip c: missing
	// while loading (1 sub-exception): b: broken
}
