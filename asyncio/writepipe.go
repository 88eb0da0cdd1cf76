package asyncio

import (
	"log/slog"
	"slices"

	"github.com/go-greenlet/greenlet/sched"
)

// A writePipe is the transport of what is written to a pipe.
type writePipe struct {
	pipe
	buffer    []byte // what is to be written, from sent on
	sent      int
	writable  bool // there may be room
	ended     bool // by WriteEOF
	dropped   int  // pieces that came too late
	low, high int
	full      bool // the protocol was told to pause
}

const (
	pipeHigh   = 64 << 10
	mostAtOnce = 256 << 10 // what internal/sys writes by one call
	quietDrops = 5         // so many pieces may come too late before it is reported
)

// openWritePipe makes a transport of fd, which is closed with it.
func openWritePipe(l *Loop, fd int, protocol BaseProtocol) (pipeTransport, error) {
	p := &writePipe{writable: true, low: pipeHigh / 4, high: pipeHigh}
	p.protocol = protocol
	if err := p.open(l, fd, p, p.run); err != nil {
		return nil, err
	}
	return p, nil
}

// SetProtocol makes protocol the one that is told.
func (p *writePipe) SetProtocol(protocol BaseProtocol) { p.protocol = protocol }

// begin tells the protocol of the connection.
func (p *writePipe) begin() {
	p.made(p)
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
	if p.hungUp || p.writable && p.WriteBufferSize() > 0 {
		p.call.Soon()
	}
}

// run writes what there is to write.
func (p *writePipe) run() {
	switch {
	case p.lost:
		return
	case p.hungUp:
		var err error
		if p.WriteBufferSize() > 0 {
			err = errBrokenPipe
		}
		p.drop(err)
		return
	}
	if p.sent += p.send(p.buffer[p.sent:]); p.lost {
		return
	}
	if p.sent == len(p.buffer) {
		p.buffer, p.sent = p.buffer[:0], 0
		if cap(p.buffer) > 4*pipeHigh {
			p.buffer = nil
		}
	}
	p.eased()
	if p.closing && p.WriteBufferSize() == 0 {
		p.lose(nil)
		return
	}
	p.proceed()
}

// send writes as much of b as there is room for, by one call.
func (p *writePipe) send(b []byte) int {
	n, wait, err := writeDescriptor(p.fd, b)
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
	p.buffer, p.sent = nil, 0
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
		if p.dropped++; p.dropped > quietDrops {
			slog.Warn("asyncio: writes to a pipe that is closed", "count", p.dropped)
		}
		return nil
	}
	if p.WriteBufferSize() == 0 && p.writable {
		data = data[p.send(data):]
		if p.lost || len(data) == 0 {
			return nil
		}
	}
	if p.sent > len(p.buffer)/2 {
		p.buffer = append(p.buffer[:0], p.buffer[p.sent:]...)
		p.sent = 0
	}
	p.buffer = append(p.buffer, data...)
	p.proceed()
	if !p.full && p.WriteBufferSize() > p.high {
		p.full = true
		if f, ok := p.protocol.(FlowController); ok {
			defer p.caught("pause_writing")
			f.PauseWriting()
		}
	}
	return nil
}

// eased tells the protocol to go on if it was told to pause.
func (p *writePipe) eased() {
	if p.full && p.WriteBufferSize() <= p.low {
		p.full = false
		if f, ok := p.protocol.(FlowController); ok {
			defer p.caught("resume_writing")
			f.ResumeWriting()
		}
	}
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
	if p.WriteBufferSize() == 0 {
		p.lose(nil)
	}
}

// Abort closes the pipe at once.
func (p *writePipe) Abort() { p.drop(nil) }

// SetWriteBufferLimits sets the marks of flow control.
func (p *writePipe) SetWriteBufferLimits(high, low int) error {
	switch {
	case high < 0 && low < 0:
		high, low = pipeHigh, pipeHigh/4
	case high < 0:
		high = 4 * low
	case low < 0:
		low = high / 4
	}
	if high < low {
		return valueErrorf("high (%d) must be >= low (%d) must be >= 0", high, low)
	}
	p.low, p.high = low, high
	return nil
}

// WriteBufferLimits returns the marks.
func (p *writePipe) WriteBufferLimits() (low, high int) { return p.low, p.high }

// WriteBufferSize returns how many bytes wait to be written.
func (p *writePipe) WriteBufferSize() int { return len(p.buffer) - p.sent }

// What follows is the half of a Transport that a pipe for writing does not have.

// IsReading returns false.
func (p *writePipe) IsReading() bool { return false }

// PauseReading does nothing.
func (p *writePipe) PauseReading() {}

// ResumeReading does nothing.
func (p *writePipe) ResumeReading() {}
