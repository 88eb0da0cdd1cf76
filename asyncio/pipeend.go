package asyncio

import (
	"os"

	"github.com/go-greenlet/greenlet/sched"
)

// A pipeEnd is the loop's end of a pipe, of which there are two kinds: a descriptor
// that the loop watches (pipe_watched.go), and a file that goroutines wait for
// (pipe_portable.go).
type pipeEnd interface {
	// takeOver closes file, of which the end was made, if the end has one of its own.
	takeOver(file *os.File)
	// letGo gives up the end, and leaves file as it was.
	letGo(file *os.File)
	// watch begins to tell w what can be done. It reports whether the end is one of a
	// stream, or else a character device. Other files are refused.
	watch(l *Loop, w sched.Watcher) (stream bool, err error)
	// unwatch ends that.
	unwatch()
	// read and write do what can be done without waiting: wait, if that is nothing.
	read(p []byte) (n int, wait bool, err error)
	write(p []byte) (n int, wait bool, err error)
	// failure is why nothing is written any more, if that is not told by write.
	failure() error
	close()
	// control calls f with the descriptor.
	control(f func(fd uintptr)) error
	String() string
}

// pipes makes the pipes of a loop, of one kind.
type pipes interface {
	// endOf makes an end of what file is.
	endOf(file *os.File) (pipeEnd, error)
	// newPipe makes a pipe of which one end is the loop's: that for reading if the
	// child writes.
	newPipe(childWrites bool) (ours pipeEnd, child *os.File, err error)
	// tellsClosed reports whether one that is written to is told that nobody reads
	// any more, without a write.
	tellsClosed() bool
}
