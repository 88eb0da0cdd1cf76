package httpd

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/alone"
)

// A conn is a connection, and the task that serves it.
type conn struct {
	srv    *Server
	group  *group
	rwc    net.Conn
	task   asyncio.AnyTask
	ctx    context.Context // the task's
	remote string
	tls    *tls.ConnectionState // nil: no TLS

	src        source
	br         *bufio.Reader // nil while there is nothing in it and the connection is idle
	bw         *bufio.Writer // so is this
	werr       error         // of a write; nothing more is sent
	lastMethod string
	fields     []field // of an answer's header
	cancels    int     // what the task had when it began to serve
	begun      bool
	state      http.ConnState

	reads    atomic.Bool // a deadline for reads is set
	writes   atomic.Bool // a deadline for writes is set
	lent     atomic.Bool // somebody may still read from br
	hijacked atomic.Bool
	current  atomic.Pointer[response] // while its handler runs
	watch    watch
}

func (s *Server) newConn(rwc net.Conn, g *group) *conn {
	c := &conn{srv: s, group: g, rwc: rwc}
	c.src.c, c.src.rwc = c, rwc
	g.conns[c] = struct{}{}
	g.live++
	c.setState(http.StateNew)
	return c
}

// forget takes c out of its group: its task has ended.
func (c *conn) forget() {
	if _, ok := c.group.conns[c]; ok {
		delete(c.group.conns, c)
		if !c.hijacked.Load() {
			c.group.live--
		}
		c.group.changed.Set()
	}
}

func (c *conn) setState(state http.ConnState) {
	c.state = state
	if hook := c.srv.Config.ConnState; hook != nil {
		hook(c.rwc, state)
	}
}

// keepsAlive reports whether connections may bring another request.
func (c *conn) keepsAlive() bool {
	return !c.srv.noKeep.Load() && !c.group.ending.Load() && !c.srv.closing.Load()
}

var (
	readers    = sync.Pool{New: func() any { return bufio.NewReader(nil) }}
	writers    = sync.Pool{New: func() any { return bufio.NewWriter(nil) }}
	bodyPieces = sync.Pool{New: func() any { return bufio.NewWriterSize(nil, pieceSize) }}
)

// pieceSize is how much of an answer's body is collected before it is sent, as in
// net/http: what is shorter has a Content-Length, what is longer is chunked.
const pieceSize = 2048

// A shelf has the buffer that was dropped last, in front of a pool: most requests
// are answered before the next one is read, so they use the same. It is the loop's.
type shelf[T any] struct{ last *T }

func (s *shelf[T]) take(from *sync.Pool) (t *T) {
	if t, s.last = s.last, nil; t == nil {
		t = from.Get().(*T)
	}
	return t
}

func (s *shelf[T]) drop(t *T, into *sync.Pool) {
	if s.last == nil {
		s.last = t
	} else {
		into.Put(t)
	}
}

func (c *conn) takeBuffers() {
	if c.br == nil {
		c.br = c.srv.reader.take(&readers)
		c.br.Reset(&c.src)
	}
	if c.bw == nil {
		c.bw = c.srv.writer.take(&writers)
		c.bw.Reset((*connWriter)(c))
	}
}

func (c *conn) dropBuffers() {
	if c.br != nil && !c.lent.Load() {
		c.br.Reset(nil)
		c.srv.reader.drop(c.br, &readers)
	}
	c.br = nil
	c.dropWriter()
}

func (c *conn) dropWriter() {
	if c.bw != nil {
		c.bw.Reset(nil)
		c.srv.writer.drop(c.bw, &writers)
		c.bw = nil
	}
}

// A connWriter is a conn as that to which its buffer writes.
type connWriter conn

func (w *connWriter) Write(p []byte) (int, error) {
	n, err := w.rwc.Write(p)
	if err != nil && w.werr == nil {
		w.werr = err
		(*conn)(w).gone()
	}
	return n, err
}

// setReadDeadline sets the deadline to d from now on, or to none if d is not above
// zero.
func (c *conn) setReadDeadline(d time.Duration) {
	if d > 0 {
		c.reads.Store(true)
		c.rwc.SetReadDeadline(time.Now().Add(d))
	} else if c.reads.Swap(false) {
		c.rwc.SetReadDeadline(time.Time{})
	}
}

func (c *conn) setWriteDeadline(d time.Duration) {
	if d > 0 {
		c.writes.Store(true)
		c.rwc.SetWriteDeadline(time.Now().Add(d))
	} else if c.writes.Swap(false) {
		c.rwc.SetWriteDeadline(time.Time{})
	}
}

func (c *conn) headerTimeout() time.Duration {
	if d := c.srv.Config.ReadHeaderTimeout; d != 0 {
		return d
	}
	return c.srv.Config.ReadTimeout
}

func (c *conn) idleTimeout() time.Duration {
	if d := c.srv.Config.IdleTimeout; d != 0 {
		return d
	}
	return c.srv.Config.ReadTimeout
}

// serve is the task of the connection.
func (c *conn) serve(ctx context.Context) (err error) {
	c.begun, c.ctx, c.cancels = true, ctx, c.task.Cancelling()
	if addr := c.rwc.RemoteAddr(); addr != nil {
		c.remote = addr.String()
	}
	defer c.end()
	if !c.shakeHands() {
		return nil
	}
	c.setReadDeadline(c.headerTimeout())
	for {
		c.takeBuffers()
		req, err := c.readRequest()
		if err != nil {
			c.refuse(err)
			return cancellation(err)
		}
		w := c.newResponse(req)
		if !c.answer(w) {
			return c.cancelled()
		}
		if err := c.awaitNext(); err != nil {
			return cancellation(err)
		}
	}
}

