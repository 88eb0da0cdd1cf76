package asyncio_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// A guardian notes what it is told and answers with what answer makes of it.
type guardian struct {
	*trial
	name   string
	enter  error
	answer func(error) error
}

func (g *guardian) Enter(ctx context.Context) (string, error) { return g.name, g.enter }

func (g *guardian) Exit(ctx context.Context, err error) error {
	g.gave("exit "+g.name, "no error", err)
	if g.answer != nil {
		return g.answer(err)
	}
	return err
}

func TestWith(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		with := func(g *guardian, end error) {
			g.trial, g.name = t, "g"
			err := asyncio.With(ctx, g, func(context.Context, string) error { t.note("body"); return end })
			t.gave("with", "ok", err)
		}
		with(&guardian{}, nil)
		with(&guardian{}, valueError("v"))
		with(&guardian{answer: func(error) error { return nil }}, valueError("v"))
		with(&guardian{answer: func(error) error { return keyError("k") }}, valueError("v"))
		with(&guardian{enter: keyError("closed")}, nil)
		t.same(
			"body", "exit g -> no error", "with -> ok",
			"body", "exit g ! ValueError v", "with ! ValueError v",
			"body", "exit g ! ValueError v", "with -> ok",
			"body", "exit g ! ValueError v", "with ! KeyError k",
			"with ! KeyError closed")
	})
}

// A panic goes through, whatever Exit says.
func TestWithPanic(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		defer func() {
			var p *asyncio.PanicError
			if err, _ := recover().(error); !errors.As(err, &p) || pyName(err) != "ValueError" {
				t.Error("recovered", err)
			}
			t.same("exit g ! ValueError boom")
		}()
		g := &guardian{trial: t, name: "g", answer: func(error) error { return nil }}
		asyncio.With(ctx, g, func(context.Context, string) error { panic(valueError("boom")) })
	})
}

// A task that is killed leaves its managers.
func TestWithKilled(t *testing.T) {
	defer greenlet.Close()
	tr := &trial{T: t}
	l := asyncio.NewLoop()
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	asyncio.NewTask(l, asyncio.Func(func(ctx context.Context) error {
		var stack asyncio.ExitStack
		for _, name := range []string{"a", "b", "c"} {
			asyncio.EnterContext(ctx, &stack, &guardian{trial: tr, name: name})
		}
		stack.Callback(func(context.Context) error { runtime.Goexit(); return nil })
		return asyncio.With(ctx, &stack, func(ctx context.Context, _ *asyncio.ExitStack) error {
			return asyncio.Sleep(ctx, time.Hour)
		})
	}))
	l.CallSoon(l.Stop)
	assert.NoError(t, l.RunForever())
	assert.NoError(t, l.Close())
	tr.same("exit c ! GeneratorExit generator exit", "exit b ! GeneratorExit generator exit", "exit a ! GeneratorExit generator exit")
}

func TestNewContextManager(t *testing.T) {
	manager := func(kind string) asyncio.ContextManager[string] {
		return asyncio.NewContextManager(func(ctx context.Context, yield func(string) error) error {
			if kind == "noyield" {
				return nil
			}
			if kind == "fails" {
				return keyError("enter")
			}
			err := yield(kind)
			switch {
			case kind == "two", kind == "again" && err != nil:
				yield("once more")
			case kind == "swallow":
				return nil
			case kind == "other" && err != nil:
				return keyError("o")
			}
			return err
		})
	}
	tryInTask(t, func(ctx context.Context, t *trial) {
		with := func(kind string, end error) {
			err := asyncio.With(ctx, manager(kind), func(context.Context, string) error { return end })
			t.gave(kind, "ok", err)
			if end != nil && pyName(err) == "RuntimeError" && !errors.As(err, new(*asyncio.ChainedError)) {
				t.Error("the body's error is lost:", err)
			}
		}
		for _, kind := range []string{"noyield", "fails", "two", "plain"} {
			with(kind, nil)
		}
		for _, kind := range []string{"swallow", "again", "other", "plain"} {
			with(kind, valueError("v"))
		}
		m := manager("once")
		nothing := func(context.Context, string) error { return nil }
		t.gave("once", "ok", asyncio.With(ctx, m, nothing))
		t.gave("twice", "ok", asyncio.With(ctx, m, nothing))
		t.same(
			"noyield ! RuntimeError generator didn't yield",
			"fails ! KeyError enter",
			"two ! RuntimeError generator didn't stop",
			"plain -> ok",
			"swallow -> ok",
			"again ! RuntimeError generator didn't stop after athrow()",
			"other ! KeyError o",
			"plain ! ValueError v",
			"once -> ok", "twice ! RuntimeError generator didn't yield")
	})
}

