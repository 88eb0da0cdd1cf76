package asyncio

import "fmt"

// The three classes of errors that every Python program knows. By errors.As they
// are found wherever an error of the class is wrapped, and by errors.Is each of
// them is the sentinel of its class. Of a subclass so is its base: where Python has
// "except RuntimeError", ErrRuntime finds ErrBrokenBarrier, too.
//
// Error begins with the package's name, Message is what Python prints, and PyName
// is the name of the class.

// A ValueError says that an argument has the right type and a value that is
// impossible. It is ErrValue by errors.Is. Python: ValueError.
type ValueError struct{ classError }

// A TypeError says that an argument is not what the call can work with: nil, most
// often. It is ErrType by errors.Is. Python: TypeError.
type TypeError struct{ classError }

// A RuntimeError says that a call is impossible at this time. It is ErrRuntime by
// errors.Is. Python: RuntimeError.
type RuntimeError struct{ classError }

// Errors that stand for a class: errors.Is finds them in each error of it.
var (
	// ErrValue is found by errors.Is in every ValueError. Python: except ValueError.
	ErrValue = errorf("ValueError", nil, "a value is impossible")

	// ErrType is found by errors.Is in every TypeError. Python: except TypeError.
	ErrType = errorf("TypeError", nil, "an argument has the wrong type")

	// ErrRuntime is found by errors.Is in every RuntimeError, and in every error of
	// a class that Python derives from it. Python: except RuntimeError.
	ErrRuntime = errorf("RuntimeError", nil, "the call is impossible")
)

// runtimeErrors are the classes that Python derives from RuntimeError.
var runtimeErrors = map[string]bool{
	"RuntimeError":              true,
	"BrokenBarrierError":        true,
	"BrokenProcessPool":         true,
	"NotImplementedError":       true,
	"SendfileNotAvailableError": true,
}

// A classError is an error of a class that Python has.
type classError struct {
	class string
	msg   string
	is    error // what it is by errors.Is, too
}

// Error returns the message, after the name of the package.
func (e *classError) Error() string { return "asyncio: " + e.msg }

// Message returns the message, as Python has it.
func (e *classError) Message() string { return e.msg }

// PyName is the name of the class in Python.
func (e *classError) PyName() string { return e.class }

// Unwrap returns what it is, too: its cause, or one of the package's errors.
func (e *classError) Unwrap() error { return e.is }

// Is reports whether target is the sentinel of its class.
func (e *classError) Is(target error) bool { return classIs(e.class, target) }

// As makes target the error of its class, or of the class from which Python
// derives that.
func (e *classError) As(target any) bool { return classAs(e, target) }

// className returns the name of the class that err has in Python, or nothing.
func className(err error) string {
	if asCancelled(err) != nil {
		return "CancelledError"
	}
	if named, ok := err.(interface{ PyName() string }); ok {
		return named.PyName()
	}
	return ""
}

func classIs(class string, target error) bool {
	switch target {
	case ErrValue:
		return class == "ValueError"
	case ErrType:
		return class == "TypeError"
	case ErrRuntime:
		return runtimeErrors[class]
	}
	return false
}

func classAs(e *classError, target any) bool {
	switch to := target.(type) {
	case **ValueError:
		if e.class == "ValueError" {
			*to = &ValueError{*e}
			return true
		}
	case **TypeError:
		if e.class == "TypeError" {
			*to = &TypeError{*e}
			return true
		}
	case **RuntimeError:
		if runtimeErrors[e.class] {
			*to = &RuntimeError{*e}
			return true
		}
	}
	return false
}

// errorf makes an error of a class, which is also is.
func errorf(class string, is error, format string, args ...any) error {
	e := classError{class, fmt.Sprintf(format, args...), is}
	switch class {
	case "ValueError":
		return &ValueError{e}
	case "TypeError":
		return &TypeError{e}
	case "RuntimeError":
		return &RuntimeError{e}
	}
	return &e
}

func runtimeErrorf(format string, args ...any) error {
	return errorf("RuntimeError", nil, format, args...)
}

func valueErrorf(format string, args ...any) error {
	return errorf("ValueError", nil, format, args...)
}

func typeErrorf(format string, args ...any) error {
	return errorf("TypeError", nil, format, args...)
}

func invalidState(what string) error {
	return errorf("InvalidStateError", ErrInvalidState, "%s", what)
}
