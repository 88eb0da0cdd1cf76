package sched

import "time"

// A Timer is a callback that is to run at a time. Python: asyncio.TimerHandle.
type Timer struct {
	Handle
	when time.Duration // on the loop's clock
	alarm
}

// An alarm is what the heap of timers knows: a Timer's, or that of a task.
type alarm struct {
	seq   uint64 // of its place in the heap; 0 if it is not to fire
	fires entry  // what becomes ready then
}

// At arranges that fn runs when the loop's clock reaches when: in the first
// turn that begins then, after what is ready already. Timers of equal times
// fire in the order in which they were made; a time in the past is the next
// turn. As with Soon, fn runs on the hub and must not wait.
//
// Owner only; it does not switch. Cost: about 0.1 microseconds among a million.
// It panics with ErrClosed on a closed loop.
//
// Python: loop.call_at.
func (l *Loop) At(when time.Duration, fn func()) *Timer {
	l.mustBeOpen()
	if len(l.timerBlock) == 0 {
		l.timerBlock = make([]Timer, handleBlock)
	}
	t := &l.timerBlock[0]
	l.timerBlock = l.timerBlock[1:]
	t.fn, t.loop, t.when = fn, l, when
	t.fires.handle = &t.Handle
	l.timers.add(&t.alarm, when)
	return t
}

// After is At, d from now. A d below zero is zero; one that is too long for the
// clock is the longest there is. Python: loop.call_later.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	return l.At(l.deadline(d), fn)
}

// deadline is the time d from now.
func (l *Loop) deadline(d time.Duration) time.Duration {
	now := l.clock.Now()
	if d <= 0 {
		return now
	}
	if when := now + d; when > now {
		return when
	}
	return Never
}

// Never is the last time that a clock can show.
const Never = time.Duration(1<<63 - 1)

// When returns the time for which t was made, on the loop's clock. Any goroutine
// may call it; it does not switch. Python: TimerHandle.when.
func (t *Timer) When() time.Duration { return t.when }

// Cancel prevents the callback, if it has not begun. Owner only; it does not
// switch. It costs a few nanoseconds: the place in the heap is cleared later.
func (t *Timer) Cancel() {
	t.Handle.Cancel()
	if t.seq != 0 {
		t.loop.timers.drop(&t.alarm)
	}
}

// timers is a heap with four branches, ordered by time and then by age. A timer
// that is cancelled stays until it comes up, or until most of them are such:
// then all of those go at once. What the heap compares lies in itself.
type timers struct {
	heap []timerEntry
	seq  uint64
	gone int // entries of cancelled timers
}

type timerEntry struct {
	when time.Duration
	seq  uint64
	a    *alarm
}

func (e *timerEntry) before(f *timerEntry) bool {
	return e.when < f.when || e.when == f.when && e.seq < f.seq
}

// stale reports whether e's alarm was cancelled, and perhaps set again.
func (e *timerEntry) stale() bool { return e.a.seq != e.seq }

func (ts *timers) add(a *alarm, when time.Duration) {
	ts.seq++
	a.seq = ts.seq
	ts.heap = append(ts.heap, timerEntry{when, ts.seq, a})
	ts.up(len(ts.heap) - 1)
}

// drop makes a's entry stale.
func (ts *timers) drop(a *alarm) {
	a.seq = 0
	if len(ts.heap) == 0 {
		return // the loop was closed
	}
	ts.gone++
	const few = 128
	if ts.gone > few && ts.gone > len(ts.heap)/2 {
		ts.sweep()
	}
}

// due takes the first timer that is due by now, or returns nil.
func (ts *timers) due(now time.Duration) *alarm {
	if ts.skip() && ts.heap[0].when <= now {
		a := ts.heap[0].a
		ts.pop()
		a.seq = 0
		return a
	}
	return nil
}

// skip removes the stale entries at the top and reports whether there is
// another.
func (ts *timers) skip() bool {
	for len(ts.heap) > 0 {
		if !ts.heap[0].stale() {
			return true
		}
		ts.gone--
		ts.pop()
	}
	return false
}

func (ts *timers) pop() {
	last := len(ts.heap) - 1
	ts.heap[0] = ts.heap[last]
	ts.heap[last] = timerEntry{}
	ts.heap = ts.heap[:last]
	if last > 1 {
		ts.down(0)
	}
}

// sweep removes all stale entries.
func (ts *timers) sweep() {
	kept := ts.heap[:0]
	for i := range ts.heap {
		if e := &ts.heap[i]; !e.stale() {
			kept = append(kept, *e)
		}
	}
	clear(ts.heap[len(kept):])
	ts.heap, ts.gone = kept, 0
	if cap(kept) > 1024 && len(kept) < cap(kept)/8 {
		ts.heap = append(make([]timerEntry, 0, 2*len(kept)), kept...)
	}
	for i := len(ts.heap) / branches; i >= 0 && len(ts.heap) > 1; i-- {
		ts.down(i)
	}
}

const branches = 4

func (ts *timers) up(i int) {
	e := ts.heap[i]
	for i > 0 {
		above := (i - 1) / branches
		if !e.before(&ts.heap[above]) {
			break
		}
		ts.heap[i] = ts.heap[above]
		i = above
	}
	ts.heap[i] = e
}

func (ts *timers) down(i int) {
	h := ts.heap
	e := h[i]
	for {
		first := branches*i + 1
		if first >= len(h) {
			break
		}
		least := first
		for j := first + 1; j < min(first+branches, len(h)); j++ {
			if h[j].before(&h[least]) {
				least = j
			}
		}
		if !h[least].before(&e) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
}
