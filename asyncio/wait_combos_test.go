package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What the scenarios of combinations share.

const shortly = 20 * time.Millisecond

// program runs f as a program's main.
func (s *script) program(f func(ctx context.Context) error) {
	s.t.Helper()
	s.must(asyncio.RunFunc(context.Background(), f, asyncio.WithLoopFactory(scenarioLoop)))
}

// doneWords is yes of the Done of each of ts, as arguments of print.
func doneWords[F asyncio.AnyFuture](ts []F) (words []any) {
	for _, t := range ts {
		words = append(words, yes(t.Done()))
	}
	return words
}

// withWords makes arguments of vs for print.
func withWords[T any](first any, vs []T) []any {
	words := []any{first}
	for _, v := range vs {
		words = append(words, v)
	}
	return words
}

// saying is a coroutine of several seeds, which prints when it begins and ends.
func (s *script) saying(begins, ends string, result int) asyncio.Coro[int] {
	return func(ctx context.Context) (int, error) {
		s.print(begins)
		if err := asyncio.Sleep(ctx, shortly); err != nil {
			return 0, err
		}
		s.print(ends)
		return result, nil
	}
}

func (s *script) numbered(n int) asyncio.Coro[int] {
	words := "协程" + string(rune('0'+n))
	return s.saying(words+"开始执行……", words+"结束执行……", n)
}

func (s *script) innerOf(n int) asyncio.Coro[int] {
	words := "innerCorouctine-" + string(rune('0'+n))
	return s.saying(words+"开始执行……", words+"结束执行……", n)
}

// nested runs the main coroutine of the nested seeds.
func (s *script) nested(f func(ctx context.Context, tasks []*asyncio.Task[int]) error) {
	l := scenarioLoop()
	defer l.Close()
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		s.print("outerCorouctine开始执行……")
		var tasks []*asyncio.Task[int]
		for _, n := range []int{1, 2, 3} {
			tasks = append(tasks, asyncio.CreateTask(ctx, s.innerOf(n)))
		}
		return f(ctx, tasks)
	}))
	s.must(err)
}

// TestNoFunction: the calls for functions without a result refuse nil as those do for
// functions with one.
func TestNoFunction(t *testing.T) {
	wantPy(t, "Run", second(asyncio.Run[int](context.Background(), nil)), "TypeError", "got nil")
	wantPy(t, "RunFunc", asyncio.RunFunc(context.Background(), nil), "TypeError", "got nil")
	play(t, func(ctx context.Context) error {
		wantPy(t, "CreateTask", panicOf(func() { asyncio.CreateTask[int](ctx, nil) }), "TypeError", "got nil")
		wantPy(t, "Go", panicOf(func() { asyncio.Go(ctx, nil) }), "TypeError", "got nil")
		wantPy(t, "ToThread", second(asyncio.ToThread[int](ctx, nil)), "TypeError", "got nil")
		wantPy(t, "ToThreadFunc", asyncio.ToThreadFunc(ctx, nil), "TypeError", "got nil")
		return nil
	})
	err := asyncio.RunWorkers(context.Background(), 1, func(ctx context.Context, w *asyncio.Worker) error {
		wantPy(t, "Worker.Go", panicOf(func() { w.Go(nil) }), "TypeError", "got nil")
		return nil
	})
	require.NoError(t, err)
}

// second is the error of a call that has a result.
func second[T any](_ T, err error) error { return err }

// turnsOf counts the turns of the loop until f returns.
func turnsOf(ctx context.Context, f func()) (turns int) {
	l := asyncio.CurrentTask(ctx).Loop()
	over := false
	var count func()
	count = func() {
		if turns++; !over {
			l.CallSoon(count)
		}
	}
	l.CallSoon(count)
	f()
	over = true
	return turns
}

