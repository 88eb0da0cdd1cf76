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

// handles is what is left of a block.
type handles []Handle

func (hs *handles) make(fn func()) *Handle {
	if len(*hs) == 0 {
		*hs = make(handles, handleBlock)
	}
	h := &(*hs)[0]
	*hs = (*hs)[1:]
	h.fn = fn
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

// run runs the callback on the hub, by guard if that is not nil, unless it was
// cancelled.
func (h *Handle) run(guard func(h *Handle, fn func())) {
	fn := h.fn
	if fn == nil {
		return
	}
	h.fn = nil
	if guard != nil {
		guard(h, fn)
		return
	}
	fn()
}

// An alarm is what fires a timer or wakes a task: a number, higher than those
// that were set before; 0 if none is set.
type alarm uint64

// cancelled is the alarm of a handle that was cancelled.
const cancelled = ^alarm(0)

func (a alarm) set() bool { return a != 0 && a != cancelled }
