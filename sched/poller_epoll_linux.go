//go:build !portable

package sched

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// epoller is the poller of Linux: epoll, once there is a descriptor to watch,
// and before that the channel of an idler.
//
// It asks without waiting first if it has found several events the last time: the
// call that does not wait is a cheap one (see internal/sys), and under load it is
// the only one. After a single event there is seldom another at once.
type epoller struct {
	idler
	ep      int           // -1: none yet
	watched []*Descriptor // by number
	count   int
	serial  int32
	found   bool // several events, the last time
	events  []unix.EpollEvent

	// What Wake uses.

	asleep atomic.Bool // the owner is in epoll_wait, or about to be
	mu     sync.Mutex  // held while event is written to, and when it is closed
	event  int         // an eventfd; -1: none
}

// eventBatch is how many events one call brings.
const eventBatch = 256

func init() {
	systemPoller = func() Poller { return &epoller{idler: *newIdler(), ep: -1, event: -1} }
}

func (p *epoller) open() (err error) {
	if p.ep, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		p.ep = -1
		return err
	}
	event, err := unix.Eventfd(0, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err == nil {
		err = unix.EpollCtl(p.ep, unix.EPOLL_CTL_ADD, event, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(event)})
	}
	if err != nil {
		if event >= 0 {
			unix.Close(event)
		}
		unix.Close(p.ep)
		p.ep = -1
		return err
	}
	p.mu.Lock()
	p.event = event
	p.mu.Unlock()
	p.events = make([]unix.EpollEvent, eventBatch)
	return nil
}

// interest is ev in the words of epoll. The end of the other side is always
// wanted.
func interest(ev Events) uint32 {
	if ev == 0 {
		return unix.EPOLLIN | unix.EPOLLOUT | unix.EPOLLRDHUP | unix.EPOLLET
	}
	var e uint32
	if ev&Readable != 0 {
		e |= unix.EPOLLIN | unix.EPOLLRDHUP
	}
	if ev&Writable != 0 {
		e |= unix.EPOLLOUT
	}
	return e
}

func (p *epoller) Add(d *Descriptor, ev Events) error {
	if p.ep < 0 {
		if err := p.open(); err != nil {
			return err
		}
	}
	p.serial++
	d.serial = p.serial
	if err := p.control(unix.EPOLL_CTL_ADD, d, ev); err != nil {
		if err == unix.EEXIST {
			return ErrWatched
		}
		return err
	}
	if d.fd >= len(p.watched) {
		p.watched = append(p.watched, make([]*Descriptor, d.fd+1-len(p.watched))...)
	}
	p.watched[d.fd] = d
	p.count++
	return nil
}

func (p *epoller) Change(d *Descriptor, ev Events) error {
	return p.control(unix.EPOLL_CTL_MOD, d, ev)
}

func (p *epoller) control(op int, d *Descriptor, ev Events) error {
	return unix.EpollCtl(p.ep, op, d.fd, &unix.EpollEvent{Events: interest(ev), Fd: int32(d.fd), Pad: d.serial})
}

func (p *epoller) Remove(d *Descriptor) error {
	if p.count--; p.count == 0 {
		p.found = false
	}
	if p.watched[d.fd] != d {
		return nil // it was closed, and its number is another's
	}
	p.watched[d.fd] = nil
	if d.gone.Load() {
		return nil // its number may be another's, which is watched elsewhere
	}
	// Closing would do as well, but for one that another descriptor shares: of a
	// child process between fork and exec, say.
	return unix.EpollCtl(p.ep, unix.EPOLL_CTL_DEL, d.fd, nil)
}

func (p *epoller) Wait(d time.Duration) {
	switch {
	case p.count == 0:
		p.idler.Wait(d)
	case d <= 0:
		p.idler.Wait(0)
		p.poll()
	case p.found && p.poll():
	default:
		p.sleep(d)
	}
}

// poll tells of what has happened, and reports whether there was something.
func (p *epoller) poll() bool {
	n := sys.Poll(p.ep, p.events)
	p.found = n > 1
	p.tell(n)
	return n > 0
}

// sleep waits for events, Wake or the end of d.
func (p *epoller) sleep(d time.Duration) {
	p.asleep.Store(true) // before the channel is looked at: see Wake
	select {
	case <-p.woken:
		d = 0
	default:
	}
	n, err := p.wait(d)
	p.asleep.Store(false)
	if err != nil {
		n = 0 // EINTR: the loop looks around and waits again
	}
	p.found = n > 1
	p.tell(n)
}

// preciseWait is cleared if the kernel has no epoll_pwait2.
var preciseWait atomic.Bool

func init() { preciseWait.Store(true) }

// wait is epoll_wait for d, to the nanosecond where the kernel can.
func (p *epoller) wait(d time.Duration) (int, error) {
	if preciseWait.Load() {
		var limit *sys.Timespec
		if d != Never {
			limit = &sys.Timespec{Sec: int64(d / time.Second), Nsec: int64(d % time.Second)}
		}
		n, err := sys.Wait(p.ep, p.events, limit)
		if err != unix.ENOSYS && err != unix.EPERM {
			return n, err
		}
		preciseWait.Store(false)
	}
	ms := -1
	if d != Never {
		ms = int(min((d+time.Millisecond-1)/time.Millisecond, math.MaxInt32))
	}
	return unix.EpollWait(p.ep, p.events, ms)
}

// tell tells the watchers of the first n events.
func (p *epoller) tell(n int) {
	if n > 0 {
		sys.Acquire() // an event is something that was sent, whoever reads it
	}
	for i := range p.events[:n] {
		e := &p.events[i]
		var d *Descriptor
		if int(e.Fd) < len(p.watched) {
			d = p.watched[e.Fd]
		}
		switch {
		case d != nil && d.serial == e.Pad:
			d.Tell(translate(e.Events))
		case int(e.Fd) == p.event && e.Pad == 0:
			p.clear()
		}
	}
}

func translate(e uint32) (ev Events) {
	const gone = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR
	if e&(unix.EPOLLIN|gone) != 0 {
		ev |= Readable
	}
	if e&(unix.EPOLLOUT|unix.EPOLLHUP|unix.EPOLLERR) != 0 {
		ev |= Writable
	}
	if e&gone != 0 {
		ev |= HungUp
	}
	return ev
}

// Wake makes Wait return. The channel is for an owner who is not in epoll_wait.
// It sets asleep and then looks at the channel; Wake does it the other way
// round, so at least one of them sees the other.
func (p *epoller) Wake() {
	p.idler.Wake()
	if p.asleep.Load() {
		p.mu.Lock()
		if p.event >= 0 {
			unix.Write(p.event, []byte{1, 0, 0, 0, 0, 0, 0, 1}) // not 0 in either order of bytes
		}
		p.mu.Unlock()
	}
}

// clear forgets wakes. It is edge-triggered, so reading it is not needed for the
// next one; but a count that is full would stop it.
func (p *epoller) clear() {
	var count [8]byte
	sys.Read(p.event, count[:])
	select {
	case <-p.woken:
	default:
	}
}

func (p *epoller) Busy() bool { return p.count > 0 }

//go:norace
func (p *epoller) descriptors() int { return p.count }

func (p *epoller) Close() error {
	if p.ep < 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err := unix.Close(p.event)
	if e := unix.Close(p.ep); err == nil {
		err = e
	}
	p.ep, p.event, p.watched, p.count = -1, -1, nil, 0
	return err
}
