package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceGather(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/060_gather_results", playGatherResults},
		scenario{"asyncio/061_gather_first_exception", playGatherFirstException},
		scenario{"seeds/d000_08_parallel_wait_gather", playParallelWaitGather},
		scenario{"seeds/d001_11_quick_start", playQuickStartGather},
		scenario{"seeds/d003_05_hello_gather", playHelloGather},
		scenario{"seeds/d004_05_gather_three", playGatherThree},
		scenario{"seeds/d004_11_nested_gather", playNestedGather},
	)
}

func playGatherResults(s *script) {
	child := func(n int, d time.Duration) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			s.print("start", n)
			if err := asyncio.Sleep(ctx, d); err != nil {
				return 0, err
			}
			s.print("finish", n)
			return n * n, nil
		}
	}
	s.program(func(ctx context.Context) error {
		squares, err := asyncio.Gather(ctx, child(1, 3*shortly), child(2, shortly), child(3, 2*shortly)).Await(ctx)
		s.must(err)
		s.print(withWords("results", squares)...)
		t := asyncio.CreateTask(ctx, child(4, 0))
		squares, err = asyncio.Gather(ctx, t, child(5, 0), t).Await(ctx)
		s.must(err)
		s.print(withWords("repeated", squares)...)
		none, err := asyncio.Gather[int](ctx).Await(ctx)
		s.print("empty", len(none))
		return err
	})
}

func playGatherFirstException(s *script) {
	child := func(n int, d time.Duration, exc error) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			if err := asyncio.Sleep(ctx, d); err != nil {
				return 0, err
			}
			if exc != nil {
				s.print("child", n, "fails")
				return 0, exc
			}
			s.print("child", n, "ends")
			return n, nil
		}
	}
	s.program(func(ctx context.Context) error {
		ts := []*asyncio.Task[int]{
			asyncio.CreateTask(ctx, child(1, 3*shortly, nil)),
			asyncio.CreateTask(ctx, child(2, shortly, valueError("two"))),
			asyncio.CreateTask(ctx, child(3, 2*shortly, keyError("three"))),
		}
		_, err := asyncio.Gather(ctx, asyncio.Awaitables(ts)...).Await(ctx)
		s.print("gather raised", pyName(err), err)
		s.print(append([]any{"done now"}, doneWords(ts)...)...)
		s.must(asyncio.Sleep(ctx, 4*shortly))
		s.print(append([]any{"done later"}, doneWords(ts)...)...)
		return nil
	})
}

func playParallelWaitGather(s *script) {
	work := func(n int, d time.Duration) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) { return asyncio.SleepResult(ctx, d, n) }
	}
	s.program(func(ctx context.Context) error {
		vs, err := asyncio.Gather(ctx, work(1, 2*shortly), work(2, shortly)).Await(ctx)
		s.must(err)
		s.print(withWords("gather: results in argument order", vs)...)
		tasks := []*asyncio.Task[int]{
			asyncio.CreateTask(ctx, work(1, shortly)),
			asyncio.CreateTask(ctx, work(3, 3*shortly)),
		}
		done, pending, err := asyncio.Wait(ctx, tasks, asyncio.Within(2*shortly))
		s.must(err)
		s.print("wait: done", len(done), "pending", len(pending))
		done, _, err = asyncio.Wait(ctx, tasks)
		s.must(err)
		words := []any{"wait again"}
		for _, t := range done {
			v, _ := t.Result()
			words = append(words, v)
		}
		s.print(words...)
		return nil
	})
}

func playGatherThree(s *script) {
	l := scenarioLoop()
	defer l.Close()
	t1, t2, t3 := asyncio.NewTask(l, s.numbered(1)), asyncio.NewTask(l, s.numbered(2)), asyncio.NewTask(l, s.numbered(3))
	_, err := asyncio.RunUntilComplete(l, asyncio.Gather(context.Background(), t1, t2, t3))
	s.must(err)
}

func playNestedGather(s *script) {
	s.nested(func(ctx context.Context, tasks []*asyncio.Task[int]) error {
		vs, err := asyncio.Gather(ctx, asyncio.Awaitables(tasks)...).Await(ctx)
		for _, v := range vs {
			s.print("协程返回值：" + pyString(v))
		}
		s.print("outerCorouctine结束行……")
		return err
	})
}

func playHelloGather(s *script) {
	hello := func(name string) asyncio.Coro[string] {
		return func(ctx context.Context) (string, error) {
			// There is just the one thread that the loop runs on.
			s.print("Hello " + name + "! (same thread)")
			if err := asyncio.Sleep(ctx, shortly); err != nil {
				return "", err
			}
			s.print("Hello " + name + " again! (same thread)")
			return name, nil
		}
	}
	s.program(func(ctx context.Context) error {
		names, err := asyncio.Gather(ctx, hello("Bob"), hello("Alice")).Await(ctx)
		s.print(withWords(names[0], names[1:])...)
		return err
	})
}

func playQuickStartGather(s *script) {
	fun := asyncio.Func(func(ctx context.Context) error {
		s.print(1)
		err := asyncio.Sleep(ctx, shortly)
		s.print(1)
		return err
	})
	s.program(func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, fun, fun, fun).Await(ctx)
		return err
	})
}
