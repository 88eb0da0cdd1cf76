//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A watchedPipe is the loop's end of a pipe: a descriptor that it watches. This file is
// all that knows that.
type watchedPipe struct{ fd.FD }

func newWatchedPipe(own int) *watchedPipe {
	e := &watchedPipe{}
	e.FD.FD = own
	return e
}

// watchedPipes makes watchedPipes.
type watchedPipes struct{}

func init() { systemPipes = watchedPipes{} }

func (watchedPipes) tellsClosed() bool { return true }

// endOf makes an end of what file is: a descriptor of its own, non-blocking and not
// inherited by children.
func (watchedPipes) endOf(file *os.File) (pipeEnd, error) {
	raw, err := file.SyscallConn() // File.Fd would make the file a blocking one
	if err != nil {
		return nil, err
	}
	own := -1
	controlled := raw.Control(func(of uintptr) {
		if _, err = pipeKind(int(of)); err != nil {
			return
		}
		if own, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			err = os.NewSyscallError("dup", err)
			return
		}
		if err = unix.SetNonblock(own, true); err != nil {
			unix.Close(own)
		}
	})
	if controlled != nil {
		err = &os.PathError{Op: "dup", Path: file.Name(), Err: os.ErrClosed}
	}
	if err != nil {
		return nil, err
	}
	return newWatchedPipe(own), nil
}

// takeOver closes file, of which the end was made.
func (e *watchedPipe) takeOver(file *os.File) { file.Close() }

// letGo closes the end, and leaves file as it was.
func (e *watchedPipe) letGo(*os.File) { e.close() }

// watch begins to tell w what can be done. It reports whether the end is one of a
// stream, or else a character device. Other files are refused.
func (e *watchedPipe) watch(l *Loop, w sched.Watcher) (stream bool, err error) {
	if stream, err = pipeKind(e.FD.FD); err == nil {
		err = e.Watch(l.s, w)
	}
	return stream, err
}

// unwatch ends that.
func (e *watchedPipe) unwatch() { e.Unwatch() }

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
func (watchedPipes) newPipe(childWrites bool) (ours pipeEnd, child *os.File, err error) {
	var ends [2]int
	syscall.ForkLock.RLock()
	if err = syscall.Pipe(ends[:]); err == nil {
		syscall.CloseOnExec(ends[0])
		syscall.CloseOnExec(ends[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("pipe", err)
	}
	own, theirs := ends[1], ends[0]
	if childWrites {
		own, theirs = theirs, own
	}
	if err := unix.SetNonblock(own, true); err != nil {
		unix.Close(own)
		unix.Close(theirs)
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	return newWatchedPipe(own), os.NewFile(uintptr(theirs), "|"), nil
}

// read reads what there is: wait, if that is nothing.
func (e *watchedPipe) read(p []byte) (n int, wait bool, err error) {
	n, _, err = e.FD.Read(p)
	return outcomeOf("read", n, err)
}

// write writes what there is room for: wait, if that is nothing.
func (e *watchedPipe) write(p []byte) (n int, wait bool, err error) {
	n, _, err = e.FD.Write(p)
	return outcomeOf("write", n, err)
}

// failure is why nothing is written any more, if that is not told by write.
func (e *watchedPipe) failure() error { return nil }

func (e *watchedPipe) close() { e.FD.Close() }

// control calls f with the descriptor.
func (e *watchedPipe) control(f func(fd uintptr)) error { return e.FD.Control(f) }

// String tells people which it is.
func (e *watchedPipe) String() string { return "descriptor " + strconv.Itoa(e.FD.FD) }
