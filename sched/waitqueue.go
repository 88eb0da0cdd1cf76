package sched

// A WaitQueue is tasks that wait for the same thing, first come first. A task is
// in one queue at a time. The zero WaitQueue is empty. Its methods are the
// owner's, do not switch, allocate nothing and cost a few nanoseconds.
type WaitQueue struct {
	first *Task
}

// A link is a task's place in a WaitQueue. Ahead of the first one is the last one, so
// that the queue need not know it.
type link struct {
	in           *WaitQueue
	ahead, after *Task
}

// Add puts t at the end. It panics if t is in a queue.
func (q *WaitQueue) Add(t *Task) {
	if t.in != nil {
		panic("sched: the task waits in another queue")
	}
	t.in = q
	first := q.first
	if first == nil {
		q.first, t.ahead = t, t
		return
	}
	last := first.ahead
	t.ahead, last.after, first.ahead = last, t, t
}

// Remove takes t out. It reports whether t was in.
func (q *WaitQueue) Remove(t *Task) bool {
	if t.in != q {
		return false
	}
	first := q.first
	if t == first {
		q.first = t.after
	} else {
		t.ahead.after = t.after
	}
	switch {
	case t.after != nil:
		t.after.ahead = t.ahead
	case t != first:
		first.ahead = t.ahead // it was the last one
	}
	t.link = link{}
	return true
}

// First returns the task that waits longest, or nil.
func (q *WaitQueue) First() *Task { return q.first }

// After returns the task that came next after t, or nil.
func (q *WaitQueue) After(t *Task) *Task { return t.after }

// Wake takes out the task that waits longest and makes it ready. It reports
// whether there was one.
func (q *WaitQueue) Wake() bool {
	t := q.first
	if t == nil {
		return false
	}
	q.Remove(t)
	t.Ready()
	return true
}
