package httpd

import (
	"context"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A watch waits for the end of the client while a handler runs. It begins when
// somebody has asked for the end of the request's context, and the body was read:
// until then it is who reads the body that learns of the end. It is a task that
// reads. What it reads is the beginning of the next request, of which it keeps one
// byte. Where the connection can tell that there is something to read, there is no
// task before.
type watch struct {
	mu     sync.Mutex
	wanted bool
	body   bool // there is more of the body
	over   bool // the handler has returned

	// The loop's.
	notify  func()                      // is called when there is something to read
	waits   notifier                    // who calls it; nil: nobody will
	task    *asyncio.Task[asyncio.None] // nil: there is none
	begun   bool
	stopped bool
}

// reset is called before a handler. body tells whether there is a body to read.
func (x *watch) reset(body bool) {
	x.mu.Lock()
	x.wanted, x.body, x.over = false, body, false
	x.mu.Unlock()
}

// want is called by who wants to know when the client of w is gone. Any goroutine
// may call it.
func (x *watch) want(w *response) {
	x.mu.Lock()
	start := !x.wanted && !x.body && !x.over
	x.wanted = true
	x.mu.Unlock()
	if start {
		x.start(w)
	}
}

// bodyRead is called when the body of w was read to its end. Any goroutine may
// call it.
func (x *watch) bodyRead(w *response) {
	x.mu.Lock()
	start := x.wanted && x.body && !x.over
	x.body = false
	x.mu.Unlock()
	if start {
		x.start(w)
	}
}

// start begins to watch, in the loop.
func (x *watch) start(w *response) {
	l := w.c.task.Loop()
	if here, err := asyncio.RunningLoop(w.c.ctx); err == nil && here == l {
		x.begin(w)
		return
	}
	l.CallSoonThreadsafe(func() { x.begin(w) })
}

// A notifier is a connection that can tell when there is something to read.
type notifier interface {
	NotifyReadable(f func()) bool
}

// begin begins to watch in the loop, if the handler of w still runs.
func (x *watch) begin(w *response) {
	c := w.c
	if !x.may(w) {
		return
	}
	c.setReadDeadline(0) // it was for the request
	if by, can := c.rwc.(notifier); can {
		if x.notify == nil {
			x.notify = func() { x.notified(c) }
		}
		if by.NotifyReadable(x.notify) {
			x.waits = by
			return
		}
	}
	x.read(w)
}

// may reports whether a watch can begin.
func (x *watch) may(w *response) bool {
	c := w.c
	return c.current.Load() == w && !c.hijacked.Load() && x.task == nil && !c.src.has
}

// notified is called by the loop's poller, or by who closes the connection.
func (x *watch) notified(c *conn) {
	x.waits = nil
	if w := c.current.Load(); w != nil {
		c.task.Loop().CallSoon(func() {
			if x.may(w) {
				x.read(w)
			}
		})
	}
}

// read makes the task.
func (x *watch) read(w *response) {
	c := w.c
	x.begun, x.stopped = false, false
	x.task = asyncio.Go(c.ctx, func(context.Context) error {
		x.begun = true
		var p [1]byte
		n, err := c.rwc.Read(p[:])
		if n == 1 {
			c.src.has, c.src.ahead = true, p[0]
		}
		if err != nil && !x.stopped {
			c.gone()
		}
		return nil
	})
}

// stop ends the watch and waits for its end. Only the connection's task calls it.
func (x *watch) stop(c *conn) {
	x.mu.Lock()
	x.over = true
	x.mu.Unlock()
	if x.waits != nil {
		x.waits.NotifyReadable(nil)
		x.waits = nil
	}
	if x.task == nil {
		return
	}
	x.stopped = true
	if x.begun && !x.task.Done() {
		// Not by a cancel: TLS would take it for the end of the connection.
		c.rwc.SetReadDeadline(time.Unix(1, 0))
	} else {
		x.task.Cancel()
	}
	ctx := context.WithoutCancel(c.ctx)
	for !x.task.Done() {
		if _, err := x.task.Await(ctx); err != nil && !x.task.Done() {
			break // nobody is left who could wait
		}
	}
	c.rwc.SetReadDeadline(time.Time{})
	x.task = nil
}

// gone is called when the client cannot be reached any more. Any goroutine may
// call it.
func (c *conn) gone() {
	if w := c.current.Load(); w != nil {
		w.ctx.end()
		w.notifyClosed()
	}
}
