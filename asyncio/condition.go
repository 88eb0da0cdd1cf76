package asyncio

import "context"

// A Condition is a Lock with a way to wait for a change of what the lock guards:
// Wait releases the lock meanwhile, and Notify tells of a change. A task may wake
// for nothing, so it looks again: WaitFor does. The zero Condition has a lock of
// its own, which is free. It must not be copied.
//
// Python: asyncio.Condition.
type Condition struct {
	owner owner
	line  line
	lock  *Lock // nil: own
	own   Lock
}

// NewCondition makes a condition with lock, which others may use as well; with
// nil it has a lock of its own. Any goroutine may call it. Python:
// asyncio.Condition.
func NewCondition(lock *Lock) *Condition { return &Condition{lock: lock} }

// Lock returns the condition's lock. Any goroutine may call it.
func (c *Condition) Lock() *Lock {
	if c.lock != nil {
		return c.lock
	}
	return &c.own
}

// Acquire acquires the lock: see Lock.Acquire. Python: Condition.acquire.
func (c *Condition) Acquire(ctx context.Context) error { return c.Lock().Acquire(ctx) }

// Release releases the lock: see Lock.Release. Python: Condition.release.
func (c *Condition) Release() { c.Lock().Release() }

// Locked reports whether the lock is held. Python: Condition.locked.
func (c *Condition) Locked() bool { return c.Lock().Locked() }

// Do calls f with the lock held: see Lock.Do. Python: async with condition.
func (c *Condition) Do(ctx context.Context, f func() error) error { return c.Lock().Do(ctx, f) }

// Waiting returns how many tasks wait for a notification. Owner only; it takes
// time for each of them.
func (c *Condition) Waiting() int { return c.line.count() }

// Wait releases the lock, suspends the calling task until Notify chooses it, and
// acquires the lock again. It may return without a change: see WaitFor. It always
// switches, unless it is refused, and allocates nothing.
//
// It returns with the lock held also when it returns an error, and then another
// task is notified in this one's place. The error is one of a wait, or
// a RuntimeError if the lock is not held. Only when the loop
// is closed, which is ErrLoopClosed, the lock is not acquired again.
//
// Only a task may call it, and it must hold the lock. Python: Condition.wait.
func (c *Condition) Wait(ctx context.Context) error {
	l := c.Lock()
	if !l.locked {
		return runtimeErrorf("cannot wait on un-acquired lock")
	}
	t, err := c.owner.caller(ctx, "Condition")
	if err == nil && !t.must {
		err = t.watch(ctx)
	}
	if err != nil {
		return err
	}
	if l.owner.loop == nil {
		l.owner.loop = t.loop
	}
	l.Release()
	g, err := c.line.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	_, err = c.line.leave(t, err)
	for {
		again := l.reacquire(t)
		if again == nil {
			break
		}
		err = again
		if asCancelled(again) == nil {
			break
		}
	}
	if err != nil {
		c.line.wake(1) // this task may have been chosen
	}
	return err
}

// WaitFor waits until predicate returns true: it calls it first, and again after
// each Wait, with the lock held. Errors are those of Wait. Only a task may call
// it, and it must hold the lock. Python: Condition.wait_for.
func (c *Condition) WaitFor(ctx context.Context, predicate func() bool) error {
	for !predicate() {
		if err := c.Wait(ctx); err != nil {
			return err
		}
	}
	return nil
}

// Notify wakes n of the tasks that wait, those that have waited longest; all, if
// there are fewer. They go on one after the other, as they get the lock, which
// the caller goes on holding.
//
// It panics with a RuntimeError if the lock is not held. Tasks and callbacks of
// the condition's loop may call it; it does not switch. Python: Condition.notify.
func (c *Condition) Notify(n int) {
	c.owner.check()
	if !c.Locked() {
		panic(runtimeErrorf("cannot notify on un-acquired lock"))
	}
	c.line.wake(n)
}

// NotifyAll is Notify for all who wait. Python: Condition.notify_all.
func (c *Condition) NotifyAll() { c.Notify(everybody) }
