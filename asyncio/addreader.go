package asyncio

import (
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet/sched"
)

// AddReader has fn called in each turn of the loop in which a read of the
// descriptor fd would not wait: there is data, or a connection to accept, or the
// end, or an error. So fn reads, or calls RemoveReader. There is one reader for a
// descriptor: another one takes its place, and the old one is not called any more,
// not even where it was about to be. If fd can be read and written, the reader is
// called before the writer. fn runs as a callback of CallSoon does.
//
// fd must not block, and RemoveReader must be called before fd is closed; Close
// of the loop does not close it. A descriptor that is watched does not keep
// anything alive or running.
//
// The error is a RuntimeError if a transport or a Socket of the loop uses fd;
// ErrLoopClosed; errors.ErrUnsupported on systems where loops watch no
// descriptors; or one of the system, such as for a file on disk. Tasks and
// callbacks of the loop may call it; it does not switch. Python: loop.add_reader.
func (l *Loop) AddReader(fd int, fn func()) error { return l.addHandler(fd, sched.Readable, fn) }

// AddWriter is AddReader for writing: fn is called in each turn in which a write
// to fd would not wait, which is most of the time. Python: loop.add_writer.
func (l *Loop) AddWriter(fd int, fn func()) error { return l.addHandler(fd, sched.Writable, fn) }

// RemoveReader takes back what AddReader has arranged, also where it is due in
// the present turn. It reports whether there was a reader. Tasks and callbacks of
// the loop may call it; it does not switch. Python: loop.remove_reader.
func (l *Loop) RemoveReader(fd int) bool { return l.removeHandler(fd, sched.Readable) }

// RemoveWriter takes back what AddWriter has arranged, and reports whether there
// was a writer. Python: loop.remove_writer.
func (l *Loop) RemoveWriter(fd int) bool { return l.removeHandler(fd, sched.Writable) }

// A handledDescriptor is one that callbacks are called for.
type handledDescriptor struct {
	sched.Descriptor
	reader, writer *sched.Call
}

// handledDescriptors are those of a loop.
type handledDescriptors struct{ byNumber map[int]*handledDescriptor }

var handledPart = newPart(endOpen,
	func() *handledDescriptors { return &handledDescriptors{make(map[int]*handledDescriptor)} }, nil)

// Happened is called by the loop's poller.
func (d *handledDescriptor) Happened(ev sched.Events) {
	if d.reader != nil && ev&sched.Readable != 0 {
		d.reader.Soon()
	}
	if d.writer != nil && ev&sched.Writable != 0 {
		d.writer.Soon()
	}
}

// handler is the place for what is called for ev.
func (d *handledDescriptor) handler(ev sched.Events) **sched.Call {
	if ev == sched.Readable {
		return &d.reader
	}
	return &d.writer
}

func (l *Loop) addHandler(fd int, ev sched.Events, fn func()) error {
	refused := l.onlySystem("AddReader and AddWriter")
	switch {
	case refused != nil:
		return refused
	case l.s.Closed():
		return ErrLoopClosed
	case l.debug && l.s.Foreign():
		return errForeign
	case fn == nil:
		return typeErrorf("a callback was expected, got nil")
	case fd < 0:
		return valueErrorf("Invalid file descriptor: %d", fd)
	}
	handled := handledPart.in(l.parts).byNumber
	d := handled[fd]
	var err error
	if d == nil {
		d = &handledDescriptor{}
		err = l.s.WatchLevel(&d.Descriptor, fd, d, ev)
	} else {
		err = d.Rewatch(d.Events() | ev)
	}
	switch {
	case errors.Is(err, sched.ErrWatched):
		return runtimeErrorf("File descriptor %d is used by a transport or a socket", fd)
	case err != nil:
		return fmt.Errorf("asyncio: descriptor %d cannot be watched: %w", fd, err)
	}
	handled[fd] = d
	h := d.handler(ev)
	if *h != nil {
		(*h).Cancel()
	}
	*h = l.s.NewCall(fn)
	return nil
}

func (l *Loop) removeHandler(fd int, ev sched.Events) bool {
	if l.debug {
		l.mustOwn()
	}
	handled := handledPart.in(l.parts).byNumber
	d := handled[fd]
	if d == nil || l.s.Closed() || *d.handler(ev) == nil {
		return false
	}
	h := d.handler(ev)
	(*h).Cancel()
	*h = nil
	// An error means that fd was closed before: then it is not watched either.
	if rest := d.Events() &^ ev; rest != 0 {
		d.Rewatch(rest)
	} else {
		d.Unwatch()
		delete(handled, fd)
	}
	return true
}
