//go:build darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import "golang.org/x/sys/unix"

func keepAliveByDefault(int) {} // see acceptInherits

// reusePort has several sockets listen at one address.
func reusePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
