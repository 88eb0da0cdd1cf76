//go:build unix

package asyncio

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// duplicate returns a descriptor of its own for what file is, non-blocking and not
// inherited by children.
func duplicate(file *os.File) (fd int, err error) {
	raw, err := file.SyscallConn() // File.Fd would make the file a blocking one
	if err != nil {
		return -1, err
	}
	controlled := raw.Control(func(of uintptr) {
		if _, err = pipeKind(int(of)); err != nil {
			return
		}
		if fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			err = os.NewSyscallError("dup", err)
			return
		}
		if err = unix.SetNonblock(fd, true); err != nil {
			unix.Close(fd)
		}
	})
	if controlled != nil {
		err = &os.PathError{Op: "dup", Path: file.Name(), Err: os.ErrClosed}
	}
	return fd, err
}

// pipeKind tells whether fd is a stream, or else a character device. Other files are
// refused.
func pipeKind(fd int) (stream bool, err error) {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return false, os.NewSyscallError("fstat", err)
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO, unix.S_IFSOCK:
		return true, nil
	case unix.S_IFCHR:
		return false, nil
	}
	return false, valueErrorf("Pipe transport is only for pipes, sockets and character devices")
}

// newPipe makes a pipe of which the loop's end is non-blocking: that for reading if
// the child writes.
func newPipe(childWrites bool) (ours int, child *os.File, err error) {
	var ends [2]int
	syscall.ForkLock.RLock()
	if err = syscall.Pipe(ends[:]); err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, nil, os.NewSyscallError("pipe", err)
	}
	ours, theirs := ends[1], ends[0]
	if childWrites {
		ours, theirs = theirs, ours
	}
	if err := unix.SetNonblock(ours, true); err != nil {
		unix.Close(ours)
		unix.Close(theirs)
		return -1, nil, os.NewSyscallError("fcntl", err)
	}
	return ours, os.NewFile(uintptr(theirs), "|"), nil
}

func readDescriptor(fd int, p []byte) (n int, wait bool, err error) {
	n, err = sys.Read(fd, p)
	return outcomeOf("read", n, err)
}

func writeDescriptor(fd int, p []byte) (n int, wait bool, err error) {
	n, err = sys.Write(fd, p)
	return outcomeOf("write", n, err)
}

func outcomeOf(call string, n int, err error) (int, bool, error) {
	switch err {
	case nil:
		return n, false, nil
	case unix.EAGAIN:
		return 0, true, nil
	}
	return 0, false, os.NewSyscallError(call, err)
}

func closeDescriptor(fd int) { unix.Close(fd) }

var errBrokenPipe = os.NewSyscallError("write", unix.EPIPE)
