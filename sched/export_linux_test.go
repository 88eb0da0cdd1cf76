//go:build !portable

package sched

// SetPreciseWait tells whether epoll_pwait2 is used where the kernel has it.
func SetPreciseWait(on bool) { preciseWait.Store(on) }
