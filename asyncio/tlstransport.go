package asyncio

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
)

// A tlsTransport is TLS over another transport, as whose protocol it stands:
//
//	protocol   <- tlsTransport   <- tlsProtocol   <- transport
//	           ->                ->               ->
//	 plaintext                        ciphertext
//
// This file is its life and what it receives; tlsmethods.go is what the program
// calls. It has no buffers of its own. What is written is encrypted and written below at
// once, so the flow control of the transport below is its own.
//
// Its life:
//
//	tlsShaking   until the handshake is over; the protocol is told nothing
//	tlsOpen      data goes both ways
//	tlsClosing   close_notify was sent, and the peer's is awaited; what comes is
//	             dropped
//	tlsOver      the transport below is closed, or about to be
type tlsTransport struct {
	loop     *Loop
	below    Transport
	protocol BaseProtocol
	options  *tlsOptions
	engine   *tlsEngine
	state    tlsState
	waiter   *Future[None] // of who waits for the end of the handshake; nil if nobody does
	early    []byte        // ciphertext that came before the transport was made
	opened   inList[openThing]
	upgrade  bool         // the protocol has had its ConnectionMade from the transport below
	made     bool         // the protocol has had its ConnectionMade, and not its ConnectionLost
	paused   bool         // it wants no data
	full     bool         // below more waits than should
	refuse   bool         // writes, which would come in the middle of a file
	timer    *TimerHandle // of the handshake, or of the shutdown
	err      error        // why it is over
}

type tlsState uint8

const (
	tlsShaking tlsState = iota
	tlsOpen
	tlsClosing
	tlsOver
)

// tlsProtocol is a tlsTransport as the transport below sees it.
type tlsProtocol tlsTransport

// newTLSTransport makes TLS for protocol. It begins when what asProtocol returns
// is told of a connection. An upgrade takes the place of a transport that the
// protocol has already.
func newTLSTransport(l *Loop, protocol BaseProtocol, o *tlsOptions, upgrade bool) (*tlsTransport, error) {
	if err := mustCarryBytes(protocol); err != nil {
		return nil, err
	}
	return &tlsTransport{loop: l, protocol: protocol, options: o, upgrade: upgrade, made: upgrade}, nil
}

// mustCarryBytes refuses what is no protocol for a connection.
func mustCarryBytes(p BaseProtocol) error {
	switch p.(type) {
	case Protocol, BufferedProtocol:
		return nil
	}
	return typeErrorf("a Protocol or BufferedProtocol was expected, got %T", p)
}

// asProtocol returns t as the transport below sees it.
func (t *tlsTransport) asProtocol() Protocol { return (*tlsProtocol)(t) }

// outermost returns the transport that the program has of t: TLS, if that is over
// it.
func outermost(t Transport) Transport {
	for {
		p, ok := t.Protocol().(*tlsProtocol)
		if !ok {
			return t
		}
		t = (*tlsTransport)(p)
	}
}

// ConnectionMade begins the handshake.
func (p *tlsProtocol) ConnectionMade(below Transport) {
	t := (*tlsTransport)(p)
	t.below = below
	if t.state == tlsOver {
		below.Abort()
		return
	}
	local, _ := below.ExtraInfo("sockname").(net.Addr)
	remote, _ := below.ExtraInfo("peername").(net.Addr)
	t.engine = newTLSEngine(t.options.used, t.options.server, local, remote)
	t.loop.holds(&t.opened, t)
	t.timer = t.loop.CallLater(t.options.handshake, func() {
		t.fail(errorf("ConnectionAbortedError", syscall.ECONNABORTED,
			"SSL handshake is taking longer than %v: aborting the connection", t.options.handshake))
	})
	t.engine.feed(t.early)
	t.early = nil
	t.advance()
}

// DataReceived takes ciphertext.
func (p *tlsProtocol) DataReceived(data []byte) {
	t := (*tlsTransport)(p)
	if t.state == tlsOver {
		return
	}
	t.engine.feed(data)
	t.advance()
	t.engine.keep()
}

// EOFReceived takes the end of the ciphertext, which is the end of TLS, too: nothing
// that came before is left, or the transport below would have been paused.
func (p *tlsProtocol) EOFReceived() (keepOpen bool) {
	t := (*tlsTransport)(p)
	if t.state != tlsOver {
		t.engine.end()
		t.advance()
	}
	return false
}

// ConnectionLost tells the protocol, if it has been told of the connection.
func (p *tlsProtocol) ConnectionLost(err error) {
	t := (*tlsTransport)(p)
	if t.err == nil {
		t.err = err
	}
	t.over()
	if t.made {
		t.made = false
		protocol := t.protocol
		t.loop.CallSoon(func() { protocol.ConnectionLost(t.err) })
	}
	if err = t.err; err == nil {
		err = connectionReset("the connection was closed during the TLS handshake")
	}
	t.wake(err)
}

// PauseWriting and ResumeWriting pass on what the transport below says.
func (p *tlsProtocol) PauseWriting()  { (*tlsTransport)(p).flow(true) }
func (p *tlsProtocol) ResumeWriting() { (*tlsTransport)(p).flow(false) }

func (t *tlsTransport) flow(full bool) {
	t.full = full
	f, ok := t.protocol.(FlowController)
	switch {
	case !t.made || !ok:
	case full:
		f.PauseWriting()
	default:
		f.ResumeWriting()
	}
}

