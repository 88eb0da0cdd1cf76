package asyncio

import (
	"log/slog"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// lostWrites is how many writes after the end of a connection are taken for those
// of a program that has not noticed yet.
const lostWrites = 5

// Write is WriteTransport's.
func (t *socketTransport) Write(data []byte) error {
	switch {
	case t.refuse:
		return errSending
	case t.eofAsked:
		return runtimeErrorf("Cannot call write() after write_eof()")
	case len(data) == 0:
		return nil
	case t.closing:
		t.writeLost()
		return nil
	}
	if t.out.len() == 0 {
		n, err := t.sock.end.write(data)
		if n == len(data) {
			return nil
		}
		if err != nil && err != fd.ErrAgain {
			t.fatal(t.opError("write", err), "Fatal write error on socket transport")
			return nil
		}
		data = data[n:]
	}
	t.out.push(data)
	t.marks.rose(t.out.len(), t)
	if t.toWrite() { // one call does not send all there is room for
		t.turn.Soon()
	}
	return nil
}

// writeLost drops what is written to a connection that is over. A program that
// does not notice is told by the log.
func (t *socketTransport) writeLost() {
	if t.lost == 0 {
		return // it is being closed
	}
	if t.lost >= lostWrites {
		slog.Warn("asyncio: data is written to a connection that is over", "transport", t)
	}
	t.lost++
}

// WriteLines is WriteTransport's. Pieces that are small are put together, which
// costs less than a system call.
func (t *socketTransport) WriteLines(pieces ...[]byte) error {
	total := 0
	for _, p := range pieces {
		total += len(p)
	}
	if total <= readBufferSize {
		joined := t.loop.joined[:0]
		for _, p := range pieces {
			joined = append(joined, p...)
		}
		t.loop.joined = joined
		return t.Write(joined)
	}
	for _, p := range pieces {
		if err := t.Write(p); err != nil {
			return err
		}
	}
	return nil
}

// flush sends what is waiting, in one system call.
func (t *socketTransport) flush() {
	n, err := t.sock.end.write(t.out.bytes())
	if err != nil && err != fd.ErrAgain {
		t.fatal(t.opError("write", err), "Fatal write error on socket transport")
		return
	}
	t.out.drop(n)
	t.marks.fell(t.out.len(), t)
	switch {
	case t.out.len() > 0 || t.lost > 0:
	case t.file != nil && !t.closing:
		t.file.waits.wake(1)
	case t.closing:
		t.lost++
		t.leave()
	case t.eofAsked:
		t.sendEnd()
	}
}

// WriteEOF is WriteTransport's.
func (t *socketTransport) WriteEOF() error {
	if t.refuse {
		return errSending
	}
	if t.closing || t.eofAsked {
		return nil
	}
	t.eofAsked = true
	if t.out.len() == 0 {
		t.sendEnd()
	}
	return nil
}

// sendEnd ends what is sent. If the connection is over already, reading tells.
func (t *socketTransport) sendEnd() { t.sock.end.closeWrite() }

// CanWriteEOF is WriteTransport's.
func (t *socketTransport) CanWriteEOF() bool { return true }

// SetWriteBufferLimits is WriteTransport's.
func (t *socketTransport) SetWriteBufferLimits(high, low int) error {
	if err := t.marks.set(high, low); err != nil {
		return err
	}
	t.marks.rose(t.out.len(), t)
	return nil
}

// WriteBufferLimits is WriteTransport's.
func (t *socketTransport) WriteBufferLimits() (low, high int) { return t.marks.low, t.marks.high }

// WriteBufferSize is WriteTransport's.
func (t *socketTransport) WriteBufferSize() int { return t.out.len() }
