package sched

import "time"

// A Clock is what a loop goes by. The owner of the loop calls it; Now may be
// called by any goroutine.
type Clock interface {
	// Now returns the time that has passed since a start that the clock has
	// chosen. It never goes back.
	Now() time.Duration

	// Until returns how long, in real time, a loop may wait for an event when
	// nothing is ready and the next timer is due at when: zero or less to look
	// at once. Never means that no timer is set, and is returned to wait for an
	// event only. alone reports that nothing outside is known to be under way
	// (see Loop.Hold): then a clock that is not a real one may go forward to
	// when by itself, and return zero. The loop has asked its poller just before,
	// so the clock does not pass what has happened to a descriptor by then. What
	// is on its way to a descriptor it does pass, unless somebody holds the loop.
	Until(when time.Duration, alone bool) time.Duration
}

// realClock is the system's monotonic clock. Each loop has its own start, so
// that a loop made in a testing/synctest bubble has the bubble's.
type realClock struct{ start time.Duration } // since began

func (c realClock) Now() time.Duration { return time.Since(began) - c.start }

// Until is what the loop works out by itself, without another look at the clock: see
// waitUntil.
func (c realClock) Until(when time.Duration, _ bool) time.Duration {
	if when == Never {
		return Never
	}
	return when - c.Now()
}

// Never is the last time that a clock can show.
const Never = time.Duration(1<<63 - 1)

// began is what moments are counted from.
var began = time.Now()
