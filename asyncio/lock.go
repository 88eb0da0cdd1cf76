package asyncio

import "context"

// A Lock is held by one task at a time. Those that wait for it get it in the order
// in which they came, and nobody gets it before them, not even the task that has
// just released it. The zero Lock is free.
//
// Any task or callback of its loop may release it; which task has acquired it last
// is known to Loop.Snapshot only. A holder that ends, or is cancelled, does not
// release it by that; Do does. A Lock belongs to the loop on which a task first
// waits for it, and so do the other primitives. It must not be copied.
//
// Where nothing waits between two accesses no Lock is needed: only tasks of one
// loop run, one at a time.
//
// Python: asyncio.Lock.
type Lock struct {
	owner  owner
	line   line
	locked bool
	coming bool // a task was chosen, and has not run yet
	held   holding
}

// NewLock makes a free lock. Any goroutine may call it. Python: asyncio.Lock.
func NewLock() *Lock { return new(Lock) }

// Acquire suspends the calling task until the lock is free and nobody has waited
// longer, and takes it. If it is so already it does not switch, does not look at
// ctx, and costs a few nanoseconds. It allocates nothing.
//
// With an error, which is one of a wait, the lock was not taken. In debug mode a wait
// that closes a circle, of tasks that wait for each other's locks, is reported by
// log/slog when it begins. Only a task may call it. Python: Lock.acquire.
func (l *Lock) Acquire(ctx context.Context) error {
	if l.free() {
		l.owner.check()
		l.locked = true
		if c, ok := ctx.(*taskContext); ok && c.st.IsCurrent() { // as of does, without the call
			l.held.by = c.st.Number()
			c.locks = true
		} else {
			l.held.ofOther(ctx, l.owner.loop)
		}
		return nil
	}
	t, err := l.owner.caller(ctx, "Lock")
	if err != nil {
		return err
	}
	l.held.kind, t.at = holdsLock, &l.held
	if t.loop.debug && t.locks {
		t.tellLockCircle()
	}
	g, err := l.line.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	chosen, err := l.line.leave(t, err)
	return l.arrive(t, chosen, err)
}

// reacquire is Acquire for a task that must have the lock, whatever becomes of
// its context. It may be cancelled.
func (l *Lock) reacquire(t *task) error {
	if l.free() {
		l.locked = true
		l.held.by = t.st.Number()
		t.locks = true
		return nil
	}
	l.held.kind, t.at = holdsLock, &l.held
	g, err := l.line.stand(t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	chosen, err := l.line.leave(t, err)
	return l.arrive(t, chosen, err)
}

// free reports whether a task that comes now need not wait.
func (l *Lock) free() bool {
	return !l.locked && !l.coming && (l.line.empty() || l.line.next() == nil)
}

// arrive is the end of t's wait. If it was chosen, and gets an error
// all the same, the next one is chosen.
func (l *Lock) arrive(t *task, chosen bool, err error) error {
	t.at = nil
	if chosen {
		l.coming = false
	}
	if err == nil {
		l.locked = true
		l.held.ofTask(t)
	} else if !l.locked {
		l.pass()
	}
	return err
}

// pass chooses the task that waits longest, unless one is chosen already. If
// that task was cancelled it will pass the lock on itself.
func (l *Lock) pass() {
	if l.coming || l.line.empty() {
		return
	}
	if t := taskIn(l.line.tasks.First()); t.wait == waiting {
		l.coming = true
		l.line.choose(t)
	}
}

// Release frees the lock and wakes the task that has waited longest, which takes
// it in the loop's next turn.
//
// It panics with a RuntimeError if the lock is not held, unless its loop was
// closed: then tasks that have lost the lock in Condition.Wait unwind. Tasks and
// callbacks of the lock's loop may call it; it does not switch. Python:
// Lock.release.
func (l *Lock) Release() {
	l.owner.check()
	if !l.locked {
		if l.owner.loop != nil && l.owner.loop.IsClosed() {
			return
		}
		panic(runtimeErrorf("Lock is not acquired."))
	}
	by := l.held.by
	l.locked, l.held.by = false, 0
	if !l.line.empty() { // else pass would do nothing, and the call is a quarter of a free Acquire and Release
		l.held.lockReleased(l.owner.loop, by)
		l.pass()
	}
}

// Locked reports whether the lock is held. One that is not may still be on the
// way to a task that has waited for it. Owner only. Python: Lock.locked.
func (l *Lock) Locked() bool { return l.locked }

// Waiting returns how many tasks wait for the lock. Owner only; it takes time for
// each of them.
func (l *Lock) Waiting() int { return l.line.count() }

// Do acquires the lock, calls f, and releases the lock, also if f panics. The
// error is f's, or Acquire's if that has failed: then f was not called. Only a
// task may call it. Python: async with lock.
func (l *Lock) Do(ctx context.Context, f func() error) error {
	if err := l.Acquire(ctx); err != nil {
		return err
	}
	defer l.Release()
	return f()
}
