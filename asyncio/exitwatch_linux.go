//go:build !portable

package asyncio

import "golang.org/x/sys/unix"

// openProcess returns a pidfd, or -1: the kernel may be too old, or the limit of
// descriptors reached.
func openProcess(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}

func closeDescriptor(fd int) { unix.Close(fd) }
