package asyncio

import (
	"context"
	"errors"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// NoTimeout is a time that is never over: Python's None in the place of a timeout
// or deadline. Any time that is too long for the clock is one.
const NoTimeout = sched.Never

// A Timeout cancels the task that is in it when a time is over, and makes a
// TimeoutError of that when the task leaves it. It belongs to the task's loop,
// and so do its methods, none of which switches. It is used once.
//
// Most programs use WithTimeout or WaitFor.
//
// Python: asyncio.Timeout.
type Timeout struct {
	state   timeoutState
	after   time.Duration // how long from Enter, if that is how it was made
	when    time.Duration
	task    *task
	cancels int // requests to cancel the task that there were before
	timer   *TimerHandle
	soon    *Handle
}

type timeoutState uint8

const (
	timeoutCreated timeoutState = iota
	timeoutEntered
	timeoutExpiring
	timeoutExpired
	timeoutExited
)

func (s timeoutState) String() string {
	return [...]string{"created", "active", "expiring", "expired", "finished"}[s]
}

// NewTimeout makes a Timeout that is over d after Enter. With zero or less it is
// over in the loop's next turn: a wait that suspends the task is cancelled, one that
// returns at once is not. Any goroutine may call it. Python: asyncio.timeout.
func NewTimeout(d time.Duration) *Timeout { return &Timeout{after: d, when: NoTimeout} }

// NewTimeoutAt makes a Timeout that is over at a time of the loop's clock: see
// Loop.Time. Any goroutine may call it. Python: asyncio.timeout_at.
func NewTimeoutAt(when time.Duration) *Timeout { return &Timeout{after: NoTimeout, when: when} }

// WithTimeout runs f in the calling task. If it takes longer than d, the task is
// cancelled; when the CancelledError has come out of f, it returns ErrTimeout. An
// f that refuses to be cancelled, or fails in its own way, is the stronger: its
// result is returned. So is a cancel that comes from elsewhere. With zero or less
// f begins all the same, and its first wait that suspends the task is cancelled: an
// f that never waits, or only for what is done, has its result. NoTimeout sets none.
// What a library has made of a CancelledError that came from its connection is no
// failure of f: then ErrTimeout has that error in it.
//
// It ends one wait. A context that has ended ends every wait with it, so a ctx of
// context.WithTimeout is for an f that may not refuse.
//
// Errors are those of f; ErrNoRunningLoop; and a TypeError if f is nil. It
// switches only where f does. Cost: some allocations, and a timer.
//
// Python: async with asyncio.timeout(d).
func WithTimeout(ctx context.Context, d time.Duration, f func(ctx context.Context, t *Timeout) error) error {
	return NewTimeout(d).run(ctx, f)
}

// WithTimeoutAt is WithTimeout with a time of the loop's clock: see Loop.Time.
// Python: async with asyncio.timeout_at(when).
func WithTimeoutAt(ctx context.Context, when time.Duration, f func(ctx context.Context, t *Timeout) error) error {
	return NewTimeoutAt(when).run(ctx, f)
}

func (t *Timeout) run(ctx context.Context, f func(ctx context.Context, t *Timeout) error) error {
	if f == nil {
		return typeErrorf("a function was expected, got nil")
	}
	if err := t.Enter(ctx); err != nil {
		return err
	}
	returned := false
	defer func() {
		if !returned {
			t.Exit(nil)
		}
	}()
	err := f(ctx, t)
	returned = true
	return t.Exit(err)
}

// Enter begins the time of the calling task. It returns a RuntimeError if t was
// entered before, and ErrNoRunningLoop to a caller that is not a task. Each Enter
// needs an Exit. Python: Timeout.__aenter__.
func (t *Timeout) Enter(ctx context.Context) error {
	if t.state != timeoutCreated {
		return runtimeErrorf("Timeout has already been entered")
	}
	me, err := current(ctx)
	if err != nil {
		return err
	}
	if t.after != NoTimeout {
		t.when = me.loop.after(t.after)
	}
	t.state, t.task, t.cancels = timeoutEntered, me, me.Cancelling()
	t.set()
	return nil
}

// after is the time of the loop's clock after d.
func (l *Loop) after(d time.Duration) time.Duration {
	now := l.Time()
	if d > 0 && now+d < now {
		return NoTimeout
	}
	return now + d
}

// set sets the timer.
func (t *Timeout) set() {
	l := t.task.loop
	switch {
	case t.when == NoTimeout:
	case t.when <= l.Time():
		t.soon = l.s.Soon(t.expire)
	default:
		t.timer = l.s.At(t.when, t.expire)
	}
}

func (t *Timeout) clear() {
	if t.timer != nil {
		t.timer.Cancel()
	}
	if t.soon != nil {
		t.soon.Cancel()
	}
	t.timer, t.soon = nil, nil
}

func (t *Timeout) expire() {
	t.timer, t.soon = nil, nil
	t.state = timeoutExpiring
	t.task.Cancel()
}

// Exit ends the time. err is the error that the task's work has ended with, or nil;
// it is returned, unless it is the cancellation by t, and nobody else's: then
// ErrTimeout is, with what a library has made of the cancellation in it. If t was
// not entered or has been left, a RuntimeError is returned with it. Python:
// Timeout.__aexit__.
func (t *Timeout) Exit(err error) error {
	t.clear()
	switch t.state {
	case timeoutEntered:
		t.state = timeoutExited
		if err != nil {
			err = t.task.heard(err)
		}
	case timeoutExpiring:
		t.state = timeoutExpired
		err = t.task.heard(err)
		if t.task.Uncancel() <= t.cancels && asCancelled(err) != nil {
			return instead(ErrTimeout, err)
		}
	default:
		return errors.Join(err, t.misused())
	}
	return err
}

func (t *Timeout) misused() error {
	if t.state == timeoutCreated {
		return runtimeErrorf("Timeout has not been entered")
	}
	return runtimeErrorf("Cannot change state of %s Timeout", t.state)
}

// When returns the time of the loop's clock at which t is over, or NoTimeout.
// Python: Timeout.when.
func (t *Timeout) When() time.Duration { return t.when }

// Reschedule gives t another time of the loop's clock at which it is over;
// NoTimeout sets none. It returns a RuntimeError if t is over, was left, or was
// not entered. Python: Timeout.reschedule.
func (t *Timeout) Reschedule(when time.Duration) error {
	if t.state != timeoutEntered {
		return t.misused()
	}
	t.clear()
	t.when = when
	t.set()
	return nil
}

// Expired reports whether the time was over before Exit. Python:
// Timeout.expired.
func (t *Timeout) Expired() bool {
	return t.state == timeoutExpiring || t.state == timeoutExpired
}

// WaitFor returns the result of aw, or ErrTimeout if it takes longer than d. Then
// aw is cancelled, and waited for: until it has cleaned up. A coroutine runs in
// the calling task, a future is awaited. An aw that refuses to be cancelled has
// its result returned, however late. If aw is done in the turn in which the time
// is over, its result is lost: where it must not be, make it a task, and give Wait
// the time.
//
// With a d of zero or less it does not wait: a coroutine is not even begun, and a
// future must be done. NoTimeout makes it a plain Await. Errors are those of
// Await, and a TypeError if aw is nil.
//
// Python: asyncio.wait_for.
func WaitFor[T any](ctx context.Context, d time.Duration, aw Awaitable[T]) (v T, err error) {
	me, err := current(ctx)
	if err == nil {
		err = startable(me.loop, aw)
	}
	switch {
	case err != nil:
		return v, err
	case d <= 0:
		return atOnce(ctx, me, aw)
	}
	t := Timeout{after: d, when: NoTimeout}
	if err := t.Enter(ctx); err != nil {
		return v, err
	}
	returned := false
	defer func() {
		if !returned {
			t.Exit(nil)
		}
	}()
	v, err = aw.Await(ctx)
	returned = true
	return v, t.Exit(err)
}

// atOnce returns the result of aw if it is there already. Else it cancels it.
func atOnce[T any](ctx context.Context, me *task, aw Awaitable[T]) (v T, err error) {
	f := startIn(me.loop, ctx, aw)
	if f.Done() {
		return f.Result()
	}
	f.Cancel()
	// Not in f itself, or a cancel of the caller would go to f again.
	if _, err := waitFor(ctx, me.loop, []*core{f.base()}, waitOptions{}); err != nil {
		return v, err
	}
	v, err = f.Result()
	if asCancelled(err) != nil {
		err = instead(ErrTimeout, err)
	}
	return v, err
}
