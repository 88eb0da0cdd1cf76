//go:build unix && !linux

package sys

import "golang.org/x/sys/unix"

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
		Acquire()
		return n, nil
	}
}
