package asyncio

import (
	"crypto/tls"
	"errors"
	"fmt"
)

// String describes the transport for people.
func (t *tlsTransport) String() string { return fmt.Sprintf("TLS over %v", t.below) }

// Close sends close_notify and waits for the peer's.
func (t *tlsTransport) Close() {
	switch t.state {
	case tlsShaking:
		t.abort()
	case tlsOpen:
		t.shutdown()
		t.below.ResumeReading()
		t.loop.CallSoon(func() { // what was left in a pause: the peer's close_notify, say
			if t.state == tlsClosing {
				t.advance()
			}
		})
	}
}

// Abort closes the transport below at once.
func (t *tlsTransport) Abort() { t.abort() }

func (t *tlsTransport) IsClosing() bool { return t.state >= tlsClosing }

// ExtraInfo knows "sslcontext", "ssl_object", "peercert" and "cipher", and asks
// the transport below for the rest.
func (t *tlsTransport) ExtraInfo(name string, fallback ...any) any {
	if name == "sslcontext" {
		return t.options.config
	}
	if t.engine != nil && t.engine.shake == nil { // else crypto/tls holds its lock
		s := t.engine.conn.ConnectionState()
		switch {
		case !s.HandshakeComplete:
		case name == "ssl_object":
			return s
		case name == "cipher":
			return tls.CipherSuiteName(s.CipherSuite)
		case name == "peercert" && len(s.PeerCertificates) > 0:
			return s.PeerCertificates[0]
		}
	}
	if t.below != nil {
		return t.below.ExtraInfo(name, fallback...)
	}
	if len(fallback) > 0 {
		return fallback[0]
	}
	return nil
}

func (t *tlsTransport) SetProtocol(p BaseProtocol) {
	if err := mustCarryBytes(p); err != nil {
		panic(err)
	}
	t.protocol = p
}

func (t *tlsTransport) Protocol() BaseProtocol { return t.protocol }
func (t *tlsTransport) Loop() *Loop            { return t.loop }

func (t *tlsTransport) IsReading() bool { return !t.paused && t.state == tlsOpen }

func (t *tlsTransport) PauseReading() {
	if t.state == tlsOpen && !t.paused {
		t.paused = true
		t.below.PauseReading()
	}
}

func (t *tlsTransport) ResumeReading() {
	if t.state != tlsOpen || !t.paused {
		return
	}
	t.paused = false
	t.loop.CallSoon(func() { // not inside of what the protocol does
		if t.state == tlsOpen && !t.paused {
			t.advance() // with what was left
		}
		if t.state == tlsOpen && !t.paused {
			t.below.ResumeReading()
		}
	})
}

// Write encrypts data and writes it below.
func (t *tlsTransport) Write(data []byte) error { return t.WriteLines(data) }

// WriteLines encrypts the pieces, and writes them below together.
func (t *tlsTransport) WriteLines(pieces ...[]byte) error {
	if t.refuse {
		return errSending
	}
	for _, data := range pieces {
		for len(data) > 0 {
			if t.state != tlsOpen {
				return nil
			}
			n := min(len(data), tlsPiece)
			if err := t.engine.write(data[:n]); err != nil {
				t.fail(err)
				return nil
			}
			if data = data[n:]; len(t.engine.wire.out) >= tlsPiece {
				t.send()
			}
		}
	}
	if t.state == tlsOpen {
		t.send()
	}
	return nil
}

// WriteEOF is refused: what TLS has for it ends the connection.
func (t *tlsTransport) WriteEOF() error {
	return errorf("NotImplementedError", errors.ErrUnsupported, "a TLS transport cannot end one direction")
}

func (t *tlsTransport) CanWriteEOF() bool { return false }

func (t *tlsTransport) SetWriteBufferLimits(high, low int) error {
	return t.below.SetWriteBufferLimits(high, low)
}
func (t *tlsTransport) WriteBufferLimits() (low, high int) { return t.below.WriteBufferLimits() }
func (t *tlsTransport) WriteBufferSize() int               { return t.below.WriteBufferSize() }
