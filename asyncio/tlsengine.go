package asyncio

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"

	"github.com/go-greenlet/greenlet"
)

// A tlsEngine is TLS without a connection: ciphertext that has come goes in by
// feed, ciphertext to be sent comes out by take, and nothing waits. It makes a
// crypto/tls connection do so, which expects one that waits:
//
// The handshake is one long call in crypto/tls, so it runs as a coroutine: where
// it wants to read what has not come yet, it yields. After it the coroutine ends;
// a connection that is idle has no stack.
//
// Afterwards a read for which the rest of a record is missing returns errTLSMore.
// That is what a deadline does to a connection of crypto/tls, which therefore
// keeps the part that it has and lets the read be repeated. Only a handshake
// cannot be: a client does not renegotiate (TLS 1.2).
//
// Writes are appended, so none waits, and no lock of crypto/tls is ever held
// while the coroutine is away, but those of the handshake.
type tlsEngine struct {
	conn  *tls.Conn
	wire  *tlsWire
	shake *greenlet.Coro[None, None] // the handshake; nil when it is over
}

// A tlsWire is the connection that crypto/tls sees. It is all that the stack of
// the handshake refers to: so one that is abandoned is noticed.
type tlsWire struct {
	in            []byte // what has come and was not read; the feeder's memory
	out           []byte // what is to be sent
	ended         bool   // nothing comes any more
	shake         *greenlet.Coro[None, None]
	local, remote net.Addr
}

// errTLSMore is the error of a read for which more ciphertext must come.
var errTLSMore error = tlsMore{}

type tlsMore struct{}

func (tlsMore) Error() string   { return "asyncio: more ciphertext must come" }
func (tlsMore) Timeout() bool   { return true }
func (tlsMore) Temporary() bool { return true } // crypto/tls lets it be repeated

func newTLSEngine(cfg *tls.Config, server bool, local, remote net.Addr) *tlsEngine {
	w := &tlsWire{local: local, remote: remote}
	conn := tls.Client
	if server {
		conn = tls.Server
	}
	c := conn(w, cfg)
	e := &tlsEngine{conn: c, wire: w}
	e.shake = greenlet.NewCoro(func(inner *greenlet.Coro[None, None], _ None) (err error) {
		defer func() {
			if p := recover(); p != nil { // of a function of the Config
				err = panicError(p, "a TLS handshake")
			}
		}()
		w.shake = inner
		// A context that cannot end: for another a goroutine would watch.
		return c.HandshakeContext(context.Background())
	})
	return e
}

// feed gives the engine ciphertext, which it uses in place. Before p is used
// otherwise, keep must be called.
func (e *tlsEngine) feed(p []byte) {
	if len(e.wire.in) == 0 {
		e.wire.in = p
		return
	}
	e.wire.in = append(e.wire.in[:len(e.wire.in):len(e.wire.in)], p...)
}

// keep copies what was fed and not used.
func (e *tlsEngine) keep() {
	if len(e.wire.in) > 0 {
		e.wire.in = append([]byte(nil), e.wire.in...)
	} else {
		e.wire.in = nil
	}
}

// end tells that nothing will be fed any more.
func (e *tlsEngine) end() { e.wire.ended = true }

// handshake goes on with the handshake. Until it is over the error is errTLSMore.
// Whatever the error, there may be something to send.
func (e *tlsEngine) handshake() error {
	if e.shake == nil {
		return nil
	}
	if _, more := e.shake.Resume(None{}); more {
		return errTLSMore
	}
	err := e.shake.Err()
	e.shake, e.wire.shake = nil, nil
	return err
}

// read reads plaintext. The error is errTLSMore if it needs more ciphertext,
// io.EOF at the end, and io.ErrUnexpectedEOF if that is in the middle of a record.
// An error may come together with plaintext. There may be something to send.
func (e *tlsEngine) read(p []byte) (int, error) {
	n, err := e.conn.Read(p)
	if err != nil && errors.Is(err, errTLSMore) {
		err = errTLSMore
	}
	return n, err
}

// write encrypts plaintext, to be sent. The handshake must be over.
func (e *tlsEngine) write(p []byte) error {
	_, err := e.conn.Write(p)
	return err
}

// closeNotify makes the message that ends what is sent. The handshake must be
// over.
func (e *tlsEngine) closeNotify() error { return e.conn.CloseWrite() }

// take returns what is to be sent. It is the caller's until the engine is used
// again.
func (e *tlsEngine) take() []byte {
	p := e.wire.out
	if e.wire.out = p[:0]; cap(p) > 2*tlsPiece {
		e.wire.out = nil
	}
	return p
}

// tlsPiece is how much plaintext is encrypted before it is sent.
const tlsPiece = 64 << 10

// close ends a handshake that is under way by force, unless it is a function of
// the Config that calls: then it ends when that returns and more must come.
func (e *tlsEngine) close() {
	e.wire.ended = true
	if e.shake != nil && e.shake.Close() == nil {
		e.shake = nil
	}
}

// Read returns what has come.
func (w *tlsWire) Read(p []byte) (int, error) {
	for len(w.in) == 0 {
		switch {
		case w.ended:
			return 0, io.EOF
		case w.shake == nil:
			return 0, errTLSMore
		}
		w.shake.Yield(None{})
	}
	n := copy(p, w.in)
	w.in = w.in[n:]
	return n, nil
}

// Write keeps p, to be sent.
func (w *tlsWire) Write(p []byte) (int, error) {
	w.out = append(w.out, p...)
	return len(p), nil
}

func (w *tlsWire) Close() error                     { return nil }
func (w *tlsWire) LocalAddr() net.Addr              { return w.local }
func (w *tlsWire) RemoteAddr() net.Addr             { return w.remote }
func (w *tlsWire) SetDeadline(time.Time) error      { return nil }
func (w *tlsWire) SetReadDeadline(time.Time) error  { return nil }
func (w *tlsWire) SetWriteDeadline(time.Time) error { return nil }
