package asyncio_test

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Ports of the programs that need a loop, tasks and futures, and nothing on top
// of them. Where one uses wait or gather only to wait for all, it awaits them one
// after the other.

func TestConformanceLifeCycle(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/001_call_soon_fifo", playCallSoonFIFO},
		scenario{"asyncio/002_call_later_order", playCallLaterOrder},
		scenario{"asyncio/006_run_until_complete", playRunUntilComplete},
		scenario{"asyncio/007_stop_semantics", playStopSemantics},
		scenario{"asyncio/020_create_task_order", playCreateTaskOrder},
		scenario{"asyncio/021_await_done_no_yield", playAwaitDone},
		scenario{"asyncio/026_eager_tasks", playEagerTasks},
		scenario{"asyncio/030_future_states", playFutureStates},
		scenario{"asyncio/031_done_callbacks", playDoneCallbacks},
		scenario{"asyncio/040_cancel_basic", playCancelBasic},
		scenario{"asyncio/042_cancel_swallowed", playCancelSwallowed},
		scenario{"asyncio/046_cancel_chain", playCancelChain},
		scenario{"asyncio/170_never_retrieved", playNeverRetrieved},
		scenario{"asyncio/191_run_cancels_leftovers", playRunCancelsLeftovers},
	)
}

// run is asyncio.run of a main that has the loop.
func (s *script) run(main func(ctx context.Context, l *asyncio.Loop) error) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s.must(err)
		return main(ctx, l)
	}, asyncio.WithLoopFactory(scenarioLoop))
}

// printer is a callback that prints.
func (s *script) printer(parts ...any) func() { return func() { s.print(parts...) } }

func playCallSoonFIFO(s *script) {
	l := asyncio.NewLoop()
	nested := func(parent string) func() {
		return func() {
			s.print("nested from", parent)
			if parent == "second" {
				l.CallSoon(l.Stop)
			}
		}
	}
	l.CallSoon(func() { s.print("first"); l.CallSoon(nested("first")) })
	l.CallSoon(func() { s.print("second"); l.CallSoon(nested("second")) })
	l.CallSoon(s.printer("third with args", 1, 2))
	s.must(l.RunForever())
	s.must(l.Close())
	if l.IsClosed() {
		s.print("closed")
	} else {
		s.print("open")
	}
}

func playCallLaterOrder(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		const ms = time.Millisecond
		t0 := l.Time()
		done := asyncio.NewFuture[string](l)
		l.CallLater(80*ms, s.printer("later 80ms"))
		l.CallLater(20*ms, s.printer("later 20ms"))
		l.CallAt(t0+60*ms, s.printer("at 60ms"))
		l.CallAt(t0+40*ms, s.printer("at 40ms"))
		l.CallAt(t0-5*time.Second, s.printer("at five seconds ago"))
		l.CallLater(100*ms, func() { done.SetResult("finished") })
		l.CallSoon(s.printer("soon"))
		v, err := done.Await(ctx)
		s.print(v)
		return err
	}))
}

func playRunUntilComplete(s *script) {
	l := asyncio.NewLoop()
	v, err := asyncio.RunUntilComplete(l, asyncio.Coro[int](func(context.Context) (int, error) { return 42, nil }))
	s.must(err)
	s.print("result", v)
	_, err = asyncio.RunUntilComplete(l, asyncio.Coro[int](func(context.Context) (int, error) { return 0, valueError("boom") }))
	s.print(pyName(err), err)

	fut := asyncio.NewFuture[string](l)
	task := asyncio.NewTask(l, fut.Await)
	l.CallLater(20*time.Millisecond, l.Stop)
	_, err = asyncio.RunUntilComplete(l, task)
	s.print(pyName(err), err)
	s.print("task done", yes(task.Done()))
	l.CallSoon(func() { fut.SetResult("late") })
	for _, word := range []string{"resumed", "again"} {
		late, err := asyncio.RunUntilComplete(l, task)
		s.must(err)
		s.print(word, late)
	}
	s.must(l.Close())
}

