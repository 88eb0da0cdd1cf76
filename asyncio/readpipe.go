package asyncio

import (
	"errors"

	"github.com/go-greenlet/greenlet/sched"
)

// A readPipe is the transport of what is read from a pipe. It reads once in a turn,
// so that others have their turn, too.
type readPipe struct {
	pipe
	data     Protocol         // one of
	buffered BufferedProtocol // these is the protocol
	readable bool             // there may be something to read
	paused   bool
}

// openReadPipe makes a transport of end, which is closed with it.
func openReadPipe(l *Loop, end pipeEnd, protocol BaseProtocol) (pipeTransport, error) {
	p := &readPipe{readable: true}
	if err := p.setProtocol(protocol); err != nil {
		return nil, err
	}
	if err := p.open(l, end, p, p.run); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *readPipe) setProtocol(protocol BaseProtocol) error {
	data, isData := protocol.(Protocol)
	buffered, isBuffered := protocol.(BufferedProtocol)
	switch {
	case isBuffered:
		p.data, p.buffered = nil, buffered
	case isData:
		p.data, p.buffered = data, nil
	default:
		return typeErrorf("a Protocol or BufferedProtocol was expected, got %T", protocol)
	}
	p.protocol = protocol
	return nil
}

// SetProtocol makes protocol the one that is told.
func (p *readPipe) SetProtocol(protocol BaseProtocol) {
	if err := p.setProtocol(protocol); err != nil {
		panic(err)
	}
}

// tellMade tells the protocol of the connection, and begins to read.
func (p *readPipe) tellMade() {
	p.made()
	p.proceed()
}

// Happened is called by the loop's poller.
func (p *readPipe) Happened(ev sched.Events) {
	if ev&sched.Readable != 0 {
		p.readable = true
	}
	if ev&sched.HungUp != 0 {
		p.hungUp = true
	}
	p.proceed()
}

// proceed has the work done if there is some.
func (p *readPipe) proceed() {
	if p.begun && p.readable && !p.paused && !p.closing {
		p.call.Soon()
	}
}

// run reads what there is, and hands it on.
func (p *readPipe) run() {
	if p.paused || p.closing { // since proceed
		return
	}
	if p.buffered != nil {
		p.fill()
	} else {
		buffer := p.loop.readBuffer()
		if n := p.read(buffer); n > 0 {
			p.deliver(buffer[:n])
		}
	}
	p.proceed()
}

// read reads into b. It returns nothing if there is nothing to hand on.
func (p *readPipe) read(b []byte) int {
	n, wait, err := p.own.read(b)
	switch {
	case wait:
		p.readable = false
	case err != nil:
		p.lose(err)
	case n == 0:
		p.end()
	case n < len(b) && p.stream && !p.hungUp:
		p.readable = false // what comes now is news
	}
	return n
}

func (p *readPipe) deliver(b []byte) {
	defer p.caught("data_received")
	p.data.DataReceived(b)
}

// fill reads into memory of the protocol.
func (p *readPipe) fill() {
	if b := p.memory(); len(b) > 0 {
		if n := p.read(b); n > 0 {
			p.filled(n)
		}
	}
}

func (p *readPipe) memory() (b []byte) {
	defer p.caught("get_buffer")
	if b = p.buffered.GetBuffer(-1); len(b) == 0 {
		panic(runtimeErrorf("get_buffer() returned an empty buffer"))
	}
	return b
}

func (p *readPipe) filled(n int) {
	defer p.caught("buffer_updated")
	p.buffered.BufferUpdated(n)
}

// end is what happens when the other side has closed.
func (p *readPipe) end() {
	p.closing = true
	defer p.lose(nil)
	defer p.caught("eof_received")
	if r, ok := p.protocol.(EOFReceiver); ok {
		r.EOFReceived()
	}
}

// Close closes the transport: nothing is read any more.
func (p *readPipe) Close() { p.lose(nil) }

// Abort is Close.
func (p *readPipe) Abort() { p.lose(nil) }

// IsReading reports whether data is being received.
func (p *readPipe) IsReading() bool { return !p.paused && !p.closing }

// PauseReading has nothing read until ResumeReading.
func (p *readPipe) PauseReading() { p.paused = true }

// ResumeReading ends a pause.
func (p *readPipe) ResumeReading() {
	p.paused = false
	p.proceed()
}

// What follows is the half of a Transport that a pipe for reading does not have.

var errReadOnly = errorf("NotImplementedError", errors.ErrUnsupported, "the pipe is for reading")

func (p *readPipe) Write([]byte) error                       { return errReadOnly }
func (p *readPipe) WriteLines(...[]byte) error               { return errReadOnly }
func (p *readPipe) WriteEOF() error                          { return errReadOnly }
func (p *readPipe) CanWriteEOF() bool                        { return false }
func (p *readPipe) SetWriteBufferLimits(high, low int) error { return errReadOnly }
func (p *readPipe) WriteBufferLimits() (low, high int)       { return 0, 0 }
func (p *readPipe) WriteBufferSize() int                     { return 0 }
