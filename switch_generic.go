package greenlet

import (
	"iter"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// The generic switch. It is in every build, because the assembly may turn out at
// start not to fit the runtime. Every greenlet has its goroutine, and control
// goes from one to another in one of two ways.
//
// By call: the goroutine is a coroutine of the runtime's, made by iter.Pull, and
// the tree's root calls it. Who switches to another greenlet notes whom in the
// root, and yields; the root, which is the loop in handOver, calls that one. So
// control is handed over without the scheduler: once between the root and any
// other, twice between two others.
//
// By turn: the goroutine waits for a token in a channel, and whoever resumes it
// sends one. That is several times dearer, and needs nothing of anybody. It is for
// goroutines that are locked to their thread, which may neither call nor yield
// (the runtime ends the program); for testing/synctest bubbles, which must see
// theirs wait; and where it cannot be told whether a goroutine is locked.
//
// A coroutine goes over from calls to turns, for good, when it or its root is
// found locked at a switch. A goroutine of no other use, a stand-in, then takes
// part in the call or the yield in place of the locked one. If the coroutine
// yields by it, the root's call returns. If it calls, it waits in that call until
// the coroutine's goroutine ends.
//
// I16 While a greenlet runs that goes by call, its root waits in the call, and
// while one runs that goes by turn, for its turn. Kept by host and yieldTo.
// Tested by TestLocksOfGenericTrees, TestGreenletsGoByCall, TestOracle.

// An engine is what the generic switch knows of a goroutine.
type engine struct {
	turn   chan struct{} // holds the token
	labels rt.Labels     // the profiler's, of who has started the greenlet: see inherit

	number uint64 // the goroutine's; with the assembly its g tells

	// Of a coroutine: call lets it run on and returns when it yields, or when its
	// goroutine has ended.
	call   func() (struct{}, bool)
	yield  func(struct{}) bool
	byTurn bool        // is not called: waits for its turn
	stays  atomic.Bool // its goroutine never ends: see carryByCall

	// Of a root: what it finds when control comes back to it.
	to     *carrier // who is to run
	paused *uint32  // the word, if any, of the coroutine that has yielded; see claim.go
	locked bool     // it was, when it last let another one run
}

func newEngine() *engine {
	if assembly {
		return nil
	}
	return &engine{turn: make(chan struct{}, 1), byTurn: true}
}

// handOver parks c and lets next run. It returns when c is resumed. The word of a
// coroutine that pauses is set when c touches nothing more but its token.
func (c *carrier) handOver(next *carrier, parked *uint32) {
	if assembly {
		c.park(next, parked)
		return
	}
	root := &next.hub.root
	if c != root {
		c.yieldTo(root, next, parked)
		return
	}
	for next != root {
		root.host(next)
		if root.paused != nil {
			atomic.StoreUint32(root.paused, paused)
			root.paused = nil
		}
		next, root.to = root.to, nil
	}
}

// host lets next run, and returns when somebody in the tree wants the root to let
// another one run.
func (root *carrier) host(next *carrier) {
	root.locked = rt.Locked()
	if next.cold {
		next.cold = false
		if root.locked || !root.hub.calls() {
			go carryByTurn(next)
		} else {
			next.byTurn = false
			next.call, _ = iter.Pull(func(yield func(struct{}) bool) {
				next.yield = yield
				carryByCall(next)
			})
		}
	}
	if !next.byTurn {
		if !root.locked {
			next.call()
			return
		}
		next.byTurn = true
		go next.call()
	} else {
		next.turn <- struct{}{}
	}
	<-root.turn
}

// yieldTo is handOver for one that is not the root.
func (c *carrier) yieldTo(root, next *carrier, parked *uint32) {
	if !c.byTurn {
		root.to, root.paused = next, parked
		if !rt.Locked() {
			c.yield(struct{}{})
			return
		}
		c.byTurn = true
		go c.yield(struct{}{})
		<-c.turn
		return
	}
	if parked != nil {
		atomic.StoreUint32(parked, paused)
	}
	if next.cold && !root.hub.calls() {
		next.cold = false
		go carryByTurn(next)
	}
	if next == root || next.cold || !next.byTurn {
		root.to, next = next, root
	}
	next.turn <- struct{}{}
	<-c.turn
}

// calls reports whether new coroutines of the tree go by call.
func (h *hub) calls() bool { return rt.Fast && h.bubble == 0 && stranded.Load() < strandedMax }

// spoilt reports whether c, whose greenlet has ended, should not serve another one: it
// is locked to its thread, or could be called if it were made anew.
func (h *hub) spoilt(c *carrier) bool {
	return rt.Locked() || c.byTurn && h.calls() && !h.root.locked
}

// wake lets c's goroutine run on beside the caller's: to end.
func (c *carrier) wake() {
	switch {
	case assembly:
		c.ready()
	case c.byTurn:
		c.turn <- struct{}{}
	case rt.InBubble():
		// The bubble would take who calls for blocked, for ever. It is an idle goroutine
		// of outside, which some call of stack.Trim has found: another day.
		strays.mu.Lock()
		strays.all = append(strays.all, c)
		strays.mu.Unlock()
	default:
		go c.call()
	}
}

// strays are goroutines that were told to end by somebody in a bubble.
var strays struct {
	mu  sync.Mutex
	all []*carrier
}

// endStrays lets them end. It is called after each cycle of the collector, outside of
// bubbles.
func endStrays() {
	strays.mu.Lock()
	defer strays.mu.Unlock()
	for _, c := range strays.all {
		go c.call()
	}
	strays.all = nil
}

func carryByTurn(c *carrier) {
	<-c.turn
	carryGeneric(c)
}

// carryByCall is carryByTurn for a coroutine. Its goroutine may not end while it is
// locked to its thread: then it never does, and keeps the thread, lest another goroutine
// ran there. (Go would end the thread.)
func carryByCall(c *carrier) {
	defer func() {
		if rt.Locked() {
			c.stays.Store(true)
			stranded.Add(1)
			select {}
		}
	}()
	carryGeneric(c)
}

// stranded counts the goroutines that never end. A program in which greenlets end locked
// time and again may want their threads to end, and there are 10,000 at most. So from
// strandedMax on all new coroutines go by turn, whose threads Go ends.
var stranded atomic.Int32

const strandedMax = 100

// strands reports whether c's goroutine never ends: it has left all that it carried, but
// can be found on its stack.
func (c *carrier) strands() bool { return c.engine != nil && c.stays.Load() }

func carryGeneric(c *carrier) {
	c.register(false)
	defer c.depart()
	for failed := false; c.serve(failed); failed = true {
	}
	runtime.KeepAlive(c) // it is found as long as there is the stack: see hub.lingers
}
