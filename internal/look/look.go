// Package look is how the packages above package greenlet look at many suspended
// greenlets at once. Greenlet.Stack names the functions of each; here the names are
// found later, once for all that wait at the same place.
package look

import "runtime"

// Package greenlet sets these when it is initialized.
var (
	// Addresses appends to pcs the return addresses of g, a *greenlet.Greenlet that is
	// suspended, the innermost first, as runtime.Callers gives them. Where the switch
	// is the generic one there are none, and the number of its goroutine is returned,
	// for Printed. Of a g that runs, has not started or is dead there is neither. The
	// owner's; it does not switch. It costs half a microsecond.
	Addresses func(g any, pcs []uintptr) (_ []uintptr, goroutine uint64)

	// Printed returns the frames of all goroutines, each as Greenlet.Stack would. It
	// stops the world while it prints them. Any goroutine may call it.
	Printed func() map[uint64][]runtime.Frame

	// Trim drops from the frames of a suspended greenlet those of the switch and of
	// what the greenlet runs on. Any goroutine may call it.
	Trim func(frames []runtime.Frame) []runtime.Frame
)
