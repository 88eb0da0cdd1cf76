package asyncio

import (
	"context"
	"errors"
	"iter"
	"reflect"
	"runtime"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// An AsyncGen is a generator whose body may wait: between two values it can do
// what a coroutine can. It yields values of type Y, and may be sent values of
// type S. Nothing runs before the first call of Next.
//
// The body runs in the task that calls, with the context of that call: what waits
// in it is the caller's task, CurrentTask is the caller's, and so are the values
// of the context. What the body derives from its context has the values of each
// call, too, but ends as the one did in which it was derived. Different tasks may
// call one after the other; while one waits in the body, the others are refused
// with a RuntimeError.
//
// A generator that is not read to its end should be closed: by Close, by leaving
// a loop over All, or by Closing. What is left is closed when the run of the
// loop ends (see ShutdownAsyncGens). A generator that nobody refers to any more
// is closed before that, by a task of its own, when the collector notices.
//
// All its methods belong to the goroutine of the loop. A panic of the body goes
// on as a panic of *PanicError in the call.
//
// Python: an async generator.
type AsyncGen[Y, S any] struct{ k *asyncGen[Y, S] }

// asyncGen is what an AsyncGen refers to. The loop knows it. It does not refer to
// the AsyncGen, so that the collector can find that abandoned.
type asyncGen[Y, S any] struct {
	genState
	gen *greenlet.Generator[Y, S, None]
}

// An AsyncYielder is the body's side of an AsyncGen: its Yield gives a value to
// the call that waits, and returns what the next call sends: the zero value and
// nil for Next, a value for Send, an error for Throw and Close. A body that gets
// ErrGeneratorExit should return. It has one method, for the body only, which switches:
//
//	Yield(v Y) (S, error)
type AsyncYielder[Y, S any] = greenlet.Yielder[Y, S]

// NewAsyncGen makes a generator that will run body at the first Next. Any
// goroutine may call it; it does not switch. A nil body panics with a TypeError.
// Cost: about a microsecond, the first step included.
//
// Python: to call a function that has async def and yield.
func NewAsyncGen[Y, S any](body func(ctx context.Context, y *AsyncYielder[Y, S]) error) *AsyncGen[Y, S] {
	if body == nil {
		panic(typeErrorf("a generator's body was expected, got nil"))
	}
	b := &genBody{fn: body}
	b.ctx.caller.Store(&noCaller)
	k := &asyncGen[Y, S]{genState: genState{body: b}}
	k.gen = greenlet.NewGenerator(func(y *greenlet.Yielder[Y, S]) (None, error) {
		b.beginBody()
		defer b.end()
		b.outcome = body(&b.ctx, y)
		return None{}, nil
	})
	return &AsyncGen[Y, S]{k}
}

// Next runs the body until it yields, and returns the value. The error is
// ErrStopAsyncIteration when the body has ended; the body's own error if it ended
// with that just now; or a RuntimeError if the generator runs already.
//
// It waits as often as the body does. A step in which the body does not wait is
// two switches, takes no turn of the loop and allocates nothing, unless ctx is
// another than the last time. Python: anext, __anext__.
func (g *AsyncGen[Y, S]) Next(ctx context.Context) (Y, error) {
	k := g.k
	if !k.body.ctx.is(ctx) {
		if err := g.enter(ctx, "anext()"); err != nil {
			var none Y
			return none, err
		}
	}
	v, err := k.gen.Next()
	if err != nil {
		err = k.stopped(err, "anext()")
	}
	runtime.KeepAlive(g)
	return v, err
}

// Send is Next with a value, which the Yield that waits returns. A generator that
// has not started waits in none: it refuses all values but the zero value, with a
// TypeError. Python: asend.
func (g *AsyncGen[Y, S]) Send(ctx context.Context, v S) (Y, error) {
	var none Y
	k := g.k
	if k.fresh() {
		if !reflect.ValueOf(&v).Elem().IsZero() {
			return none, typeErrorf("can't send a value to a just-started async generator")
		}
		return g.Next(ctx)
	}
	if !k.body.ctx.is(ctx) {
		if err := g.enter(ctx, "anext()"); err != nil {
			return none, err
		}
	}
	y, err := k.gen.Send(v)
	if err != nil {
		err = k.stopped(err, "anext()")
	}
	runtime.KeepAlive(g)
	return y, err
}

// Throw makes the Yield that waits return err, and then is Next. If the body does
// not handle it, err comes back and the generator has ended. A generator that has
// not started ends without running, with err. A nil err throws ErrGeneratorExit.
// Python: athrow.
func (g *AsyncGen[Y, S]) Throw(ctx context.Context, err error) (Y, error) {
	var none Y
	if err == nil {
		err = ErrGeneratorExit
	}
	if g.k.fresh() {
		if refused := g.k.discard(); refused != nil {
			return none, refused
		}
		return none, err
	}
	return g.throw(ctx, err, "athrow()")
}

// Close ends the generator: the Yield that waits returns ErrGeneratorExit, and
// the body cleans up, for which it may wait. Close returns nil if the body then
// returns nil or that error, and else the body's error, also where that has others
// beside ErrGeneratorExit. If the body yields
// instead, the error is a RuntimeError, the value is lost and the generator waits
// in that Yield. A generator that has not started is closed without running; one
// that has ended stays so. Python: aclose.
func (g *AsyncGen[Y, S]) Close(ctx context.Context) error {
	if g.k.fresh() {
		return g.k.discard()
	}
	if g.k.body.ended {
		return nil
	}
	_, err := g.throw(ctx, ErrGeneratorExit, "aclose()")
	return closed(err)
}

// closed is what Close returns after a step that has returned err.
func closed(err error) error {
	switch {
	case err == nil:
		return runtimeErrorf("async generator ignored GeneratorExit")
	case alone.Is(err, ErrStopAsyncIteration, greenlet.Exit):
		return nil
	}
	return err
}

// All returns the values that are still to come, for a loop that waits for each
// of them. An error of the body comes as the last pair. A loop that is left early,
// in whatever way, closes the generator, with ctx. What that fails with goes to
// the exception handler, since the loop cannot return it. Python: async for, with
// aclosing.
func (g *AsyncGen[Y, S]) All(ctx context.Context) iter.Seq2[Y, error] {
	return func(yield func(Y, error) bool) {
		left := true
		defer func() {
			if left {
				g.leave(ctx)
			}
		}()
		for {
			v, err := g.Next(ctx)
			if err != nil {
				left = false
				if !alone.Is(err, ErrStopAsyncIteration) {
					yield(v, err)
				}
				return
			}
			if !yield(v, nil) {
				return
			}
		}
	}
}

// leave closes the generator for a loop that cannot return an error. A cancel
// that comes while it waits is not lost: it is delivered at the next wait.
func (g *AsyncGen[Y, S]) leave(ctx context.Context) {
	err := g.Close(ctx)
	if err == nil {
		return
	}
	if t, _ := current(ctx); t != nil {
		if c := asCancelled(err); c != nil {
			t.hold(c)
			return
		}
	}
	g.k.report(err)
}

// String names the function that is the body.
func (g *AsyncGen[Y, S]) String() string {
	return "asynchronous generator " + functionName(g.k.body.fn)
}

// throw is a step in which the Yield that waits returns thrown.
func (g *AsyncGen[Y, S]) throw(ctx context.Context, thrown error, call string) (Y, error) {
	k := g.k
	if !k.body.ctx.is(ctx) {
		if err := g.enter(ctx, call); err != nil {
			var none Y
			return none, err
		}
	}
	v, err := k.gen.Throw(thrown)
	if err != nil {
		err = k.stopped(err, call)
	}
	runtime.KeepAlive(g)
	return v, err
}

// enter prepares a step with another context than that of the step before. With
// the first one the loop comes to know the generator.
func (g *AsyncGen[Y, S]) enter(ctx context.Context, call string) error {
	k := g.k
	if err := k.gen.Err(); err != nil && !k.body.ended {
		return refused(err, call)
	}
	if err := k.body.ctx.become(ctx); err != nil {
		return err
	}
	if k.fresh() {
		if l, err := loopOf(ctx); err == nil {
			k.adopted(l, k)
			k.body.cleanup = runtime.AddCleanup(g, func(k *asyncGen[Y, S]) { k.loop.afterCleanup(k.abandoned) }, k)
		}
	}
	return nil
}

// stopped tells why a step has given no value but err.
func (k *asyncGen[Y, S]) stopped(err error, call string) error {
	if !k.body.ended {
		return refused(err, call)
	}
	return k.body.told()
}

// refused is the error of a call that was not made because of err.
func refused(err error, call string) error {
	if errors.Is(err, greenlet.ErrReentrant) {
		return errorf("RuntimeError", err, "%s: asynchronous generator is already running", call)
	}
	return err
}

// discard ends a generator that has not started.
func (k *asyncGen[Y, S]) discard() error {
	if err := k.gen.Close(); err != nil {
		return err
	}
	k.body.ended = true
	return nil
}

// close is Close by the loop.
func (k *asyncGen[Y, S]) close(ctx context.Context) error {
	// The handle is gone, or may go: a new one serves, which is known to nobody.
	return (&AsyncGen[Y, S]{k}).Close(ctx)
}
