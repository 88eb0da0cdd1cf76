package greenlet

import (
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"slices"
	"sync/atomic"
	"weak"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// An abandoned greenlet is a suspended one whose handle the collector has
// found unreachable: nobody can ever switch to it again. It is killed, so that
// its deferred calls run and its stack goes back. That must happen on its own
// goroutine's tree, so the tree looks for abandoned greenlets when the
// collector has finished a cycle: at its next switch, or in Collect. A greenlet
// is watched, through a weak pointer, from the first such look on.

// sweepSlice is how many greenlets one switch looks at.
const sweepSlice = 256

// Collect runs a cycle of the garbage collector and ends the greenlets of the
// calling goroutine's tree that have been abandoned: suspended, with nobody
// left who refers to them. Their deferred calls run as in Kill, with the caller
// for a parent. When Collect returns all of them are dead, also those to which
// only others of them referred: these end after the one that referred to them.
//
// Without Collect the same happens by itself, a few at a time, when the tree
// switches after a cycle of the collector. A greenlet whose own stack still
// refers to its handle, or to that of a child that waits, is not abandoned: see
// the page of caveats. What Pull has made ends on a goroutine of its own, a
// little later, and so does what only that refers to.
//
// Any goroutine may call it, for its own tree; it switches if there is anything
// to end. It costs two cycles of the collector, and one more for each in a chain
// of which each refers to the next: milliseconds at least.
func Collect() {
	c := self()
	h := c.hub
	c.sweep(-1) // the young ones grow old
	for vain := 0; vain < lingerMax; {
		h.seen.Store(nil)
		h.seenOf = nil
		runtime.Gosched() // lets those that were ended leave their stacks
		lingering := h.lingering()
		runtime.GC()
		// What one of them referred to may be abandoned only now.
		if c.sweep(-1) != 0 {
			vain = 0
			continue
		}
		switch left := h.lingering(); {
		case left == 0:
			return
		case left < lingering:
			vain = 0
		default:
			vain++
		}
	}
}

// A greenlet that has been killed, or has left by Goexit, is dead before its
// goroutine ends: its frames are on the stack until then, and for the collector
// they refer to what they referred to when it was killed. The tree remembers the
// carriers of such goroutines, weakly. A carrier that a cycle of the collector
// has not found was on no stack in that cycle.

// lingerMax is for how many cycles Collect waits in vain for goroutines to end
// that have nothing more to do.
const lingerMax = 10

// lingers notes that c's goroutine is about to end.
func (h *hub) lingers(c *carrier) {
	if len(h.ending) == cap(h.ending) {
		h.lingering()
	}
	h.ending = append(h.ending, weak.Make(c))
}

// lingering returns how many of the goroutines that were about to end had not
// ended in the last cycle of the collector.
func (h *hub) lingering() int {
	h.ending = slices.DeleteFunc(h.ending, func(w weak.Pointer[carrier]) bool {
		c := w.Value()
		return c == nil || c.strands()
	})
	if len(h.ending) == 0 {
		h.ending = nil // there may have been many
	}
	return len(h.ending)
}

// sweep looks at n live greenlets, or at all if n is negative, kills those
// that are abandoned and returns how many they were.
func (c *carrier) sweep(n int) (killed int) {
	h := c.hub
	if n < 0 {
		h.sweepAt = 0
		n = math.MaxInt
	}
	for ; n > 0; n-- {
		h.mu.Lock()
		if h.sweepAt >= len(h.live) {
			h.sweepAt = 0
			h.mu.Unlock()
			h.gate.clear(gateSweep)
			h.draft.spare()
			h.lingering()
			return killed
		}
		x := h.live[h.sweepAt]
		if x == c || !h.forgotten(x) {
			h.sweepAt++
			h.mu.Unlock()
			continue
		}
		g := h.handleOf(x)
		h.mu.Unlock()
		killed++
		collected.Add(1)
		c.killAbandoned(g)
		if !g.Dead() {
			// It is somewhere else, and has a handle again.
			h.sweepAt++
		}
	}
	return killed
}

// forgotten reports whether nobody refers to x, which is suspended. A young one
// grows old here, unless its body has not begun, because a trace hook has
// switched away before: then the carrier still needs the handle. h.mu is held.
func (h *hub) forgotten(x *carrier) bool {
	if x.pair != nil {
		x.pair.loosen(h)
	}
	if x.handle == nil {
		return x.old.weak.Value() == nil
	}
	if x.handle.body == nil {
		x.ages(x.handle)
	}
	return false
}

// killAbandoned kills g for nobody: its panic is reported, not passed on.
func (c *carrier) killAbandoned(g *Greenlet) {
	defer func() {
		if p := recover(); p != nil {
			unraisable(g, p)
		}
	}()
	c.kill(g)
}

var collected atomic.Int64

// SetUnraisable sets the function that is told of a panic that has nobody to go
// to, because it happened in a deferred call of an abandoned greenlet, and
// returns the function before it. At first, and for nil, the panic is logged by
// log/slog. Any goroutine may call it. f is called by the tree's owner, inside
// a switch or Collect.
//
// Python: sys.unraisablehook.
func SetUnraisable(f func(g *Greenlet, err error)) (old func(g *Greenlet, err error)) {
	var p *func(*Greenlet, error)
	if f != nil {
		p = &f
	}
	if was := unraisableHook.Swap(p); was != nil {
		return *was
	}
	return nil
}

var unraisableHook atomic.Pointer[func(*Greenlet, error)]

func unraisable(g *Greenlet, p any) {
	err, ok := p.(error)
	if !ok {
		err = fmt.Errorf("%v", p)
	}
	if f := unraisableHook.Load(); f != nil {
		(*f)(g, err)
		return
	}
	slog.Error("greenlet: panic in an abandoned greenlet", "greenlet", g.title(), "panic", err)
}

// The collector's cycles are noticed by a sentinel, an object that is garbage
// at once and whose finalizer makes the next one. It is a finalizer, because a
// cleanup can get lost: in Go 1.26 it waits with the processor that has swept
// the object, and stays there if GOMAXPROCS takes that one away (TestHammer).

type sentinel struct {
	_ *sentinel // not a tiny allocation
	_ [2]uintptr
}

var watching atomic.Bool

// watchCollector makes sure that the end of the next cycle is noticed.
func watchCollector() {
	if !watching.Load() && watching.CompareAndSwap(false, true) {
		plantSentinel()
	}
}

func plantSentinel() { runtime.SetFinalizer(new(sentinel), cycleEnded) }

// cycleEnded is called once for every cycle of the collector while there are
// suspended greenlets or idle carriers.
func cycleEnded(*sentinel) {
	rt.Cycles.Add(1)
	depot.Tick()
	endStrays()
	for i := range rootCache {
		rootCache[i].Store(nil)
	}
	needed := sweepFloating()
	for _, h := range trees() {
		h.seen.Store(nil) // or a coroutine that has no other tree yet would not be abandoned
		h.mu.Lock()
		live := len(h.live)
		h.mu.Unlock()
		if live == 0 {
			continue
		}
		needed = true
		if rt.Gone(h.root.g, h.rootID) {
			// A bubble's goroutines can only be ended from inside.
			if h.bubble == 0 {
				go h.bury()
			}
		} else {
			h.gate.set(gateSweep)
		}
	}
	if needed || stack.Stats().Goroutines > 0 {
		plantSentinel()
		return
	}
	watching.Store(false)
	// A carrier may have begun since we looked, and who was suspended on it have
	// seen that the collector is watched.
	if stack.Stats().Goroutines > 0 {
		watchCollector()
	}
}

// bury does the sweep for a tree whose goroutine has ended without Close: it
// ends the abandoned ones as greenlets of a tree of its own. Those that somebody
// still refers to stay suspended for ever; nobody could switch to them.
func (h *hub) bury() {
	c := self()
	defer Close()
	for _, x := range h.exhume(c.hub) {
		collected.Add(1)
		c.killAbandoned(x)
	}
}

// exhume moves the abandoned greenlets of h, which nobody runs any more, to the
// tree of the caller.
func (h *hub) exhume(to *hub) (lost []*Greenlet) {
	h.mu.Lock()
	defer h.mu.Unlock()
	kept := h.live[:0]
	for _, x := range h.live {
		if !h.forgotten(x) {
			x.at = int32(len(kept))
			kept = append(kept, x)
			continue
		}
		x.hub = to
		to.mu.Lock()
		x.at = int32(len(to.live))
		to.live = append(to.live, x)
		lost = append(lost, to.handleOf(x))
		to.mu.Unlock()
	}
	clear(h.live[len(kept):])
	h.live = kept
	return lost
}
