package asyncio_test

import (
	"context"
	"errors"
	"math"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Scenarios about coroutines, async iteration and context managers.
func TestConformanceGenerators(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/151_async_generator", playAsyncGenerator},
		scenario{"asyncio/157_async_context_managers", playContextManagers},
		scenario{"asyncio/160_contextvars_tasks", playContextVars},
		scenario{"seeds/d000_02_await_expressions", playAwaitTable},
		scenario{"seeds/d000_03_async_iterator", playTicker},
		scenario{"seeds/d000_04_async_comprehension", playComprehension},
		scenario{"seeds/d000_05_async_context_manager", playTickerInContext},
		scenario{"seeds/d000_06_async_generator", playTickerGenerator},
		scenario{"seeds/d000_07_async_generator_delegation", playDelegation},
		scenario{"seeds/d001_03_generator_coroutines", playGeneratorCoroutines},
		scenario{"seeds/d001_12_await_value", playAwaitValue},
		scenario{"seeds/d001_13_task_objects", playTaskObjects},
		scenario{"seeds/d001_18_async_context_manager", playConnection},
		scenario{"seeds/d002_02_generator_coroutine_hello", playCoroutineHello},
		scenario{"seeds/d002_03_async_hello", playHello},
		scenario{"seeds/d002_04_three_ways_to_run", playThreeWays},
		scenario{"seeds/d003_04_hello_run", playHelloRun},
		scenario{"seeds/d004_03_coroutine_directly", playCoroutineDirectly},
	)
}

func playAsyncGenerator(s *script) {
	numbers := func(n int) *asyncio.AsyncGen[int, asyncio.None] {
		return asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
			s.print("gen starts")
			defer func() {
				asyncio.Sleep(ctx, 0)
				s.print("gen finally")
			}()
			for i := range n {
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
				if _, err := y.Yield(i); err != nil {
					return err
				}
				s.print("gen resumed after", i)
			}
			return nil
		})
	}
	s.program(func(ctx context.Context) error {
		g := numbers(2)
		s.print("created, nothing ran")
		for i, err := range asyncio.AIter(ctx, g) {
			s.must(err)
			s.print("item", i)
		}
		g = numbers(5)
		for i, err := range asyncio.AIter(ctx, g) {
			s.must(err)
			s.print("item", i)
			if i == 1 {
				break
			}
		}
		s.print("after break, not closed yet")
		s.must(g.Close(ctx))
		s.print("closed")
		s.must(g.Close(ctx))
		s.print("closing again is fine")
		g = numbers(1)
		s.must(g.Close(ctx))
		s.print("closed before start: body never ran")
		return nil
	})
}

// A resource prints when it is entered and left.
type resource struct {
	s       *script
	name    string
	swallow bool
}

func (r *resource) Enter(ctx context.Context) (string, error) {
	err := asyncio.Sleep(ctx, 0)
	r.s.print("enter", r.name)
	return r.name, err
}

func (r *resource) Exit(ctx context.Context, err error) error {
	asyncio.Sleep(ctx, 0)
	with := "nothing"
	if err != nil {
		with = pyName(err)
	}
	r.s.print("exit", r.name, "with", with)
	if r.swallow {
		return nil
	}
	return err
}

