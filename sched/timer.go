package sched

import (
	"math"
	"math/bits"
	"time"
)

// A Timer is a callback that is to run at a time. Python: asyncio.TimerHandle.
type Timer struct {
	Handle
	when  time.Duration // on the loop's clock
	batch *batch
}

// At arranges that fn runs when the loop's clock reaches when: in the first
// turn that begins then, after what is ready already. Timers of equal times
// fire in the order in which they were made; a time in the past is the next
// turn. As with Soon, fn runs on the hub and must not wait.
//
// Owner only; it does not switch. Cost: less than 0.1 microseconds among a
// million. It panics with ErrClosed on a closed loop.
//
// Python: loop.call_at.
func (l *Loop) At(when time.Duration, fn func()) *Timer {
	l.mustBeOpen()
	return l.timers.add(when, fn)
}

// After is At, d from now. A d below zero is in the past, before what was due
// later; one that is too long for the clock is the longest there is. Python:
// loop.call_later.
func (l *Loop) After(d time.Duration, fn func()) *Timer {
	return l.At(l.deadline(d), fn)
}

// deadline is the time d from now.
func (l *Loop) deadline(d time.Duration) time.Duration {
	now := l.clock.Now()
	when := now + d
	switch {
	case d > 0 && when < now:
		return Never
	case d < 0 && when > now:
		return math.MinInt64
	}
	return when
}

// When returns the time for which t was made, on the loop's clock. Any goroutine
// may call it; it does not switch. Python: TimerHandle.when.
func (t *Timer) When() time.Duration { return t.when }

// Cancel prevents the callback, if it has not begun. Owner only; it does not
// switch. It costs a few nanoseconds: the place in the heap is cleared later.
func (t *Timer) Cancel() {
	a := t.alarm
	t.Handle.Cancel()
	if a.set() {
		t.batch.lose(a.place())
	}
}

// A batch is timers that were made one after the other. They share an allocation
// and an entry of the heap: that of the one that is due first. Most timers are
// cancelled before their time, and a batch of such has never come to the heap or
// goes from it as a whole.
type batch struct {
	in    *timers
	live  uint32 // a bit for each that is to fire
	made  uint8
	first uint8 // the one that the entry is of
	timer [batchSize]Timer
}

// batchSize makes a batch half a kilobyte: what is larger costs the collector
// more.
const batchSize = 15

// lose notes that the timer at place is not to fire any more.
func (b *batch) lose(place uint8) {
	if b.in.closed {
		return
	}
	b.in.set--
	if b.live &^= 1 << place; b.live == 0 && b != b.in.young.fires.batch {
		b.in.drop()
	}
}

// earliest returns which of the timers is due first, the oldest of those.
func (b *batch) earliest() int {
	least := bits.TrailingZeros32(b.live)
	when := b.timer[least].when
	for live := b.live & (b.live - 1); live != 0; live &= live - 1 {
		i := bits.TrailingZeros32(live)
		if w := b.timer[i].when; w < when {
			least, when = i, w
		}
	}
	return least
}
