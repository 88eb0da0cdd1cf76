package asyncio

import (
	"context"
	"crypto/tls"
)

// StartTLS goes over to TLS on a connection that is there: both sides have agreed
// to do so by what they have sent before. It returns the transport that p must use
// from now on in place of t. p is not told of a connection again.
//
// This side is the client, which needs a server's name: that of cfg, or by
// WithTLSServerHostname, unless cfg says InsecureSkipVerify. With
// WithTLSServerSide it is the server. cfg is used as crypto/tls does, but a client
// never renegotiates. Its functions (GetCertificate, VerifyConnection and so on)
// run on the loop, in no task: they must not wait.
//
// Only a task may call it; it waits for the end of the handshake. Nothing must be
// written to t meanwhile, and nothing of TLS have been read from it. The error is
// that of the handshake, a ConnectionResetError if the peer ends it, a
// ConnectionAbortedError if it takes too long, a ValueError of the options, or
// that of a wait. If the handshake has begun the connection is closed then.
//
// Of the transport, Close sends close_notify and waits for the peer's; what comes
// after Close is dropped. WriteEOF is refused. An end without close_notify is an
// end, as in Python; in the middle of a record it is io.ErrUnexpectedEOF.
//
// Python: loop.start_tls.
func (l *Loop) StartTLS(ctx context.Context, t Transport, p BaseProtocol, cfg *tls.Config, opts ...TLSOption) (Transport, error) {
	if t.Loop() != l {
		return nil, ErrOtherLoop
	}
	over, err := startTLS(ctx, t, p, cfg, opts)
	if err != nil {
		return nil, err
	}
	return over, nil
}

func startTLS(ctx context.Context, t Transport, p BaseProtocol, cfg *tls.Config, opts []TLSOption) (*tlsTransport, error) {
	me, err := current(ctx)
	if err != nil {
		return nil, err
	}
	l := me.loop
	switch {
	case t.Loop() != l:
		return nil, ErrOtherLoop
	case t.IsClosing():
		return nil, runtimeErrorf("StartTLS on a transport that is closing")
	case sendsFile(t):
		return nil, errSending
	}
	o, err := newTLSOptions(cfg, false, "", opts)
	if err != nil {
		return nil, err
	}
	over, err := newTLSTransport(l, p, o, true)
	if err != nil {
		return nil, err
	}
	if s, ok := p.(*StreamReaderProtocol); ok {
		over.early = s.upgrade(over)
	}
	t.PauseReading()
	t.SetProtocol(over.asProtocol())
	l.CallSoon(func() { // not in this task: see cfg's functions
		over.asProtocol().ConnectionMade(t)
		t.ResumeReading()
	})
	if err := over.waitShaken(ctx); err != nil {
		return nil, err
	}
	return over, nil
}