func playContextManagers(s *script) {
	managed := func(name string) asyncio.ContextManager[string] {
		return asyncio.NewContextManager(func(ctx context.Context, yield func(string) error) error {
			s.print("setup", name)
			defer func() {
				asyncio.Sleep(ctx, 0)
				s.print("teardown", name)
			}()
			err := yield(name)
			var e *pyError
			if errors.As(err, &e) && e.class == "KeyError" {
				s.print("managed saw KeyError", e.msg)
			}
			return err
		})
	}
	s.program(func(ctx context.Context) error {
		s.must(asyncio.With(ctx, &resource{s, "a", false}, func(ctx context.Context, a string) error {
			return asyncio.With(ctx, &resource{s, "b", true}, func(ctx context.Context, b string) error {
				s.print("body", a, b)
				return valueError("swallowed by b")
			})
		}))
		s.print("after")
		err := asyncio.With(ctx, managed("m"), func(context.Context, string) error { return keyError("k") })
		if pyName(err) == "KeyError" {
			s.print("KeyError left the block")
		}
		return asyncio.With(ctx, new(asyncio.ExitStack), func(ctx context.Context, stack *asyncio.ExitStack) error {
			for _, n := range []string{"x", "y"} {
				if _, err := asyncio.EnterContext(ctx, stack, &resource{s, n, false}); err != nil {
					return err
				}
			}
			stack.Callback(func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) })
			stack.Callback(func(context.Context) error { s.print("plain callback"); return nil })
			s.print("stack body")
			return nil
		})
	})
}

func playContextVars(s *script) {
	v := asyncio.NewContextVar("var", "default")
	helper := func(ctx context.Context) context.Context { return v.With(ctx, "set by helper") }
	child := func(n string) asyncio.Coro[asyncio.None] {
		return asyncio.Func(func(ctx context.Context) error {
			s.print("child", n, "starts with", v.Get(ctx))
			ctx = v.With(ctx, "child "+n)
			err := asyncio.Sleep(ctx, 0)
			s.print("child", n, "still has", v.Get(ctx))
			return err
		})
	}
	outside := context.Background()
	s.must(asyncio.RunFunc(outside, func(ctx context.Context) error {
		s.print("main", v.Get(ctx))
		ctx = v.With(ctx, "one")
		a := asyncio.CreateTask(ctx, child("1"))
		ctx = v.With(ctx, "two")
		b := asyncio.CreateTask(ctx, child("2"))
		ctx = v.With(ctx, "three")
		a.Await(ctx)
		b.Await(ctx)
		s.print("main after tasks", v.Get(ctx))
		ctx = helper(ctx)
		s.print("main after a plain coroutine", v.Get(ctx))
		asyncio.Gather[asyncio.None](ctx, child("3"), child("4")).Await(ctx)
		s.print("main after gather", v.Get(ctx))
		return nil
	}))
	s.print("outside", v.Get(outside))
}

func playAwaitTable(s *script) {
	coro := func(n int) *asyncio.Coroutine[int] {
		return asyncio.NewCoroutine(func(ctx context.Context) (int, error) { return n, asyncio.Sleep(ctx, 0) })
	}
	nested := asyncio.Coro[*asyncio.Coroutine[int]](func(context.Context) (*asyncio.Coroutine[int], error) { return coro(7), nil })
	type spam struct {
		baz func() *asyncio.Coroutine[string]
	}
	foo := asyncio.NewCoroutine(func(context.Context) (map[string]spam, error) {
		return map[string]spam{"spam": {func() *asyncio.Coroutine[string] {
			return asyncio.NewCoroutine(func(context.Context) (string, error) { return "baz", nil })
		}}}, nil
	})
	s.program(func(ctx context.Context) error {
		l, err := asyncio.RunningLoop(ctx)
		s.must(err)
		fut := asyncio.NewFuture[int](l)
		s.must(fut.SetResult(0))
		if await(s, ctx, fut) != 0 {
			s.print("never")
		}
		if await(s, ctx, fut)+1 != 0 {
			s.print("await fut + 1 is (await fut) + 1")
		}
		s.print("pair", await(s, ctx, fut), "spam")
		s.print("power", math.Pow(float64(await(s, ctx, coro(2))), 2))
		s.print("argument", max(await(s, ctx, coro(2)), 0))
		s.print("sum", await(s, ctx, coro(2))+await(s, ctx, coro(2)))
		s.print("minus", -await(s, ctx, coro(2)))
		s.print("await (await coro())", await(s, ctx, await(s, ctx, nested)))
		s.print("chained", await(s, ctx, await(s, ctx, foo)["spam"].baz()))
		return nil
	})
}

