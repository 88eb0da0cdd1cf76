package asyncio

import (
	"context"
	"math"
)

// A Semaphore is a number that Acquire lowers and Release raises. At zero
// Acquire waits. Those that wait are served in the order in which they came, and
// nobody before them. The zero Semaphore has the value zero. It must not be
// copied.
//
// Python: asyncio.Semaphore.
type Semaphore struct {
	owner  owner
	line   line
	value  int
	coming int32 // tasks that were chosen, and have not run yet
	first  int32 // the value that it began with, or the largest number
	held   holding
}

// NewSemaphore makes a semaphore with that value. It panics with a ValueError if
// the value is below zero. Any goroutine may call it. Python: asyncio.Semaphore,
// where the value defaults to 1.
func NewSemaphore(value int) *Semaphore {
	s := new(Semaphore)
	s.init(value)
	return s
}

func (s *Semaphore) init(value int) {
	if value < 0 {
		panic(valueErrorf("Semaphore initial value must be >= 0"))
	}
	s.value, s.first = value, int32(min(value, math.MaxInt32))
	if value == 1 {
		s.held.kind = holdsSemaphore
	}
}

// Locked reports whether Acquire would have to wait: the value is zero, or
// others come first. Owner only. Python: Semaphore.locked.
func (s *Semaphore) Locked() bool {
	return s.value == 0 || s.coming > 0 || !s.line.empty() && s.line.anyone()
}

// Value returns the value: how often Acquire would succeed at once if nobody
// waited. Owner only.
func (s *Semaphore) Value() int { return s.value }

// Waiting returns how many tasks wait. Owner only; it takes time for each of
// them.
func (s *Semaphore) Waiting() int { return s.line.count() }

// Acquire suspends the calling task until the value is above zero and nobody has
// waited longer, and lowers the value by one. If it is so already it does not
// switch, does not look at ctx, and costs a few nanoseconds. It allocates nothing.
//
// With an error, which is one of a wait, the value is what it was. Only a task may call it. Python: Semaphore.acquire.
func (s *Semaphore) Acquire(ctx context.Context) error {
	if !s.Locked() {
		if debugging.Load() {
			s.owner.check()
			s.taken(callerWith(ctx, s.owner.loop))
		}
		s.value--
		if s.held.kind == holdsSemaphore {
			s.held.of(ctx, s.owner.loop)
		}
		return nil
	}
	t, err := s.owner.caller(ctx, "Semaphore")
	if err != nil {
		return err
	}
	if s.held.kind != holdsNothing {
		t.at = &s.held
		if t.loop.debug && t.locks {
			t.tellLockCircle()
		}
	}
	g, err := s.line.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	chosen, err := s.line.leave(t, err)
	t.at = nil
	if chosen {
		s.coming--
		if err != nil {
			s.value++
		} else {
			s.held.ofTask(t)
			if t.loop.debug {
				s.taken(t)
			}
		}
	}
	for s.value > 0 && s.pass() { // some may have waited only because this task did
	}
	return err
}

// pass gives one to the task that waits longest. It reports whether there was
// one.
func (s *Semaphore) pass() bool {
	if s.line.empty() || !s.line.wake(1) {
		return false
	}
	s.value--
	s.coming++
	return true
}

// Release raises the value by one and wakes the task that has waited longest,
// which goes on in the loop's next turn. Tasks and callbacks of the semaphore's
// loop may call it, not only those that have acquired it; it does not switch.
// Python: Semaphore.release.
func (s *Semaphore) Release() {
	if debugging.Load() {
		s.owner.check()
		s.givenBack()
	}
	s.value++
	if s.held.kind == holdsSemaphore {
		s.held.released(s.owner.loop, s.value)
	}
	if !s.line.empty() {
		s.pass()
	}
}

// Do acquires the semaphore, calls f, and releases it, also if f panics. The
// error is f's, or Acquire's if that has failed: then f was not called. Only a
// task may call it. Python: async with semaphore.
func (s *Semaphore) Do(ctx context.Context, f func() error) error {
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	defer s.Release()
	return f()
}

// A BoundedSemaphore is a Semaphore that refuses to be released more often than
// it was acquired. NewBoundedSemaphore makes it.
//
// Python: asyncio.BoundedSemaphore.
type BoundedSemaphore struct {
	sem   Semaphore
	bound int
}

// NewBoundedSemaphore makes a semaphore whose value is never above the one it
// begins with. It panics with a ValueError if that is below zero. Any goroutine
// may call it. Python: asyncio.BoundedSemaphore, where the value defaults to 1.
func NewBoundedSemaphore(value int) *BoundedSemaphore {
	s := &BoundedSemaphore{bound: value}
	s.sem.init(value)
	return s
}

// Acquire is Semaphore.Acquire. Python: BoundedSemaphore.acquire.
func (s *BoundedSemaphore) Acquire(ctx context.Context) error { return s.sem.Acquire(ctx) }

// Release is Semaphore.Release that panics with a ValueError if the value would
// rise above the first one. Python: BoundedSemaphore.release.
func (s *BoundedSemaphore) Release() {
	if s.sem.value >= s.bound {
		panic(valueErrorf("BoundedSemaphore released too many times"))
	}
	s.sem.Release()
}

// Locked is Semaphore.Locked. Python: BoundedSemaphore.locked.
func (s *BoundedSemaphore) Locked() bool { return s.sem.Locked() }

// Value is Semaphore.Value.
func (s *BoundedSemaphore) Value() int { return s.sem.value }

// Waiting is Semaphore.Waiting.
func (s *BoundedSemaphore) Waiting() int { return s.sem.Waiting() }

// Do is Semaphore.Do. Python: async with semaphore.
func (s *BoundedSemaphore) Do(ctx context.Context, f func() error) error {
	if err := s.Acquire(ctx); err != nil {
		return err
	}
	defer s.Release()
	return f()
}
