package asyncio_test

import (
	"context"
	"log/slog"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// How generators end that are not read to their end.

// A loop over All closes the generator when it is left, in whatever way.
func TestAsyncGenAll(t *testing.T) {
	counting := func(t *trial) *gen {
		return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			defer func() {
				err := asyncio.Sleep(ctx, 0)
				t.note("closed %v", err)
			}()
			for i := range 3 {
				if _, err := y.Yield(i); err != nil {
					return err
				}
			}
			return valueError("end")
		})
	}
	tryInTask(t, func(ctx context.Context, t *trial) {
		for i, err := range counting(t).All(ctx) {
			t.gave("item", i, err)
		}
		for i := range counting(t).All(ctx) {
			t.note("%d", i)
			break
		}
		func() {
			defer func() { t.note("recovered %v", recover()) }()
			for range counting(t).All(ctx) {
				panic("out")
			}
		}()
		func() {
			for range counting(t).All(ctx) {
				return
			}
		}()
		t.same("item -> 0", "item -> 1", "item -> 2", "closed <nil>", "item ! ValueError end",
			"0", "closed <nil>",
			"closed <nil>", "recovered out",
			"closed <nil>")
	})
}

// What goes wrong while a loop that was left closes is not lost.
func TestAsyncGenAllLeft(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			t.note("%s: %v", c.Message, c.Exception)
		})
		for range ending(valueError("bad end")).All(ctx) {
			break
		}
		l.SetExceptionHandler(nil)
		for i, log := range t.log {
			t.log[i], _, _ = strings.Cut(log, " asyncio_test.") // the name of the function
		}
		t.same("an error occurred during closing of asynchronous generator")
		t.log = nil

		consumer := asyncio.Go(ctx, func(ctx context.Context) error {
			g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
				y.Yield(1)
				return asyncio.Sleep(ctx, time.Hour)
			})
			for range g.All(ctx) {
				break
			}
			t.note("left, requests %d", asyncio.CurrentTask(ctx).Cancelling())
			err := asyncio.Sleep(ctx, 0)
			t.gave("next wait", 0, err)
			return err
		})
		asyncio.Sleep(ctx, 0)
		consumer.Cancel("msg")
		_, err := consumer.Await(ctx)
		t.gave("consumer", 0, err)
		t.same("left, requests 1", "next wait ! CancelledError msg", "consumer ! CancelledError msg")
	})
}

// What is left is closed at the end of the run: all at once, each in a task of
// its own, and what goes wrong is reported.
func TestShutdownAsyncGens(t *testing.T) {
	tr := &trial{T: t}
	slow := func(n int, end error) *gen {
		return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			y.Yield(n)
			tr.note("closing %d", n)
			asyncio.Sleep(ctx, 0)
			tr.note("closed %d", n)
			return end
		})
	}
	var kept []*gen
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			message, _, _ := strings.Cut(c.Message, " asyncio_test.")
			tr.gave(message, 0, c.Exception)
		})
		kept = []*gen{slow(1, nil), slow(2, valueError("bad")), slow(3, nil), slow(4, nil)}
		for _, g := range kept[:3] {
			g.Next(ctx)
		}
		done := slow(5, nil)
		for range 2 {
			done.Next(ctx)
		}
		tr.log = nil
		return nil
	})
	assert.NoError(t, err)
	tr.same("closing 1", "closing 2", "closing 3", "closed 1", "closed 2", "closed 3",
		"an error occurred during closing of asynchronous generator ! ValueError bad")
	runtime.KeepAlive(kept)
}

// A cancel of the shutdown is one of the closing.
func TestShutdownAsyncGensCancelled(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			y.Yield(1)
			return asyncio.Sleep(ctx, time.Hour)
		})
		g.Next(ctx)
		l := asyncio.CurrentTask(ctx).Loop()
		shutdown := asyncio.Go(ctx, l.ShutdownAsyncGens)
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		shutdown.Cancel()
		_, err := shutdown.Await(ctx)
		t.gave("shutdown", 0, err)
		_, err = g.Next(ctx)
		t.gave("next", 0, err)
		t.same("shutdown ! CancelledError ", "next ! StopAsyncIteration the asynchronous iteration has ended")
	})
}

// A generator that starts after the shutdown gets a warning.
func TestAsyncGenAfterShutdown(t *testing.T) {
	var out strings.Builder
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(old)
	tryInTask(t, func(ctx context.Context, t *trial) {
		asyncio.CurrentTask(ctx).Loop().ShutdownAsyncGens(ctx)
		g := t.polite()
		g.Next(ctx)
		g.Close(ctx)
	})
	if !strings.Contains(out.String(), "was scheduled after loop.ShutdownAsyncGens() call") {
		t.Errorf("no warning in %q", out.String())
	}
}

// A generator that nobody refers to is closed by a task of its own.
func TestAsyncGenAbandoned(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		l := asyncio.CurrentTask(ctx).Loop()
		closed := asyncio.NewFuture[string](l)
		func() {
			g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
				_, err := y.Yield(1)
				asyncio.Sleep(ctx, 0)
				closed.SetResult(pyName(err) + " in a task of its own: " + yes(asyncio.CurrentTask(ctx).Name() != "main"))
				return err
			})
			g.Next(ctx)
		}()
		asyncio.CurrentTask(ctx).SetName("main")
		for !closed.Done() {
			runtime.GC()
			asyncio.Sleep(ctx, time.Millisecond)
		}
		got, err := closed.Result()
		t.gave("closed", got, err)
		t.same("closed -> GeneratorExit in a task of its own: yes")
	})
}

// A generator that has ended is forgotten, while the loop goes on.
func TestAsyncGenForgotten(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		freed := make(chan bool, 1)
		func() {
			big := new([1 << 16]byte)
			runtime.AddCleanup(big, func(int) { freed <- true }, 0)
			g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
				_, err := y.Yield(int(big[0]))
				return err
			})
			g.Next(ctx)
			g.Close(ctx)
		}()
		for {
			runtime.GC()
			select {
			case <-freed:
				return
			case <-time.After(time.Millisecond):
			}
		}
	})
}

// A loop that is closed without a shutdown kills what is left, also a generator
// in the middle of a step and the task that waits for it.
func TestAsyncGenKilled(t *testing.T) {
	tr := &trial{T: t}
	l := asyncio.NewLoop()
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	named := func(name string, f func(ctx context.Context, y *yielder) error) *gen {
		return asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			defer func() { tr.note("%s ends, can wait: %v", name, asyncio.Sleep(ctx, 0) == nil) }()
			return f(ctx, y)
		})
	}
	stubborn := named("stubborn", func(ctx context.Context, y *yielder) error {
		for {
			y.Yield(1)
		}
	})
	inner := named("inner", func(ctx context.Context, y *yielder) error {
		return asyncio.Sleep(ctx, time.Hour)
	})
	outer := named("outer", func(ctx context.Context, y *yielder) error {
		_, err := inner.Next(ctx)
		return err
	})
	_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		stubborn.Next(ctx)
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer tr.note("task ends")
			_, err := outer.Next(ctx)
			return err
		})
		return asyncio.Sleep(ctx, 0)
	}))
	assert.NoError(t, err)
	assert.NoError(t, l.Close())
	tr.same("inner ends, can wait: false", "outer ends, can wait: false", "task ends", "stubborn ends, can wait: false")
	greenlet.Close()
	runtime.KeepAlive(stubborn)
}
