package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"runtime"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// A Coroutine is a call of a coroutine function that has not begun: it begins
// when it is awaited, when a task is made of it (CreateTask with its method Await,
// or Gather and its like), or when it is driven by hand. All of that happens once:
// a second time is a RuntimeError.
//
// Most programs need none, because a Coro is awaited by calling it. A Coroutine is
// for those who keep a call for later, or who write a loop of their own.
//
// By hand, Send runs it up to its first wait and returns the future that it waits
// for; whoever drives it calls Send again when that is done. No loop need run. A
// coroutine that is driven by hand can wait for futures and tasks, and in Sleep;
// what waits in another way (locks, queues) needs a task, and fails with
// ErrNoRunningLoop. Its context has no values and no end.
//
// It belongs to the goroutine that awaits or drives it.
//
// Python: a coroutine object.
type Coroutine[T any] struct {
	f     Coro[T]
	state coroutineState
	hand  *handed[T]
	base  *greenlet.Greenlet // its body's, while it is driven by hand
	at    *greenlet.Greenlet // the one to switch to: base, or one that its body has made

	unawaited *runtime.Cleanup
}

type coroutineState uint8

const (
	created   coroutineState = iota
	executing                // or awaited by a task
	suspended                // driven by hand
	over
)

// NewCoroutine makes a coroutine object of f. Any goroutine may call it; it does
// not switch. A nil f panics with a TypeError. In debug mode one that is dropped without having begun is reported
// by log/slog, with the place of this call.
//
// Python: to call a function that has async def.
func NewCoroutine[T any](f Coro[T]) *Coroutine[T] {
	if f == nil {
		panic(typeErrorf("a coroutine was expected, got nil"))
	}
	c := &Coroutine[T]{f: f}
	if l := runningLoops.here(); l != nil && l.debug || l == nil && debugEnvironment().on {
		u := unawaited{name: functionName(f)}
		if _, file, line, ok := runtime.Caller(1); ok {
			u.origin = fmt.Sprintf("%s:%d", file, line)
		}
		cleanup := runtime.AddCleanup(c, unawaited.report, u)
		c.unawaited = &cleanup
	}
	return c
}

// unawaited is what is said of a coroutine that was dropped.
type unawaited struct{ name, origin string }

func (u unawaited) report() {
	slog.Warn(fmt.Sprintf("asyncio: coroutine %q was never awaited", u.name), "created", u.origin)
}

// becomes notes that the coroutine begins, or never will.
func (c *Coroutine[T]) becomes(state coroutineState) {
	c.state = state
	c.claimed()
}

// claimed notes that the coroutine will not be forgotten.
func (c *Coroutine[T]) claimed() {
	if c.unawaited != nil {
		c.unawaited.Stop()
		c.unawaited = nil
	}
}

// Await runs the coroutine in the calling task and returns its result. The error
// is its own, or a RuntimeError if it has begun before. Python: await.
func (c *Coroutine[T]) Await(ctx context.Context) (T, error) {
	var none T
	switch c.state {
	case created:
	case over:
		return none, runtimeErrorf("cannot reuse already awaited coroutine")
	default:
		return none, runtimeErrorf("coroutine is being awaited already")
	}
	c.becomes(executing)
	defer func() { c.state = over }()
	return c.f(ctx)
}

func (c *Coroutine[T]) future(l *Loop) (AnyFuture, error) {
	if c == nil {
		return nil, typeErrorf("a coroutine was expected, got nil")
	}
	c.claimed()
	return NewTask(l, c.Await), nil
}

// Send runs the coroutine until it waits, and returns the future that it waits
// for, or nil if it only lets others run (Sleep with zero). When it has ended the
// error is ErrStopIteration, and Result has the result, or it is the coroutine's
// own. A RuntimeError tells that it had begun or ended before, a ValueError that
// it runs.
//
// A coroutine that waits for a future which is not done when Send is called again
// fails with a RuntimeError. v is what the wait is told; no wait of this package
// looks at it, and the first Send takes nil only (TypeError). It switches. Python:
// coroutine.send.
func (c *Coroutine[T]) Send(v any) (AnyFuture, error) {
	if c.state == created && v != nil {
		return nil, typeErrorf("can't send a value to a just-started coroutine")
	}
	return c.step(nil)
}

// Throw is Send that makes the wait return err. A coroutine that has not begun
// ends without running, with err. A nil err throws ErrGeneratorExit. Python:
// coroutine.throw.
func (c *Coroutine[T]) Throw(err error) (AnyFuture, error) {
	if err == nil {
		err = ErrGeneratorExit
	}
	if c.state == created {
		c.becomes(over)
		return nil, err
	}
	return c.step(err)
}

