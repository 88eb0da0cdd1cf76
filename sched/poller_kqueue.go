//go:build (darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package sched

import (
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// kqueuer is the poller of the BSDs: kqueue, once there is a descriptor to watch,
// and before that the channel of an idler.
type kqueuer struct {
	idler
	kq      int           // -1: none yet
	pipe    int           // the end of a pipe that is watched for Wake
	watched []*Descriptor // by number
	count   int
	events  []unix.Kevent_t

	// What Wake uses.

	asleep atomic.Bool // the owner is in kevent, or about to be
	mu     sync.Mutex  // held while wake is written to, and when it is closed
	wake   int         // the other end of the pipe; -1: none
}

// eventBatch is how many events one call brings.
const eventBatch = 256

func init() {
	systemPoller = func() Poller { return &kqueuer{idler: *newIdler(), kq: -1, pipe: -1, wake: -1} }
}

func (p *kqueuer) open() error {
	syscall.ForkLock.RLock() // no child of another goroutine inherits them
	defer syscall.ForkLock.RUnlock()
	kq, err := unix.Kqueue()
	if err != nil {
		return err
	}
	unix.CloseOnExec(kq)
	var ends [2]int
	if err = unix.Pipe(ends[:]); err != nil {
		unix.Close(kq)
		return err
	}
	for _, fd := range ends {
		unix.CloseOnExec(fd)
		unix.SetNonblock(fd, true)
	}
	if err = control(kq, ends[0], unix.EVFILT_READ, unix.EV_ADD); err != nil {
		unix.Close(kq)
		unix.Close(ends[0])
		unix.Close(ends[1])
		return err
	}
	p.kq, p.pipe = kq, ends[0]
	p.mu.Lock()
	p.wake = ends[1]
	p.mu.Unlock()
	p.events = make([]unix.Kevent_t, eventBatch)
	return nil
}

// control makes one change.
func control(kq, fd, filter, flags int) error {
	change := make([]unix.Kevent_t, 1)
	unix.SetKevent(&change[0], fd, filter, flags)
	for {
		_, err := unix.Kevent(kq, change, nil, nil)
		if err != unix.EINTR {
			return err
		}
	}
}

func (p *kqueuer) Add(d *Descriptor, ev Events) error {
	if p.kq < 0 {
		if err := p.open(); err != nil {
			return err
		}
	}
	if d.fd < len(p.watched) {
		if before := p.watched[d.fd]; before != nil && !before.gone.Load() {
			return ErrWatched
		}
	}
	flags := unix.EV_ADD
	if ev == 0 {
		ev, flags = Readable|Writable, unix.EV_ADD|unix.EV_CLEAR
	}
	if err := p.add(d.fd, ev, flags); err != nil {
		return err
	}
	if d.fd >= len(p.watched) {
		p.watched = append(p.watched, make([]*Descriptor, d.fd+1-len(p.watched))...)
	}
	p.watched[d.fd] = d
	p.count++
	return nil
}

// add adds those of ev, or none if it fails.
func (p *kqueuer) add(fd int, ev Events, flags int) error {
	if ev&Readable != 0 {
		if err := control(p.kq, fd, unix.EVFILT_READ, flags); err != nil {
			return err
		}
	}
	if ev&Writable != 0 {
		// One end of a pipe cannot be written to, which is no reason to fail if
		// it is to be read.
		if err := control(p.kq, fd, unix.EVFILT_WRITE, flags); err != nil && ev&Readable == 0 {
			return err
		}
	}
	return nil
}

func (p *kqueuer) Change(d *Descriptor, ev Events) error {
	if gone := d.events &^ ev; gone&Readable != 0 {
		control(p.kq, d.fd, unix.EVFILT_READ, unix.EV_DELETE)
	}
	if gone := d.events &^ ev; gone&Writable != 0 {
		control(p.kq, d.fd, unix.EVFILT_WRITE, unix.EV_DELETE)
	}
	return p.add(d.fd, ev&^d.events, unix.EV_ADD)
}

func (p *kqueuer) Remove(d *Descriptor) error {
	p.count--
	if p.watched[d.fd] != d {
		return nil // it was closed, and its number is another's
	}
	p.watched[d.fd] = nil
	if d.gone.Load() {
		return nil // its number may be another's, which is watched elsewhere
	}
	ev := d.events
	if ev == 0 {
		ev = Readable | Writable
	}
	var err error
	if ev&Readable != 0 {
		err = control(p.kq, d.fd, unix.EVFILT_READ, unix.EV_DELETE)
	}
	if ev&Writable != 0 {
		if e := control(p.kq, d.fd, unix.EVFILT_WRITE, unix.EV_DELETE); e != nil && ev&Readable == 0 {
			err = e
		}
	}
	return err
}

func (p *kqueuer) Wait(d time.Duration) {
	if p.count == 0 {
		p.idler.Wait(d)
		return
	}
	p.asleep.Store(true) // before the channel is looked at: see Wake
	select {
	case <-p.woken:
		d = 0
	default:
	}
	var limit *unix.Timespec
	if d != Never {
		t := unix.NsecToTimespec(int64(max(d, 0)))
		limit = &t
	}
	n, err := unix.Kevent(p.kq, nil, p.events, limit)
	p.asleep.Store(false)
	if err != nil {
		return // EINTR: the loop looks around and waits again
	}
	p.tell(n)
}

// tell tells the watchers of the first n events.
func (p *kqueuer) tell(n int) {
	if n > 0 {
		sys.Acquire() // an event is something that was sent, whoever reads it
	}
	for i := range p.events[:n] {
		e := &p.events[i]
		fd := int(e.Ident)
		if fd == p.pipe {
			p.clear()
			continue
		}
		if fd >= len(p.watched) || p.watched[fd] == nil {
			continue
		}
		var ev Events
		switch int(e.Filter) {
		case unix.EVFILT_READ:
			ev = Readable
		case unix.EVFILT_WRITE:
			ev = Writable
		}
		if e.Flags&unix.EV_EOF != 0 {
			ev |= HungUp
		}
		p.watched[fd].Tell(ev)
	}
}

// Wake makes Wait return. The channel is for an owner who is not in kevent. It
// sets asleep and then looks at the channel; Wake does it the other way round, so
// at least one of them sees the other.
func (p *kqueuer) Wake() {
	p.idler.Wake()
	if p.asleep.Load() {
		p.mu.Lock()
		if p.wake >= 0 {
			unix.Write(p.wake, []byte{1})
		}
		p.mu.Unlock()
	}
}

func (p *kqueuer) clear() {
	var some [64]byte
	for {
		if n, _ := unix.Read(p.pipe, some[:]); n < len(some) {
			break
		}
	}
	select {
	case <-p.woken:
	default:
	}
}

func (p *kqueuer) Busy() bool { return p.count > 0 }

//go:norace
func (p *kqueuer) descriptors() int { return p.count }

func (p *kqueuer) Close() error {
	if p.kq < 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	unix.Close(p.wake)
	unix.Close(p.pipe)
	err := unix.Close(p.kq)
	p.kq, p.pipe, p.wake, p.watched, p.count = -1, -1, -1, nil, 0
	return err
}
