package asynciotest

import (
	"context"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/sched"
)

// A Clock is virtual time, for asyncio.WithClock or sched.WithClock. It begins at
// zero and goes forward, at once, to the next timer when nothing is ready and
// nothing is held outside (Loop.Hold). One clock is for one loop.
type Clock struct {
	now    atomic.Int64
	manual bool
	limit  time.Duration // how far a manual one may go

	outside bool // goroutines may use the network
	yielded bool // to them

	// What to do when everything waits for nothing; nil: wait on.
	stuck func()
	since time.Time // when that was first seen, in real time
}

// grace is how long, in real time, a loop in which nothing can happen any more
// waits for something from outside that was not held.
const grace = 2 * time.Second

// NewClock makes a clock that goes forward by itself. Any goroutine may call it.
func NewClock() *Clock { return &Clock{} }

// NewManualClock makes a clock that goes forward by Advance only. Any goroutine
// may call it.
func NewManualClock() *Clock { return &Clock{manual: true} }

// Now returns the time since the clock was made. Any goroutine may call it.
func (c *Clock) Now() time.Duration { return time.Duration(c.now.Load()) }

// Until is what a loop asks before it waits: see sched.Clock.
func (c *Clock) Until(when time.Duration, alone bool) time.Duration {
	switch {
	case when <= c.Now():
		return 0
	case !alone:
		c.since, c.yielded = time.Time{}, false
		return sched.Never
	case c.outside && !c.yielded:
		// Those that are ready go as far as they can; where they share a thread that
		// is all of them. The loop then looks whether that has brought it something.
		for range 100 {
			runtime.Gosched()
		}
		c.yielded = true
		return 0
	case when == sched.Never || c.manual && when > c.limit:
		c.yielded = false
		return c.nothing()
	}
	c.since, c.yielded = time.Time{}, false
	c.now.Store(int64(when))
	return 0
}

// nothing returns how long to wait when only something from outside can help.
func (c *Clock) nothing() time.Duration {
	switch {
	case c.stuck == nil:
		return sched.Never
	case !c.since.IsZero() && time.Since(c.since) >= grace:
		c.since = time.Time{}
		c.stuck()
		return 0
	}
	c.since = time.Now()
	return grace
}

// Advance lets d go by: every timer that is due meanwhile fires at its time, in
// order, and what that wakes goes as far as it can. It returns when the calling
// task is the only one that is not blocked. A d of zero or less is WaitIdle.
//
// Only a task of the clock's loop may call it. It switches. The errors are those
// of asyncio.Sleep.
func (c *Clock) Advance(ctx context.Context, d time.Duration) error {
	if d > 0 {
		c.limit = max(c.limit, c.Now()+d)
		if err := asyncio.Sleep(ctx, d); err != nil {
			return err
		}
	}
	return WaitIdle(ctx)
}

// WaitIdle suspends the calling task until all others are blocked: each waits for
// a timer, for the caller or for something outside, and nothing is ready or due.
// It does not let time go by. If several tasks call it, all go on at once.
//
// Only a task may call it. It always switches. The errors are those of
// asyncio.Sleep. It comes from trio's wait_all_tasks_blocked.
func WaitIdle(ctx context.Context) error {
	l, err := asyncio.RunningLoop(ctx)
	if err != nil {
		return err
	}
	idle := asyncio.NewFuture[asyncio.None](l)
	h := l.CallWhenQuiet(func() { idle.SetResult(asyncio.None{}) })
	defer h.Cancel()
	_, err = idle.Await(ctx)
	return err
}
