package simnet

import (
	"io"
	"net"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/sched"
)

// An end is that of a connection: what the system of its host knows of it. What the
// program does with it is in this file, what the network does in tcp.go.
type end struct {
	net           *Network
	host          *Host
	life          int // of the host, in which the end was made
	id            int // the connection's number
	place         int // in host.ends
	link          *Link
	peer          *end // nil as long as nothing is known of it
	local, remote net.Addr
	watcher       sched.Watcher
	state         endState
	opened        *asyncio.Future[asyncio.None] // of one that connects
	listener      *listener                     // of one that was not accepted yet

	// What is sent: the number of the next byte, of the first that was not
	// acknowledged, and of the first for which there is no room.
	next, acked, edge uint64
	out               fifo   // what was not acknowledged
	ended             bool   // CloseWrite was called
	blocked           bool   // a Write has found no room
	sends             uint64 // packets
	unsure            bool   // the packet to this end with the number lost did not arrive, and none after it
	lost              uint64
	measured, varies  time.Duration
	tries             int           // how often it was sent again
	since             time.Duration // when the first of these set out
	retry             alarm

	// What is received: the number of the next byte, of the next that is read, and
	// of the first for which the other side was told that there is no room.
	got, read, told uint64
	in              fifo
	offset          int        // in the first
	early           []*segment // after a gap, in order
	eof             bool
	answer          alarm // with an ACK
	owes            bool  // an ACK

	// Of the program.
	closed  bool
	linger0 bool
	first   bool // it has ended what it sends before the other side has
	kept    bool // its addresses are, after its end: Config.TimeWait

	// Whether the other side lives.
	keepAlive bool
	heard     time.Duration // when from it last
	asks      int           // probes since then
	alive     alarm

	err  error // why it is broken
	tell bool  // the program does not know yet
}

type endState uint8

const (
	connecting endState = iota
	accepting           // a SYN has come, the answer is under way
	open
	over // nothing comes from it but what has come
)

// usable tells why nothing can be done with e.
func (e *end) usable() error {
	if e.life != e.host.life {
		return syscall.ENETDOWN
	}
	return nil
}

// LocalAddr returns the end's own address.
func (e *end) LocalAddr() net.Addr { return e.local }

// RemoteAddr returns the other end's.
func (e *end) RemoteAddr() net.Addr { return e.remote }

// Watch has w told of what is new.
func (e *end) Watch(w sched.Watcher) { e.watcher = w }

// Now returns what the host's wall clock shows.
func (e *end) Now() time.Time { return e.host.clock() }

func (e *end) happened(ev sched.Events) {
	if e.watcher != nil && !e.closed && e.life == e.host.life {
		e.watcher.Happened(ev)
	}
}

// Read reads what has come.
func (e *end) Read(p []byte) (int, error) {
	if err := e.usable(); err != nil {
		return 0, err
	}
	n := 0
	for n < len(p) && e.in.len() > 0 {
		g := e.in.at(0)
		k := copy(p[n:], g.data[e.offset:])
		n += k
		if e.offset += k; e.offset == len(g.data) {
			e.in.pop()
			e.net.release(g)
			e.offset = 0
		}
	}
	switch {
	case n > 0 || len(p) == 0:
		e.read += uint64(n)
		e.makesRoom()
		return n, nil
	case e.eof:
		return 0, io.EOF
	case e.tell:
		e.tell = false
		return 0, e.err
	case e.err != nil:
		return 0, io.EOF
	}
	return 0, asyncio.ErrWouldBlock
}

// Write sends what there is room for.
func (e *end) Write(p []byte) (int, error) {
	switch {
	case e.life != e.host.life:
		return 0, syscall.ENETDOWN
	case e.tell:
		e.tell = false
		return 0, e.err
	case e.err != nil || e.ended:
		return 0, syscall.EPIPE
	}
	n := 0
	for n < len(p) && e.next < e.edge {
		k := min(len(p)-n, int(e.edge-e.next), e.net.cfg.Segment)
		e.push(e.net.newSegment(e.next, p[n:n+k]))
		n += k
	}
	if e.blocked = n < len(p); e.blocked {
		e.askRoom()
	}
	if n == 0 && len(p) > 0 {
		return 0, asyncio.ErrWouldBlock
	}
	return n, nil
}

// CloseWrite ends what is sent.
func (e *end) CloseWrite() error {
	if err := e.usable(); err != nil {
		return err
	}
	if e.err != nil {
		return syscall.ENOTCONN
	}
	e.finish()
	return nil
}

func (e *end) finish() {
	if !e.ended && e.state != over {
		e.ended, e.first = true, !e.eof
		g := e.net.newSegment(e.next, nil)
		g.fin = true
		e.push(g)
	}
}

// Close ends e. If something was not read, or SetLinger(0) was called, it is reset.
func (e *end) Close() error {
	if e.closed || e.life != e.host.life {
		return nil
	}
	e.closed = true
	if e.state == over {
		return nil
	}
	if e.in.len() > 0 || e.linger0 || e.state != open {
		e.reset()
	} else {
		e.finish()
		e.settled()
	}
	return nil
}

// SetLinger has Close reset the connection, if seconds is zero.
func (e *end) SetLinger(seconds int) error {
	e.linger0 = seconds == 0
	return nil
}

// SetKeepAlive has the other side asked whether it lives when nothing was heard of
// it for long.
func (e *end) SetKeepAlive(on bool) error {
	e.keepAlive = on
	e.suspect()
	return nil
}
