package asyncio

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// whose tells whom what is made on a loop belongs to. What is nil says: to the loop.
type whose struct {
	on           *sched.Loop
	callbacks    func() CallbackOwner
	taskContexts func() context.Context
}

// A CallbackOwner is who callbacks belong to, with WithCallbacks. Its methods belong to
// the loop, and must not wait.
type CallbackOwner interface {
	// Calls is called in place of a callback fn when its time has come. It calls fn; or
	// keeps it for later, and then looks whether the handle was cancelled meanwhile; or
	// drops it.
	Calls(h *sched.Handle, fn func())

	// Sets is called when a timer is made, which is one of CallLater or CallAt.
	Sets(t *sched.Timer)
}

// noContext returns the context of a task that is made without one.
func (w *whose) noContext() context.Context {
	if w.taskContexts == nil || !w.on.Owned() {
		return context.Background()
	}
	return w.taskContexts()
}

// owner returns who calls fn, which is being arranged: nil is the loop.
func (w *whose) owner(fn func()) CallbackOwner {
	if w.callbacks == nil || fn == nil {
		return nil
	}
	return w.callbacks()
}

// give arranges, by call, that fn runs for by.
func give(by CallbackOwner, fn func(), call func(fn func()) *sched.Handle) *sched.Handle {
	var h *sched.Handle
	h = call(func() { by.Calls(h, fn) })
	return h
}

// giveTimer is give for a timer.
func giveTimer(by CallbackOwner, fn func(), call func(fn func()) *sched.Timer) *sched.Timer {
	var t *sched.Timer
	t = call(func() { by.Calls(&t.Handle, fn) })
	by.Sets(t)
	return t
}

func (w *whose) callSoon(fn func()) *sched.Handle {
	if by := w.owner(fn); by != nil {
		return give(by, fn, w.on.Soon)
	}
	return w.on.Soon(fn)
}

func (w *whose) callLater(d time.Duration, fn func()) *sched.Timer {
	if by := w.owner(fn); by != nil {
		return giveTimer(by, fn, func(fn func()) *sched.Timer { return w.on.After(d, fn) })
	}
	return w.on.After(d, fn)
}

func (w *whose) callAt(when time.Duration, fn func()) *sched.Timer {
	if by := w.owner(fn); by != nil {
		return giveTimer(by, fn, func(fn func()) *sched.Timer { return w.on.At(when, fn) })
	}
	return w.on.At(when, fn)
}

func (w *whose) callWhenQuiet(fn func()) *sched.Handle {
	if by := w.owner(fn); by != nil {
		return give(by, fn, w.on.WhenQuiet)
	}
	return w.on.WhenQuiet(fn)
}

// post is CallSoon for any goroutine. One that is not the loop's does not know for whom.
func (w *whose) post(fn func()) (*sched.Handle, error) {
	if w.callbacks != nil && w.on.Owned() {
		if by := w.owner(fn); by != nil {
			return w.givePost(by, fn)
		}
	}
	return w.on.Post(fn)
}

func (w *whose) givePost(by CallbackOwner, fn func()) (h *sched.Handle, err error) {
	h = give(by, fn, func(fn func()) (h *sched.Handle) {
		h, err = w.on.Post(fn)
		return h
	})
	return h, err
}

// newCall makes a callback that is arranged again and again. One that is kept for later
// may run though it was cancelled meanwhile, so fn looks whether there is something to do.
func (w *whose) newCall(fn func()) *sched.Call {
	if by := w.owner(fn); by != nil {
		h := new(sched.Handle)
		return w.on.NewCall(func() { by.Calls(h, fn) })
	}
	return w.on.NewCall(fn)
}