func playStopSemantics(s *script) {
	l := asyncio.NewLoop()
	l.CallSoon(s.printer("before"))
	l.CallSoon(func() {
		s.print("stopper")
		l.Stop()
		l.CallSoon(s.printer("scheduled after stop"))
	})
	l.CallSoon(s.printer("ready behind stopper"))
	s.must(l.RunForever())
	s.print("-- first run returned")
	l.CallSoon(func() { l.CallSoon(s.printer("two iterations away")) })
	l.Stop()
	s.must(l.RunForever())
	s.print("-- second run returned")
	l.Stop()
	s.must(l.RunForever())
	s.print("-- third run returned")
	s.must(l.Close())
}

func playCreateTaskOrder(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		var tasks []*asyncio.Task[int]
		for n := range 3 {
			tasks = append(tasks, asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
				s.print("child", n, "starts")
				err := asyncio.Sleep(ctx, 0)
				s.print("child", n, "resumes")
				return n * 10, err
			}))
		}
		l.CallSoon(s.printer("callback made after the tasks"))
		s.print("created", len(tasks))
		asyncio.Sleep(ctx, 0)
		s.print("main resumes after one iteration")
		results := []any{"results"}
		for _, t := range tasks {
			v, err := t.Await(ctx)
			s.must(err)
			results = append(results, v)
		}
		s.print(results...)
		return nil
	}))
}

func playAwaitDone(s *script) {
	plain := asyncio.Coro[string](func(context.Context) (string, error) { return "plain", nil })
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		fut := asyncio.NewFuture[string](l)
		fut.SetResult("done future")
		task := asyncio.CreateTask(ctx, plain)
		asyncio.Sleep(ctx, 0)
		l.CallSoon(s.printer("(loop got control)"))
		for _, aw := range []asyncio.Awaitable[string]{plain, fut, task} {
			v, err := aw.Await(ctx)
			s.must(err)
			if aw == asyncio.Awaitable[string](task) {
				s.print(v, "from a done task")
			} else {
				s.print(v)
			}
		}
		s.print("now yielding")
		asyncio.Sleep(ctx, 0)
		s.print("end")
		return nil
	}))
}

func playEagerTasks(s *script) {
	// The numbers count from that of main, which is 1 in the program: tests before
	// this one have made tasks, too.
	main := 0
	quick := func(n int) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			name := asyncio.CurrentTask(ctx).Name()
			if number := taskNumber(name); number > 0 {
				name = "Task-" + pyString(number-main+1)
			}
			s.print("quick", n, "in task", name)
			return n, nil
		}
	}
	slow := func(n int) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			s.print("slow", n, "begins")
			err := asyncio.Sleep(ctx, 0)
			s.print("slow", n, "ends")
			return n, err
		}
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		me := asyncio.CurrentTask(ctx)
		main = taskNumber(me.Name())
		q := asyncio.CreateTask(ctx, quick(1), asyncio.WithTaskName("q1"))
		v, err := q.Result()
		s.must(err)
		s.print("after create: done", yes(q.Done()), "result", v)
		two := asyncio.CreateTask(ctx, slow(2), asyncio.WithTaskName("s2"))
		s.print("after create: done", yes(two.Done()))
		s.print("current task restored", yes(asyncio.CurrentTask(ctx) == me))
		all := []*asyncio.Task[int]{asyncio.CreateTask(ctx, quick(3)), asyncio.CreateTask(ctx, slow(4)), two}
		line := []any{"gather"}
		for _, t := range all {
			v, err := t.Await(ctx)
			s.must(err)
			line = append(line, v)
		}
		s.print(line...)
		return nil
	}))
}

// taskNumber is the number in the name of a task that was given none, or else zero.
func taskNumber(name string) int {
	number, _ := strings.CutPrefix(name, "Task-")
	n, _ := strconv.Atoi(number)
	return n
}

