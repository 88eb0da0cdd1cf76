//go:build !portable

package fd

import "golang.org/x/sys/unix"

// OpenProcess returns a pidfd, or -1: the kernel may be too old, or the limit of
// descriptors reached.
func OpenProcess(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}

// CloseDescriptor closes it.
func CloseDescriptor(fd int) { unix.Close(fd) }
