package asyncio_test

import (
	"context"
	"errors"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// driven notes what calls of a Coroutine give.
type driven struct {
	*trial
	*asyncio.Coroutine[int]
}

func (d driven) send(v any) {
	fut, err := d.Send(v)
	switch {
	case errors.Is(err, asyncio.ErrStopIteration):
		n, ok := d.Result()
		d.note("end %d %s", n, yes(ok))
	case err != nil:
		d.gave("send", 0, err)
	case fut == nil:
		d.note("send -> bare")
	default:
		d.note("send -> future, done %s", yes(fut.Done()))
	}
}

func (d driven) throw(e error) {
	_, err := d.Throw(e)
	d.gave("throw", "waits", err)
}

func (d driven) close() { d.gave("close", "ok", d.Close()) }

// byHand makes a coroutine that waits for f, if there is one, and lets others run.
func (t *trial) byHand(f *asyncio.Future[int]) driven {
	return driven{t, asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
		defer t.note("fin")
		n := 7
		if f != nil {
			var err error
			if n, err = f.Await(ctx); err != nil {
				return 0, err
			}
			t.note("await %d", n)
		}
		return n, asyncio.Sleep(ctx, 0)
	})}
}

// A Coroutine is driven by hand as one of CPython's is.
func TestCoroutineByHand(t *testing.T) {
	defer greenlet.Close()
	l := asyncio.NewLoop()
	defer l.Close()
	tr := &trial{T: t}

	d := tr.byHand(nil)
	d.send(5)
	d.send(nil)
	d.send(nil)
	d.send(nil)
	d.throw(valueError("q"))
	d.close()
	tr.same(
		"send ! TypeError can't send a value to a just-started coroutine",
		"send -> bare", "fin", "end 7 yes",
		"send ! RuntimeError cannot reuse already awaited coroutine",
		"throw ! RuntimeError cannot reuse already awaited coroutine",
		"close -> ok")
	tr.log = nil

	f := asyncio.NewFuture[int](l)
	d = tr.byHand(f)
	d.send(nil)
	d.send(nil)
	tr.same("send -> future, done no", "fin", "send ! RuntimeError await wasn't used with future")
	tr.log = nil

	d = tr.byHand(f)
	d.send(nil)
	f.SetResult(3)
	d.send(nil)
	d.send(nil)
	tr.same("send -> future, done no", "await 3", "send -> bare", "fin", "end 3 yes")
	tr.log = nil

	d = tr.byHand(nil)
	d.throw(valueError("fresh"))
	d.send(nil)
	d = tr.byHand(nil)
	d.close()
	d.send(nil)
	d = tr.byHand(nil)
	d.send(nil)
	d.throw(valueError("thrown"))
	d = tr.byHand(nil)
	d.send(nil)
	d.close()
	d.send(nil)
	used := "send ! RuntimeError cannot reuse already awaited coroutine"
	tr.same("throw ! ValueError fresh", used, "close -> ok", used,
		"send -> bare", "fin", "throw ! ValueError thrown",
		"send -> bare", "fin", "close -> ok", used)
}

func TestCoroutineClose(t *testing.T) {
	defer greenlet.Close()
	tr := &trial{T: t}
	for _, f := range []asyncio.Coro[int]{
		func(ctx context.Context) (int, error) { asyncio.Sleep(ctx, 0); return 0, asyncio.Sleep(ctx, 0) },
		func(ctx context.Context) (int, error) { asyncio.Sleep(ctx, 0); return 0, valueError("instead") },
		func(ctx context.Context) (int, error) { asyncio.Sleep(ctx, 0); return 3, nil },
	} {
		d := driven{tr, asyncio.NewCoroutine(f)}
		d.send(nil)
		d.close()
		d.close()
	}
	tr.same("send -> bare", "close ! RuntimeError coroutine ignored GeneratorExit", "close -> ok",
		"send -> bare", "close ! ValueError instead", "close -> ok",
		"send -> bare", "close -> ok", "close -> ok")
}

// What is driven by hand runs once, and not from inside itself.
func TestCoroutineMisuse(t *testing.T) {
	defer greenlet.Close()
	tr := &trial{T: t}
	var d driven
	d = driven{tr, asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
		d.send(nil)
		d.close()
		d.throw(nil)
		_, err := d.Await(ctx)
		d.gave("await", 0, err)
		return 0, asyncio.Sleep(ctx, time.Hour)
	})}
	d.send(nil)
	tr.same("send ! ValueError coroutine already executing", "close ! ValueError coroutine already executing",
		"throw ! ValueError coroutine already executing", "await ! RuntimeError coroutine is being awaited already",
		"send ! RuntimeError no running event loop")
	tr.log = nil

	d = tr.byHand(nil)
	d.send(nil)
	other := make(chan error)
	go func() { _, err := d.Send(nil); other <- err }()
	if err := <-other; !errors.Is(err, greenlet.ErrForeign) {
		t.Error("driven by another goroutine:", err)
	}
	tryInTask(t, func(ctx context.Context, _ *trial) {
		_, err := d.Await(ctx)
		d.gave("await", 0, err)
	})
	d.send(nil)
	tr.same("send -> bare", "await ! RuntimeError coroutine is being awaited already", "fin", "end 7 yes")
	tr.log = nil

	d = driven{tr, asyncio.NewCoroutine(func(context.Context) (int, error) { panic("boom") })}
	func() {
		defer func() { _, ok := recover().(*asyncio.PanicError); d.note("panic %s", yes(ok)) }()
		d.send(nil)
	}()
	d.send(nil)
	tr.same("panic yes", "send ! RuntimeError cannot reuse already awaited coroutine")
}

