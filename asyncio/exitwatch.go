package asyncio

import (
	"os"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// processDescriptor returns a descriptor of a child that was not waited for, which
// can be read when the child has ended; -1 if there is none. Tests replace it.
var processDescriptor = fd.OpenProcess

// An exitWatch waits for the end of a child process. Where the system has a
// descriptor for a process, the loop watches that; elsewhere a goroutine waits, and
// posts.
type exitWatch struct {
	sched.Descriptor
	process  *subprocess
	fd       int
	happened bool                  // the child has ended, and is to be waited for
	begun    bool                  // the protocol may be told
	call     *sched.Call           // nil if a goroutine waits
	waited   chan *os.ProcessState // what the goroutine has come to
}

// watchProcess begins to watch the process of t.
func (w *exitWatch) watchProcess(t *subprocess) {
	w.process = t
	w.fd = processDescriptor(t.process.Pid)
	if w.fd >= 0 {
		if err := t.loop.s.Watch(&w.Descriptor, w.fd, w); err == nil {
			w.call = t.loop.s.NewCall(w.run)
			return
		}
		fd.CloseDescriptor(w.fd)
		w.fd = -1
	}
	w.waited = make(chan *os.ProcessState, 1)
	t.loop.outsiders.Store(true)
	go func() {
		state, err := t.process.Wait()
		sys.Acquire()
		w.waited <- state
		t.loop.s.Post(func() { t.ended(state, err) }) // a closed loop need not know
	}()
}

// Happened is called by the loop's poller.
func (w *exitWatch) Happened(sched.Events) {
	w.happened = true
	if w.begun {
		w.call.Soon()
	}
}

// proceed allows the protocol to be told.
func (w *exitWatch) proceed() {
	w.begun = true
	if w.happened {
		w.call.Soon()
	}
}

// run takes the child's exit code, which is there.
func (w *exitWatch) run() { w.process.ended(w.process.process.Wait()) }

// reap waits for the end of the process and returns its state, if that is sure to
// come soon. Else it is waited for elsewhere.
func (w *exitWatch) reap(soon bool) (state *os.ProcessState) {
	switch {
	case w.waited != nil && soon:
		state = <-w.waited
	case w.waited != nil:
	case soon:
		state, _ = w.process.process.Wait()
	default:
		go w.process.process.Wait()
	}
	return state
}

// close ends the watch.
func (w *exitWatch) close() {
	if w.fd >= 0 {
		w.Unwatch()
		fd.CloseDescriptor(w.fd)
		w.fd = -1
	}
}