func playFutureStates(s *script) {
	type future = *asyncio.Future[int]
	show := func(label string, f future) {
		s.print(label, "done", yes(f.Done()), "cancelled", yes(f.Cancelled()))
	}
	attempt := func(label string, v any, err error) {
		switch {
		case err != nil:
			msg := pyMessage(err)
			if msg == "" {
				msg = "(no message)"
			}
			s.print(label, "->", pyName(err), msg)
		case v == nil:
			s.print(label, "->", "none")
		default:
			s.print(label, "->", v)
		}
	}
	result := func(f future) {
		v, err := f.Result()
		attempt("result", v, err)
	}
	exception := func(f future) {
		exc, err := f.Exception()
		var v any
		if exc != nil {
			v = exc
		}
		attempt("exception", v, err)
	}
	s.must(s.run(func(_ context.Context, l *asyncio.Loop) error {
		a, b, c := asyncio.NewFuture[int](l), asyncio.NewFuture[int](l), asyncio.NewFuture[int](l)
		show("fresh", a)
		result(a)
		exception(a)
		s.must(a.SetResult(1))
		show("with result", a)
		result(a)
		exception(a)
		attempt("set_result again", nil, a.SetResult(2))
		attempt("set_exception now", nil, a.SetException(valueError("x")))
		s.print("cancel done future", yes(a.Cancel()))
		s.must(b.SetException(valueError("bad")))
		show("with exception", b)
		result(b)
		exc, err := b.Exception()
		s.must(err)
		s.print("exception", pyName(exc))
		s.print("cancel pending future", yes(c.Cancel()))
		show("cancelled", c)
		result(c)
		exception(c)
		attempt("set_result on cancelled", nil, c.SetResult(3))
		s.print("cancel again", yes(c.Cancel()))
		return nil
	}))
}

func playDoneCallbacks(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		fut := asyncio.NewFuture[string](l)
		cb := func(name string) *asyncio.Callback {
			return asyncio.NewCallback(func(f asyncio.AnyFuture) {
				v, err := f.(*asyncio.Future[string]).Result()
				s.must(err)
				s.print("callback", name, "result", v)
			})
		}
		c1, c2, c3 := cb("one"), cb("two"), cb("three")
		for _, c := range []*asyncio.Callback{c1, c2, c3, c2} {
			fut.AddDoneCallback(c)
		}
		s.print("removed", fut.RemoveDoneCallback(c2))
		s.print("removed again", fut.RemoveDoneCallback(c2))
		fut.SetResult("R")
		s.print("set_result returned, nothing called yet")
		fut.AddDoneCallback(cb("late"))
		s.print("late one added")
		asyncio.Sleep(ctx, 0)
		s.print("after one iteration")
		return nil
	}))
}

func playCancelBasic(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		t := asyncio.Go(ctx, func(ctx context.Context) error {
			s.print("worker starts")
			defer s.print("worker finally")
			err := asyncio.Sleep(ctx, 10*time.Second)
			if errors.Is(err, asyncio.ErrCancelled) {
				s.print("worker cancelled")
				return err
			}
			s.print("never")
			return err
		})
		asyncio.Sleep(ctx, 0)
		s.print("cancel returns", yes(t.Cancel()))
		s.print("done at once", yes(t.Done()), "cancelling", t.Cancelling())
		_, err := t.Await(ctx)
		s.print("main sees", pyName(err))
		s.print("cancelled", yes(t.Cancelled()))
		s.print("cancel a done task", yes(t.Cancel()), "cancelling", t.Cancelling())
		return nil
	}))
}

