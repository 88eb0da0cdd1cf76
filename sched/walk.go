package sched

import "github.com/go-greenlet/greenlet/internal/look"

// A Walk goes along the tasks of a loop, in the order in which they were started, and
// may take its time: tasks begin and end meanwhile. Of those that there were when it
// began it finds each that has not ended; of those that were started later perhaps
// some; and none twice. Its methods are the owner's, and do not switch.
type Walk struct {
	l    *Loop
	at   *Task // the next one
	left int   // how many it goes on to at most: else it might never be over
}

// Walk begins a walk. End ends it: until then the end of each task costs a little
// more. Owner only; it does not switch.
func (l *Loop) Walk() *Walk {
	w := &Walk{l: l, at: l.first, left: l.live}
	l.walks = append(l.walks, w)
	return w
}

// Next returns the next task, or nil if there is none.
func (w *Walk) Next() *Task {
	t := w.at
	if t == nil || w.left == 0 {
		return nil
	}
	w.at = t.next
	w.left--
	return t
}

// End ends the walk. A second call does nothing.
func (w *Walk) End() {
	w.at = nil
	for i, other := range w.l.walks {
		if other == walker(w) {
			w.l.walks = append(w.l.walks[:i:i], w.l.walks[i+1:]...)
		}
	}
	if len(w.l.walks) == 0 {
		w.l.walks = nil
	}
}

// pass has w not wait for t, which ends.
func (w *Walk) pass(t *Task) {
	if w.at == t {
		w.at = t.next
	}
}

// Addresses is Stack for who looks at many tasks: it appends to pcs the return
// addresses, as runtime.Callers gives them, and finds no names; if t waits in a greenlet
// that it has made, there is a zero before those of each further one. Where the switch is the
// generic one the addresses are not known: then it appends to goroutines the numbers of
// the goroutines whose frames Stack would return. Owner only; it does not switch. It
// costs half a microsecond, and the room.
func (t *Task) Addresses(pcs []uintptr, goroutines []uint64) ([]uintptr, []uint64) {
	if t.loop.current == t {
		return pcs, goroutines
	}
	before := len(pcs)
	for g := t.g.Load(); g != nil && g != t.loop.home.Load(); g = g.Parent() {
		if len(pcs) > before {
			pcs = append(pcs, 0)
		}
		var goroutine uint64
		if pcs, goroutine = look.Addresses(g, pcs); goroutine != 0 {
			goroutines = append(goroutines, goroutine)
		}
	}
	return pcs, goroutines
}
