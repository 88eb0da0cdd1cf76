package asyncio

import (
	"context"
	"runtime"
)

// An AnyFuture is a Future, a Task or a GatherFuture of any type.
type AnyFuture interface {
	AnyAwaitable

	// Done reports whether it has a result, has failed or was cancelled.
	Done() bool
	// Cancelled reports whether it was cancelled.
	Cancelled() bool
	// Cancel asks for its end. It reports whether that can still have an effect.
	Cancel(msg ...any) bool
	// Exception returns the error that it has failed with, or nil. The second
	// error tells why there is no answer: it is not done, or was cancelled.
	Exception() (exc, err error)
	// AddDoneCallback arranges that cb is called when it is done.
	AddDoneCallback(cb *Callback)
	// RemoveDoneCallback takes that back, and returns how often it was arranged.
	RemoveDoneCallback(cb *Callback) int
	// Loop returns the loop that it belongs to.
	Loop() *Loop

	base() *core
}

// A core is what all futures have, whatever they are of.
type core struct {
	loop    *Loop
	state   state
	quiet   bool       // an error counts as seen
	reports bool       // its error is told to the exception handler: see Shield
	takes   bool       // what it is settled with would be lost if it was given up: see lastCall
	asked   uint32     // of a task: when the first of the requests to cancel it came, in centiseconds
	lost    *lostError // its error, while nobody has looked at it
	err     error      // what it has failed with, a *CancelledError if it was cancelled
	made    *source    // where it was made, in debug mode
	waiter  waiter     // who is told when it is done
}

type state uint8

const (
	pending state = iota
	cancelled
	finished
)

func (s state) String() string { return [...]string{"pending", "cancelled", "finished"}[s] }

func (f *core) base() *core { return f }

// Loop returns the loop that the future belongs to. Any goroutine may call it.
// Python: Future.get_loop.
func (f *core) Loop() *Loop { return f.loop }

// Done reports whether there is a result or an error, or it was cancelled.
// Python: Future.done.
func (f *core) Done() bool { return f.state != pending || f.look() }

// Cancelled reports whether it was cancelled. Python: Future.cancelled.
func (f *core) Cancelled() bool {
	if f.state == pending && !f.takes { // who asks this asks for no value
		f.look()
	}
	return f.state == cancelled
}

// Exception returns the error that it has failed with, or nil if it has a
// result. The second error tells why there is no answer: it is ErrInvalidState
// while it is pending, or the CancelledError. Python: Future.exception.
func (f *core) Exception() (exc, err error) {
	f.look()
	switch f.state {
	case pending:
		return nil, invalidState("Exception is not set.")
	case cancelled:
		return nil, f.err
	}
	f.seen()
	return f.err, nil
}

// outcome returns the error of a result that is asked for.
func (f *core) outcome() error {
	if !f.Done() {
		return invalidState("Result is not set.")
	}
	f.seen()
	return f.err
}

// settle makes f done, and has everybody told.
func (f *core) settle(s state, err error) {
	f.state, f.err = s, err
	if w := f.waiter; w != nil {
		f.waiter = nil
		w.futureDone(f)
	}
}

// fail settles f with err, and remembers it until somebody looks.
func (f *core) fail(err error, kind string) {
	f.settle(finished, err)
	if !f.quiet {
		f.loop.lost.remember(f, err, kind)
	}
}

// seen notes that somebody has looked at the error.
func (f *core) seen() {
	if f.lost != nil {
		f.lost.forget()
		f.lost = nil
	}
}

// cancelPending is Cancel for all but tasks.
func (f *core) cancelPending(msg []any) bool {
	if f.loop.debug {
		f.loop.mustOwn()
	}
	switch {
	case f.takes:
		if f.lastCall() {
			return false
		}
	case f.Done():
		return false
	}
	f.settle(cancelled, cancelledError(msg))
	return true
}

func cancelledError(msg []any) *CancelledError {
	switch len(msg) {
	case 0:
		return &CancelledError{}
	case 1:
		return &CancelledError{Msg: msg[0]}
	}
	return &CancelledError{Msg: msg}
}

// A Future is a result that is not there yet. Somebody sets it, others wait for
// it. It belongs to its loop, and so do all its methods that do not say
// otherwise.
//
// Python: asyncio.Future.
type Future[T any] struct {
	core
	val T
}

