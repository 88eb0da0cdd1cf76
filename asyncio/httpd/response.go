package httpd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"path"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A response is the answer to a request, and an http.ResponseWriter for it. All of
// a request that lives as long is part of it.
type response struct {
	c        *conn
	ctx      requestContext
	received *http.Request // as ReadRequest has made it
	req      *http.Request // with the context
	body     body

	method   string // a handler may change that of req
	http11   bool   // at least
	http10   bool   // at least
	keep10   bool   // HTTP/1.0, and the client wants to keep the connection
	close    bool   // the connection is closed after the answer
	wants    bool   // the client wants it closed
	duplex   bool   // the body is not read before the answer is sent
	tooLarge bool   // the body is not read at all

	header  http.Header // the handler's
	fields  []field     // what it was when the status was written
	status  int         // 0: not written
	length  int64       // of the body, as declared; -1: not
	written int64
	done    bool // the handler has returned
	sent    bool // the head is in the connection's buffer
	chunked bool
	trailer []string // the names that were declared
	pieces  *bufio.Writer

	mayAsk     atomic.Bool // the client waits for 100 Continue
	asking     atomic.Bool // which is being sent
	withheld   bool        // it was answered before
	mu         sync.Mutex  // for what follows
	closedChan chan bool   // CloseNotify's
	closedSaid bool
}

func (c *conn) newResponse(r *http.Request) *response {
	connection := first(r.Header, "Connection")
	w := &response{
		c:        c,
		received: r,
		method:   r.Method,
		http11:   r.ProtoAtLeast(1, 1),
		http10:   r.ProtoAtLeast(1, 0),
		keep10:   r.ProtoMajor == 1 && r.ProtoMinor == 0 && hasToken(connection, "keep-alive"),
		wants:    r.Close || hasToken(connection, "close"),
		close:    isUpgrade(r),
		header:   make(http.Header),
		length:   -1,
		pieces:   c.srv.pieces.take(&bodyPieces),
	}
	w.pieces.Reset((*chunkWriter)(w))
	w.ctx.w = w
	w.body.w = w
	r.RemoteAddr, r.TLS = c.remote, c.tls
	has := r.Body != http.NoBody
	if has {
		w.body.src, w.body.remain = r.Body, r.ContentLength
	}
	w.req = r.WithContext(&w.ctx)
	if has {
		w.req.Body = &w.body
	}
	c.watch.reset(has)
	return w
}

// takeTrailer gives the handler's request what came after the body.
func (w *response) takeTrailer() {
	if w.req.Trailer == nil {
		w.req.Trailer = w.received.Trailer
	}
}

// expect looks at what the client expects. It reports whether a handler is to be
// called.
func (w *response) expect() bool {
	switch expected := first(w.received.Header, "Expect"); {
	case expected == "":
	case !hasToken(expected, "100-continue"):
		w.header.Set("Connection", "close")
		w.WriteHeader(http.StatusExpectationFailed)
		w.finish()
		return false
	case w.http11 && w.body.src != nil:
		w.mayAsk.Store(true)
	}
	return true
}

// sendContinue tells the client to send the body, if it waits for that.
func (w *response) sendContinue() {
	if !w.mayAsk.Load() {
		return
	}
	w.asking.Store(true)
	if w.mayAsk.Swap(false) {
		io.WriteString(w.c.rwc, "HTTP/1.1 100 Continue\r\n\r\n")
	}
	w.asking.Store(false)
}

// withholdContinue has sendContinue do nothing, or waits until it has done. It
// reports whether the client waits for it still.
func (w *response) withholdContinue() bool {
	if w.mayAsk.Load() && w.mayAsk.Swap(false) {
		return true
	}
	for w.asking.Load() { // hardly ever: somebody reads while somebody else writes
		t := asyncio.CurrentTask(w.c.ctx)
		if t == nil {
			time.Sleep(time.Millisecond)
			continue
		}
		// Whoever asks may be a task of the same loop, so this must wait, also after the
		// end of the context. A cancel is for the next wait.
		err := asyncio.Sleep(context.WithoutCancel(w.c.ctx), time.Millisecond)
		if errors.Is(err, asyncio.ErrLoopClosed) {
			break
		}
		if err != nil {
			t.Uncancel()
			defer t.Cancel()
		}
	}
	return false
}

