//go:build unix && !linux

package sys

import "golang.org/x/sys/unix"

// Elsewhere than on Linux the system is called through its C library, in the way
// of package unix.

// Read is read(2) on a descriptor that does not block.
func Read(fd int, p []byte) (int, error) { return again(unix.Read, fd, p) }

// Write is write(2) on a descriptor that does not block.
func Write(fd int, p []byte) (int, error) { return again(unix.Write, fd, p) }

func again(call func(int, []byte) (int, error), fd int, p []byte) (int, error) {
	p = p[:min(len(p), Max)]
	for {
		n, err := call(fd, p)
		if err != unix.EINTR {
			return max(n, 0), err
		}
	}
}

// Accept is accept(2) on a listening socket that does not block. The new socket
// does not block either, and is closed on exec.
func Accept(fd int) (int, error) {
	for {
		n, _, err := unix.Accept(fd)
		if err == unix.EINTR || err == unix.ECONNABORTED {
			continue
		}
		if err != nil {
			return -1, err
		}
		unix.CloseOnExec(n)
		if err := unix.SetNonblock(n, true); err != nil {
			unix.Close(n)
			return -1, err
		}
		return n, nil
	}
}