// advance does what can be done with the ciphertext that is there.
func (t *tlsTransport) advance() {
	if t.state == tlsShaking {
		t.shake()
	}
	if t.state == tlsOpen {
		t.receive()
	}
	if t.state == tlsClosing {
		t.discard()
	}
	if t.state != tlsOver {
		t.send()
	}
}

func (t *tlsTransport) shake() {
	err := t.engine.handshake()
	switch {
	case t.state != tlsShaking: // a function of the Config has closed it
		t.engine.close()
		return
	case err == errTLSMore:
		return
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		err = connectionReset("the peer has closed the connection during the TLS handshake")
	}
	if err != nil {
		t.fail(err)
		return
	}
	t.timer.Cancel()
	t.state = tlsOpen
	t.send()
	if !t.upgrade {
		t.made = true
		t.protocol.(interface{ ConnectionMade(Transport) }).ConnectionMade(t)
		if t.full {
			t.flow(true)
		}
	}
	t.wake(nil)
}

// tlsBuffers are what is decrypted into. They are not a connection's own, so one
// that is idle has none.
var tlsBuffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// receive gives the protocol what can be decrypted. A BufferedProtocol that is a
// Protocol, too, is used as that: its memory may be the loop's, in which the
// ciphertext is.
func (t *tlsTransport) receive() {
	own := tlsBuffers.Get().(*[32 << 10]byte)
	for t.state == tlsOpen && !t.paused {
		into, data := own[:], t.protocol
		_, isData := data.(Protocol)
		buffered, _ := data.(BufferedProtocol)
		if !isData {
			if into = buffered.GetBuffer(-1); len(into) == 0 {
				panic(runtimeErrorf("get_buffer() returned an empty buffer"))
			}
		}
		n, err := t.fill(into)
		switch {
		case n == 0:
		case isData:
			data.(Protocol).DataReceived(into[:n])
		default:
			buffered.BufferUpdated(n)
		}
		if err != nil {
			t.received(err)
			break
		}
	}
	tlsBuffers.Put(own) // not if the protocol has panicked
}

// fill decrypts to p as much as there is, and there is room for.
func (t *tlsTransport) fill(p []byte) (n int, err error) {
	for n < len(p) && err == nil {
		var more int
		more, err = t.engine.read(p[n:])
		n += more
	}
	return n, err
}

// received is told why nothing more can be decrypted.
func (t *tlsTransport) received(err error) {
	switch {
	case err == errTLSMore || t.state != tlsOpen:
	case err == io.EOF:
		if e, ok := t.protocol.(EOFReceiver); ok && e.EOFReceived() {
			slog.Warn("asyncio: returning true from EOFReceived has no effect with TLS")
		}
		t.shutdown()
	default:
		t.fail(err)
	}
}

// discard waits for the peer's close_notify.
func (t *tlsTransport) discard() {
	own := tlsBuffers.Get().(*[32 << 10]byte)
	var err error
	for err == nil {
		_, err = t.engine.read(own[:])
	}
	tlsBuffers.Put(own)
	if err == errTLSMore {
		return
	}
	// The peer's close_notify, or an end without one, or an error: nothing that
	// anybody still wants to know comes after it.
	t.send()
	t.state = tlsOver
	t.below.Close()
}

// shutdown sends close_notify.
func (t *tlsTransport) shutdown() {
	if t.state != tlsOpen {
		return
	}
	t.state = tlsClosing
	t.timer = t.loop.CallLater(t.options.shutdown, func() {
		t.fail(errorf("TimeoutError", ErrTimeout, "SSL shutdown timed out"))
	})
	t.engine.closeNotify()
	t.send()
}

// send writes below what the engine wants to be sent.
func (t *tlsTransport) send() {
	if out := t.engine.take(); len(out) > 0 {
		t.below.Write(out)
	}
}

// fail ends the transport with err.
func (t *tlsTransport) fail(err error) {
	if t.err == nil {
		t.err = err
	}
	var panicked *PanicError
	if errors.As(err, &panicked) {
		t.loop.CallExceptionHandler(ExceptionContext{Message: "Fatal error on SSL protocol", Exception: err, Transport: t, Protocol: t.protocol})
	}
	t.send() // an alert that says why
	t.wake(err)
	t.abort()
}

func (t *tlsTransport) abort() {
	t.over()
	if t.below != nil {
		t.below.Abort()
	}
}

// over ends what the transport needs no more.
func (t *tlsTransport) over() {
	t.state = tlsOver
	if t.timer != nil {
		t.timer.Cancel()
	}
	t.opened.leave()
	if t.engine != nil {
		t.engine.close()
	}
}

// abandon ends a handshake when the loop is closed.
func (t *tlsTransport) abandon() { t.engine.close() }

// waitShaken suspends the calling task until the handshake is over. It must be
// called before it can begin. With an error the connection is closed.
func (t *tlsTransport) waitShaken(ctx context.Context) error {
	t.waiter = NewFuture[None](t.loop)
	_, err := t.waiter.Await(ctx)
	if err != nil {
		t.waiter = nil
		t.Abort()
	}
	return err
}

// wake tells who waits for the handshake how it has ended.
func (t *tlsTransport) wake(err error) {
	w := t.waiter
	t.waiter = nil
	switch {
	case w == nil || w.Done():
	case err != nil:
		w.SetException(err)
	default:
		w.SetResult(None{})
	}
}

func connectionReset(what string) error {
	return errorf("ConnectionResetError", syscall.ECONNRESET, "%s", what)
}
