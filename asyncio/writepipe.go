package asyncio

import (
	"log/slog"
	"slices"

	"github.com/go-greenlet/greenlet/sched"
)

// A writePipe is the transport of what is written to a pipe.
type writePipe struct {
	pipe
	out      byteQueue // what is to be written
	writable bool      // there may be room
	ended    bool      // by WriteEOF
	dropped  int       // pieces that came too late
	marks    waterMarks
}

// mostAtOnce is how many bytes internal/sys writes by one call.
const mostAtOnce = 256 << 10

// openWritePipe makes a transport of end, which is closed with it.
func openWritePipe(l *Loop, end pipeEnd, protocol BaseProtocol) (pipeTransport, error) {
	p := &writePipe{writable: true}
	p.marks.set(-1, -1)
	p.protocol = protocol
	if err := p.open(l, end, p, p.run); err != nil {
		return nil, err
	}
	return p, nil
}

// SetProtocol makes protocol the one that is told.
func (p *writePipe) SetProtocol(protocol BaseProtocol) { p.protocol = protocol }

// tellMade tells the protocol of the connection.
func (p *writePipe) tellMade() {
	p.made()
	if p.hungUp {
		p.call.Soon()
	}
}

// Happened is called by the loop's poller.
func (p *writePipe) Happened(ev sched.Events) {
	if ev&sched.Writable != 0 {
		p.writable = true
	}
	// A terminal that hangs up tells when it is written to.
	if ev&sched.HungUp != 0 && p.stream {
		p.hungUp = true
	}
	if p.begun {
		p.proceed()
	}
}

// proceed has the work done if there is some.
func (p *writePipe) proceed() {
	if p.hungUp || p.writable && p.out.len() > 0 {
		p.call.Soon()
	}
}

// run writes what there is to write.
func (p *writePipe) run() {
	switch {
	case p.lost:
		return
	case p.hungUp:
		err := p.own.failure()
		if err == nil && p.out.len() > 0 {
			err = errBrokenPipe
		}
		p.drop(err)
		return
	}
	if p.writable && p.out.len() > 0 {
		n := p.send(p.out.bytes())
		if p.lost {
			return
		}
		p.out.drop(n)
	}
	p.marks.fell(p.out.len(), p)
	if p.closing && p.out.len() == 0 {
		p.lose(nil)
		return
	}
	p.proceed()
}

// send writes as much of b as there is room for, by one call.
func (p *writePipe) send(b []byte) int {
	n, wait, err := p.own.write(b)
	switch {
	case err != nil:
		p.drop(err)
	case wait, n < min(len(b), mostAtOnce) && p.stream:
		p.writable = false
	}
	return n
}

// drop ends the connection with what is still to be written.
func (p *writePipe) drop(err error) {
	p.out = byteQueue{}
	p.lose(err)
}

// Write writes data, or keeps what there is no room for.
func (p *writePipe) Write(data []byte) error {
	switch {
	case p.ended:
		return runtimeErrorf("Cannot call write() after write_eof()")
	case len(data) == 0:
		return nil
	case p.closing:
		if p.dropped++; p.dropped > lostWrites {
			slog.Warn("asyncio: writes to a pipe that is closed", "count", p.dropped)
		}
		return nil
	}
	if p.out.len() == 0 && p.writable {
		data = data[p.send(data):]
		if p.lost || len(data) == 0 {
			return nil
		}
	}
	p.out.push(data)
	p.proceed()
	p.marks.rose(p.out.len(), p)
	return nil
}

// WriteLines is Write of several pieces.
func (p *writePipe) WriteLines(pieces ...[]byte) error { return p.Write(slices.Concat(pieces...)) }

// WriteEOF is Close: a pipe has no other way.
func (p *writePipe) WriteEOF() error {
	p.ended = true
	p.Close()
	return nil
}

// CanWriteEOF returns true.
func (p *writePipe) CanWriteEOF() bool { return true }

// Close closes the pipe when all is written.
func (p *writePipe) Close() {
	p.closing = true
	if p.out.len() == 0 {
		p.lose(nil)
	}
}

// Abort closes the pipe at once.
func (p *writePipe) Abort() { p.drop(nil) }

// SetWriteBufferLimits sets the marks of flow control.
func (p *writePipe) SetWriteBufferLimits(high, low int) error {
	if err := p.marks.set(high, low); err != nil {
		return err
	}
	p.marks.rose(p.out.len(), p)
	return nil
}

// WriteBufferLimits returns the marks.
func (p *writePipe) WriteBufferLimits() (low, high int) { return p.marks.low, p.marks.high }

// WriteBufferSize returns how many bytes wait to be written.
func (p *writePipe) WriteBufferSize() int { return p.out.len() }

// What follows is the half of a Transport that a pipe for writing does not have.

// IsReading returns false.
func (p *writePipe) IsReading() bool { return false }

// PauseReading does nothing.
func (p *writePipe) PauseReading() {}

// ResumeReading does nothing.
func (p *writePipe) ResumeReading() {}