// refuseBody has the connection closed, with what is left of the body.
func (w *response) refuseBody() {
	w.close, w.tooLarge = true, true
}

// Header returns the header, which is sent when it is time to.
func (w *response) Header() http.Header { return w.header }

// WriteHeader sends a status of the handler's choice: at once, if there are more to
// come, else with the body.
func (w *response) WriteHeader(code int) {
	if w.c.hijacked.Load() {
		w.complain("response.WriteHeader on hijacked connection")
		return
	}
	if w.status != 0 {
		w.complain("superfluous response.WriteHeader call")
		return
	}
	if code < 100 || code > 999 {
		panic(fmt.Sprintf("invalid WriteHeader code %v", code))
	}
	if code < 101 || code > 199 {
		if w.withholdContinue() && code >= 200 {
			w.withheld = true // the client need not send the body
			w.close = w.close || as127
		}
	}
	if code <= 199 && code != http.StatusSwitchingProtocols {
		w.writeStatus(code)
		w.header.WriteSubset(w.c.bw, noBodyHeaders)
		w.c.bw.WriteString("\r\n")
		w.c.bw.Flush()
		return
	}
	w.status = code
	w.snapshot()
}

var noBodyHeaders = map[string]bool{"Content-Length": true, "Transfer-Encoding": true}

// complain logs a mistake of a handler, and where it was made.
func (w *response) complain(what string) {
	at := outerCaller()
	w.c.srv.logf("http: %s from %s (%s:%d)", what, at.Function, path.Base(at.File), at.Line)
}

// outerCaller returns the innermost call that is of neither this package nor
// net/http.
func outerCaller() (at runtime.Frame) {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs[:])])
	for more := true; more; {
		at, more = frames.Next()
		if !strings.HasPrefix(at.Function, "net/http.") && !strings.HasPrefix(at.Function, ownPackage) {
			break
		}
	}
	return at
}

const ownPackage = "github.com/go-greenlet/greenlet/asyncio/httpd."

// Write sends a part of the body.
func (w *response) Write(p []byte) (int, error) {
	if send, err := w.admit(len(p)); !send {
		return 0, err
	}
	return w.pieces.Write(p)
}

// WriteString is Write for a string.
func (w *response) WriteString(p string) (int, error) {
	if send, err := w.admit(len(p)); !send {
		return 0, err
	}
	return w.pieces.WriteString(p)
}

