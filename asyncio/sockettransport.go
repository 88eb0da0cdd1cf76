package asyncio

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A socketTransport is the Transport of a socket. This file is its life and what
// it receives; socketwrite.go is what it sends.
//
// It is told of what is new and notes it in the socket; then its turn comes by
// the ready queue. A turn reads once and writes once. What it has not used up, it
// goes on with in the next turn.
type socketTransport struct {
	sock  *anySocket
	loop  *Loop
	among *clients // of the server that has accepted it, or nil
	turn  *sched.Call

	made     bool // ConnectionMade was called
	paused   bool
	ended    bool // the other side's end has been seen
	closing  bool
	eofAsked bool  // WriteEOF was called
	lost     int   // not zero: ConnectionLost is arranged; counts writes since then
	lostErr  error // what ConnectionLost is to be told
	failure  error // why it was not made
	makers   line  // the task that waits for made
	marks    waterMarks

	proto    BaseProtocol
	data     Protocol
	buffered BufferedProtocol // preferred to data
	eofs     EOFReceiver
	during   string // the callback of the protocol that is being called

	out    byteQueue // what is still to be sent
	file   *fileSend // what is sent after it; nil without SendFile
	refuse bool      // writes, which would come in the middle of a file

	client inList[*socketTransport]
}

// clients are the transports of a server's connections.
type clients struct {
	places[*socketTransport]
	left func() // called when one has left
}

// readBufferSize is how much one turn reads, into a buffer that the loop has.
const readBufferSize = 64 << 10

// readBuffer is memory for what is read: until the next read of any transport.
func (l *Loop) readBuffer() []byte {
	if l.scratch == nil {
		l.scratch = make([]byte, readBufferSize)
	}
	return l.scratch
}

// newSocketTransport makes the transport of s, which is its own from now on. Its
// protocol is told of the connection in the next turn. If p is no protocol for a
// connection the error is a TypeError, and s is closed.
func newSocketTransport(l *Loop, s *anySocket, p BaseProtocol, among *clients) (*socketTransport, error) {
	t := &socketTransport{sock: s, loop: l, among: among}
	if err := t.face(p); err != nil {
		s.close()
		return nil, err
	}
	t.marks.set(-1, -1)
	t.turn = l.newCall(t.run)
	s.on = t
	s.opened.of = t
	if among != nil {
		among.add(&t.client, t)
	}
	l.callSoon(t.tellMade)
	return t, nil
}

// face notes what p can be told.
func (t *socketTransport) face(p BaseProtocol) error {
	data, isData := p.(Protocol)
	buffered, isBuffered := p.(BufferedProtocol)
	if !isData && !isBuffered {
		return typeErrorf("a Protocol or BufferedProtocol was expected, got %T", p)
	}
	t.proto, t.data, t.buffered = p, data, buffered
	t.eofs, _ = p.(EOFReceiver)
	return nil
}

// tellMade tells the protocol of the connection and starts to receive.
func (t *socketTransport) tellMade() {
	defer t.makers.wake(1)
	if t.loop.s.Closed() || t.sock.shut {
		return
	}
	t.made = true
	func() {
		defer t.caught()
		t.during = "connection_made"
		if t.buffered != nil {
			t.buffered.ConnectionMade(t)
		} else {
			t.data.ConnectionMade(t)
		}
		t.during = ""
	}()
	if t.lost > 0 {
		return
	}
	if err := t.sock.end.watch(); err != nil {
		t.fatal(err, "Fatal error: the socket cannot be watched")
	}
	t.Happened(0)
}

// waitMade suspends the calling task until the protocol has been told of the
// connection. With an error the transport is closed.
func (t *socketTransport) waitMade(ctx context.Context) error {
	own := owner{loop: t.loop}
	me, err := own.caller(ctx, "a transport")
	if err == nil && !t.made {
		_, err = t.makers.wait(ctx, me)
	}
	if err == nil {
		err = t.failure
	}
	if err != nil {
		t.Close()
	}
	return err
}

// Happened has the turn come if there is something to do in it.
func (t *socketTransport) Happened(sched.Events) {
	if t.toRead() || t.toWrite() {
		t.turn.Soon()
	}
	if t.file != nil && t.sock.can&sched.Writable != 0 {
		t.file.waits.wake(1)
	}
}

func (t *socketTransport) toRead() bool {
	return t.sock.can&sched.Readable != 0 && t.made && !t.paused && !t.closing && !t.ended && t.file == nil
}

func (t *socketTransport) toWrite() bool {
	return t.sock.can&sched.Writable != 0 && t.out.len() > 0 && t.lost == 0
}

// run is a turn.
func (t *socketTransport) run() {
	defer t.caught()
	if t.toRead() {
		t.receive()
	}
	if t.toWrite() {
		t.flush()
	}
	t.Happened(0)
}

