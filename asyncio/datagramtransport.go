package asyncio

import (
	"context"
	"fmt"
	"net"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A datagramTransport is the DatagramTransport of a socket. As a socketTransport
// it is told of what is new, and then its turn comes by the ready queue. This file
// is its life and what it receives; datagramsend.go is what it sends.
type datagramTransport struct {
	sock     *anySocket
	loop     *Loop
	protocol DatagramProtocol
	turn     *sched.Call
	again    *TimerHandle // nil unless the next try waits for a time
	made     bool         // ConnectionMade was called
	waiter   *Future[None]
	closing  bool
	lost     int // not zero: ConnectionLost is arranged; counts writes since then
	queue    []datagram
	size     int // of what is in the queue
	marks    waterMarks
	large    []byte // what is received into, if that is not the loop's
}

// A datagram is one that is still to be sent.
type datagram struct {
	data []byte
	to   net.Addr
}

const (
	// datagramBatch is how many are received in a turn.
	datagramBatch = 32

	// datagramHeader is what a datagram counts for besides its data. Python: the
	// header_size of 3.13.
	datagramHeader = 8

	// datagramRetry is how long to wait for room if nobody tells when there is.
	datagramRetry = time.Millisecond

	// unixDatagram is how long a datagram of a unix socket may be. One of UDP fits
	// into the loop's buffer.
	unixDatagram = 256 << 10
)

// newDatagramTransport makes the transport of s, which is its own from now on.
func newDatagramTransport(l *Loop, s *anySocket, p DatagramProtocol) *datagramTransport {
	t := &datagramTransport{sock: s, loop: l, protocol: p, waiter: NewFuture[None](l)}
	t.marks.set(-1, -1)
	t.turn = l.newCall(t.run)
	s.on = t
	s.opened.of = t
	l.callSoon(t.tellMade)
	return t
}

// tellMade tells the protocol of the socket and starts to receive.
func (t *datagramTransport) tellMade() {
	if t.loop.s.Closed() || t.sock.shut {
		return
	}
	err := t.connected()
	if err == nil && !t.closing {
		if err = t.sock.end.watch(); err != nil {
			t.fatal(err, "Fatal error: the socket cannot be watched")
		}
	}
	if w := t.waiter; w != nil && !w.Done() {
		if err != nil {
			w.SetException(err)
		} else {
			w.SetResult(None{})
		}
	}
}

// connected calls ConnectionMade. A panic of it is an error.
func (t *datagramTransport) connected() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = panicError(p, "a protocol")
			if endsRun(err) {
				t.loop.s.Abort(err)
				return
			}
			t.fatal(err, "Fatal error: protocol.connection_made() call failed.")
		}
	}()
	t.made = true
	t.protocol.ConnectionMade(t)
	return nil
}

// waitMade suspends the calling task until the protocol has been told of the
// socket. With an error the transport is closed.
func (t *datagramTransport) waitMade(ctx context.Context) error {
	_, err := t.waiter.Await(ctx)
	t.waiter = nil
	if err != nil {
		t.Close()
	}
	return err
}

// Happened has the turn come if there is something to do in it.
func (t *datagramTransport) Happened(sched.Events) {
	if t.toRead() || t.toWrite() {
		t.turn.Soon()
	}
}

func (t *datagramTransport) toRead() bool {
	return t.sock.can&sched.Readable != 0 && t.made && !t.closing
}

func (t *datagramTransport) toWrite() bool {
	return t.sock.can&sched.Writable != 0 && len(t.queue) > 0 && t.again == nil
}

// run is a turn.
func (t *datagramTransport) run() {
	defer t.Happened(0) // also if the protocol panics: then there may be more
	if t.toWrite() {
		t.flush()
	}
	for n := 0; n < datagramBatch && t.toRead(); n++ {
		t.receive()
	}
}

// receive receives one datagram and tells the protocol.
func (t *datagramTransport) receive() {
	p := t.loop.readBuffer()
	if t.sock.network == "unixgram" {
		if t.large == nil {
			t.large = make([]byte, unixDatagram)
		}
		p = t.large
	}
	n, from, err := t.sock.end.receiveFrom(p)
	switch {
	case err == fd.ErrAgain:
	case err != nil:
		t.protocol.ErrorReceived(t.opError("read", nil, err))
	default:
		t.protocol.DatagramReceived(p[:n], from)
	}
}

// opError is err of a system call in the words of package net.
func (t *datagramTransport) opError(op string, to net.Addr, err error) error {
	if _, said := err.(*net.OpError); said { // also of a datagram that was sent before
		return err
	}
	call := "sendto"
	if op == "read" {
		call, to = "recvfrom", t.sock.end.remoteAddr()
	}
	return &net.OpError{Op: op, Net: t.sock.network, Source: t.sock.end.localAddr(), Addr: to, Err: os.NewSyscallError(call, err)}
}

// fatal ends the transport because of err.
func (t *datagramTransport) fatal(err error, message string) {
	t.loop.CallExceptionHandler(ExceptionContext{Message: message, Exception: err, Transport: t, Protocol: t.protocol})
	t.lose(err)
}

// lose ends the transport at once: what is still to be sent is dropped.
func (t *datagramTransport) lose(err error) {
	t.queue, t.size = nil, 0
	t.closing = true
	t.leaveSoon(err)
}

// leaveSoon has the protocol told of the end, and the socket given back.
func (t *datagramTransport) leaveSoon(err error) {
	if t.lost > 0 {
		return
	}
	t.lost++
	if t.again != nil {
		t.again.Cancel()
	}
	if t.loop.s.Closed() {
		return
	}
	t.loop.callSoon(func() {
		if t.sock.shut {
			return
		}
		defer func() {
			t.sock.end.localAddr() // known from now on
			t.sock.close()
		}()
		if t.made {
			t.protocol.ConnectionLost(err)
		}
	})
}

// abandon gives back the socket, and tells nobody.
func (t *datagramTransport) abandon() {
	t.loop.unclosed(t)
	t.closing = true
	t.lost = max(t.lost, 1)
	t.sock.close()
}

// String describes the transport for people.
func (t *datagramTransport) String() string {
	return fmt.Sprintf("a %s transport: from %v, %d bytes to be sent", t.sock.network, t.sock.end.localAddr(), t.size)
}

// Close is BaseTransport's.
func (t *datagramTransport) Close() {
	if t.closing {
		return
	}
	t.closing = true
	if len(t.queue) == 0 {
		t.leaveSoon(nil)
	}
}

// Abort is DatagramTransport's.
func (t *datagramTransport) Abort() { t.lose(nil) }

// IsClosing is BaseTransport's.
func (t *datagramTransport) IsClosing() bool { return t.closing }

// SetProtocol is BaseTransport's.
func (t *datagramTransport) SetProtocol(p BaseProtocol) {
	d, ok := p.(DatagramProtocol)
	if !ok {
		panic(typeErrorf("a DatagramProtocol was expected, got %T", p))
	}
	t.protocol = d
}

// Protocol is BaseTransport's.
func (t *datagramTransport) Protocol() BaseProtocol { return t.protocol }

// Loop is BaseTransport's.
func (t *datagramTransport) Loop() *Loop { return t.loop }

// ExtraInfo is BaseTransport's.
func (t *datagramTransport) ExtraInfo(name string, fallback ...any) any {
	return t.sock.info(name, fallback)
}
