//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import "golang.org/x/sys/unix"

func keepAliveByDefault(int) {} // see acceptInherits

// sharePort has several sockets listen at one address.
func sharePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