// NewFuture makes a pending future. Python: loop.create_future.
func NewFuture[T any](l *Loop) *Future[T] {
	f := &Future[T]{}
	f.loop = l
	if l.debug {
		f.made = sourceHere(1)
	}
	return f
}

// SetResult makes f done, with v, and has those who wait woken in the loop's
// next turn, in the order in which they came. It returns ErrInvalidState if f is
// done already. Python: Future.set_result.
func (f *Future[T]) SetResult(v T) error {
	switch {
	case f.loop.debug && f.loop.s.Foreign():
		return errForeign
	case f.state != pending, f.takes && f.lastCall():
		return ErrInvalidState
	}
	f.val = v
	f.settle(finished, nil)
	return nil
}

// SetException makes f done, with err, as SetResult does. An err that nobody
// looks at is reported when f is collected, or the loop closed. A nil err is
// refused with a TypeError. Python: Future.set_exception.
func (f *Future[T]) SetException(err error) error {
	switch {
	case f.loop.debug && f.loop.s.Foreign():
		return errForeign
	case f.state != pending:
		return ErrInvalidState
	case err == nil:
		return typeErrorf("an exception is expected, not nil")
	case f.takes && f.lastCall():
		return ErrInvalidState
	}
	f.fail(err, "Future")
	return nil
}

// Result returns the result, or the error that f has failed with or was
// cancelled with. While f is pending the error is ErrInvalidState. Python:
// Future.result.
func (f *Future[T]) Result() (T, error) {
	err := f.outcome()
	return f.val, err
}

// Cancel makes f done, cancelled with msg. It reports false if f is done
// already. Python: Future.cancel.
func (f *Future[T]) Cancel(msg ...any) bool { return f.cancelPending(msg) }

// Await suspends the calling task until f is done, and returns its result. If f
// is done it returns at once, without a switch. If the task is cancelled
// meanwhile, so is f.
//
// The error is that of f, or one of a wait. Only a task may call it. Python: await.
func (f *Future[T]) Await(ctx context.Context) (T, error) {
	if f.state == pending && (f.waiter == nil || f.takes || !f.look()) {
		if err := f.wait(ctx, f); err != nil {
			var none T
			return none, err
		}
	}
	return f.Result()
}

// AddDoneCallback arranges that cb is called with f when f is done, by CallSoon; if f
// is done already, in the next turn. Callbacks run in the order in which they were
// added, and tasks that wait for f go on in that order, too. A cb that was added twice
// is called twice. Owner only; it does not switch. Python: Future.add_done_callback.
func (f *Future[T]) AddDoneCallback(cb *Callback) { f.call(cb, f) }

func (f *Future[T]) future(*Loop) (AnyFuture, error) {
	if f == nil {
		return nil, errNotAwaitable
	}
	return f, nil
}

// A Callback is a function that is called when a future is done. Functions
// cannot be compared in Go; a Callback can, so it can be removed again.
type Callback struct{ fn func(AnyFuture) }

// NewCallback makes a Callback of fn. Any goroutine may call it.
func NewCallback(fn func(AnyFuture)) *Callback { return &Callback{fn} }

// A doneCall is a Callback that waits for a future.
type doneCall struct {
	cb    *Callback
	f     AnyFuture
	by    CallbackOwner // nil is the loop
	place uint32
}

func (c *doneCall) futureDone(f *core) {
	if c.by != nil {
		f.soon(func() { c.by.Calls(new(Handle), func() { c.cb.fn(c.f) }) })
		return
	}
	f.soon(func() { c.cb.fn(c.f) })
}

// A doneFunc is an internal callback.
type doneFunc struct{ fn func() }

func (d *doneFunc) futureDone(f *core) { f.soon(d.fn) }

// soon calls fn by the ready queue. On a closed loop nobody is called: there a
// deferred call of a task that is killed may still complete a future.
func (f *core) soon(fn func()) {
	if !f.loop.s.Closed() {
		f.loop.s.Soon(fn)
	}
}

// SourceTraceback returns the calls that have made the future or task, the
// innermost first. It is empty if the debug mode was off then. Any goroutine may
// call it; it does not switch. Python: Future._source_traceback.
func (f *core) SourceTraceback() []runtime.Frame { return f.made.frames() }