// await is an await that must not fail.
func await[T any](s *script, ctx context.Context, aw asyncio.Awaitable[T]) T {
	v, err := aw.Await(ctx)
	s.must(err)
	return v
}

// A ticker is an async iterator of the numbers below to.
type ticker struct{ i, to int }

func (t *ticker) Next(ctx context.Context) (int, error) {
	i := t.i
	if i >= t.to {
		return 0, asyncio.ErrStopAsyncIteration
	}
	t.i++
	if i > 0 {
		if err := asyncio.Sleep(ctx, shortly); err != nil {
			return 0, err
		}
	}
	return i, nil
}

// printAll is an async for that prints.
func (s *script) printAll(ctx context.Context, it asyncio.AsyncIterator[int]) {
	for i, err := range asyncio.AIter(ctx, it) {
		s.must(err)
		s.print(i)
	}
}

// untilComplete runs f on a loop of its own.
func (s *script) untilComplete(f func(ctx context.Context) error) {
	l := scenarioLoop()
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(f))
	s.must(err)
	s.must(l.Close())
}

func playTicker(s *script) {
	s.untilComplete(func(ctx context.Context) error {
		s.printAll(ctx, &ticker{0, 5})
		return nil
	})
}

func playComprehension(s *script) {
	s.untilComplete(func(ctx context.Context) error {
		odd, err := asyncio.Collect(func(yield func(any, error) bool) {
			for i, err := range asyncio.AIter(ctx, &ticker{0, 5}) {
				if i%2 != 0 && !yield(i, err) {
					return
				}
			}
		})
		s.must(err)
		s.print(odd...)
		condition := asyncio.Coro[bool](func(context.Context) (bool, error) { return true, nil })
		fun := asyncio.Coro[string](func(ctx context.Context) (string, error) { return "called", asyncio.Sleep(ctx, 0) })
		var called []any
		for _, f := range []asyncio.Coro[string]{fun, fun} {
			if await(s, ctx, condition) {
				called = append(called, await(s, ctx, f))
			}
		}
		s.print(called...)
		return nil
	})
}

func playTickerInContext(s *script) {
	inContext := asyncio.NewContextManager(func(ctx context.Context, yield func(*ticker) error) error {
		s.print("entering context")
		if err := asyncio.Sleep(ctx, shortly); err != nil {
			return err
		}
		err := yield(&ticker{0, 5})
		asyncio.Sleep(ctx, shortly)
		s.print("exit context")
		return err
	})
	s.untilComplete(func(ctx context.Context) error {
		return asyncio.With(ctx, inContext, func(ctx context.Context, t *ticker) error {
			s.printAll(ctx, t)
			return nil
		})
	})
}

func playTickerGenerator(s *script) {
	ticker := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
		for i := range 5 {
			if _, err := y.Yield(i); err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, shortly); err != nil {
				return err
			}
		}
		return nil
	})
	s.untilComplete(func(ctx context.Context) error {
		s.printAll(ctx, ticker)
		return nil
	})
}

func playDelegation(s *script) {
	g1 := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
		for i := range 5 {
			if _, err := y.Yield(i); err != nil {
				return err
			}
		}
		return nil
	})
	g2 := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
		for i, err := range g1.All(ctx) {
			if err != nil {
				return err
			}
			if _, err := y.Yield(i); err != nil {
				return err
			}
		}
		return nil
	})
	s.program(func(ctx context.Context) error {
		s.printAll(ctx, g2)
		return nil
	})
}

func playGeneratorCoroutines(s *script) {
	l := scenarioLoop()
	fun := func(before, after int, d int) *asyncio.Coroutine[asyncio.None] {
		return asyncio.NewCoroutine(asyncio.Func(func(ctx context.Context) error {
			s.print(before)
			err := asyncio.Sleep(ctx, shortly*2+shortly*time.Duration(d))
			s.print(after)
			return err
		}))
	}
	tasks := []*asyncio.Task[asyncio.None]{
		asyncio.NewTask(l, fun(1, 2, 0).Await),
		asyncio.NewTask(l, fun(3, 4, 1).Await),
	}
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		_, _, err := asyncio.Wait(ctx, tasks)
		return err
	}))
	s.must(err)
	s.must(l.Close())
}

