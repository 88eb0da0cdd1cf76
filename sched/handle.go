package sched

// A Handle is a callback that is to run once: what Soon, At, After and Post
// return. Python: asyncio.Handle.
type Handle struct {
	fn    func()
	alarm alarm // that of a Timer
}

// handleBlock is how many handles are allocated at once: making one then costs
// a few nanoseconds. A handle that somebody keeps keeps its block.
const handleBlock = 32

func (l *Loop) newHandle(fn func()) *Handle {
	if len(l.handles) == 0 {
		l.handles = make([]Handle, handleBlock)
	}
	h := &l.handles[0]
	l.handles = l.handles[1:]
	h.fn = fn
	return h
}

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
	h := l.newHandle(fn)
	l.ready.push(entry{handle: h})
	return h
}

// Cancel prevents the callback, if it has not begun: also one that is due in
// the present turn. Owner only; it does not switch.
func (h *Handle) Cancel() {
	h.alarm = cancelled
	h.fn = nil // what it refers to may go
}

// Cancelled reports whether Cancel was called. Owner only; it does not switch.
func (h *Handle) Cancelled() bool { return h.alarm == cancelled }

// call runs a callback on the hub, unless it was cancelled.
func (l *Loop) call(h *Handle) {
	fn := h.fn
	if fn == nil {
		return
	}
	h.fn = nil
	if l.guard != nil {
		l.guard(h, fn)
		return
	}
	fn()
}
