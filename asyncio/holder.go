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

// ofTask notes that t, which has waited for it, has acquired it.
func (h *holding) ofTask(t *task) {
	h.by = t.st.Number()
	h.passes++
	t.locks = true
}
