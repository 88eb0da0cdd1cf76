// Package known counts the goroutines of this module that wake no loop by themselves, but
// for a signal: a loop that stands still does not wait for them.
package known

import "sync/atomic"

// Goroutines is how many there are.
var Goroutines atomic.Int64

// Signals is set when package os/signal has a goroutine.
var Signals atomic.Bool

// Goroutine counts the calling goroutine, until the function that it returns is called.
func Goroutine() (end func()) {
	Goroutines.Add(1)
	return func() { Goroutines.Add(-1) }
}
