//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/sched"
)

// A pipeEnd is the loop's end of a pipe: a file on which goroutines read ahead and
// write behind. This file is all that knows that.
type pipeEnd struct {
	file *os.File
	on   sched.Watcher // nil: nobody is told
	in   readAhead
	out  writeBehind
}

// endOf makes an end of file itself: Go's poller has it, and would not have a
// duplicate on each system.
func endOf(file *os.File) (*pipeEnd, error) {
	if _, err := pipeKind(file); err != nil {
		return nil, err
	}
	return &pipeEnd{file: file}, nil
}

// pipeKind tells whether file is a stream, or else a character device. Other files
// are refused.
func pipeKind(file *os.File) (stream bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, err
	}
	switch mode := info.Mode(); {
	case mode&(os.ModeNamedPipe|os.ModeSocket) != 0:
		return true, nil
	case mode&os.ModeCharDevice != 0:
		return false, nil
	}
	return false, valueErrorf("Pipe transport is only for pipes, sockets and character devices")
}

// newPipe makes a pipe of which one end is the loop's: that for reading if the
// child writes.
func newPipe(childWrites bool) (ours *pipeEnd, child *os.File, err error) {
	r, w, err := os.Pipe()
	switch {
	case err != nil:
		return nil, nil, err
	case childWrites:
		return &pipeEnd{file: r}, w, nil
	}
	return &pipeEnd{file: w}, r, nil
}

// takeOver does nothing: the file is the end's.
func (e *pipeEnd) takeOver(*os.File) {}

// letGo leaves the file as it was.
func (e *pipeEnd) letGo(*os.File) {}

// watch begins to tell w what can be done. It reports whether the end is one of a
// stream, or else a character device.
func (e *pipeEnd) watch(l *Loop, w sched.Watcher) (stream bool, err error) {
	e.on = w
	e.in.init(l, e.file, func() { e.tell(sched.Readable) })
	e.out.init(l, e.file, e.room)
	return pipeKind(e.file)
}

func (e *pipeEnd) tell(ev sched.Events) {
	if e.on != nil {
		e.on.Happened(ev)
	}
}

// room tells of room, or that there will be none.
func (e *pipeEnd) room() {
	ev := sched.Writable
	if e.failure() != nil {
		ev |= sched.HungUp
	}
	e.tell(ev)
}

// failure is why nothing is written any more, if that is not told by write.
func (e *pipeEnd) failure() error { return os.NewSyscallError("write", bare(e.out.failure())) }

// unwatch ends the telling.
func (e *pipeEnd) unwatch() { e.on = nil }

// read takes what has come: wait, if that is nothing.
func (e *pipeEnd) read(p []byte) (n int, wait bool, err error) {
	n, err = e.in.read(p)
	return outcomeOf("read", n, err)
}

// write takes what there is room for: wait, if that is nothing. An error is that
// of an earlier write.
func (e *pipeEnd) write(p []byte) (n int, wait bool, err error) {
	n, err = e.out.write(p)
	return outcomeOf("write", n, err)
}

func outcomeOf(call string, n int, err error) (int, bool, error) {
	switch err {
	case nil:
		return n, false, nil
	case errAgain:
		return 0, true, nil
	}
	return 0, false, os.NewSyscallError(call, bare(err))
}

// close closes the file when all is written. On some systems that waits for a read
// which cannot be ended, that of a terminal; so a goroutine does it then.
func (e *pipeEnd) close() {
	e.on = nil
	if e.in.under {
		go e.file.Close()
		return
	}
	e.out.closeAfter(e.file)
}

// control calls f with the descriptor.
func (e *pipeEnd) control(f func(fd uintptr)) error {
	raw, err := e.file.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

// String tells people which it is.
func (e *pipeEnd) String() string { return "file " + e.file.Name() }

var errBrokenPipe = os.NewSyscallError("write", syscall.EPIPE)
