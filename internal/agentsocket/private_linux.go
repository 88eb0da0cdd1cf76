package agentsocket

import (
	"net"

	"golang.org/x/sys/unix"
)

// listenPrivately listens on a socket that only its owner can use. Linux makes the
// file with the mode of the socket, so that is set before there is a file: the
// umask, which is all threads', stays as it is.
func listenPrivately(path string) (net.Listener, error) {
	return listenConfig(path, func(fd int) error { return unix.Fchmod(fd, 0o600) })
}

// peer returns the user of the process at the other end.
func peer(fd int) (uid int, err error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		return 0, err
	}
	return int(cred.Uid), nil
}