func playCancelSwallowed(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		t := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
			for i := range 2 {
				if err := asyncio.Sleep(ctx, 10*time.Second); errors.Is(err, asyncio.ErrCancelled) {
					s.print("swallowed", i+1)
				}
			}
			return "finished anyway", asyncio.Sleep(ctx, 0)
		})
		asyncio.Sleep(ctx, 0)
		t.Cancel()
		asyncio.Sleep(ctx, 0)
		s.print("done", yes(t.Done()), "cancelling", t.Cancelling())
		t.Cancel()
		v, err := t.Await(ctx)
		s.must(err)
		s.print(v)
		s.print("cancelled", yes(t.Cancelled()), "cancelling", t.Cancelling())
		return nil
	}))
}

func playCancelChain(s *script) {
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		i := asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 10*time.Second)
			s.print("inner cleanup begins")
			s.must(asyncio.Sleep(ctx, 20*time.Millisecond))
			s.print("inner cleanup ends")
			return err
		})
		o := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := i.Await(ctx)
			if errors.Is(err, asyncio.ErrCancelled) {
				s.print("outer cancelled, inner done", yes(i.Done()))
			}
			return err
		})
		asyncio.Sleep(ctx, 20*time.Millisecond)
		o.Cancel()
		s.print("requested: inner cancelling", i.Cancelling(), "outer cancelling", o.Cancelling())
		o.Await(ctx)
		how := func(t asyncio.AnyTask) string {
			if t.Cancelled() {
				return "cancelled"
			}
			return "not cancelled"
		}
		s.print("inner", how(i), "outer", how(o))
		return nil
	}))
}

func playNeverRetrieved(s *script) {
	fail := func(text string) asyncio.Coro[int] {
		return func(context.Context) (int, error) { return 0, valueError(text) }
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			s.print("handler:", c.Message, "/", pyName(c.Exception), c.Exception)
		})
		func() {
			t := asyncio.CreateTask(ctx, fail("seen"))
			asyncio.Sleep(ctx, 0)
			exc, err := t.Exception()
			s.must(err)
			s.print("looked at", pyName(exc))
			_, exc = asyncio.CreateTask(ctx, fail("gathered")).Await(ctx)
			s.print("gathered", pyName(exc))
			asyncio.NewFuture[int](l).Cancel()
		}()
		runtime.GC()
		asyncio.Sleep(ctx, 0)
		s.print("no report so far")
		t := asyncio.CreateTask(ctx, fail("unseen"))
		asyncio.Sleep(ctx, 0)
		s.print("task done, still referenced")
		runtime.KeepAlive(t)
		asyncio.NewFuture[int](l).SetException(keyError("future"))
		return nil
	}))
	s.print("run returned")
}

func playRunCancelsLeftovers(s *script) {
	leftover := func(ctx context.Context) error {
		err := asyncio.Sleep(ctx, 10*time.Second)
		s.print("leftover cleanup begins")
		s.must(asyncio.Sleep(ctx, 20*time.Millisecond))
		s.print("leftover cleanup ends")
		return err
	}
	v, err := asyncio.Run(context.Background(), func(ctx context.Context) (string, error) {
		l, err := asyncio.RunningLoop(ctx)
		s.must(err)
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			s.print("handler:", c.Message, "/", c.Exception)
		})
		asyncio.Go(ctx, leftover)
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, 10*time.Second)
			if errors.Is(err, asyncio.ErrCancelled) {
				s.must(asyncio.Sleep(ctx, 40*time.Millisecond))
				return valueError("bad cleanup")
			}
			return err
		})
		asyncio.Sleep(ctx, 20*time.Millisecond)
		s.print("main returns")
		return "value", nil
	})
	s.must(err)
	s.print(v)
	err = s.run(func(ctx context.Context, l *asyncio.Loop) error {
		asyncio.Go(ctx, leftover)
		asyncio.Sleep(ctx, 0)
		return keyError("main")
	})
	s.print(pyName(err), err)
}

