package asyncio

import "golang.org/x/sys/unix"

// processDescriptor returns a pidfd of a child that was not waited for, which can
// be read when the child has ended; -1 if there is none: the kernel is too old, or
// the limit of descriptors reached.
func processDescriptor(pid int) int {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	return fd
}