func TestExitStack(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		var stack asyncio.ExitStack
		raises := func(err error) func(context.Context) error {
			return func(context.Context) error { return err }
		}
		// Last in, first out; each is told of what those before have left.
		stack.Callback(raises(valueError("last")))
		asyncio.EnterContext(ctx, &stack, &guardian{trial: t, name: "swallows", answer: func(error) error { return nil }})
		asyncio.EnterContext(ctx, &stack, &guardian{trial: t, name: "sees"})
		stack.Callback(raises(nil))
		stack.Callback(raises(keyError("second")))
		_, err := asyncio.EnterContext(ctx, &stack, &guardian{trial: t, name: "not entered", enter: runtimeError("no")})
		t.gave("enter", "ok", err)
		t.gave("left", "ok", stack.Exit(ctx, valueError("first")))
		t.gave("again", "ok", stack.Close(ctx))
		t.same("enter ! RuntimeError no", "exit sees ! KeyError second", "exit swallows ! KeyError second", "left ! ValueError last", "again -> ok")
	})
}

// Errors that come up on the way are chained; who looks for one finds the last.
func TestExitStackChains(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		first, second, third := valueError("first"), keyError("second"), runtimeError("third")
		var stack asyncio.ExitStack
		stack.Callback(func(context.Context) error { return third })
		stack.Push(func(_ context.Context, err error) error { return errors.Join(err, nil) }) // wraps
		stack.Callback(func(context.Context) error { return second })
		err := stack.Exit(ctx, first)
		if !errors.Is(err, third) || errors.Is(err, second) || errors.Is(err, first) {
			t.Error(err)
		}
		for _, want := range []error{second, first} {
			var chained *asyncio.ChainedError
			if !errors.As(err, &chained) || !errors.Is(chained.Context, want) {
				t.Fatalf("%v is not chained to %v", err, want)
			}
			err = chained.Context
		}
		stack.Push(func(_ context.Context, err error) error { return &asyncio.ChainedError{Err: second, Context: err} })
		if err := stack.Exit(ctx, first); errors.As(errors.Unwrap(err), new(*asyncio.ChainedError)) {
			t.Error("chained twice:", err)
		}
	})
}

// A panic does not keep the others from being done.
func TestExitStackPanic(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		defer func() {
			if p, ok := recover().(*asyncio.PanicError); !ok || p.Value != "boom" {
				t.Error("recovered", p)
			}
			if len(t.log) != 1 {
				t.Error(t.log)
			}
		}()
		var stack asyncio.ExitStack
		asyncio.EnterContext(ctx, &stack, &guardian{trial: t, name: "g", answer: func(error) error { return nil }})
		stack.Callback(func(context.Context) error { panic("boom") })
		stack.Close(ctx)
	})
}

func TestExitStackPopAll(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		var stack asyncio.ExitStack
		stack.Callback(func(context.Context) error { t.note("done"); return nil })
		moved := stack.PopAll()
		stack.Close(ctx)
		t.note("moved")
		moved.Close(ctx)
		moved.Close(ctx)
		t.same("moved", "done")
	})
}

// A cancel in one of them does not keep the others from being done.
func TestExitStackCancelled(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			var stack asyncio.ExitStack
			stack.Callback(func(ctx context.Context) error { t.note("second"); return asyncio.Sleep(ctx, 0) })
			stack.Callback(func(ctx context.Context) error { t.note("first"); return asyncio.Sleep(ctx, time.Hour) })
			return stack.Close(ctx)
		})
		asyncio.Sleep(ctx, 0)
		task.Cancel()
		_, err := task.Await(ctx)
		t.gave("task", "ok", err)
		t.same("first", "second", "task ! CancelledError ")
		if !task.Cancelled() {
			t.Error("the task is not cancelled")
		}
	})
}

func TestClosing(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		with := func(g *gen, end error) error {
			return asyncio.With(ctx, asyncio.Closing(g), func(ctx context.Context, g *gen) error {
				_, err := g.Next(ctx)
				return errors.Join(err, end)
			})
		}
		t.gave("with", "ok", with(t.polite(), nil))
		t.gave("with", "ok", with(t.polite(), valueError("v")))
		t.gave("with", "ok", with(ending(keyError("k")), nil))
		err := with(ending(keyError("k")), valueError("v"))
		t.gave("with", "ok", err)
		if !errors.As(err, new(*asyncio.ChainedError)) {
			t.Error("the body's error is lost:", err)
		}
		t.same("fin", "with -> ok", "fin", "with ! ValueError v", "with ! KeyError k", "with ! KeyError k")
	})
}
