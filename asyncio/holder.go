package asyncio

import "context"

// of notes that the calling task has acquired it, with ctx. l is the loop that it
// belongs to, if that is known.
func (h *holding) of(ctx context.Context, l *Loop) {
	if c, ok := ctx.(*taskContext); ok && c.st.IsCurrent() {
		h.by = c.st.Number()
		c.locks = true
		return
	}
	h.ofOther(ctx, l)
}

// ofOther is of where ctx is not the caller's own.
func (h *holding) ofOther(ctx context.Context, l *Loop) {
	h.by = 0
	if l == nil {
		t := taskOf(ctx)
		if t == nil {
			return
		}
		l = t.loop
	}
	if st := l.s.Current(); st != nil {
		h.by = st.Number()
		taskIn(st).locks = true
	}
}

// released notes that a Semaphore of one was released, and has that value now. l is its
// loop, if that is known. One that another releases than who has acquired it is a signal,
// not a lock: it has no holder, so nothing is said of one from then on.
func (h *holding) released(l *Loop, value int) {
	by := h.by
	h.by = 0
	switch {
	case value > 1: // it is one of more
		h.kind = holdsNothing
	case by == 0 || l == nil: // nobody can tell
	default:
		if st := l.s.Current(); st == nil || st.Number() != by {
			h.kind = holdsNothing
		} else {
			h.own = true
		}
	}
}

// ofTask notes that t, which has waited for it, has acquired it.
func (h *holding) ofTask(t *task) {
	h.by = t.st.Number()
	h.passes++
	t.locks = true
}
