package asyncio

import (
	"log/slog"
	"net"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// SendTo is DatagramTransport's.
func (t *datagramTransport) SendTo(data []byte, addr net.Addr) error {
	fixed := t.sock.end.remoteAddr()
	if fixed != nil {
		if addr != nil && addr.String() != fixed.String() {
			return valueErrorf("Invalid address: must be nil or %v", fixed)
		}
		addr = fixed
	}
	if addr == nil {
		return valueErrorf("a datagram needs an address: the socket is not connected")
	}
	if fixed == nil {
		if err := t.sock.end.checkAddr(addr); err != nil {
			return fd.SendError(t.sock.network, t.sock.end.localAddr(), addr, err)
		}
	}
	if t.closing {
		t.writeLost()
		return nil
	}
	if len(t.queue) == 0 {
		switch err := t.sock.end.sendTo(data, addr); {
		case err == nil:
			return nil
		case err == fd.ErrAgain:
		default:
			t.protocol.ErrorReceived(t.opError("write", addr, err))
			return nil
		}
	}
	t.queue = append(t.queue, datagram{append([]byte(nil), data...), addr})
	t.size += len(data) + datagramHeader
	t.marks.rose(t.size, t)
	t.retry()
	return nil
}

// writeLost drops what is sent after the end. A program that does not notice is
// told by the log.
func (t *datagramTransport) writeLost() {
	if t.lost == 0 {
		return
	}
	if t.lost >= lostWrites {
		slog.Warn("asyncio: a datagram is sent by a socket that is closed", "transport", t)
	}
	t.lost++
}

// retry has the turn come when there may be room. Of a unix socket that is not
// connected the system does not know whose room is waited for, so it tells nothing
// of use: on Linux, that there is some after each try that has found none.
func (t *datagramTransport) retry() {
	switch {
	case t.sock.network == "unixgram" && t.sock.end.remoteAddr() == nil:
		if t.again == nil {
			t.again = t.loop.callLater(datagramRetry, func() {
				t.again = nil
				t.sock.can |= sched.Writable
				t.Happened(0)
			})
		}
	case t.sock.can&sched.Writable != 0:
		t.turn.Soon()
	}
}

// flush sends what is waiting while there is room.
func (t *datagramTransport) flush() {
	for len(t.queue) > 0 {
		d := t.queue[0]
		err := t.sock.end.sendTo(d.data, d.to)
		if err == fd.ErrAgain {
			t.retry()
			break
		}
		t.queue[0] = datagram{}
		t.queue = t.queue[1:]
		t.size -= len(d.data) + datagramHeader
		if err != nil {
			t.protocol.ErrorReceived(t.opError("write", d.to, err))
			break
		}
	}
	if len(t.queue) == 0 {
		t.queue = nil
	}
	t.marks.fell(t.size, t)
	if len(t.queue) == 0 && t.closing {
		t.leaveSoon(nil)
	}
}

// SetWriteBufferLimits is DatagramTransport's.
func (t *datagramTransport) SetWriteBufferLimits(high, low int) error {
	if err := t.marks.set(high, low); err != nil {
		return err
	}
	t.marks.rose(t.size, t)
	return nil
}

// WriteBufferLimits is DatagramTransport's.
func (t *datagramTransport) WriteBufferLimits() (low, high int) { return t.marks.low, t.marks.high }

// WriteBufferSize is DatagramTransport's.
func (t *datagramTransport) WriteBufferSize() int { return t.size }
