package asyncio

import (
	"os"
	"sync/atomic"
	"time"
)

// A direction is one of the directions of a connection: what waits for it, and until
// when. All but the deadline is the owner's.
//
// A wait is written
//
//	if err := w.arm(l, t); err != nil {
//		return err
//	}
//	g, err := w.line.stand(t)
//	if g != nil {
//		_, err = g.Switch(nil)
//	}
//	err = w.disarm(t, err)
type direction struct {
	ready    bool // a call need not wait, as far as is known
	line     line
	deadline atomic.Int64 // on the loop's clock; 0: none, below: over
}

// deadlineOf is when, which is of a wall clock that shows now, as the deadline of a
// direction.
func deadlineOf(l *Loop, when, now time.Time) int64 {
	if when.IsZero() {
		return 0
	}
	left := when.Sub(now)
	if left <= 0 {
		return -1
	}
	return int64(l.after(left))
}

// arm sets the alarm of t, which is to wait, at the deadline.
func (w *direction) arm(l *Loop, t *task) error {
	at := w.deadline.Load()
	if at == 0 {
		return nil
	}
	left := time.Duration(at) - l.s.Now()
	if at < 0 || left <= 0 {
		return os.ErrDeadlineExceeded
	}
	t.st.SetAlarm(left)
	return nil
}

// disarm is called after the wait, in which the switch has returned err.
func (w *direction) disarm(t *task, err error) error {
	chosen, err := w.line.leaveBelow(t, err)
	t.st.ClearAlarm() // also one that was set meanwhile
	if err != nil && chosen && w.ready {
		w.line.wake(1) // what t was chosen for
	}
	return err
}

// passOn is called by a task that has not taken all there was.
func (w *direction) passOn() {
	if w.ready && !w.line.empty() {
		w.line.wake(1)
	}
}

// expired reports whether the deadline is over.
func (w *direction) expired(l *Loop) bool {
	at := w.deadline.Load()
	return at != 0 && (at < 0 || time.Duration(at) <= l.s.Now())
}

// rearm has the tasks that wait go by another deadline.
func (w *direction) rearm(l *Loop) {
	if w.line.empty() {
		return
	}
	if w.expired(l) {
		w.line.wake(everybody)
		return
	}
	at := w.deadline.Load()
	for st := w.line.tasks.First(); st != nil; st = w.line.tasks.After(st) {
		st.ClearAlarm()
		if at != 0 {
			st.SetAlarm(time.Duration(at) - l.s.Now())
		}
	}
}
