package asyncio

import "context"

// WithCallbacks says whose callbacks are: owner is called each time one is arranged. If it
// returns nil, the callback is the loop's, as all are without the option.
//
// A callback is arranged by CallSoon, CallLater, CallAt and CallWhenQuiet; by
// CallSoonThreadsafe, if the caller is on the loop's goroutine; by AddDoneCallback when it
// is added; and those of a protocol and of a server are when the transport and the server
// are made. owner belongs to the loop, and must not wait. It is for simulations of a machine
// with which its callbacks end, and stand still: see WithGate for its tasks. Cost: a call
// and two allocations for each callback that has an owner.
func WithCallbacks(owner func() CallbackOwner) LoopOption {
	return loopOption(func(o *loopOptions) { o.callbacks = owner })
}

// WithTaskContexts says which context a task has that NewTask makes, if WithTaskContext
// does not: f is called for it. Without the option it is the background's. f belongs to the
// loop, and must not wait. It is for simulations: a task that a machine's callback has
// begun is the machine's, too.
func WithTaskContexts(f func() context.Context) LoopOption {
	return loopOption(func(o *loopOptions) { o.taskContexts = f })
}
