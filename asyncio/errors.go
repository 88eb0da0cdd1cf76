package asyncio

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// Errors that callers test with errors.Is.
var (
	// ErrCancelled is what errors.Is finds in every CancelledError, as it finds
	// context.Canceled there.
	ErrCancelled error = &CancelledError{}

	// ErrTimeout is the error of a time that has run out. It is
	// context.DeadlineExceeded, too, and has a method Timeout, as net.Error.
	// Python: TimeoutError.
	ErrTimeout error = timeoutError{}

	// ErrInvalidState is returned where a future is not in the state that a call
	// needs. Python: asyncio.InvalidStateError.
	ErrInvalidState = errorf("InvalidStateError", nil, "invalid state")

	// ErrLoopClosed is returned, or panicked with, by a loop that was closed.
	ErrLoopClosed = errorf("RuntimeError", nil, "Event loop is closed")

	// ErrNoRunningLoop is returned where a call needs a running loop and the
	// context comes from none, or the caller is not on that loop's goroutine.
	ErrNoRunningLoop = errorf("RuntimeError", nil, "no running event loop")

	// ErrLoopRunning is returned where a loop runs already: this one, or another
	// on the same goroutine. The message says which.
	ErrLoopRunning = errorf("RuntimeError", nil, "This event loop is already running")

	// ErrOtherLoop is returned where a future of one loop is awaited on another.
	ErrOtherLoop = errorf("RuntimeError", nil, "attached to a different loop")

	// ErrSendfileNotAvailable is returned where a file cannot be sent by the system
	// and must not be sent otherwise. It is errors.ErrUnsupported, too. Python:
	// asyncio.SendfileNotAvailableError.
	ErrSendfileNotAvailable = errorf("SendfileNotAvailableError", errors.ErrUnsupported, "the system cannot send the file")

	// ErrKeyboardInterrupt is the error of a run that Ctrl-C has ended. A task or
	// callback that ends with it ends the run. Python: KeyboardInterrupt.
	ErrKeyboardInterrupt = errorf("KeyboardInterrupt", nil, "interrupted")
)

// CancelledError is returned by a wait whose task was cancelled. A coroutine that
// receives it cleans up and returns it; it may refuse, and go on.
//
// It is ErrCancelled and context.Canceled by errors.Is. As in Python it is no
// Exception: what catches every Exception does not catch it (IsException).
//
// Python: asyncio.CancelledError.
type CancelledError struct {
	Msg any   // what Cancel was called with; nil if with nothing
	Err error // what a library has made of it, whose call it has ended; or nil
}

// Error tells that it was cancelled, with which message, and what a library has
// made of it.
func (e *CancelledError) Error() string {
	text := "asyncio: cancelled"
	if e.Msg != nil {
		text = fmt.Sprint(text, ": ", e.Msg)
	}
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text
}

// Unwrap returns Err.
func (e *CancelledError) Unwrap() error { return e.Err }

// Is reports whether target is ErrCancelled or context.Canceled.
func (e *CancelledError) Is(target error) bool {
	return target == ErrCancelled || target == context.Canceled
}

// PyName is the name of the class in Python.
func (e *CancelledError) PyName() string { return "CancelledError" }

type timeoutError struct{}

func (timeoutError) Error() string        { return "asyncio: timeout" }
func (timeoutError) Timeout() bool        { return true }
func (timeoutError) Temporary() bool      { return true }
func (timeoutError) Is(target error) bool { return target == context.DeadlineExceeded }
func (timeoutError) PyName() string       { return "TimeoutError" }

// SystemExit ends the run of the loop when a task or callback ends with it: Run
// returns it, and the program decides. Python: SystemExit.
type SystemExit struct {
	Code int // for os.Exit
}

// Error names the code.
func (e *SystemExit) Error() string { return fmt.Sprint("asyncio: exit with code ", e.Code) }

// PyName is the name of the class in Python.
func (e *SystemExit) PyName() string { return "SystemExit" }

// PanicError is what the panic of a task, a callback or an executor's function
// becomes: an error with the value, the stack of its origin, and the name of the task.
// It is package greenlet's, whose documentation has its fields. Any goroutine may call
// its methods, which are
//
//	Error() string // says the value, and the stack
//	Unwrap() error // returns the value if that is an error, for errors.Is and errors.As
type PanicError = greenlet.PanicError

// asCancelled returns the CancelledError that err is, or wraps alone: a group of
// errors is no cancellation, nor is one that was joined with another error.
func asCancelled(err error) *CancelledError { return aloneAs[CancelledError](err) }

// IsException reports whether err is what Python calls an Exception: an error
// that is neither a cancellation nor meant to end the program. It is the "except
// Exception" of a program that comes from Python.
func IsException(err error) bool {
	return err != nil && asCancelled(err) == nil && !endsRun(err) && !alone.Is(err, ErrGeneratorExit)
}

// endsRun reports whether err ends the run of the loop.
func endsRun(err error) bool { return asExit(err) != nil || alone.Is(err, ErrKeyboardInterrupt) }

// asExit returns the SystemExit that err is, or wraps alone.
func asExit(err error) *SystemExit { return aloneAs[SystemExit](err) }

// aloneAs returns the *E that err is, or wraps alone; the first, if there are several.
func aloneAs[E any](err error) (found *E) {
	if !alone.Each(err, func(e error) bool {
		is, ok := any(e).(*E)
		found = cmp.Or(found, is)
		return ok
	}) {
		return nil
	}
	return found
}
