package sched

// A Call is a callback that is arranged again and again, by one who keeps it:
// for what happens often. Arranging it allocates nothing.
type Call struct {
	loop      *Loop
	handle    Handle
	run       func()
	queued    bool
	cancelled bool
}

// NewCall makes a Call of fn, which will run on the hub as one of Soon does.
// Owner only; it does not switch.
func (l *Loop) NewCall(fn func()) *Call {
	c := &Call{loop: l}
	c.run = func() {
		c.queued = false
		if !c.cancelled {
			fn()
		}
	}
	return c
}

// Soon arranges that the callback runs in the next turn of the loop; in the one
// that is about to begin, if a Watcher calls it. If that is arranged already, or
// the loop is closed, it does nothing. Owner only; it does not switch, and
// allocates nothing.
func (c *Call) Soon() {
	l := c.loop
	c.cancelled = false
	if c.queued || l.closed {
		return
	}
	c.queued = true
	c.handle.fn = c.run
	l.ready.push(entry{handle: &c.handle})
}

// Cancel takes Soon back, if the callback has not begun: also one that is due in
// the present turn. Owner only; it does not switch.
func (c *Call) Cancel() { c.cancelled = true }

// Queued reports whether the callback is arranged to run. Owner only; it does
// not switch.
func (c *Call) Queued() bool { return c.queued && !c.cancelled }

// Soon arranges that fn runs in the next turn of the loop, after everything
// that is ready already, and returns a handle to cancel it with. fn runs on the
// hub, where no task is current: it must not wait.
//
// Owner only; it does not switch. Cost: tens of nanoseconds, and a share in an
// allocation. It panics with ErrClosed on a closed loop.
//
// Python: loop.call_soon.
func (l *Loop) Soon(fn func()) *Handle {
	l.mustBeOpen()
	h := l.handles.make(fn)
	l.ready.push(entry{handle: h})
	return h
}
