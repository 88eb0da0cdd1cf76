package asyncio

import "context"

// A Barrier lets a number of tasks wait for each other: each waits until all have
// come. Then it can be used again: a task that comes before the last of them has
// left waits for that first. NewBarrier makes it.
//
// Python: asyncio.Barrier.
type Barrier struct {
	cond    Condition // its lock guards the rest, and it tells of changes
	parties int
	inside  int // tasks that have come and not left
	state   barrierState
}

type barrierState uint8

const (
	filling   barrierState = iota // tasks come
	draining                      // all have come, and leave
	resetting                     // those inside leave, with an error
	broken                        // until Reset
)

// NewBarrier makes a barrier for that many tasks. It panics with a ValueError if
// there are none. Any goroutine may call it. Python: asyncio.Barrier.
func NewBarrier(parties int) *Barrier {
	if parties < 1 {
		panic(valueErrorf("parties must be > 0"))
	}
	return &Barrier{parties: parties}
}

// Wait suspends the calling task until as many tasks as the barrier is for have
// called Wait. It returns a number, another one to each task: zero to the first
// that came, and so on. The last one does not wait.
//
// The error is ErrBrokenBarrier if the barrier is broken or was reset meanwhile, or
// one of a wait: then the task counts as not come. Only a task may call it. Python: Barrier.wait.
func (b *Barrier) Wait(ctx context.Context) (index int, err error) {
	err = b.cond.Do(ctx, func() error {
		// Those of the round before go first.
		err := b.cond.WaitFor(ctx, func() bool { return b.state == filling || b.state == broken })
		if err != nil {
			return err
		}
		if b.state == broken {
			return brokenBarrier("Barrier aborted")
		}
		index = b.inside
		b.inside++
		defer b.exit()
		if b.inside == b.parties {
			b.become(draining)
			return nil
		}
		if err := b.cond.WaitFor(ctx, func() bool { return b.state != filling }); err != nil {
			return err
		}
		if b.state != draining {
			return brokenBarrier("Abort or reset of barrier")
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	return index, nil
}

// exit lets a task leave. The last one opens the barrier for the next round.
func (b *Barrier) exit() {
	b.inside--
	if b.inside > 0 {
		return
	}
	if b.state == draining || b.state == resetting {
		b.state = filling
	}
	b.become(b.state)
}

// become changes the state and tells all who wait for that.
func (b *Barrier) become(s barrierState) {
	b.state = s
	b.cond.line.wake(everybody)
}

// Reset makes the barrier new: tasks that wait in it get ErrBrokenBarrier, and one
// that was broken works again. It may have to wait for the barrier's lock, and
// returns the errors of Lock.Acquire. Only a task may call it. Python:
// Barrier.reset.
func (b *Barrier) Reset(ctx context.Context) error {
	return b.cond.Do(ctx, func() error {
		if b.inside > 0 {
			b.become(resetting)
		} else {
			b.become(filling)
		}
		return nil
	})
}

// Abort breaks the barrier: tasks that wait in it, and all that come, get
// ErrBrokenBarrier, until Reset. It may have to wait for the barrier's lock, and
// returns the errors of Lock.Acquire. Only a task may call it. Python:
// Barrier.abort.
func (b *Barrier) Abort(ctx context.Context) error {
	return b.cond.Do(ctx, func() error {
		b.become(broken)
		return nil
	})
}

// Parties returns for how many tasks the barrier is. Any goroutine may call it.
// Python: Barrier.parties.
func (b *Barrier) Parties() int { return b.parties }

// NWaiting returns how many tasks have come and wait for the others. Owner only.
// Python: Barrier.n_waiting.
func (b *Barrier) NWaiting() int {
	if b.state == filling {
		return b.inside
	}
	return 0
}

// Broken reports whether Abort was called, and not Reset since. Owner only.
// Python: Barrier.broken.
func (b *Barrier) Broken() bool { return b.state == broken }

// ErrBrokenBarrier is returned by a barrier that was aborted or reset. Python:
// asyncio.BrokenBarrierError.
var ErrBrokenBarrier = errorf("BrokenBarrierError", nil, "broken barrier")

func brokenBarrier(why string) error {
	return errorf("BrokenBarrierError", ErrBrokenBarrier, "%s", why)
}