func TestConformanceSeeds(t *testing.T) {
	const short = 2 * time.Millisecond
	// say prints a line, sleeps and prints another.
	say := func(s *script, before string, d time.Duration, after string) asyncio.Coro[string] {
		return func(ctx context.Context) (string, error) {
			if before != "" {
				s.print(before)
			}
			err := asyncio.Sleep(ctx, d)
			s.print(after)
			return after, err
		}
	}
	// onLoop has a loop made, and f do what it wants with it.
	onLoop := func(s *script, f func(l *asyncio.Loop)) {
		l := scenarioLoop()
		f(l)
		s.must(l.Close())
	}
	runAll := func(s *script, l *asyncio.Loop, coros ...asyncio.Coro[string]) (tasks []*asyncio.Task[string]) {
		for _, c := range coros {
			tasks = append(tasks, asyncio.NewTask(l, c))
		}
		for _, t := range tasks {
			_, err := asyncio.RunUntilComplete(l, t)
			s.must(err)
		}
		return tasks
	}
	run := func(s *script, c asyncio.Coro[string]) {
		_, err := asyncio.Run(context.Background(), c, asyncio.WithLoopFactory(scenarioLoop))
		s.must(err)
	}
	await := func(s *script, ctx context.Context, aw asyncio.Awaitable[string]) string {
		v, err := aw.Await(ctx)
		s.must(err)
		return v
	}
	const begins, ends = "协程执行开始……", "协程执行结束……"
	playScenarios(t,
		scenario{"seeds/d000_01_run_until_complete", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) {
				runAll(s, l, func(context.Context) (string, error) { s.print("Waiting: ", 2); return "", nil })
				s.print("done")
			})
		}},
		scenario{"seeds/d000_02_await_expressions", playAwaitExpressions},
		scenario{"seeds/d001_03_generator_coroutines", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { runAll(s, l, say(s, "1", 2*short, "2"), say(s, "3", 8*short, "4")) })
		}},
		scenario{"seeds/d001_12_await_value", func(s *script) {
			run(s, func(ctx context.Context) (string, error) {
				s.print("begin....")
				v, err := asyncio.SleepResult(ctx, short, "slept")
				s.print("finished", v)
				return v, err
			})
			others := func(ctx context.Context) (string, error) {
				_, err := say(s, "start", short, "end")(ctx)
				return "返回值", err
			}
			run(s, func(ctx context.Context) (string, error) {
				for range 2 {
					s.print(await(s, ctx, asyncio.Coro[string](others)))
				}
				return "", nil
			})
		}},
		scenario{"seeds/d001_13_task_objects", func(s *script) {
			fun := func(ctx context.Context) (string, error) {
				_, err := say(s, "1", short, "2")(ctx)
				return "return value", err
			}
			run(s, func(ctx context.Context) (string, error) {
				s.print("main beginning")
				t1, t2 := asyncio.CreateTask(ctx, fun), asyncio.CreateTask(ctx, fun)
				asyncio.Sleep(ctx, 10*short)
				s.print("main finished")
				s.print(await(s, ctx, t1), await(s, ctx, t2))
				return "", nil
			})
		}},
		scenario{"seeds/d001_16_future_object", func(s *script) {
			run(s, func(ctx context.Context) (string, error) {
				l, _ := asyncio.RunningLoop(ctx)
				fut := asyncio.NewFuture[string](l)
				task := asyncio.Go(ctx, func(ctx context.Context) error {
					asyncio.Sleep(ctx, short)
					return fut.SetResult("666")
				})
				s.print(await(s, ctx, fut))
				_, err := task.Await(ctx)
				return "", err
			})
		}},
		scenario{"seeds/d002_02_generator_coroutine_hello", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { runAll(s, l, say(s, "Hello world!", short, "The end!")) })
		}},
		scenario{"seeds/d002_03_async_hello", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { runAll(s, l, say(s, "Hello world!", short, "The end!")) })
		}},
		scenario{"seeds/d002_04_three_ways_to_run", func(s *script) {
			run(s, func(ctx context.Context) (string, error) {
				await(s, ctx, say(s, "", short, "awaited 1"))
				await(s, ctx, say(s, "", short, "awaited 2"))
				t1 := asyncio.CreateTask(ctx, say(s, "", 8*short, "task 1"))
				t2 := asyncio.CreateTask(ctx, say(s, "", short, "task 2"))
				await(s, ctx, t1)
				await(s, ctx, t2)
				return "", nil
			})
		}},
		scenario{"seeds/d003_04_hello_run", func(s *script) {
			run(s, say(s, "Hello world!", short, "Hello again!"))
		}},
		scenario{"seeds/d004_01_ensure_future", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { runAll(s, l, say(s, begins, short, ends)) })
		}},
		scenario{"seeds/d004_02_create_task", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { runAll(s, l, say(s, begins, short, ends)) })
		}},
		scenario{"seeds/d004_03_coroutine_directly", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) {
				_, err := asyncio.RunUntilComplete(l, say(s, begins, short, ends))
				s.must(err)
			})
		}},
		scenario{"seeds/d004_06_result", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) {
				t := runAll(s, l, func(ctx context.Context) (string, error) {
					return asyncio.SleepResult(ctx, short, "1234567890")
				})[0]
				v, err := t.Result()
				s.must(err)
				s.print("协程返回的值为：" + v)
			})
		}},
		scenario{"seeds/d004_08_callback", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { playCallback(s, l) })
		}},
		scenario{"seeds/d004_09_callback_partial", func(s *script) {
			onLoop(s, func(l *asyncio.Loop) { playCallback(s, l, "123") })
		}},
	)
}

