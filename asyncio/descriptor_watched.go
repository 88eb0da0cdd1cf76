//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// A descriptor is an open socket that tasks of a loop wait for, and others too:
//
//   - A task of the loop makes its system calls on the spot. Where one would have
//     to wait, the task waits in a line, and the loop's poller wakes it.
//   - Who is no task of the loop must not depend on the loop's goroutine: that
//     may be blocked, or end, while it waits. It uses the twin, a duplicate that
//     Go's own poller watches.
//
// Both see one socket, so either may be told of what the other takes. Then it
// tries in vain and waits on.
type descriptor struct {
	fd.FD
	loop    *Loop
	cleanup runtime.Cleanup // closes one that is forgotten
	in, out direction
	turns   turns
	told    func() // is called, once, when something can be read: see NotifyReadable

	mu    sync.Mutex // the owner may wait for it: it is never held for long
	tasks bool       // a task has waited, so the loop is to be told of the end
	twin  *os.File
	raw   syscall.RawConn // of twin
}

func (d *descriptor) open(l *Loop, number int, messages bool) {
	d.loop, d.FD.FD, d.Messages = l, number, messages
	d.in.ready, d.out.ready = true, true
	d.cleanup = runtime.AddCleanup(d, func(number int) { sys.Close(number) }, number)
}

// Happened is called by the loop's poller.
func (d *descriptor) Happened(ev sched.Events) {
	d.Note(ev)
	if ev&sched.Readable != 0 {
		d.in.ready = true
		d.in.line.wake(1)
		d.tellReadable()
	}
	if ev&sched.Writable != 0 {
		d.out.ready = true
		d.out.line.wake(1)
	}
}

func (d *descriptor) tellReadable() {
	if f := d.told; f != nil {
		d.told = nil
		f()
	}
}

// caller returns the calling task, if it is one of the loop. Else it reports
// whether the caller may wait all the same, by the twin: a callback may not.
func (d *descriptor) caller() (t *task, waits bool) {
	s := d.loop.s
	if !s.Owned() {
		return nil, true
	}
	st := s.Current()
	if st == nil {
		return nil, !s.Running()
	}
	st.Here()
	return taskIn(st), true
}

// wait suspends t until something can be done in the direction of w, or may be.
func (d *descriptor) wait(t *task, w *direction) error {
	if !d.Watched() {
		if err := d.watch(); err != nil {
			return err
		}
	}
	if err := w.arm(d.loop, t); err != nil {
		return err
	}
	g, err := w.line.stand(t)
	if g != nil {
		if w.ready { // since a moment ago: stand may ask the poller
			w.line.choose(t)
		}
		_, err = g.Switch(nil)
	}
	if err = w.disarm(t, err); err == nil && d.IsShut() {
		err = net.ErrClosed
	}
	return err
}

// watch has the loop's poller tell of what happens.
func (d *descriptor) watch() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.IsShut() {
		return net.ErrClosed
	}
	d.tasks = true
	return loopError(d.Watch(d.loop.s, d))
}

// exit is called after a system call.
func (d *descriptor) exit() {
	if d.Leave() {
		d.destroy()
	}
}

// do calls try, with the descriptor's number, until it returns another error
// than EAGAIN, and returns that. If always, it calls it also where it is known
// that it would have to wait.
func (d *descriptor) do(w *direction, always bool, try func(fd int) error) error {
	t, waits := d.caller()
	if t == nil && waits {
		return d.outside(w, try)
	}
	if t != nil && t.unheard {
		return t.refused()
	}
	for {
		if w.expired(d.loop) {
			return os.ErrDeadlineExceeded
		}
		if w.ready || always || t == nil {
			if !d.Enter() {
				return net.ErrClosed
			}
			err := try(d.FD.FD)
			d.exit()
			if err != unix.EAGAIN {
				w.passOn()
				return err
			}
			w.ready, always = false, false
		}
		if t == nil {
			return errCallbackWaits
		}
		if err := d.wait(t, w); err != nil {
			return err
		}
	}
}

