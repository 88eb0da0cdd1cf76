package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

type (
	gen     = asyncio.AsyncGen[int, string]
	yielder = asyncio.AsyncYielder[int, string]
)

// A trial is a test with a log of its own, in a task.
type trial struct {
	*testing.T
	log []string
}

func (t *trial) note(format string, args ...any) { t.log = append(t.log, fmt.Sprintf(format, args...)) }

// gave notes what a call has given: a value, or the error by its Python name.
func (t *trial) gave(what string, v any, err error) {
	if err != nil {
		t.note("%s ! %s %s", what, pyName(err), pyMessage(err))
		return
	}
	t.note("%s -> %v", what, v)
}

func (t *trial) same(want ...string) {
	t.Helper()
	if !slices.Equal(t.log, want) {
		t.Errorf("got\n  %s\nwant\n  %s", strings.Join(t.log, "\n  "), strings.Join(want, "\n  "))
	}
}

// tryInTask runs f as the main task of a loop.
func tryInTask(t *testing.T, f func(ctx context.Context, t *trial)) {
	t.Helper()
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		f(ctx, &trial{T: t})
		return nil
	})
	assert.NoError(t, err)
}

// polite yields 1 and 2, and notes what it is sent and that it ends.
func (t *trial) polite() *gen {
	return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
		defer t.note("fin")
		sent, err := y.Yield(1)
		if err != nil {
			return err
		}
		t.note("got %q", sent)
		_, err = y.Yield(2)
		return err
	})
}

// stubborn yields for ever, whatever it is told.
func (t *trial) stubborn() *gen {
	return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
		for i := 1; ; i++ {
			if _, err := y.Yield(i); err != nil {
				t.note("ignored %s", pyName(err))
			}
		}
	})
}

// ending yields 1 and ends with err.
func ending(err error) *gen {
	return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
		y.Yield(1)
		return err
	})
}

func TestAsyncGenSend(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := t.polite()
		do := func(v string) {
			got, err := g.Send(ctx, v)
			t.gave("asend "+v, got, err)
		}
		do("5")
		do("")
		do("7")
		do("8")
		do("9")
		got, err := g.Throw(ctx, valueError("x"))
		t.gave("athrow", got, err)
		t.gave("aclose", "ok", g.Close(ctx))
		t.same(
			"asend 5 ! TypeError can't send a value to a just-started async generator",
			"asend  -> 1",
			`got "7"`,
			"asend 7 -> 2",
			"fin",
			"asend 8 ! StopAsyncIteration the asynchronous iteration has ended",
			"asend 9 ! StopAsyncIteration the asynchronous iteration has ended",
			"athrow ! StopAsyncIteration the asynchronous iteration has ended",
			"aclose -> ok",
		)
	})
}

func TestAsyncGenThrow(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := t.polite()
		next := func() { v, err := g.Next(ctx); t.gave("next", v, err) }
		throw := func(e error) { v, err := g.Throw(ctx, e); t.gave("athrow", v, err) }
		throw(valueError("fresh"))
		next()

		g = t.polite()
		next()
		throw(keyError("k"))
		next()

		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // at the end
		g = t.stubborn()
		next()
		throw(valueError("v"))
		throw(nil)
		next()

		g = asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			y.Yield(1)
			return nil // whatever was thrown
		})
		next()
		throw(valueError("swallowed"))
		t.same(
			"athrow ! ValueError fresh",
			"next ! StopAsyncIteration the asynchronous iteration has ended",
			"next -> 1",
			"fin",
			"athrow ! KeyError k",
			"next ! StopAsyncIteration the asynchronous iteration has ended",
			"next -> 1",
			"ignored ValueError",
			"athrow -> 2",
			"ignored GeneratorExit",
			"athrow -> 3",
			"next -> 4",
			"next -> 1",
			"athrow ! StopAsyncIteration the asynchronous iteration has ended",
		)
	})
}

func TestAsyncGenClose(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := t.polite()
		next := func() { v, err := g.Next(ctx); t.gave("next", v, err) }
		closing := func() { t.gave("aclose", "ok", g.Close(ctx)) }
		closing()
		next()

		g = t.polite()
		next()
		closing()
		closing()
		next()

		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // at the end
		g = t.stubborn()
		next()
		closing()
		next()

		for _, err := range []error{asyncio.ErrStopAsyncIteration, asyncio.ErrGeneratorExit, greenlet.Exit, valueError("d")} {
			g = ending(err)
			next()
			closing()
		}
		t.same(
			"aclose -> ok",
			"next ! StopAsyncIteration the asynchronous iteration has ended",
			"next -> 1",
			"fin",
			"aclose -> ok",
			"aclose -> ok",
			"next ! StopAsyncIteration the asynchronous iteration has ended",
			"next -> 1",
			"ignored GeneratorExit",
			"aclose ! RuntimeError async generator ignored GeneratorExit",
			"next -> 3",
			"next -> 1", "aclose ! RuntimeError async generator raised StopAsyncIteration",
			"next -> 1", "aclose -> ok",
			"next -> 1", "aclose -> ok",
			"next -> 1", "aclose ! ValueError d",
		)
	})
}