// cancellation is err if the task was cancelled: so it ends as what it is.
func cancellation(err error) error {
	if alone.Is(err, asyncio.ErrCancelled) {
		return err
	}
	return nil
}

// cancelled is a CancelledError if the task was cancelled while it served: a handler
// may have taken the one that there was.
func (c *conn) cancelled() error {
	if c.task.Cancelling() > c.cancels {
		return asyncio.ErrCancelled
	}
	return nil
}

// end is deferred by serve.
func (c *conn) end() {
	if p := recover(); p != nil {
		if err, ok := p.(error); ok && !asyncio.IsException(err) && cancellation(err) == nil {
			defer panic(p) // it ends the program
		} else if p != http.ErrAbortHandler {
			c.srv.logf("http: panic serving %v: %v\n%s", c.remote, p, debug.Stack())
		}
	}
	defer c.forget()
	w := c.current.Swap(nil)
	if w != nil {
		w.over()
	}
	if c.hijacked.Load() {
		return
	}
	c.watch.stop(c)
	if w != nil && w.body.src != nil {
		w.body.abandon()
	}
	if c.bw != nil {
		c.bw.Flush()
	}
	c.dropBuffers()
	c.rwc.Close()
	c.setState(http.StateClosed)
}

// answer has the handler answer a request. It reports whether the connection can
// bring another one.
func (c *conn) answer(w *response) bool {
	if !w.expect() {
		return false
	}
	c.current.Store(w)
	c.handler(w.req).ServeHTTP(w, w.req)
	w.over()
	c.current.Store(nil)
	if c.hijacked.Load() {
		return false
	}
	w.close = w.close || c.cancelled() != nil
	w.finish()
	c.setWriteDeadline(0)
	if !w.reusable() {
		if w.tooLarge || w.body.early {
			c.linger()
		}
		return false
	}
	c.setState(http.StateIdle)
	return c.keepsAlive()
}

func (c *conn) handler(r *http.Request) http.Handler {
	cfg := c.srv.Config
	switch {
	case !cfg.DisableGeneralOptionsHandler && r.RequestURI == "*" && r.Method == "OPTIONS":
		return http.HandlerFunc(generalOptions)
	case cfg.Handler == nil:
		return http.DefaultServeMux
	}
	return cfg.Handler
}

// generalOptions answers OPTIONS of no resource. A body is allowed, of no use, and
// not read for long.
func generalOptions(w http.ResponseWriter, r *http.Request) {
	const most = 4 << 10
	w.Header().Set("Content-Length", "0")
	if n, _ := io.CopyN(io.Discard, r.Body, most+1); n > most {
		w.(*response).refuseBody()
	}
}

// awaitNext waits for the beginning of the next request. What waits longest has no
// buffers.
func (c *conn) awaitNext() error {
	c.setReadDeadline(c.idleTimeout())
	if c.br.Buffered() == 0 {
		if q, ok := c.rwc.(interface{ WaitReadable() error }); ok && !c.src.has {
			c.dropBuffers()
			if err := q.WaitReadable(); err != nil {
				return err
			}
		} else {
			c.dropWriter()
		}
		c.takeBuffers()
	}
	c.src.remain = noLimit
	if _, err := c.br.Peek(4); err != nil {
		return err
	}
	c.setReadDeadline(c.headerTimeout())
	return nil
}

// refuse answers what is no request that can be served.
func (c *conn) refuse(err error) {
	const head = "\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n"
	var refused *refusal
	if !errors.As(err, &refused) {
		return
	}
	status := fmt.Sprintf("%d %s", refused.code, http.StatusText(refused.code))
	switch {
	case refused.instead != "":
		fmt.Fprintf(c.rwc, "HTTP/1.1 %s%s%s", status, head, refused.instead)
	case refused.text != "":
		fmt.Fprintf(c.rwc, "HTTP/1.1 %s: %s%s%s: %s", status, refused.text, head, status, refused.text)
	default:
		fmt.Fprintf(c.rwc, "HTTP/1.1 %s%s%s", status, head, status)
	}
	if refused.code == http.StatusRequestHeaderFieldsTooLarge {
		c.linger()
	}
}

// release gives the connection away, with its buffers.
func (c *conn) release() error {
	c.watch.stop(c)
	c.hijacked.Store(true)
	c.rwc.SetDeadline(time.Time{})
	c.src.c, c.src.remain = nil, noLimit
	if c.src.has {
		if _, err := c.br.Peek(c.br.Buffered() + 1); err != nil {
			return err
		}
	}
	c.bw.Reset(c.rwc)
	c.group.live--
	c.group.changed.Set()
	c.setState(http.StateHijacked)
	return nil
}

// linger ends the connection for the client, who may still send, and leaves some
// time to read what was said: after a reset it would not be seen.
func (c *conn) linger() {
	if c.bw != nil {
		c.bw.Flush()
	}
	c.dropBuffers()
	if half, ok := c.rwc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	}
	asyncio.Sleep(c.ctx, lingering)
}

const lingering = 500 * time.Millisecond
