package asyncio

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// AddSignalHandler has fn called when the program receives the signal sig. fn
// runs in the loop, as a callback of CallSoonThreadsafe does, and wakes it. There
// is one handler for a signal in a loop: another one takes its place. Signals that
// come while a call is still to come are one: at least one call follows the last
// of them. Close of the loop ends it.
//
// A handler of os.Interrupt takes the place of what Run does for Ctrl-C.
//
// The error is a RuntimeError for signals that cannot be caught, a ValueError for
// what is no signal, ErrLoopClosed, or errors.ErrUnsupported where there are no
// signals and in a testing/synctest bubble. Tasks and callbacks of the loop may
// call it; it does not switch. Python: loop.add_signal_handler.
func (l *Loop) AddSignalHandler(sig os.Signal, fn func()) error {
	switch {
	case l.s.Closed():
		return ErrLoopClosed
	case l.debug && l.s.Foreign():
		return errForeign
	case fn == nil:
		return typeErrorf("a callback was expected, got nil")
	}
	if err := checkSignal(sig); err != nil {
		return err
	}
	if !signalsHere() {
		return fmt.Errorf("asyncio: no signals are received here: %w", errors.ErrUnsupported)
	}
	signals := signalPart.in(l.parts)
	if h := signals.byNumber[sig]; h != nil {
		h.fn = fn
		return nil
	}
	h := &signalHandler{fn: fn}
	signals.byNumber[sig] = h
	l.expected++
	if sig == os.Interrupt {
		signals.interrupts.Store(true)
	}
	h.forget = outsidePart.in(l.parts).add(h.catch(l, sig))
	return nil
}

// RemoveSignalHandler takes back what AddSignalHandler has arranged, also where
// the call is still to come: the signal does again what it did before. It reports
// whether there was a handler. Tasks and callbacks of the loop may call it; it
// does not switch. Python: loop.remove_signal_handler.
func (l *Loop) RemoveSignalHandler(sig os.Signal) bool {
	if l.debug {
		l.mustOwn()
	}
	signals := signalPart.in(l.parts)
	h := signals.byNumber[sig]
	if h == nil || l.s.Closed() {
		return false
	}
	delete(signals.byNumber, sig)
	l.expected--
	if sig == os.Interrupt {
		signals.interrupts.Store(false)
	}
	h.fn = nil
	h.forget()
	return true
}

// signalHandlers are those of a loop.
type signalHandlers struct {
	byNumber   map[os.Signal]*signalHandler
	interrupts atomic.Bool // one is for os.Interrupt
}

var signalPart = newPart(endOutside,
	func() *signalHandlers { return &signalHandlers{byNumber: make(map[os.Signal]*signalHandler)} }, nil)

// A signalHandler is what is called for a signal. All but posted is the loop's.
type signalHandler struct {
	fn     func() // nil: removed
	forget func() // ends it
	posted atomic.Bool
}

// catch has the handler called when sig comes, until the function that it
// returns is called.
func (h *signalHandler) catch(l *Loop, sig os.Signal) (end func()) {
	// One signal in the channel is enough: it is taken out before the handler is
	// called, so what comes later finds room.
	caught := make(chan os.Signal, 1)
	done := make(chan struct{})
	call := func() {
		h.posted.Store(false) // what comes from here on is another one
		if h.fn != nil {
			h.fn()
		}
	}
	notify(caught, sig)
	go func() {
		for {
			select {
			case <-caught:
				if !h.posted.Swap(true) {
					l.s.Post(call) // on a closed loop nobody is called
				}
			case <-done:
				return
			}
		}
	}()
	return sync.OnceFunc(func() {
		stopNotify(caught)
		close(done)
	})
}