// What a body ends with comes out once; the errors that mean an end do not.
func TestAsyncGenEnds(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		for _, err := range []error{nil, asyncio.ErrStopAsyncIteration, greenlet.ErrStop, asyncio.ErrGeneratorExit, valueError("d")} {
			g := ending(err)
			for range 3 {
				v, err := g.Next(ctx)
				t.gave("next", v, err)
				if pyName(err) == "RuntimeError" && errors.Is(err, asyncio.ErrStopAsyncIteration) {
					t.Error("a loop would take this for an end:", err)
				}
			}
		}
		stop := "next ! StopAsyncIteration the asynchronous iteration has ended"
		t.same(
			"next -> 1", stop, stop,
			"next -> 1", "next ! RuntimeError async generator raised StopAsyncIteration", stop,
			"next -> 1", "next ! RuntimeError async generator raised StopIteration", stop,
			"next -> 1", "next ! GeneratorExit generator exit", stop,
			"next -> 1", "next ! ValueError d", stop,
		)
	})
}

func TestAsyncGenPanics(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			asyncio.Sleep(ctx, 0)
			panic(valueError("boom"))
		})
		func() {
			defer func() {
				var p *asyncio.PanicError
				if err, _ := recover().(error); !errors.As(err, &p) || pyName(err) != "ValueError" {
					t.Error("recovered", err)
				}
			}()
			g.Next(ctx)
		}()
		v, err := g.Next(ctx)
		t.gave("next", v, err)
		t.gave("aclose", "ok", g.Close(ctx))
		t.same("next ! StopAsyncIteration the asynchronous iteration has ended", "aclose -> ok")
	})
}

// While one task waits in the body, the others are refused and harm nothing.
func TestAsyncGenOneUserAtATime(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		v := asyncio.NewContextVar("v", "main")
		var g *gen
		g = asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			_, err := g.Next(ctx)
			t.gave("itself", 0, err)
			asyncio.Sleep(ctx, 0)
			t.note("in %s for %s", asyncio.CurrentTask(ctx).Name(), v.Get(ctx))
			_, err = y.Yield(1)
			return err
		})
		use := func(name string, f func(ctx context.Context) (int, error)) *asyncio.Task[asyncio.None] {
			return asyncio.Go(v.With(ctx, name), func(ctx context.Context) error {
				got, err := f(ctx)
				t.gave(name, got, err)
				return nil
			}, asyncio.WithTaskName(name))
		}
		tasks := []*asyncio.Task[asyncio.None]{
			use("a", g.Next),
			use("b", g.Next),
			use("c", func(ctx context.Context) (int, error) { return g.Send(ctx, "") }),
			use("d", func(ctx context.Context) (int, error) { return g.Throw(ctx, valueError("")) }),
			use("e", func(ctx context.Context) (int, error) { return 0, g.Close(ctx) }),
		}
		asyncio.Wait(ctx, tasks)
		_, err := g.Next(ctx)
		t.gave("then", 0, err)
		t.same(
			"itself ! RuntimeError anext(): asynchronous generator is already running",
			"b ! RuntimeError anext(): asynchronous generator is already running",
			"c ! RuntimeError anext(): asynchronous generator is already running",
			"d ! RuntimeError athrow(): asynchronous generator is already running",
			"e ! RuntimeError aclose(): asynchronous generator is already running",
			"in a for a",
			"a -> 1",
			"then ! StopAsyncIteration the asynchronous iteration has ended",
		)
	})
}

// The body runs in the task and with the context of each call, also where a
// generator reads another.
func TestAsyncGenContext(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		v := asyncio.NewContextVar("v", "unset")
		inner := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			next := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
			child := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
				next.Await(ctx)
				return v.Get(ctx), nil
			})
			for {
				asyncio.Sleep(ctx, 0)
				t.note("%s %s", asyncio.CurrentTask(ctx).Name(), v.Get(ctx))
				if _, err := y.Yield(1); err != nil {
					return err
				}
				if !next.Done() {
					next.SetResult(0)
					got, _ := child.Await(ctx)
					t.note("child %s", got)
				}
			}
		})
		outer := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			for n, err := range inner.All(ctx) {
				if err != nil {
					return err
				}
				if _, err := y.Yield(n); err != nil {
					return err
				}
			}
			return nil
		})
		for _, name := range []string{"a", "b", "c"} {
			asyncio.Go(v.With(ctx, "of "+name), func(ctx context.Context) error {
				if name == "c" {
					return outer.Close(ctx)
				}
				_, err := outer.Next(ctx)
				return err
			}, asyncio.WithTaskName(name)).Await(ctx)
		}
		t.same("a of a", "child of a", "b of b") // tasks copy at creation
	})
}