// admit reports whether n bytes more of the body are to be sent.
func (w *response) admit(n int) (send bool, err error) {
	if w.c.hijacked.Load() {
		if n > 0 {
			w.complain("response.Write on hijacked connection")
		}
		return false, http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	if n == 0 {
		return false, nil
	}
	if !hasBody(w.status) {
		return false, http.ErrBodyNotAllowed
	}
	w.written += int64(n)
	if w.length != -1 && w.written > w.length {
		return false, http.ErrContentLength
	}
	return true, nil
}

// hasBody reports whether an answer with that status may have a body.
func hasBody(status int) bool {
	return status >= 200 && status != http.StatusNoContent && status != http.StatusNotModified
}

// A writerOnly hides that a response has ReadFrom.
type writerOnly struct{ io.Writer }

// ReadFrom sends src as a part of the body. Over TCP the head goes out after the
// first bytes, as in net/http, where the rest is the system's: so what is longer is
// chunked.
func (w *response) ReadFrom(src io.Reader) (n int64, err error) {
	buf := copies.Get().(*[32 << 10]byte)
	defer copies.Put(buf)
	if w.c.tls == nil && w.c.rwc.LocalAddr().Network() == "tcp" {
		if !w.sent {
			const sniffed = 512
			n, err = io.CopyBuffer(writerOnly{w}, io.LimitReader(src, sniffed), buf[:])
			if err != nil || n < sniffed {
				return n, err
			}
		}
		w.pieces.Flush()
		w.sendHead(nil)
	}
	rest, err := io.CopyBuffer(writerOnly{w}, src, buf[:])
	return n + rest, err
}

var copies = sync.Pool{New: func() any { return new([32 << 10]byte) }}

// Flush sends what there is, without its error.
func (w *response) Flush() { w.FlushError() }

// FlushError sends what there is.
func (w *response) FlushError() error {
	if w.c.hijacked.Load() {
		return http.ErrHijacked
	}
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	err := w.pieces.Flush()
	w.sendHead(nil)
	if e := w.c.bw.Flush(); err == nil {
		err = e
	}
	return err
}

// SetReadDeadline is for http.ResponseController.
func (w *response) SetReadDeadline(t time.Time) error {
	w.c.reads.Store(true)
	return w.c.rwc.SetReadDeadline(t)
}

// SetWriteDeadline is for http.ResponseController.
func (w *response) SetWriteDeadline(t time.Time) error {
	w.c.writes.Store(true)
	return w.c.rwc.SetWriteDeadline(t)
}

// EnableFullDuplex is for http.ResponseController.
func (w *response) EnableFullDuplex() error {
	w.duplex = true
	return nil
}

// CloseNotify is net/http's, which has given it up for the request's context.
func (w *response) CloseNotify() <-chan bool {
	w.mu.Lock()
	if w.closedChan == nil {
		w.closedChan = make(chan bool, 1)
		if w.closedSaid {
			w.closedChan <- true
		}
	}
	w.mu.Unlock()
	w.ctx.derive()
	return w.closedChan
}

// notifyClosed tells who has called CloseNotify.
func (w *response) notifyClosed() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closedSaid && w.closedChan != nil {
		w.closedChan <- true
	}
	w.closedSaid = true
}

// Hijack gives the connection to the handler.
func (w *response) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	c := w.c
	if w.done {
		panic("httpd: Hijack called after ServeHTTP finished")
	}
	w.withholdContinue()
	if c.hijacked.Load() {
		return nil, nil, http.ErrHijacked
	}
	if w.status != 0 {
		w.sendHead(nil)
		c.bw.Flush()
	}
	if err := w.release(); err != nil {
		return nil, nil, err
	}
	w.pieces = nil // whoever hijacks may be a goroutine, and the shelf is the loop's
	return c.rwc, bufio.NewReadWriter(c.br, c.bw), nil
}

// release has the connection given away, on the loop.
func (w *response) release() error {
	if asyncio.CurrentTask(w.c.ctx) != nil {
		return w.c.release()
	}
	if _, err := asyncio.RunningLoop(w.c.ctx); err == nil {
		return asyncio.ErrNoRunningLoop // a callback
	}
	_, err := asyncio.RunCoroutineThreadsafe(w.c.task.Loop(), func(context.Context) (asyncio.None, error) {
		return asyncio.None{}, w.c.release()
	}).Result(-1)
	return err
}

func (w *response) dropPieces() {
	w.pieces.Reset(nil)
	w.c.srv.pieces.drop(w.pieces, &bodyPieces)
	w.pieces = nil
}

// over is called when the handler has returned, whichever way.
func (w *response) over() {
	w.done = true
	w.ctx.end()
}

// finish sends what is left of the answer.
func (w *response) finish() {
	w.done = true
	if w.status == 0 {
		w.WriteHeader(http.StatusOK)
	}
	w.pieces.Flush()
	w.dropPieces()
	w.sendHead(nil)
	w.endChunks()
	w.c.bw.Flush()
	w.c.watch.stop(w.c)
	if w.body.src != nil {
		w.body.Close()
	}
	if form := w.req.MultipartForm; form != nil {
		form.RemoveAll()
	}
}

// reusable reports whether the connection can bring another request.
func (w *response) reusable() bool {
	short := w.method != "HEAD" && w.length != -1 && hasBody(w.status) && w.length != w.written
	return !w.close && !short && w.c.werr == nil && !w.body.early
}
