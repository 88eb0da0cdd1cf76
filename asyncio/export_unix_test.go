//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import "time"

// SetRestarts has a process that fails started again after pause, at most so many
// times, if it has not worked for as long as settled.
func SetRestarts(pause time.Duration, most int, settled time.Duration) {
	firstPause, longestPause, mostFails, settledTime = pause, max(pause, longestPause), most, settled
}

// Inheritable is a listener as children get it.
var Inheritable = dupFile
