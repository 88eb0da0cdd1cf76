//go:build unix

package sys

import "golang.org/x/sys/unix"

// These are the calls that are not frequent, in the way of package unix. They are
// made again if a signal has interrupted them.

// RecvFrom is recvfrom(2): it receives one datagram.
func RecvFrom(fd int, p []byte) (n int, from unix.Sockaddr, err error) {
	for {
		if n, from, err = unix.Recvfrom(fd, p, 0); err != unix.EINTR {
			if err == nil {
				Acquire()
			}
			return max(n, 0), from, err
		}
	}
}

// SendTo is sendto(2): it sends one datagram, to whom the socket is connected if
// to is nil.
func SendTo(fd int, p []byte, to unix.Sockaddr) (err error) {
	Release()
	for {
		if to == nil {
			err = unix.Send(fd, p, 0)
		} else {
			err = unix.Sendto(fd, p, 0, to)
		}
		if err != unix.EINTR {
			return err
		}
	}
}

// Connect is connect(2). It is not made again: what was interrupted goes on.
func Connect(fd int, to unix.Sockaddr) error {
	Release()
	return unix.Connect(fd, to)
}

// Shutdown is shutdown(2): the end is something that is received, too.
func Shutdown(fd, how int) error {
	Release()
	return unix.Shutdown(fd, how)
}

// Close is close(2), of what somebody else may be waiting for. It is not made
// again: the descriptor is gone.
func Close(fd int) error {
	Release()
	return unix.Close(fd)
}
