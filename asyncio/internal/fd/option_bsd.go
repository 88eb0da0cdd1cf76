//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import "golang.org/x/sys/unix"

// KeepAliveByDefault does nothing: connections do not inherit it.
func KeepAliveByDefault(int) {}

// SharePort has several sockets listen at one address.
func SharePort(fd int) error {
	return unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)
}
