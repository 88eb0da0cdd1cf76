//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// dupFile returns a duplicate of the descriptor of c, a socket or an *os.File. It
// does not block, and stays so when somebody calls its Fd, as package exec does, and
// net.FileListener. The File of a connection of package net would block from then
// on, and with it all duplicates, also those of other processes: one that has just
// found that nobody connects would wait in the system call, and Close for it.
func dupFile(c syscall.Conn) (*os.File, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if failed := raw.Control(func(of uintptr) { fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0) }); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return os.NewFile(uintptr(fd), "socket"), nil
}
