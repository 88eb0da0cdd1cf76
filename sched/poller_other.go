//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package sched

// Elsewhere a loop watches no descriptors: what waits for the system does so on
// goroutines, by Go's own poller, and posts.
func newPoller() Poller { return newIdler() }
