package asyncio

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// whose tells whom what is made on a loop belongs to. What is nil says: to the loop.
type whose struct {
	callbacks    func() CallbackOwner
	taskContexts func() context.Context
}

// A CallbackOwner is who callbacks belong to, with WithCallbacks. Its methods belong to
// the loop, and must not wait.
type CallbackOwner interface {
	// Calls is called in place of a callback fn when its time has come. It calls fn; or
	// keeps it for later, and then looks whether the handle was cancelled meanwhile; or
	// drops it.
	Calls(h *Handle, fn func())

	// Sets is called when a timer is made, which is one of CallLater or CallAt.
	Sets(t *TimerHandle)
}

// WithCallbacks has of asked, each time a callback is arranged, whose it is. Nil is the
// loop's, as all are without the option.
//
// A callback is arranged by CallSoon, CallLater, CallAt and CallWhenQuiet; by
// CallSoonThreadsafe, if the caller is on the loop's goroutine; by AddDoneCallback when it
// is added; and those of a protocol and of a server are when the transport and the server
// are made. of belongs to the loop, and must not wait. It is for simulations of a machine
// with which its callbacks end, and stand still: see WithGate for its tasks. Cost: a call
// and two allocations for each callback that has an owner.
func WithCallbacks(of func() CallbackOwner) LoopOption {
	return loopOption(func(o *loopOptions) { o.callbacks = of })
}

// WithTaskContexts has f asked for the context of a task that NewTask makes, if no
// WithTaskContext says it: without the option it is the background's. f belongs to the
// loop, and must not wait. It is for simulations: a task that a machine's callback has
// begun is the machine's, too.
func WithTaskContexts(f func() context.Context) LoopOption {
	return loopOption(func(o *loopOptions) { o.taskContexts = f })
}

// noContext returns the context of a task that is made without one.
func (l *Loop) noContext() context.Context {
	if l.taskContexts == nil || !l.s.Owned() {
		return context.Background()
	}
	return l.taskContexts()
}

// owner returns who calls fn, which is being arranged: nil is the loop.
func (l *Loop) owner(fn func()) CallbackOwner {
	if l.callbacks == nil || fn == nil {
		return nil
	}
	return l.callbacks()
}

// give arranges, by call, that fn runs for by.
func give(by CallbackOwner, fn func(), call func(fn func()) *Handle) *Handle {
	var h *Handle
	h = call(func() { by.Calls(h, fn) })
	return h
}

// giveTimer is give for a timer.
func giveTimer(by CallbackOwner, fn func(), call func(fn func()) *TimerHandle) *TimerHandle {
	var t *TimerHandle
	t = call(func() { by.Calls(&t.Handle, fn) })
	by.Sets(t)
	return t
}

func (l *Loop) callSoon(fn func()) *Handle {
	if by := l.owner(fn); by != nil {
		return give(by, fn, l.s.Soon)
	}
	return l.s.Soon(fn)
}

func (l *Loop) callLater(d time.Duration, fn func()) *TimerHandle {
	if by := l.owner(fn); by != nil {
		return giveTimer(by, fn, func(fn func()) *TimerHandle { return l.s.After(d, fn) })
	}
	return l.s.After(d, fn)
}

func (l *Loop) callAt(when time.Duration, fn func()) *TimerHandle {
	if by := l.owner(fn); by != nil {
		return giveTimer(by, fn, func(fn func()) *TimerHandle { return l.s.At(when, fn) })
	}
	return l.s.At(when, fn)
}

func (l *Loop) callWhenQuiet(fn func()) *Handle {
	if by := l.owner(fn); by != nil {
		return give(by, fn, l.s.WhenQuiet)
	}
	return l.s.WhenQuiet(fn)
}

// post is CallSoon for any goroutine. One that is not the loop's does not know for whom.
func (l *Loop) post(fn func()) (*Handle, error) {
	if l.callbacks != nil && l.s.Owned() {
		if by := l.owner(fn); by != nil {
			return l.givePost(by, fn)
		}
	}
	return l.s.Post(fn)
}

func (l *Loop) givePost(by CallbackOwner, fn func()) (h *Handle, err error) {
	h = give(by, fn, func(fn func()) (h *Handle) {
		h, err = l.s.Post(fn)
		return h
	})
	return h, err
}

// newCall makes a callback that is arranged again and again. One that is kept for later
// may run though it was cancelled meanwhile, so fn looks whether there is something to do.
func (l *Loop) newCall(fn func()) *sched.Call {
	if by := l.owner(fn); by != nil {
		h := new(Handle)
		return l.s.NewCall(func() { by.Calls(h, fn) })
	}
	return l.s.NewCall(fn)
}
