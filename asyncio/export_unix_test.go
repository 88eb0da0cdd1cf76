//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

// SetRestarts has a process that fails started again at once, at most so many
// times.
func SetRestarts(most int) { firstPause, mostFails = 1, most }

// Inheritable is a listener as children get it.
var Inheritable = inheritable