// receive reads once and tells the protocol.
func (t *socketTransport) receive() {
	var p []byte
	if t.buffered != nil {
		t.during = "get_buffer"
		if p = t.buffered.GetBuffer(-1); len(p) == 0 {
			panic(runtimeErrorf("get_buffer() returned an empty buffer"))
		}
		t.during = ""
	} else {
		p = t.loop.readBuffer()
	}
	n, err := t.sock.end.read(p)
	switch {
	case err == fd.ErrAgain:
	case err != nil:
		t.fatal(t.opError("read", err), "Fatal read error on socket transport")
	case n == 0:
		t.receiveEnd()
	case t.buffered != nil:
		t.during = "buffer_updated"
		t.buffered.BufferUpdated(n)
		t.during = ""
	default:
		t.during = "data_received"
		t.data.DataReceived(p[:n])
		t.during = ""
	}
}

func (t *socketTransport) receiveEnd() {
	t.ended = true
	if t.eofs != nil {
		t.during = "eof_received"
		keepOpen := t.eofs.EOFReceived()
		t.during = ""
		if keepOpen {
			return
		}
	}
	t.Close()
}

// caught is deferred by what calls the protocol: a panic of it is the end of the
// connection.
func (t *socketTransport) caught() {
	p := recover()
	if p == nil {
		return
	}
	during := t.during
	t.during = ""
	err := panicError(p, "a protocol")
	if endsRun(err) {
		t.loop.s.Abort(err)
		return
	}
	if during == "connection_made" {
		t.failure = err
	}
	t.fatal(err, fmt.Sprintf("Fatal error: protocol.%s() call failed.", during))
}

// fatal ends the connection because of err. That a connection was lost is no news
// to the exception handler: the protocol is told.
func (t *socketTransport) fatal(err error, message string) {
	if _, ofSystem := err.(*net.OpError); ofSystem {
		if t.loop.debug {
			slog.Debug("asyncio: "+message, "transport", t, "exception", err)
		}
	} else {
		t.loop.CallExceptionHandler(ExceptionContext{Message: message, Exception: err, Transport: t, Protocol: t.proto})
	}
	t.lose(err)
}

// opError is err of a system call in the words of package net.
func (t *socketTransport) opError(op string, err error) error {
	return &net.OpError{Op: op, Net: t.sock.network, Source: t.sock.end.localAddr(), Addr: t.sock.end.remoteAddr(), Err: os.NewSyscallError(op, err)}
}

// lose ends the connection at once: what is still to be sent is dropped.
func (t *socketTransport) lose(err error) {
	if t.lost > 0 {
		return
	}
	t.out = byteQueue{}
	t.closing = true
	t.leaveSoon(err)
}

// leaveSoon has the protocol told of the end.
func (t *socketTransport) leaveSoon(err error) {
	t.lost++
	t.lostErr = err
	if !t.loop.s.Closed() {
		t.loop.callSoon(t.leave)
	}
}

// leave tells the protocol of the end and gives back the socket.
func (t *socketTransport) leave() {
	if t.sock.shut {
		return
	}
	defer func() {
		t.sock.end.remoteAddr() // known from now on
		t.sock.close()
		t.client.leave()
		if t.file != nil {
			t.file.waits.wake(1)
		}
		if t.among != nil {
			t.among.left()
		}
	}()
	if t.made {
		t.proto.ConnectionLost(t.lostErr)
	}
}

// abandon gives back the socket, and tells nobody.
func (t *socketTransport) abandon() {
	t.loop.unclosed(t)
	t.closing = true
	t.lost = max(t.lost, 1)
	t.sock.close()
}

// String describes the transport for people.
func (t *socketTransport) String() string {
	return fmt.Sprintf("a %s transport (%s): from %v to %v, %d bytes to be sent", t.sock.network, t.state(), t.sock.end.localAddr(), t.sock.end.remoteAddr(), t.out.len())
}

func (t *socketTransport) state() string {
	switch {
	case t.sock.shut:
		return "closed"
	case t.closing:
		return "closing"
	}
	return "open"
}

// Close is BaseTransport's.
func (t *socketTransport) Close() {
	if t.closing {
		return
	}
	t.closing = true
	if t.out.len() == 0 {
		t.leaveSoon(nil)
	}
}

// Abort is WriteTransport's.
func (t *socketTransport) Abort() { t.lose(nil) }

// IsClosing is BaseTransport's.
func (t *socketTransport) IsClosing() bool { return t.closing }

// SetProtocol is BaseTransport's.
func (t *socketTransport) SetProtocol(p BaseProtocol) {
	if err := t.face(p); err != nil {
		panic(err)
	}
}

// Protocol is BaseTransport's.
func (t *socketTransport) Protocol() BaseProtocol { return t.proto }

// Loop is BaseTransport's.
func (t *socketTransport) Loop() *Loop { return t.loop }

// ExtraInfo is BaseTransport's. The addresses are asked for when they are first
// wanted.
func (t *socketTransport) ExtraInfo(name string, fallback ...any) any {
	return t.sock.info(name, fallback)
}

// IsReading is ReadTransport's.
func (t *socketTransport) IsReading() bool { return !t.closing && !t.paused }

// PauseReading is ReadTransport's.
func (t *socketTransport) PauseReading() { t.paused = true }

// ResumeReading is ReadTransport's.
func (t *socketTransport) ResumeReading() {
	if t.paused && !t.closing {
		t.paused = false
		t.Happened(0)
	}
}
