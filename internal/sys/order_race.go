//go:build race && unix

package sys

import "syscall"

// What the race detector knows of the system: bytes, connections and descriptors
// that go through it, and signals, order what came before they were sent before
// what comes after they have arrived. Package syscall tells it so of its Read and
// Write, by a word of its own. These calls go by the same word, so that the ends of
// a connection may be of this module and of package net. Without the race detector
// they are nothing.

// Release comes before a call that sends something.
func Release() { syscall.Write(-1, nil) } // it fails, having told

// Acquire comes after a call that has received something.
func Acquire() { syscall.Read(null, nil) } // it tells, having read the end

// null is where nothing can be read, without an error.
var null = func() int {
	fd, err := syscall.Open("/dev/null", syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
	if err != nil {
		return -1
	}
	return fd
}()
