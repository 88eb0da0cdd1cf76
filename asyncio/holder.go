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
	if t := callerWith(ctx, l); t != nil {
		h.by = t.st.Number()
		t.locks = true
	}
}

// callerWith returns the calling task, or nil: a callback calls, or nobody can tell. l is
// its loop, if that is known.
func callerWith(ctx context.Context, l *Loop) *task {
	if l == nil {
		if t := taskOf(ctx); t != nil {
			l = t.loop
		} else if l = runningLoops.here(); l == nil {
			return nil
		}
	}
	return l.currentTask()
}

// currentTask returns the task whose step it is, or nil in a callback. Owner only.
func (l *Loop) currentTask() *task {
	if st := l.s.Current(); st != nil {
		return taskIn(st)
	}
	return nil
}

// lockReleased notes that a Lock was released which the task of the number by had acquired,
// while others wait for it. If another has released it, it goes from hand to hand.
func (h *holding) lockReleased(l *Loop, by uint32) {
	if t := l.currentTask(); by != 0 && (t == nil || t.st.Number() != by) {
		h.handed = true
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
			h.kind, h.handed = holdsNothing, true
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
