package asyncio_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceWait(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/070_wait_all", playWaitAll},
		scenario{"seeds/d001_10_async_await", playAsyncAwaitWait},
		scenario{"seeds/d001_14_task_list_wait", playTaskListWait},
		scenario{"seeds/d001_15_wait_needs_tasks", playWaitNeedsTasks},
		scenario{"seeds/d004_04_wait_three", playWaitThree},
		scenario{"seeds/d004_07_results", playWaitResults},
		scenario{"seeds/d004_10_nested_wait", playNestedWait},
	)
}

// taskNames are the names of ts, in their order: Wait keeps it.
func taskNames[T any](ts []*asyncio.Task[T]) string {
	var names []string
	for _, t := range ts {
		names = append(names, t.Name())
	}
	if names == nil {
		return "-"
	}
	return strings.Join(names, " ")
}

func playWaitAll(s *script) {
	child := func(n int, d time.Duration, exc error) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			if err := asyncio.Sleep(ctx, d); err != nil {
				return 0, err
			}
			return n, exc
		}
	}
	s.program(func(ctx context.Context) error {
		start := func() []*asyncio.Task[int] {
			return []*asyncio.Task[int]{
				asyncio.CreateTask(ctx, child(1, 3*shortly, nil), asyncio.WithTaskName("t1")),
				asyncio.CreateTask(ctx, child(2, shortly, nil), asyncio.WithTaskName("t2")),
				asyncio.CreateTask(ctx, child(3, 2*shortly, valueError("three")), asyncio.WithTaskName("t3")),
			}
		}
		wait := func(what string, ts []*asyncio.Task[int], opts ...asyncio.WaitOption) []*asyncio.Task[int] {
			done, pending, err := asyncio.Wait(ctx, ts, opts...)
			s.must(err)
			s.print(what, "done", taskNames(done), "pending", taskNames(pending))
			return pending
		}
		ts := start()
		wait("ALL_COMPLETED", ts)
		exc, _ := ts[2].Exception()
		s.print("t3 exception", exc)
		ts = start()
		wait("FIRST_COMPLETED", ts, asyncio.FirstCompleted)
		rest := wait("FIRST_EXCEPTION", ts, asyncio.FirstException)
		wait("rest", rest)
		exc, _ = ts[2].Exception()
		s.print("t3 again", exc)
		return nil
	})
}

func playAsyncAwaitWait(s *script) {
	fun := func(a, b int, d time.Duration) func(ctx context.Context) error {
		return func(ctx context.Context) error {
			s.print(a)
			err := asyncio.Sleep(ctx, d)
			s.print(b)
			return err
		}
	}
	l := scenarioLoop()
	defer l.Close()
	tasks := []*asyncio.Task[asyncio.None]{
		asyncio.NewTask(l, asyncio.Func(fun(1, 2, 2*shortly))),
		asyncio.NewTask(l, asyncio.Func(fun(3, 4, 3*shortly))),
	}
	s.must(waitOutside(l, tasks))
}

// waitOutside is loop.run_until_complete(asyncio.wait(tasks)).
func waitOutside[A asyncio.AnyAwaitable](l *asyncio.Loop, tasks []A) error {
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		_, _, err := asyncio.Wait(ctx, tasks)
		return err
	}))
	return err
}

func playTaskListWait(s *script) {
	fun := asyncio.Coro[string](func(ctx context.Context) (string, error) {
		s.print(1)
		err := asyncio.Sleep(ctx, 2*shortly)
		s.print(2)
		return "return value", err
	})
	s.program(func(ctx context.Context) error {
		s.print("main beginning")
		tasks := []*asyncio.Task[string]{
			asyncio.CreateTask(ctx, fun, asyncio.WithTaskName("n1")),
			asyncio.CreateTask(ctx, fun, asyncio.WithTaskName("n2")),
		}
		s.must(asyncio.Sleep(ctx, 3*shortly))
		s.print("main finished")
		done, pending, err := asyncio.Wait(ctx, tasks, asyncio.Within(asyncio.NoTimeout))
		for _, t := range done {
			v, err := t.Result()
			s.must(err)
			s.print(t.Name(), "done", v)
		}
		s.print("pending", len(pending))
		return err
	})
}

func playWaitNeedsTasks(s *script) {
	fun := asyncio.Coro[string](func(ctx context.Context) (string, error) {
		s.print(1)
		err := asyncio.Sleep(ctx, shortly)
		s.print(2)
		return "return value", err
	})
	func() {
		defer func() { err := recover().(error); s.print(pyName(err), err) }()
		asyncio.CreateTask(context.Background(), fun)
	}()
	s.program(func(ctx context.Context) error {
		coros := []asyncio.Coro[string]{fun, fun}
		_, _, err := asyncio.Wait(ctx, coros)
		s.print(pyName(err), err)
		var tasks []*asyncio.Task[string]
		for _, c := range coros {
			tasks = append(tasks, asyncio.CreateTask(ctx, c))
		}
		done, pending, err := asyncio.Wait(ctx, tasks)
		var words []any
		for _, t := range done {
			v, _ := t.Result()
			words = append(words, v)
		}
		s.print(append(words, len(pending))...)
		return err
	})
}

func playWaitThree(s *script) {
	l := scenarioLoop()
	defer l.Close()
	var tasks []asyncio.AnyAwaitable
	for _, n := range []int{1, 2, 3} {
		tasks = append(tasks, asyncio.NewTask(l, s.numbered(n)))
	}
	s.must(waitOutside(l, tasks))
}

func playWaitResults(s *script) {
	l := scenarioLoop()
	defer l.Close()
	var tasks []*asyncio.Task[int]
	for _, n := range []int{1, 2, 3} {
		tasks = append(tasks, asyncio.NewTask(l, s.numbered(n)))
	}
	s.must(waitOutside(l, tasks))
	for _, t := range tasks {
		v, _ := t.Result()
		s.print(v)
	}
}

func playNestedWait(s *script) {
	s.nested(func(ctx context.Context, tasks []*asyncio.Task[int]) error {
		done, _, err := asyncio.Wait(ctx, tasks)
		for _, t := range done {
			v, _ := t.Result()
			s.print("协程返回值：" + pyString(v))
		}
		s.print("outerCorouctine结束行……")
		return err
	})
}