// A generator cannot be given a context that comes from its own body's.
func TestAsyncGenOwnContext(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		var leaked context.Context
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			leaked = context.WithValue(ctx, t, 1)
			_, err := y.Yield(1)
			return err
		})
		g.Next(ctx)
		v, err := g.Next(leaked)
		t.gave("next", v, err)
		t.gave("aclose", "ok", g.Close(ctx))
		t.same("next ! RuntimeError an asynchronous generator cannot run with the context of its own body", "aclose -> ok")
	})
}

// A wait in the body ends when the context of the call does, and that of the
// next call is another.
func TestAsyncGenDeadline(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			for {
				err := asyncio.Sleep(ctx, time.Hour)
				t.note("slept: %v, %v", err, ctx.Err())
				if _, err := y.Yield(1); err != nil {
					return err
				}
			}
		})
		for range 2 {
			ended, end := context.WithCancel(ctx)
			asyncio.CurrentTask(ctx).Loop().CallSoon(end)
			v, err := g.Next(ended)
			t.gave("next", v, err)
		}
		t.gave("aclose", "ok", g.Close(ctx))
		t.same(
			"slept: context canceled, context canceled", "next -> 1",
			"slept: context canceled, context canceled", "next -> 1",
			"aclose -> ok")
	})
}

func TestAsyncGenCancel(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			err := asyncio.Sleep(ctx, time.Hour)
			t.note("body: %s", pyName(err))
			return err
		})
		consumer := asyncio.CreateTask(ctx, g.Next)
		asyncio.Sleep(ctx, 0)
		var calls strings.Builder
		for _, f := range consumer.Stack() {
			fmt.Fprintln(&calls, f.Function)
		}
		if !strings.Contains(calls.String(), "TestAsyncGenCancel.func") || !strings.Contains(calls.String(), "(*AsyncGen[") {
			t.Errorf("the stack does not go through the generator:\n%s", &calls)
		}
		consumer.Cancel("enough")
		v, err := consumer.Await(ctx)
		t.gave("consumer", v, err)
		v, err = g.Next(ctx)
		t.gave("next", v, err)
		t.same("body: CancelledError", "consumer ! CancelledError enough",
			"next ! StopAsyncIteration the asynchronous iteration has ended")
	})
}

// A generator that does not wait can be used where no loop runs; one that waits
// is told why it cannot.
func TestAsyncGenWithoutLoop(t *testing.T) {
	defer greenlet.Close()
	tr := &trial{T: t}
	ctx := context.Background()
	g := tr.polite()
	v, err := g.Next(ctx)
	tr.gave("next", v, err)
	tr.gave("aclose", "ok", g.Close(ctx))
	g = asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error { return asyncio.Sleep(ctx, 0) })
	_, err = g.Next(ctx)
	if !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error("a wait without a loop:", err)
	}
	tr.same("next -> 1", "fin", "aclose -> ok")

	g = tr.polite()
	g.Next(ctx)
	foreign := make(chan error)
	go func() { _, err := g.Next(ctx); foreign <- err }()
	if err := <-foreign; !errors.Is(err, greenlet.ErrForeign) {
		t.Error("another goroutine's:", err)
	}
}

func TestGeneratorExitIsNoException(t *testing.T) {
	if asyncio.IsException(fmt.Errorf("wrapped: %w", asyncio.ErrGeneratorExit)) {
		t.Error("GeneratorExit is taken for an Exception")
	}
	if !errors.Is(asyncio.ErrGeneratorExit, greenlet.Exit) || !errors.Is(asyncio.ErrStopIteration, greenlet.ErrStop) {
		t.Error("the errors are not those of package greenlet, too")
	}
	if !asyncio.IsException(asyncio.ErrStopAsyncIteration) {
		t.Error("StopAsyncIteration is not taken for an Exception")
	}
}

func TestAsyncGenAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			for {
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
				for range 2 {
					if _, err := y.Yield(1); err != nil {
						return err
					}
				}
			}
		})
		defer g.Close(ctx)
		g.Next(ctx)
		n := testing.AllocsPerRun(1000, func() {
			g.Next(ctx)
			g.Send(ctx, "")
		})
		if n != 0 {
			t.Errorf("%v allocations", n)
		}
	})
}
