//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// Open makes a socket that does not block and that no child inherits. The error is
// an *os.SyscallError.
func Open(family, kind int) (int, error) {
	syscall.ForkLock.RLock()
	fd, err := unix.Socket(family, kind, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("setnonblock", err)
	}
	return fd, nil
}

// Duplicate makes a duplicate of the descriptor of c, which no child inherits. kind
// is that of the socket: unix.SOCK_STREAM, or another; 0 if it is none. The error is
// an *os.SyscallError of call, or that of c.
func Duplicate(c syscall.Conn, call string) (fd, kind int, err error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return -1, 0, err
	}
	fd = -1
	failed := raw.Control(func(of uintptr) {
		if fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			err = os.NewSyscallError(call, err)
			return
		}
		kind, _ = unix.GetsockoptInt(int(of), unix.SOL_SOCKET, unix.SO_TYPE)
	})
	if failed != nil {
		err = failed
	}
	return fd, kind, err
}
