package asyncio

import (
	"fmt"
	"strings"
)

// What is printed, by fmt's %v, of what tasks wait for: for people, so another version may
// have other words.

// described is what something is, and what holds of it.
func described(what string, facts ...string) string {
	return what + " (" + strings.Join(facts, ", ") + ")"
}

// andWaiters adds how many wait, where any do.
func andWaiters(facts []string, n int) []string {
	if n == 0 {
		return facts
	}
	return append(facts, plural(n, "waiter"))
}

// lockedOr is the state of a lock, or of what is like one.
func lockedOr(locked bool, free string) string {
	if locked {
		return "locked"
	}
	return free
}

// String describes the lock for people: whether it is locked, and how many wait. Owner
// only; it does not switch. Python: repr of a Lock.
func (l *Lock) String() string {
	return described("lock", andWaiters([]string{lockedOr(l.locked, "unlocked")}, l.line.count())...)
}

// String describes the condition for people: whether its lock is locked, and how many wait
// to be notified. Owner only; it does not switch. Python: repr of a Condition.
func (c *Condition) String() string {
	return described("condition", andWaiters([]string{lockedOr(c.Locked(), "unlocked")}, c.line.count())...)
}

// String describes the event for people: whether it is set, and how many wait. Owner only;
// it does not switch. Python: repr of an Event.
func (e *Event) String() string {
	state := "unset"
	if e.set {
		state = "set"
	}
	return described("event", andWaiters([]string{state}, e.line.count())...)
}

// String describes the semaphore for people: its value, or that Acquire would wait, and how
// many do. Owner only; it does not switch. Python: repr of a Semaphore.
func (s *Semaphore) String() string {
	return described("semaphore", andWaiters([]string{lockedOr(s.Locked(), fmt.Sprintf("value %d", s.value))}, s.line.count())...)
}

// String is Semaphore.String. Python: repr of a BoundedSemaphore.
func (s *BoundedSemaphore) String() string { return s.sem.String() }

// String describes the barrier for people: its state, and how many of its parties have
// come. Owner only; it does not switch. Python: repr of a Barrier.
func (b *Barrier) String() string {
	state := [...]string{"filling", "draining", "resetting", "broken"}[b.state]
	return described("barrier", state, fmt.Sprintf("%d of %d", b.NWaiting(), b.parties))
}

// String describes the queue for people: how many items there are, how many tasks wait to
// get and to put one, how many items were not reported as done, and whether it is shut
// down. Owner only; it does not switch. Python: repr of a Queue, which has the items, too.
func (q *Queue[T]) String() string {
	facts := []string{plural(q.n, "item")}
	if q.max > 0 {
		facts[0] += fmt.Sprintf(" of %d", q.max)
	}
	if n := q.getters.count(); n > 0 {
		facts = append(facts, plural(n, "getter"))
	}
	if n := q.putters.count(); n > 0 {
		facts = append(facts, plural(n, "putter"))
	}
	if q.unfinished > 0 {
		facts = append(facts, fmt.Sprintf("%d unfinished", q.unfinished))
	}
	if q.down {
		facts = append(facts, "shut down")
	}
	return described("queue", facts...)
}

// String describes the future for people: whether it is done, but not its result. Owner
// only; it does not switch. Python: repr of a Future.
func (f *Future[T]) String() string {
	return described("future", f.state.String())
}
