package asyncio_test

import (
	"context"
	"errors"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A brokenIterator gives 1 and then fails.
type brokenIterator struct{ n int }

func (f *brokenIterator) Next(ctx context.Context) (int, error) {
	if f.n++; f.n > 1 {
		return 0, valueError("broken")
	}
	return f.n, asyncio.Sleep(ctx, 0)
}

func TestAIter(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		for v, err := range asyncio.AIter(ctx, &brokenIterator{}) {
			t.gave("item", v, err)
		}
		g := t.polite()
		for v, err := range asyncio.AIter(ctx, g) {
			t.gave("item", v, err)
			break
		}
		v, err := g.Send(ctx, "still open")
		t.gave("then", v, err)
		t.gave("aclose", "ok", g.Close(ctx))
		t.same("item -> 1", "item ! ValueError broken",
			"item -> 1", `got "still open"`, "then -> 2", "fin", "aclose -> ok")
	})
}

func TestANext(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		it := &ticker{0, 1}
		for range 2 {
			v, err := asyncio.ANext(ctx, it, -1)
			t.gave("anext", v, err)
		}
		f := &brokenIterator{1}
		v, err := asyncio.ANext(ctx, f, -1)
		t.gave("anext", v, err)
		t.same("anext -> 0", "anext -> -1", "anext ! ValueError broken")
	})
}

func TestCollect(t *testing.T) {
	tryInTask(t, func(ctx context.Context, t *trial) {
		all, err := asyncio.Collect(asyncio.AIter(ctx, &ticker{0, 3}))
		t.gave("collect", all, err)
		all, err = asyncio.Collect(asyncio.AIter(ctx, &brokenIterator{}))
		if len(all) != 1 || pyName(err) != "ValueError" {
			t.Error(all, err)
		}
		all, err = asyncio.Collect(ending(nil).All(ctx))
		t.gave("collect", all, err)
		t.same("collect -> [0 1 2]", "collect -> [1]")
	})
}

func TestContextVar(t *testing.T) {
	ctx := context.Background()
	v := asyncio.NewContextVar[error]("v", errors.New("default"))
	same := asyncio.NewContextVar[error]("v", nil)
	if got := v.Get(ctx); got == nil || got.Error() != "default" {
		t.Error("the default is", got)
	}
	if _, set := v.Lookup(ctx); set {
		t.Error("it is set in an empty context")
	}
	inner := v.With(ctx, nil)
	if got, set := v.Lookup(inner); got != nil || !set || v.Get(inner) != nil {
		t.Error("nil is no value:", got, set)
	}
	if _, set := same.Lookup(inner); set {
		t.Error("another variable of the same name is set, too")
	}
	if _, set := v.Lookup(ctx); set {
		t.Error("it is set outside, too")
	}
	if v.Name() != "v" {
		t.Error(v.Name())
	}
}

// What runs in a thread has the values of its caller.
func TestContextVarInThread(t *testing.T) {
	v := asyncio.NewContextVar("v", "default")
	tryInTask(t, func(ctx context.Context, t *trial) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[string, asyncio.None]) error {
			for {
				got, err := asyncio.ToThread(ctx, func(ctx context.Context) (string, error) { return v.Get(ctx), nil })
				if err != nil {
					return err
				}
				if _, err := y.Yield(got); err != nil {
					return err
				}
			}
		})
		for _, name := range []string{"a", "b"} {
			got, err := g.Next(v.With(ctx, name))
			t.gave("in the thread", got, err)
		}
		g.Close(ctx)
		t.same("in the thread -> a", "in the thread -> b")
	})
}
