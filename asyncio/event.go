package asyncio

import (
	"context"
)

// An Event is a flag that tasks wait for. The zero Event is not set. It must not
// be copied.
//
// Python: asyncio.Event.
type Event struct {
	owner owner
	line  line
	set   bool
}

// NewEvent makes an event that is not set. Any goroutine may call it. Python:
// asyncio.Event.
func NewEvent() *Event { return new(Event) }

// Set sets the flag and wakes all who wait, in the order in which they came. They
// go on in the loop's next turn, also if the flag is cleared before. On a set
// flag it does nothing.
//
// Tasks and callbacks of the event's loop may call it; it does not switch. Other
// goroutines call it by CallSoonThreadsafe. Python: Event.set.
func (e *Event) Set() {
	e.owner.check()
	if !e.set {
		e.set = true
		e.line.wake(everybody)
	}
}

// Clear clears the flag: a task that waits from now on waits for the next Set.
// Owner only; it does not switch. Python: Event.clear.
func (e *Event) Clear() {
	e.owner.check()
	e.set = false
}

// IsSet reports whether the flag is set. Owner only; it does not switch. Python:
// Event.is_set.
func (e *Event) IsSet() bool { return e.set }

// Waiting returns how many tasks wait for the flag. Owner only; it takes time for
// each of them.
func (e *Event) Waiting() int { return e.line.count() }

// Wait suspends the calling task until Set is called. If the flag is set it does
// not switch and does not look at ctx. It allocates nothing.
//
// The error is one of a wait. Only a task may call it.
// Python: Event.wait.
func (e *Event) Wait(ctx context.Context) error {
	if e.set {
		e.owner.check()
		return nil
	}
	t, err := e.owner.caller(ctx, "Event")
	if err != nil {
		return err
	}
	g, err := e.line.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	_, err = e.line.leave(t, err)
	return err
}
