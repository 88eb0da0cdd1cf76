package asyncio

// FromChan returns a future of l with the next value that ch gives; as with a
// receive that is the zero value if ch is closed.
//
// Nothing is received that nobody gets. A value is received while somebody waits for
// the future, or when Done, Result or Exception is asked and ch has one. If the
// future is cancelled or given up, or l is closed, while a value is on its way, it
// has that value: Cancel reports false, the wait returns the value, and a cancel of
// the task, or the end of its ctx, is told by its next wait. Where there are several
// futures, as with Wait, AsCompleted, Gather and Shield, keep them: one that is done after
// those have given up has a value.
//
// A virtual clock does not wait for ch: a value that must come before a timer is
// sent by a function that the loop knows of, as RunInExecutor's. Only tasks and
// callbacks of l may call it, and before a run whoever has l; it does not switch.
// Await lets others run also if there is a value. Cost: a goroutine while somebody
// waits. Panics as CallSoon.
func FromChan[T any](l *Loop, ch <-chan T) *Future[T] {
	l.check()
	c := &fromChan[T]{ch: ch}
	c.loop, c.takes = l, true
	c.reports = true // it has no error that a Shield would have to wait for
	if l.debug {
		c.made = sourceHere(1)
	}
	c.who.followOthers(&c.core, c)
	c.who.idle = true
	return &c.Future
}

// A fromChan is the future that FromChan returns. A goroutine receives while
// somebody waits for it.
type fromChan[T any] struct {
	Future[T]
	who    waiters
	ch     <-chan T
	now    *receive[T] // that is under way, or was not looked at; nil if none is
	forget func()      // takes it from what ends with the loop
}

// A receive is one on a goroutine. It ends with a value or without, and then over is
// closed.
type receive[T any] struct {
	end  chan struct{} // closed when nobody wants a value any more
	over chan struct{}
	val  T
	has  bool
}

func (c *fromChan[T]) follow() {
	c.catchUp()
	if c.state != pending || c.loop.s.Closed() {
		return
	}
	r := &receive[T]{end: make(chan struct{}), over: make(chan struct{})}
	c.now = r
	c.forget = outsidePart.in(c.loop.parts).add(c.unfollow)
	go r.run(c)
}

func (r *receive[T]) run(c *fromChan[T]) {
	select {
	case r.val = <-c.ch:
		r.has = true
		close(r.over)
		c.loop.s.Post(func() { // a closed loop has looked itself
			if c.now == r {
				c.unfollow()
			}
		})
	case <-r.end:
		close(r.over)
	}
}

// unfollow ends the receive that is under way. It waits until that has ended, which
// is at once: only then it is known whether there is a value.
func (c *fromChan[T]) unfollow() {
	r := c.now
	if r == nil {
		return
	}
	c.now = nil
	close(r.end)
	<-r.over
	c.forget()
	if r.has && c.state == pending {
		c.val = r.val
		c.settle(finished, nil)
	}
}

// catchUp receives what can be received without waiting.
func (c *fromChan[T]) catchUp() {
	if c.loop.s.Closed() {
		return
	}
	select {
	case c.val = <-c.ch:
		c.settle(finished, nil)
	default:
	}
}