// outside is do for a caller who waits without the loop.
func (d *descriptor) outside(w *direction, try func(fd int) error) error {
	_, raw, err := d.double()
	if err != nil {
		return err
	}
	var result error
	f := func(fd uintptr) bool {
		result = try(int(fd))
		return result != unix.EAGAIN
	}
	if w == &d.in {
		err = raw.Read(f)
	} else {
		err = raw.Write(f)
	}
	switch {
	case err == nil:
		return result
	case d.IsShut():
		return net.ErrClosed
	}
	return err
}

// twinError returns err, of a Read or Write of the twin, as that of the call.
func (d *descriptor) twinError(err error) error {
	e, ok := err.(*os.PathError)
	if !ok {
		return err
	}
	if _, ofSystem := e.Err.(syscall.Errno); !ofSystem && d.IsShut() {
		return net.ErrClosed
	}
	return e.Err
}

// double returns the twin, which it makes if need be.
func (d *descriptor) double() (*os.File, syscall.RawConn, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.IsShut() {
		return nil, nil, net.ErrClosed
	}
	if d.twin != nil {
		return d.twin, d.raw, nil
	}
	// Not one of the first three: package os ends the program when a Write to
	// standard output finds that nobody reads.
	fd, err := unix.FcntlInt(uintptr(d.FD.FD), unix.F_DUPFD_CLOEXEC, 3)
	if err != nil {
		return nil, nil, os.NewSyscallError("fcntl", err)
	}
	twin := os.NewFile(uintptr(fd), "") // of a non-blocking one: Go's poller has it
	raw, err := twin.SyscallConn()
	if err != nil {
		twin.Close()
		return nil, nil, err
	}
	d.twin, d.raw = twin, raw
	for _, w := range []*direction{&d.in, &d.out} {
		if at := w.deadline.Load(); at != 0 {
			d.tell(w, time.Now().Add(time.Duration(at)-d.loop.s.Now()))
		}
	}
	return twin, raw, nil
}

// tell tells the twin of w's deadline.
func (d *descriptor) tell(w *direction, when time.Time) error {
	if w == &d.in {
		return d.twin.SetReadDeadline(when)
	}
	return d.twin.SetWriteDeadline(when)
}

// setDeadline sets the deadline of w. Tasks that wait are told.
func (d *descriptor) setDeadline(w *direction, when time.Time) error {
	at := deadlineOf(d.loop, when, time.Now())
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.IsShut() {
		return net.ErrClosed
	}
	w.deadline.Store(at)
	if d.twin != nil {
		if err := d.tell(w, when); err != nil {
			return err
		}
	}
	switch {
	case !d.tasks:
	case d.loop.s.Owned():
		w.rearm(d.loop)
	default:
		d.loop.s.Post(func() { w.rearm(d.loop) })
	}
	return nil
}

// close ends the descriptor. All who wait are woken. The system closes it at once,
// or when the last call with it has returned.
func (d *descriptor) close() error {
	first, last := d.Shut()
	if !first {
		return net.ErrClosed
	}
	d.cleanup.Stop()
	d.mu.Lock()
	twin, tasks, others := d.twin, d.tasks, d.turns.others
	d.twin, d.turns.others = nil, nil
	d.mu.Unlock()
	if twin != nil {
		twin.Close()
	}
	for _, turn := range others {
		close(turn)
	}
	var err error
	if last {
		err = d.destroy()
	}
	switch {
	case !tasks:
	case d.loop.s.Owned():
		d.ended()
	default:
		d.loop.s.Post(d.ended) // if the loop is closed, nobody waits
	}
	return os.NewSyscallError("close", err)
}

// destroy closes the descriptor, with which no call is under way.
func (d *descriptor) destroy() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.Watched() {
		if d.loop.s.Owned() {
			d.Unwatch()
		} else {
			d.Gone()
		}
	}
	return sys.Close(d.FD.FD)
}

// ended is the owner's part of close.
func (d *descriptor) ended() {
	d.mu.Lock()
	d.Unwatch()
	d.mu.Unlock()
	d.in.line.wake(everybody)
	d.out.line.wake(everybody)
	d.turns.tasks.wake(everybody)
	d.tellReadable()
}