func playAwaitValue(s *script) {
	s.program(func(ctx context.Context) error {
		s.print("begin....")
		response, err := asyncio.SleepResult(ctx, shortly, "slept")
		s.print("finished", response)
		return err
	})
	others := func(ctx context.Context) (string, error) {
		s.print("start")
		err := asyncio.Sleep(ctx, shortly)
		s.print("end")
		return "返回值", err
	}
	s.program(func(ctx context.Context) error {
		for range 2 {
			response, err := others(ctx)
			if err != nil {
				return err
			}
			s.print(response)
		}
		return nil
	})
}

func playTaskObjects(s *script) {
	fun := func(ctx context.Context) (string, error) {
		s.print(1)
		err := asyncio.Sleep(ctx, 2*shortly)
		s.print(2)
		return "return value", err
	}
	s.program(func(ctx context.Context) error {
		s.print("main beginning")
		task1 := asyncio.CreateTask(ctx, fun)
		task2 := asyncio.CreateTask(ctx, fun)
		s.must(asyncio.Sleep(ctx, 3*shortly))
		s.print("main finished")
		s.print(await(s, ctx, task1), await(s, ctx, task2))
		return nil
	})
}

// A connection is a manager that connects and closes.
type connection struct{ s *script }

func (c *connection) Enter(ctx context.Context) (*connection, error) {
	conn, err := asyncio.SleepResult(ctx, shortly, "connection")
	c.s.print("enter with", conn)
	return c, err
}

func (c *connection) Exit(ctx context.Context, err error) error {
	asyncio.Sleep(ctx, shortly)
	c.s.print("exit")
	return err
}

func playConnection(s *script) {
	s.program(func(ctx context.Context) error {
		return asyncio.With(ctx, &connection{s}, func(ctx context.Context, c *connection) error {
			s.print(666)
			return nil
		})
	})
}

// hello is the coroutine of several seeds.
func (s *script) hello(words, end string) asyncio.Coro[asyncio.None] {
	return asyncio.Func(func(ctx context.Context) error {
		s.print(words)
		err := asyncio.Sleep(ctx, shortly)
		s.print(end)
		return err
	})
}

func playCoroutineHello(s *script) {
	hello := asyncio.NewCoroutine(s.hello("Hello world!", "The end!"))
	s.untilComplete(func(ctx context.Context) error {
		_, err := hello.Await(ctx)
		return err
	})
}

func playHello(s *script) {
	l := scenarioLoop()
	_, err := asyncio.RunUntilComplete(l, s.hello("Hello world!", "The end!"))
	s.must(err)
	s.must(l.Close())
}

func playThreeWays(s *script) {
	say := func(text string, d int) asyncio.Coro[asyncio.None] {
		return asyncio.Func(func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, shortly*time.Duration(d))
			s.print(text)
			return err
		})
	}
	s.program(func(ctx context.Context) error {
		say("awaited 1", 1)(ctx)
		say("awaited 2", 1)(ctx)
		t1 := asyncio.CreateTask(ctx, say("task 1", 2))
		t2 := asyncio.CreateTask(ctx, say("task 2", 1))
		await(s, ctx, t1)
		await(s, ctx, t2)
		return nil
	})
}

func playHelloRun(s *script) {
	_, err := asyncio.Run(context.Background(), s.hello("Hello world!", "Hello again!"), asyncio.WithLoopFactory(scenarioLoop))
	s.must(err)
}

func playCoroutineDirectly(s *script) {
	coroutine := asyncio.NewCoroutine(s.hello("协程执行开始……", "协程执行结束……"))
	l := scenarioLoop()
	_, err := asyncio.RunUntilComplete(l, coroutine)
	s.must(err)
	s.must(l.Close())
}
