package asyncio

import (
	"strconv"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// LoopStats are the counts of a loop, of what it has to do and of what it has done
// since it was made: see Loop.Stats.
type LoopStats struct {
	ID   uint64 // see LoopSnapshot.ID
	Name string // see Loop.Name
	sched.Counts
	Ended Outcomes // of its tasks

	// What the watchdog has seen, if there is one.

	Blocked time.Duration // how long the loop has been blocked now; 0 if it is not
	Blocks  uint64        // how often it was
	Lag     *LagHistogram // nil: no watchdog

	LostErrors int  // errors that nobody has looked at
	Stalled    bool // the loop waits, and knows of nothing that will wake it
}

// Outcomes counts tasks that have ended, by how.
type Outcomes struct {
	OK        uint64 // with a result
	Failed    uint64 // with an error
	Cancelled uint64 // with a CancelledError
	Panicked  uint64 // by a panic
}

// LagBounds returns the upper bounds of the buckets of a LagHistogram, but for the last
// bucket, which has none. Any goroutine may call it; it does not switch.
func LagBounds() [9]time.Duration { return lagBounds }

var lagBounds = [...]time.Duration{
	100 * time.Microsecond, time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second,
}

// A LagHistogram is how long the loop took to run what another goroutine had posted: a
// watchdog posts twice in each of its periods. A loop that waited then counts as one
// that has taken no time.
type LagHistogram struct {
	Counts [10]uint64    // of each bucket alone: those of LagBounds, and one above
	Sum    time.Duration // of all
}

// Name returns the name that WithLoopName gave the loop, else its number: which of
// the process's loops it is. Any goroutine may call it; it does not switch.
func (l *Loop) Name() string {
	if l.name != "" {
		return l.name
	}
	return strconv.FormatUint(l.id, 10)
}

// Stats returns the loop's counts. Any goroutine may call it, also while the loop is
// blocked; it does not switch. On another one than the loop's the numbers are those of
// some moments ago, each of another. It costs a microsecond.
func (l *Loop) Stats() LoopStats {
	s := LoopStats{
		ID:         l.id,
		Name:       l.Name(),
		Counts:     l.s.Counts(),
		Ended:      l.outcomes(),
		LostErrors: int(l.lost.some.Load()),
		Blocks:     l.seen().blocks.Load(),
	}
	if from := l.seen().blockedFrom.Load(); from != 0 {
		s.Blocked = time.Since(started) - time.Duration(from)
	}
	if l.seen().watched.Load() {
		s.Lag = l.seen().lag.histogram()
	}
	s.Stalled = l.s.Waits() && l.seen().stillFrom.Load() != 0 && l.seen().stillSteps.Load() == s.Steps
	return s
}

// outcomes reads what the loop's goroutine writes without a thought of others.
//
//go:norace
func (l *Loop) outcomes() Outcomes {
	return Outcomes{OK: l.ended[endedOK], Failed: l.ended[endedFailed], Cancelled: l.ended[endedCancelled], Panicked: l.ended[endedPanicked]}
}

// A lagHistogram is a LagHistogram that is written to.
type lagHistogram struct {
	counts [len(lagBounds) + 1]atomic.Uint64
	sum    atomic.Int64
}

func (h *lagHistogram) add(lag time.Duration) {
	i := 0
	for i < len(lagBounds) && lag > lagBounds[i] {
		i++
	}
	h.counts[i].Add(1)
	h.sum.Add(int64(lag))
}

func (h *lagHistogram) histogram() *LagHistogram {
	read := &LagHistogram{Sum: time.Duration(h.sum.Load())}
	for i := range h.counts {
		read.Counts[i] = h.counts[i].Load()
	}
	return read
}