// Close ends the coroutine: the wait that it is in returns ErrGeneratorExit, and
// it returns that, or nil, or else Close returns its error, also where
// ErrGeneratorExit is only a part of it. One that waits once
// more instead is a RuntimeError. A coroutine that has not begun never will; one
// that has ended stays so. Python: coroutine.close.
func (c *Coroutine[T]) Close() error {
	switch c.state {
	case created:
		c.becomes(over)
		return nil
	case over:
		return nil
	}
	switch _, err := c.step(ErrGeneratorExit); {
	case err == nil:
		return runtimeErrorf("coroutine ignored GeneratorExit")
	case alone.Is(err, ErrStopIteration, greenlet.Exit):
		return nil
	default:
		return err
	}
}

// Result returns what the coroutine has returned, and whether it has, when it was
// driven by hand. Python: StopIteration.value.
func (c *Coroutine[T]) Result() (T, bool) {
	if c.hand == nil || !c.hand.returned {
		var none T
		return none, false
	}
	return c.hand.val, true
}

// step runs the coroutine until it waits; the wait that it is in returns thrown.
func (c *Coroutine[T]) step(thrown error) (AnyFuture, error) {
	switch c.state {
	case executing:
		return nil, valueErrorf("coroutine already executing")
	case over:
		return nil, runtimeErrorf("cannot reuse already awaited coroutine")
	case created:
		h := &handed[T]{f: c.f}
		c.hand, c.base = h, greenlet.New(h.run)
		c.at = c.base
		c.becomes(suspended)
	}
	h := c.hand
	me := greenlet.Current()
	if err := c.base.SetParent(me); err != nil {
		return nil, err
	}
	h.driver, h.thrown, h.waits = me, thrown, nil
	c.state = executing
	defer func() {
		h.driver = nil
		if c.state == executing { // it has ended, perhaps by a panic
			c.state = over
		}
	}()
	at, err := c.at.Switch(nil)
	switch {
	case h.ended:
		c.base, c.at = nil, nil
		return nil, h.err
	case err != nil:
		return nil, err
	}
	c.at = at.(*greenlet.Greenlet)
	c.state = suspended
	return h.waits, nil
}

// A hand is a coroutine that is driven by hand, as its body sees it: it is in the
// body's context. It does not refer to where it waits, so that one that is dropped
// can be found abandoned.
type hand struct {
	driver *greenlet.Greenlet // who drives it, during a step
	thrown error              // what the wait is to return
	waits  AnyFuture          // what it waits for
	ended  bool
}

// handed is a hand with what it runs.
type handed[T any] struct {
	hand
	f        Coro[T]
	val      T
	returned bool
	err      error
}

// run is the body's greenlet.
func (h *handed[T]) run(any) (any, error) {
	defer func() { h.ended = true }()
	h.err = ErrStopIteration
	v, err := h.f(handContext{context.Background(), &h.hand})
	if err != nil {
		h.err = err
		return nil, nil
	}
	h.val, h.returned = v, true
	return nil, nil
}

// A handContext is the context of a coroutine that is driven by hand.
type handContext struct {
	context.Context
	h *hand
}

// Value returns the hand.
func (c handContext) Value(key any) any {
	if key == (byHandKey{}) {
		return byHand(c.h)
	}
	return nil
}

// wait gives f to whoever drives the coroutine, and returns when they go on.
func (h *hand) wait(f AnyFuture) error {
	h.waits = f
	_, err := h.driver.Switch(greenlet.Current())
	switch {
	case err != nil:
		return err
	case h.thrown != nil:
		return h.thrown
	case f != nil && !f.Done():
		return runtimeErrorf("await wasn't used with future")
	}
	return nil
}

// sleep is Sleep.
func (h *hand) sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return h.wait(nil)
	}
	l, err := RunningLoop(ctx)
	if err != nil {
		return err
	}
	f := NewFuture[None](l)
	timer := l.CallLater(d, func() { f.SetResult(None{}) })
	defer timer.Cancel()
	return h.wait(f)
}

// here reports whether the caller is driven by h.
func (h *hand) here() bool { return h.driver.Owned() }

// functionName is the name of the function fn, without the path of its package.
func functionName(fn any) string {
	name := runtime.FuncForPC(reflect.ValueOf(fn).Pointer()).Name()
	return name[strings.LastIndexByte(name, '/')+1:]
}
