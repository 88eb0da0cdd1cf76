package asyncio

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet/internal/alone"
)

// A cancel that a library cannot lose.
//
// A wait below an interface of Go (a net.Conn, a net.Listener, a Dialer as a
// library's hook) tells of a cancel by its error, as every wait does. But who gets
// that error may be a library that knows of no cancel: it takes the connection for
// broken, and tries again or returns an error of its own. So such a wait does not
// deliver the request. It stays the task's, unheard, and
//
//   - every later call of the task below such an interface fails with it: in the
//     next turn, so that one that tries for ever does not stop the loop;
//   - the next wait with a ctx returns it, as it would return any request that is
//     to be delivered, and then it has been heard;
//   - where a function that may have called the library returns to one of this
//     package (WithTimeout, WaitFor, a TaskGroup, With, the task itself), what it
//     returns counts as a CancelledError, with the function's own error in it.
//     From there on all is as in Python: whose request it was decides what comes
//     of it.
//
// Uncancel takes it back, as any request, and CleanUp sets it aside.

// endWaitBelow is endWait of a wait below an interface of Go.
func (t *task) endWaitBelow(err error) error {
	if t.wait != aborted && !t.must {
		return t.endWait(err)
	}
	t.wait = awake
	t.must, t.unheard = true, true
	return cancelledError(t.cancelMsg)
}

// hold takes back that a request was delivered, as err, to somebody who may be a
// library.
func (t *task) hold(err *CancelledError) {
	t.must, t.unheard, t.cancelMsg = true, true, nil
	if err.Msg != nil {
		t.cancelMsg = []any{err.Msg}
	}
}

// refused is the error of a call below an interface of Go while a request is
// unheard. The others have a turn.
//
//go:noinline
func (t *task) refused() error {
	t.st.Ready()
	g, err := t.st.Next()
	if g != nil {
		_, err = g.Switch(nil)
		t.loop.s.Resumed(&t.st)
	}
	if err != nil {
		return loopError(err)
	}
	return cancelledError(t.cancelMsg)
}

// heard returns what a function has come to that has returned err to one that
// knows of cancels: if a request is unheard, that, which is delivered so.
func (t *task) heard(err error) error {
	if !t.unheard || outdoes(err) {
		return err
	}
	c := t.cancellation()
	if asCancelled(err) != nil {
		return err
	}
	c.Err = err
	return c
}

// outdoes reports whether err is no library's word for a cancel, but more than one:
// a panic, or the end of the program or of a generator.
func outdoes(err error) bool {
	var panicked *PanicError
	return endsRun(err) || alone.Is(err, ErrGeneratorExit) || errors.As(err, &panicked)
}

// heardBy is heard in the calling task.
func heardBy(ctx context.Context, err error) error {
	if t, _ := current(ctx); t != nil && err != nil {
		return t.heard(err)
	}
	return err
}

// below calls f, which waits with a ctx, for a call below an interface of Go. t is
// the calling task, if one calls.
func (t *task) below(f func() error) error {
	if t == nil {
		return f()
	}
	if t.unheard {
		return t.refused()
	}
	err := f()
	if c, ok := err.(*CancelledError); ok && t.cancels > 0 {
		t.hold(c)
	}
	return err
}

// instead returns the outcome of who has asked for an end, which has come as err:
// with what a library has returned instead of it.
func instead(outcome, err error) error {
	if c := asCancelled(err); c != nil && c.Err != nil {
		return &cutShort{outcome, c.Err}
	}
	return outcome
}

// A cutShort is an outcome, ErrTimeout say, with the error that a library has made
// of it. By errors.Is and errors.As it is both, but never the cancel that is
// between them.
type cutShort struct {
	outcome error
	library error
}

func (e *cutShort) Error() string { return fmt.Sprintf("%v (%v)", e.outcome, e.library) }
func (e *cutShort) Unwrap() error { return e.outcome }

func (e *cutShort) Is(target error) bool {
	return target != ErrCancelled && target != context.Canceled && errors.Is(e.library, target)
}

func (e *cutShort) As(target any) bool {
	_, cancel := target.(**CancelledError)
	return !cancel && errors.As(e.library, target)
}

// PyName is that of the outcome.
func (e *cutShort) PyName() string {
	if named, ok := e.outcome.(interface{ PyName() string }); ok {
		return named.PyName()
	}
	return "Exception"
}

// Timeout and Temporary are the outcome's, for package net's net.Error.
func (e *cutShort) Timeout() bool   { return e.outcome == ErrTimeout }
func (e *cutShort) Temporary() bool { return e.outcome == ErrTimeout }
