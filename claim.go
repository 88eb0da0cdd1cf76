package greenlet

import (
	"runtime"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Who may resume a coroutine? One word of its pair decides.
//
//	runs     it runs, or waits in a switch of its own like any greenlet: then the
//	         tree that it belongs to may switch to it, and nobody may call it
//	paused   it is parked in a Yield, or has not started: whoever claims it may
//	         resume it, on any goroutine if it floats
//	claimed  somebody has claimed it, and either resumes it, which makes it run,
//	         or gives it back
//
// The word becomes paused as the last act of the park itself, when the thread
// has left the coroutine's stack and lets go of its goroutine: before that, the
// goroutine waits for other reasons too, without a thread, as in a channel or
// stopped for a scan, and must not be resumed. Three kinds of code park and set
// it: the assembly, rt.Hand on the scheduler's stack, and the generic handOver.
//
// There are four kinds of code that claim: the assembly's callText and reserveText,
// and pair.claim, for callers; sweepFloating; and carrier.seize for who switches to
// the coroutine by its handle, kills it or looks at its stack. enterText does not
// claim. It leaves a paused coroutine, which it knows by the place where it parked,
// to Go.
//
// A claim is short, and no code of the user's runs in it. So who finds the word
// claimed waits until it is not; it may hold no lock then, for the sweep takes a
// tree's.
//
// A floating coroutine that runs belongs to the tree of whoever has resumed it. A
// claim by another tree moves it there, before it runs. So for those who read
// runs the tree decides, and they must read it after the word.
//
// The claim guards the coroutine, not the value: a call copies that when the
// coroutine is paused again, so who calls before the other has returned can
// overwrite it. To notice that, each call would have to compare a count of before
// it with one of after it.
//
// TestClaimModel goes through all the orders in which these steps can happen.
const (
	runs uint32 = iota
	paused
	claimed
)

// take claims the coroutine, if it is paused.
func (p *pair) take() bool {
	if !p.floats { // nobody else can
		if p.paused != paused {
			return false
		}
		p.paused = claimed
		return true
	}
	return atomic.CompareAndSwapUint32(&p.paused, paused, claimed)
}

// set ends a claim: the coroutine runs, or is paused again.
func (p *pair) set(word uint32) {
	if !p.floats || inOrder { // of what does not float nobody else looks at it
		p.paused = word
		return
	}
	atomic.StoreUint32(&p.paused, word)
}

// inOrder tells that a plain store serves where others look, too: no store of this processor
// passes another. An atomic one costs as much as half a switch. The race detector sees it.
const inOrder = rt.SwitchBuilt && runtime.GOARCH == "amd64"

// seize claims c's coroutine if it is paused, for the tree h that runs, and
// returns what it was. It reports false if c belongs to another tree by now.
// Whatever is not a paused coroutine belongs to its tree, which needs no claim.
func (c *carrier) seize(h *hub) (was uint32, ok bool) {
	p := c.pair
	if p == nil {
		return runs, true
	}
	for {
		was = atomic.LoadUint32(&p.paused)
		switch {
		case was == claimed:
			runtime.Gosched()
			continue
		case was == paused && !p.take():
			continue
		}
		if c.hub == h {
			return was, true
		}
		if was == paused {
			p.set(paused)
		}
		return was, false
	}
}

// wakes makes c, which h's running greenlet is about to switch to, no longer
// paused. It reports false if c belongs to another tree by now.
func (c *carrier) wakes(h *hub) bool {
	was, ok := c.seize(h)
	if ok && was == paused {
		c.pair.hub = h // it may have been nowhere
		c.pair.set(runs)
	}
	return ok
}

// yields reports whether a coroutine on c waits to be called, or is claimed by
// somebody who calls it. The end of a greenlet passes it over, like a dead one.
func (c *carrier) yields() bool { return c.pair != nil && atomic.LoadUint32(&c.pair.paused) != runs }