// Awaits inside of what is driven by hand, in a generator say, wait for the same
// driver.
func TestCoroutineByHandNested(t *testing.T) {
	defer greenlet.Close()
	tr := &trial{T: t}
	d := driven{tr, asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *yielder) error {
			for i := 1; ; i++ {
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
				if _, err := y.Yield(i); err != nil {
					return err
				}
			}
		})
		sum := 0
		for i, err := range g.All(ctx) {
			if err != nil || i == 3 {
				return sum, err
			}
			sum += i
		}
		return 0, nil
	})}
	for range 4 {
		d.send(nil)
	}
	tr.same("send -> bare", "send -> bare", "send -> bare", "end 3 yes")
}

// Inside a task of a running loop, what is driven by hand may sleep.
func TestCoroutineByHandInTask(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		d := driven{t, asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
			return asyncio.SleepResult(ctx, time.Millisecond, 4)
		})}
		fut, err := d.Send(nil)
		require.NoError(t, err)
		if _, err := fut.(*asyncio.Future[asyncio.None]).Await(ctx); err != nil {
			t.Error(err)
		}
		d.send(nil)
		t.same("end 4 yes")
	})
}

func TestCoroutineAwait(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		started := false
		c := asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
			started = true
			return 1, asyncio.Sleep(ctx, 0)
		})
		asyncio.Sleep(ctx, 0)
		if started {
			t.Error("it has started by itself")
		}
		task := asyncio.CreateTask(ctx, c.Await)
		asyncio.Sleep(ctx, 0)
		v, err := c.Await(ctx)
		t.gave("meanwhile", v, err)
		v, err = task.Await(ctx)
		t.gave("task", v, err)
		v, err = c.Await(ctx)
		t.gave("again", v, err)
		t.same("meanwhile ! RuntimeError coroutine is being awaited already", "task -> 1",
			"again ! RuntimeError cannot reuse already awaited coroutine")
	})
}

// A coroutine that is dropped in debug mode is reported, one that is used is not.
func TestCoroutineNeverAwaited(t *testing.T) {
	var out lockedBuilder
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&out, nil)))
	defer slog.SetDefault(old)
	forget := func(ctx context.Context) {
		used := func(ctx context.Context) (string, error) { return "used", nil }
		asyncio.NewCoroutine(used).Await(ctx)
		asyncio.NewCoroutine(used).Close()
		asyncio.EnsureFuture(ctx, asyncio.Awaitable[string](asyncio.NewCoroutine(used))).Cancel() // before it begins
		asyncio.Gather(ctx, asyncio.Awaitable[string](asyncio.NewCoroutine(used))).Await(ctx)
		asyncio.NewCoroutine(func(ctx context.Context) (string, error) { return "dropped", nil })
	}
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		forget(ctx) // silently
		runtime.GC()
		return nil
	}, asyncio.WithDebug(false))
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		forget(ctx)
		return nil
	}, asyncio.WithDebug(true))
	for !strings.Contains(out.String(), "was never awaited") {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
	runtime.GC()
	if log := out.String(); strings.Count(log, "was never awaited") != 1 || !strings.Contains(log, "task_coroutine_test.go:") {
		t.Errorf("one report, with the place, is wanted:\n%s", log)
	}
}

// A lockedBuilder is a strings.Builder for several goroutines.
type lockedBuilder struct {
	mu sync.Mutex
	b  strings.Builder
}

func (b *lockedBuilder) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuilder) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestNilBodies(t *testing.T) {
	for what, make := range map[string]func(){
		"coroutine": func() { asyncio.NewCoroutine[int](nil) },
		"generator": func() { asyncio.NewAsyncGen[int, int](nil) },
	} {
		func() {
			defer func() {
				if err, _ := recover().(error); pyName(err) != "TypeError" {
					t.Error(what, err)
				}
			}()
			make()
		}()
	}
}

// One that is dropped while it waits is ended like any abandoned greenlet.
func TestCoroutineAbandoned(t *testing.T) {
	defer greenlet.Close()
	ended := false
	func() {
		c := asyncio.NewCoroutine(func(ctx context.Context) (int, error) {
			defer func() { ended = true }()
			return 0, asyncio.Sleep(ctx, 0)
		})
		c.Send(nil)
	}()
	for range 100 {
		greenlet.Collect()
	}
	if !ended {
		t.Error("its deferred calls have not run")
	}
}
