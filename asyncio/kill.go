package asyncio

import "github.com/go-greenlet/greenlet/sched"

// Kill ends t where it waits, as Close of the loop would: its deferred calls run,
// what waits in them is ErrLoopClosed, and nothing that they recover keeps it
// going. Then t has failed with err, which nobody need look at. A task that has not
// begun ends without running; one that has ended stays as it is. It is for
// simulations of a machine that fails. Other programs use Cancel, which a task
// notices.
//
// What t held is not given back unless it has deferred that: a lock, say. If a
// deferred call panics, that is what t has failed with.
//
// Callbacks and other tasks of t's loop may call it; it switches. The error is a
// RuntimeError if t is the caller, or waits for its eager start; sched.ErrForeign on
// another goroutine than the loop's; a TypeError if err is nil. Python has no such
// call.
func Kill(t AnyTask, err error) error {
	if err == nil {
		return typeErrorf("an exception is expected, not nil")
	}
	of := t.self()
	switch failed := of.st.Kill(); {
	case failed == sched.ErrKillSelf:
		return runtimeErrorf("Task cannot kill itself: %s", of)
	case failed != nil:
		return failed
	}
	if of.state == pending {
		of.rarely |= wasKilled
		of.over(endedFailed)
		if of.shown {
			shownTask.over(of)
		}
		of.settle(finished, err)
	}
	return nil
}
