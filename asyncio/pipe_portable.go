package asyncio

import (
	"os"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A portablePipe is the loop's end of a pipe: a file on which goroutines read ahead and
// write behind. This file is all that knows that.
type portablePipe struct {
	file *os.File
	on   sched.Watcher // nil: nobody is told
	in   fd.ReadAhead
	out  fd.WriteBehind
}

// portablePipes makes portablePipes.
type portablePipes struct{}

func (portablePipes) tellsClosed() bool { return false }

// endOf makes an end of file itself: Go's poller has it, and would not have a
// duplicate on each system.
func (portablePipes) endOf(file *os.File) (pipeEnd, error) {
	if _, err := kindOfFile(file); err != nil {
		return nil, err
	}
	return &portablePipe{file: file}, nil
}

// kindOfFile tells whether file is a stream, or else a character device. Other files
// are refused.
func kindOfFile(file *os.File) (stream bool, err error) {
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
func (portablePipes) newPipe(childWrites bool) (ours pipeEnd, child *os.File, err error) {
	r, w, err := os.Pipe()
	switch {
	case err != nil:
		return nil, nil, err
	case childWrites:
		return &portablePipe{file: r}, w, nil
	}
	return &portablePipe{file: w}, r, nil
}

// takeOver does nothing: the file is the end's.
func (e *portablePipe) takeOver(*os.File) {}

// letGo leaves the file as it was.
func (e *portablePipe) letGo(*os.File) {}

// watch begins to tell w what can be done. It reports whether the end is one of a
// stream, or else a character device.
func (e *portablePipe) watch(l *Loop, w sched.Watcher) (stream bool, err error) {
	e.on = w
	e.in.Init(l.s, e.file, func() { e.tell(sched.Readable) })
	e.out.Init(l.s, &l.world().writers, e.file, e.room)
	return kindOfFile(e.file)
}

func (e *portablePipe) tell(ev sched.Events) {
	if e.on != nil {
		e.on.Happened(ev)
	}
}

// room tells of room, or that there will be none.
func (e *portablePipe) room() {
	ev := sched.Writable
	if e.failure() != nil {
		ev |= sched.HungUp
	}
	e.tell(ev)
}

// failure is why nothing is written any more, if that is not told by write.
func (e *portablePipe) failure() error { return os.NewSyscallError("write", bare(e.out.Failure())) }

// unwatch ends the telling.
func (e *portablePipe) unwatch() { e.on = nil }

// read takes what has come: wait, if that is nothing.
func (e *portablePipe) read(p []byte) (n int, wait bool, err error) {
	n, err = e.in.Read(p)
	return outcomeOf("read", n, err)
}

// write takes what there is room for: wait, if that is nothing. An error is that
// of an earlier write.
func (e *portablePipe) write(p []byte) (n int, wait bool, err error) {
	n, err = e.out.Write(p)
	return outcomeOf("write", n, err)
}

// close closes the file when all is written. On some systems that waits for a read
// which cannot be ended, that of a terminal; so a goroutine does it then.
func (e *portablePipe) close() {
	e.on = nil
	if e.in.Getting() {
		go e.file.Close()
		return
	}
	e.out.CloseAfter(e.file)
}

// control calls f with the descriptor.
func (e *portablePipe) control(f func(fd uintptr)) error {
	raw, err := e.file.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

// String tells people which it is.
func (e *portablePipe) String() string { return "file " + e.file.Name() }
