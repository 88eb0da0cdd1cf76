package greenlet

import (
	"fmt"
	"runtime/debug"
)

// A PanicError is what a greenlet's panic becomes for its parent: the parent's
// Switch panics with it. Passing further up the tree it stays the same value,
// so that Stack is always the stack of the panic itself.
type PanicError struct {
	Value    any    // what was panicked with
	Stack    []byte // the greenlet's stack at the panic, as debug.Stack prints it
	Greenlet string // which greenlet it was, as its String says
}

// Error gives the value, the greenlet and the stack: it is what the runtime
// prints if nobody recovers.
func (e *PanicError) Error() string {
	return fmt.Sprintf("panic in %s: %v\n\n%s", e.Greenlet, e.Value, e.Stack)
}

// Unwrap returns the value if that is an error, so that errors.Is and
// errors.As see through.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// newPanicError wraps a recovered value. It must be called by the deferred
// function that recovered it, while the panicking frames are still there.
func newPanicError(value any, of string) *PanicError {
	if e, ok := value.(*PanicError); ok {
		return e
	}
	return &PanicError{Value: value, Stack: debug.Stack(), Greenlet: of}
}
