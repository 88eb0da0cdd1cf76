package asyncio

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet"
)

// A classError is an error of a class that Python has: RuntimeError, ValueError
// and so on.
type classError struct {
	class string
	msg   string
	is    error // what it is by errors.Is, too
}

func (e *classError) Error() string  { return "asyncio: " + e.msg }
func (e *classError) PyName() string { return e.class }
func (e *classError) Unwrap() error  { return e.is }

// Errors that callers test with errors.Is.
var (
	// ErrCancelled is what every CancelledError is. It is context.Canceled, too.
	ErrCancelled error = &CancelledError{}

	// ErrTimeout is the error of a time that has run out. It is
	// context.DeadlineExceeded, too, and has a method Timeout, as net.Error.
	// Python: TimeoutError.
	ErrTimeout error = timeoutError{}

	// ErrInvalidState is returned where a future is not in the state that a call
	// needs. Python: asyncio.InvalidStateError.
	ErrInvalidState error = &classError{"InvalidStateError", "invalid state", nil}

	// ErrLoopClosed is returned, or panicked with, by a loop that was closed.
	ErrLoopClosed error = &classError{"RuntimeError", "Event loop is closed", nil}

	// ErrNoRunningLoop is returned where a call needs a running loop and the
	// context comes from none, or the caller is not on that loop's goroutine.
	ErrNoRunningLoop error = &classError{"RuntimeError", "no running event loop", nil}

	// ErrLoopRunning is returned where a loop runs already: this one, or another
	// on the same goroutine.
	ErrLoopRunning error = &classError{"RuntimeError", "This event loop is already running", nil}

	// ErrOtherLoop is returned where a future of one loop is awaited on another.
	ErrOtherLoop error = &classError{"RuntimeError", "attached to a different loop", nil}

	// ErrSendfileNotAvailable is returned where a file cannot be sent by the system
	// and must not be sent otherwise. It is errors.ErrUnsupported, too. Python:
	// asyncio.SendfileNotAvailableError.
	ErrSendfileNotAvailable error = &classError{"SendfileNotAvailableError", "the system cannot send the file", errors.ErrUnsupported}

	// ErrKeyboardInterrupt is what a second Ctrl-C makes of a run. A task or
	// callback that ends with it ends the run. Python: KeyboardInterrupt.
	ErrKeyboardInterrupt error = &classError{"KeyboardInterrupt", "interrupted", nil}
)

func errorf(class string, is error, format string, args ...any) error {
	return &classError{class, fmt.Sprintf(format, args...), is}
}

// runtimeErrorf, valueErrorf and typeErrorf make errors of Python's classes.
func runtimeErrorf(format string, args ...any) error {
	return errorf("RuntimeError", nil, format, args...)
}
func valueErrorf(format string, args ...any) error {
	return errorf("ValueError", nil, format, args...)
}
func typeErrorf(format string, args ...any) error { return errorf("TypeError", nil, format, args...) }

func invalidState(what string) error {
	return errorf("InvalidStateError", ErrInvalidState, "%s", what)
}

// CancelledError is what a wait returns whose task was cancelled. A coroutine
// that receives it cleans up and returns it; it may refuse, and go on.
//
// It is ErrCancelled and context.Canceled by errors.Is. As in Python it is no
// Exception: what catches every Exception does not catch it (IsException).
//
// Python: asyncio.CancelledError.
type CancelledError struct {
	Msg any // what Cancel was called with; nil if with nothing
}

// Error tells that it was cancelled, and with which message.
func (e *CancelledError) Error() string {
	if e.Msg == nil {
		return "asyncio: cancelled"
	}
	return fmt.Sprint("asyncio: cancelled: ", e.Msg)
}

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
// becomes: an error with the value and the stack of its origin.
type PanicError = greenlet.PanicError

// asCancelled returns the CancelledError that err is, or wraps. It does not look
// into errors that wrap several: a group of errors is no cancellation.
func asCancelled(err error) *CancelledError {
	for err != nil {
		if c, ok := err.(*CancelledError); ok {
			return c
		}
		err = errors.Unwrap(err)
	}
	return nil
}

// IsException reports whether err is what Python calls an Exception: an error
// that is neither a cancellation nor meant to end the program. It is the "except
// Exception" of a program that comes from Python.
func IsException(err error) bool {
	return err != nil && asCancelled(err) == nil && !endsRun(err) && !errors.Is(err, ErrGeneratorExit)
}

// endsRun reports whether err ends the run of the loop.
func endsRun(err error) bool {
	var exit *SystemExit
	return errors.Is(err, ErrKeyboardInterrupt) || errors.As(err, &exit)
}