// TestTurnsOfCombinations compares how many turns of the loop each call takes
// with what CPython takes.
func TestTurnsOfCombinations(t *testing.T) {
	play(t, func(ctx context.Context) error {
		one := returning(1, nil)
		bad := returning(0, valueError("bad"))
		ready := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		ready.SetResult(1)
		group := func(body func(ctx context.Context) error, coros ...asyncio.Coro[int]) {
			asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for _, c := range coros {
					asyncio.GroupTask(tg, c)
				}
				return body(ctx)
			})
		}
		nothing := func(context.Context) error { return nil }
		sleep := func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Second) }
		cancelMe := func() { asyncio.CurrentTask(ctx).Cancel() }
		for _, c := range []struct {
			what string
			want int
			f    func()
		}{
			{"gather", 3, func() { asyncio.Gather(ctx, one, one).Await(ctx) }},
			{"gather that fails", 3, func() { asyncio.Gather(ctx, one, bad, one).Await(ctx) }},
			{"gather of outcomes", 3, func() { asyncio.GatherOutcomes(ctx, one, bad, one).Await(ctx) }},
			{"gather of what is done", 0, func() { asyncio.Gather(ctx, ready, ready).Await(ctx) }},
			{"gather of nothing", 0, func() { asyncio.Gather[int](ctx).Await(ctx) }},
			{"wait for what is done", 2, func() { asyncio.Wait(ctx, []asyncio.AnyAwaitable{ready}) }},
			{"wait for a task", 3, func() { asyncio.Wait(ctx, []*asyncio.Task[int]{asyncio.CreateTask(ctx, one)}) }},
			{"wait for no time", 2, func() {
				t := asyncio.CreateTask(ctx, sleeping(time.Second, 1))
				asyncio.Wait(ctx, []*asyncio.Task[int]{t}, asyncio.Within(0))
				t.Cancel()
			}},
			{"as completed", 3, func() {
				for range asyncio.AsCompleted[int](ctx, []asyncio.Coro[int]{one, one}) {
				}
			}},
			{"shield", 3, func() { asyncio.Shield(ctx, one).Await(ctx) }},
			{"wait_for of a coroutine", 0, func() { asyncio.WaitFor(ctx, time.Second, one) }},
			{"timeout at once", 2, func() {
				asyncio.WithTimeout(ctx, 0, func(ctx context.Context, _ *asyncio.Timeout) error { return sleep(ctx) })
			}},
			{"group", 3, func() { group(nothing, one, one) }},
			{"empty group", 0, func() { group(nothing) }},
			{"group that fails", 3, func() { group(nothing, bad) }},
			{"group that fails while its body waits", 3, func() { group(sleep, bad) }},
			{"a cancel of one's own, at a future", 1, func() {
				cancelMe()
				asyncio.NewFuture[int](ready.Loop()).Await(ctx)
			}},
			{"a cancel of one's own, at a gather", 3, func() {
				cancelMe()
				asyncio.Gather(ctx, sleeping(time.Second, 1)).Await(ctx)
			}},
		} {
			if got := turnsOf(ctx, c.f); got != c.want {
				t.Errorf("%s takes %d turns, want %d", c.what, got, c.want)
			}
			for me := asyncio.CurrentTask(ctx); me.Uncancel() > 0; {
			}
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
		}
		return nil
	})
}

// TestOwnCancelLeavesNoWakeUp cancels a task that then waits for a future, and
// sees that the next wait is a real one.
func TestOwnCancelLeavesNoWakeUp(t *testing.T) {
	play(t, func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		l := me.Loop()
		me.Cancel()
		_, err := asyncio.NewFuture[int](l).Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "await after a cancel of one's own")
		me.Uncancel()
		before := l.Time()
		if err := asyncio.Sleep(ctx, time.Hour); err != nil || l.Time()-before < time.Hour {
			t.Errorf("slept %v, %v, want an hour", l.Time()-before, err)
		}
		return nil
	})
}

// TestCloseAmidCombinations closes a loop on which tasks wait in each of them.
func TestCloseAmidCombinations(t *testing.T) {
	l := asyncio.NewLoop()
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	long := sleeping(time.Hour, 1)
	waits := []func(ctx context.Context){
		func(ctx context.Context) { asyncio.Gather(ctx, long, long).Await(ctx) },
		func(ctx context.Context) { asyncio.Gather(ctx, asyncio.Limit(1, long, long)...).Await(ctx) },
		func(ctx context.Context) {
			asyncio.Wait(ctx, []*asyncio.Task[int]{asyncio.CreateTask(ctx, long)}, asyncio.Within(time.Hour))
		},
		func(ctx context.Context) {
			for range asyncio.AsCompleted(ctx, []asyncio.Coro[int]{long}, asyncio.Within(time.Hour)) {
				break
			}
		},
		func(ctx context.Context) { asyncio.Shield(ctx, long).Await(ctx) },
		func(ctx context.Context) { asyncio.WaitFor(ctx, time.Hour, long) },
		func(ctx context.Context) {
			asyncio.WithTimeout(ctx, time.Hour, func(ctx context.Context, _ *asyncio.Timeout) error { return asyncio.Sleep(ctx, time.Hour) })
		},
		func(ctx context.Context) {
			asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, long)
				return nil
			})
		},
		func(ctx context.Context) {
			asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				asyncio.GroupTask(tg, long)
				return asyncio.Sleep(ctx, time.Hour)
			})
		},
	}
	left := 0
	for _, wait := range waits {
		asyncio.NewTask(l, asyncio.Func(func(ctx context.Context) error {
			defer func() { left++ }()
			wait(ctx)
			return nil
		}))
	}
	l.CallLater(time.Millisecond, l.Stop)
	if err := l.RunForever(); err != nil || left > 0 {
		t.Errorf("%v; %d have not waited", err, left)
	}
	if err := l.Close(); err != nil || left != len(waits) {
		t.Errorf("Close: %v; the deferred calls of %d have run, want %d", err, left, len(waits))
	}
}
