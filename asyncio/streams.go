package asyncio

import (
	"context"
	"fmt"
	"runtime"
)

// A StreamReaderProtocol is the protocol of a stream: it feeds a StreamReader and
// makes a StreamWriter wait. Programs need it only if they make streams of
// transports themselves.
//
// Python: asyncio.StreamReaderProtocol.
type StreamReaderProtocol struct {
	flowControl
	reader    *StreamReader
	connected func(t Transport) // what ConnectionMade does besides; nil: nothing
	transport Transport
}

// NewStreamReaderProtocol makes the protocol that feeds r. Any goroutine may call
// it. Python: asyncio.StreamReaderProtocol.
func NewStreamReaderProtocol(r *StreamReader) *StreamReaderProtocol {
	p := &StreamReaderProtocol{reader: r}
	p.owner.loop = r.owner.loop
	return p
}

// ConnectionMade tells the reader what it has to pause.
func (p *StreamReaderProtocol) ConnectionMade(t Transport) {
	p.transport = t
	p.reader.SetTransport(t)
	if p.connected != nil {
		p.connected(t)
	}
}

// DataReceived feeds the reader.
func (p *StreamReaderProtocol) DataReceived(data []byte) { p.reader.FeedData(data) }

// GetBuffer returns where the reader wants what comes.
func (p *StreamReaderProtocol) GetBuffer(int) []byte { return p.reader.buffer() }

// BufferUpdated feeds the reader with what was read into what GetBuffer has
// returned.
func (p *StreamReaderProtocol) BufferUpdated(n int) { p.reader.updated(n) }

// EOFReceived ends the reader's stream, and leaves the connection open for what is
// to be sent, if it can be ended in one direction.
func (p *StreamReaderProtocol) EOFReceived() (keepOpen bool) {
	p.reader.FeedEOF()
	return p.transport.CanWriteEOF()
}

// ConnectionLost ends the reader's stream, and wakes the tasks that wait.
func (p *StreamReaderProtocol) ConnectionLost(err error) {
	if err == nil {
		p.reader.FeedEOF()
	} else {
		p.reader.SetException(err)
	}
	p.connectionLost(err)
}

// upgrade makes t the transport, and returns what the reader has that nobody has
// taken: it came before t, so it is ciphertext.
func (p *StreamReaderProtocol) upgrade(t Transport) (early []byte) {
	r := p.reader
	p.transport, r.transport, r.paused = t, t, false
	return r.got.take(r.got.len())
}

// OpenConnection makes a connection to addr, and returns the two ends of a stream.
// network and addr, the errors and how it waits are those of CreateConnection. The
// caller closes the writer.
//
// Python: asyncio.open_connection.
func OpenConnection(ctx context.Context, network, addr string, opts ...ConnectOption) (*StreamReader, *StreamWriter, error) {
	l, err := loopOf(ctx)
	if err != nil {
		return nil, nil, err
	}
	o := connectChoices(opts)
	p := NewStreamReaderProtocol(NewStreamReader(l, o.limit))
	t, _, err := createConnection(ctx, func() BaseProtocol { return p }, network, addr, o)
	if err != nil {
		return nil, nil, err
	}
	return p.reader, NewStreamWriter(t, p), nil
}

// OpenUnixConnection is OpenConnection to a unix socket. Python:
// asyncio.open_unix_connection.
func OpenUnixConnection(ctx context.Context, path string, opts ...ConnectOption) (*StreamReader, *StreamWriter, error) {
	return OpenConnection(ctx, "unix", path, opts...)
}

// A StreamHandler serves a connection: see StartServer.
type StreamHandler = func(ctx context.Context, r *StreamReader, w *StreamWriter) error

// StartServer makes a server that listens on addr and runs handle for each
// connection, in a task of its own. network, addr and errors are those of
// CreateServer. The task's context has the values of ctx and ends with it.
//
// handle closes the writer when it is done. If it returns an error, or panics, the
// exception handler is told and the connection is closed; if it was cancelled the
// connection is closed, too. A connection that it leaves open stays so for as long
// as somebody has its writer.
//
// Python: asyncio.start_server.
func StartServer(ctx context.Context, network, addr string, handle StreamHandler, opts ...ServerOption) (*Server, error) {
	l, err := loopOf(ctx)
	if err != nil {
		return nil, err
	}
	if handle == nil {
		return nil, typeErrorf("a handler of connections was expected, got nil")
	}
	o := serverChoices(opts)
	return createServer(ctx, func() BaseProtocol {
		p := NewStreamReaderProtocol(NewStreamReader(l, o.limit))
		p.connected = func(t Transport) { p.serve(ctx, t, handle) }
		return p
	}, network, addr, o)
}

// StartUnixServer is StartServer on a unix socket. Python:
// asyncio.start_unix_server.
func StartUnixServer(ctx context.Context, path string, handle StreamHandler, opts ...ServerOption) (*Server, error) {
	return StartServer(ctx, "unix", path, handle, opts...)
}

// serve runs handle for the connection of t.
func (p *StreamReaderProtocol) serve(ctx context.Context, t Transport, handle StreamHandler) {
	w := NewStreamWriter(t, p)
	l := p.owner.loop
	coro := func(ctx context.Context) (None, error) { return None{}, handle(ctx, p.reader, w) }
	var served *Task[None]
	if l.factory != nil {
		served = manufacture(l, ctx, coro, nil)
	} else {
		served = newTask(l, ctx, coro, nil)
	}
	served.tell(&doneFunc{fn: func() {
		p.connected = nil
		if served.Cancelled() || served.rarely&wasKilled != 0 { // by who simulates a machine: see Kill
			p.transport.Close()
			return
		}
		if exc, _ := served.Exception(); exc != nil {
			l.CallExceptionHandler(ExceptionContext{Message: "Unhandled exception in client_connected_cb", Exception: exc, Transport: p.transport, Protocol: p})
			p.transport.Close()
			return
		}
		if !p.transport.IsClosing() {
			runtime.AddCleanup(w, forgotten, p.transport)
		}
	}})
}

// forgotten closes the connection of a writer that was collected.
func forgotten(t Transport) {
	l := t.Loop()
	l.afterCleanup(func() {
		if t.IsClosing() {
			return
		}
		if s, ok := t.(fmt.Stringer); ok && l.debug {
			l.unclosed(s)
		}
		t.Close()
	})
}
