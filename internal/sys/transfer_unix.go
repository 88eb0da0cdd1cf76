//go:build unix && (!linux || race)

package sys

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Elsewhere than on Linux the system is called through its C library, in the way
// of package syscall. That tells the race detector as well: see Release.

// Read is read(2) on a descriptor that does not block.
func Read(fd int, p []byte) (int, error) { return again(syscall.Read, fd, p) }

// Write is write(2) on a descriptor that does not block.
func Write(fd int, p []byte) (int, error) { return again(syscall.Write, fd, p) }

func again(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	p = p[:min(len(p), Max)]
	for {
		n, err := call(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}