// playCallback adds a done callback, with bound arguments to print.
func playCallback(s *script, l *asyncio.Loop, bound ...string) {
	t := asyncio.NewTask(l, func(ctx context.Context) (string, error) {
		return asyncio.SleepResult(ctx, time.Millisecond, "1234567890")
	})
	t.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) {
		for _, v := range bound {
			s.print("我是回调函数，你输入的第一个参数为：" + v)
		}
		v, err := t.Result()
		s.must(err)
		s.print("我是回调函数，协程返回值为：" + v)
	}))
	_, err := asyncio.RunUntilComplete(l, t)
	s.must(err)
}

func playAwaitExpressions(s *script) {
	coro := func(n int) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) { return n, asyncio.Sleep(ctx, 0) }
	}
	s.must(s.run(func(ctx context.Context, l *asyncio.Loop) error {
		await := func(aw asyncio.Awaitable[int]) int {
			v, err := aw.Await(ctx)
			s.must(err)
			return v
		}
		fut := asyncio.NewFuture[int](l)
		fut.SetResult(0)
		if await(fut) != 0 {
			s.print("never")
		}
		if await(fut)+1 != 0 {
			s.print("await fut + 1 is (await fut) + 1")
		}
		s.print("pair", await(fut), "spam")
		s.print("power", math.Pow(float64(await(coro(2))), 2))
		s.print("argument", max(await(coro(2)), 0))
		s.print("sum", await(coro(2))+await(coro(2)))
		s.print("minus", -await(coro(2)))
		nested := asyncio.Coro[asyncio.Coro[int]](func(context.Context) (asyncio.Coro[int], error) { return coro(7), nil })
		inner, err := nested(ctx)
		s.must(err)
		s.print("await (await coro())", await(inner))
		type spam struct{ baz func() asyncio.Coro[string] }
		foo := func(context.Context) (map[string]spam, error) {
			return map[string]spam{"spam": {func() asyncio.Coro[string] {
				return func(context.Context) (string, error) { return "baz", nil }
			}}}, nil
		}
		m, err := foo(ctx)
		s.must(err)
		chained, err := m["spam"].baz()(ctx)
		s.print("chained", chained)
		return err
	}))
}
