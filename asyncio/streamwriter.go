package asyncio

import (
	"context"
	"crypto/tls"
	"io"
)

// A StreamWriter sends on a connection. It belongs to its loop.
//
// Python: asyncio.StreamWriter.
type StreamWriter struct {
	transport WriteTransport
	flow      *flowControl
	reader    *StreamReader // whose error Drain tells; may be nil
}

// NewStreamWriter makes a writer of a transport whose protocol is p. Python:
// asyncio.StreamWriter.
func NewStreamWriter(t WriteTransport, p *StreamReaderProtocol) *StreamWriter {
	return &StreamWriter{t, &p.flowControl, p.reader}
}

// Write sends data, or keeps a copy of what cannot be sent now. It never waits, so
// a program that sends much calls Drain after it. After Close data is dropped. The
// error is a RuntimeError after WriteEOF. It does not switch, and allocates only
// what it has to keep. Python: StreamWriter.write.
func (w *StreamWriter) Write(data []byte) error { return w.transport.Write(data) }

// WriteString is Write of a string.
func (w *StreamWriter) WriteString(s string) error { return w.transport.Write([]byte(s)) }

// WriteLines is Write of several pieces, one after the other. It adds no newlines.
// Python: StreamWriter.writelines.
func (w *StreamWriter) WriteLines(pieces ...[]byte) error { return w.transport.WriteLines(pieces...) }

// Drain suspends the calling task while more waits to be sent than is good: from
// the high-water mark down to the low one (see SetWriteBufferLimits). Else it does
// not switch, unless the transport is closing: then the task goes on in the next
// turn. Any number of tasks may wait.
//
// The error is ErrConnectionLost when the connection is over, the error with which
// it has failed, or one of a wait. Only a task may call it. Python: StreamWriter.drain.
func (w *StreamWriter) Drain(ctx context.Context) error {
	if w.reader != nil && w.reader.err != nil {
		return w.reader.err
	}
	if w.transport.IsClosing() {
		if err := Sleep(ctx, 0); err != nil {
			return err
		}
	}
	return w.flow.drain(ctx)
}

// WriteEOF ends what is sent, when what was written is sent. Data can still be
// received. The error is errors.ErrUnsupported if CanWriteEOF is false. It does
// not switch. Python: StreamWriter.write_eof.
func (w *StreamWriter) WriteEOF() error { return w.transport.WriteEOF() }

// CanWriteEOF reports whether WriteEOF works. Python: StreamWriter.can_write_eof.
func (w *StreamWriter) CanWriteEOF() bool { return w.transport.CanWriteEOF() }

// Close closes the connection when what was written is sent: see WaitClosed. It
// does not switch. Python: StreamWriter.close.
func (w *StreamWriter) Close() { w.transport.Close() }

// IsClosing reports whether the connection is closed, or about to be. Python:
// StreamWriter.is_closing.
func (w *StreamWriter) IsClosing() bool { return w.transport.IsClosing() }

// WaitClosed suspends the calling task until the connection is over. The error is
// nil if it was closed, the error with which it has failed, or one of a wait. If
// the connection is over the call does not switch. Only a task may call it. Python: StreamWriter.wait_closed.
func (w *StreamWriter) WaitClosed(ctx context.Context) error { return w.flow.waitClosed(ctx) }

// StartTLS goes over to TLS, on the connection of this writer and its reader, when
// what was written is sent. What it does, its options and errors are those of
// StartTLS, the function; in a server's handler this side is the server. What the
// reader has and nobody has taken yet is taken for the beginning of the handshake.
// A writer that is not of a connection's stream gets a TypeError.
//
// Only a task may call it. Python: StreamWriter.start_tls.
func (w *StreamWriter) StartTLS(ctx context.Context, cfg *tls.Config, opts ...TLSOption) error {
	t, ok := w.transport.(Transport)
	if !ok {
		return typeErrorf("transport %T is not supported by StartTLS()", w.transport)
	}
	p, ok := t.Protocol().(*StreamReaderProtocol)
	if !ok {
		return typeErrorf("a stream's protocol was expected, got %T", t.Protocol())
	}
	if p.connected != nil {
		opts = append([]TLSOption{WithTLSServerSide()}, opts...)
	}
	if err := w.Drain(ctx); err != nil {
		return err
	}
	over, err := startTLS(ctx, t, p, cfg, opts)
	if err != nil {
		return err
	}
	w.transport = over
	return nil
}

// ExtraInfo returns what is known by a name: see BaseTransport. Python:
// StreamWriter.get_extra_info.
func (w *StreamWriter) ExtraInfo(name string, fallback ...any) any {
	return w.transport.ExtraInfo(name, fallback...)
}

// Transport returns the transport. Python: StreamWriter.transport.
func (w *StreamWriter) Transport() WriteTransport { return w.transport }

// Writer returns the writer as an io.Writer, whose Write is Write and Drain, which
// waits with ctx: for package fmt, io.Copy and the like. Python has no such call.
func (w *StreamWriter) Writer(ctx context.Context) io.Writer { return &boundWriter{w, ctx} }

type boundWriter struct {
	w   *StreamWriter
	ctx context.Context
}

// Write is Write and Drain. With an error of Drain it is not known how much was
// sent.
func (b *boundWriter) Write(p []byte) (int, error) {
	t, _ := current(b.ctx)
	err := t.below(func() error {
		if err := b.w.Write(p); err != nil {
			return err
		}
		return b.w.Drain(b.ctx)
	})
	if err != nil {
		return 0, err
	}
	return len(p), nil
}
