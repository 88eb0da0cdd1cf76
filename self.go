package greenlet

import (
	"runtime"
	"sync"
	"sync/atomic"
	"weak"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// How a goroutine finds its carrier. The assembly backend keeps it at the base
// of the carriers' stacks (rt.Slot). What remains, the roots of trees and the
// carriers of the generic backend, is found by the goroutine's number.

// carriers holds the goroutines that were started for greenlets.
var carriers sync.Map // goid -> *carrier

// roots holds the trees by the number of the goroutine where they began. It
// refers to them weakly: the end of a goroutine cannot be observed, and a tree
// that nothing else refers to can as well be made anew.
var roots = struct {
	mu    sync.Mutex
	m     map[uint64]*root
	first *root // of all of them, for those who look from outside

	pinned map[uint64]*hub // those with a trace hook, which must not be lost
}{m: make(map[uint64]*root), pinned: make(map[uint64]*hub)}

// A root is a tree in roots.
type root struct {
	next, prev *root
	hub        weak.Pointer[hub]
}

// keep makes h the tree of its goroutine. roots.mu is held.
func (h *hub) keep() {
	if old := roots.m[h.rootID]; old != nil {
		old.forget()
	}
	r := &root{next: roots.first, hub: weak.Make(h)}
	if r.next != nil {
		r.next.prev = r
	}
	roots.first = r
	roots.m[h.rootID] = r
}

// forget takes r out of the list. roots.mu is held.
func (r *root) forget() {
	if r.next != nil {
		r.next.prev = r.prev
	}
	if r.prev != nil {
		r.prev.next = r.next
	} else {
		roots.first = r.next
	}
}

// value returns the tree: nil if there is none any more.
func (r *root) value() *hub {
	if r == nil {
		return nil
	}
	return r.hub.Value()
}

// rootCache saves the look-up in roots. It is emptied after every cycle of the
// collector, so that it keeps no tree alive for long.
var rootCache [64]atomic.Pointer[hub]

// carrierCache saves the generic backend the look-up in carriers. Of carriers whose
// numbers share a place it has the one that was looked for last. Numbers are not used
// twice, so a carrier with the right one is the right one. One that ends leaves it, or
// what it refers to would stay.
var carrierCache [256]atomic.Pointer[carrier]

// self returns the carrier that calls it.
func self() *carrier {
	var goid uint64
	if assembly {
		g := rt.Self()
		if c := slotted(g); c != nil {
			return c
		}
		goid = g.ID()
	} else {
		goid = rt.GoroutineID()
	}
	if !assembly {
		if c := carrierCache[goid%uint64(len(carrierCache))].Load(); c != nil && c.number == goid {
			return c
		}
	}
	if h := rootCache[goid%uint64(len(rootCache))].Load(); h != nil && h.rootID == goid {
		return &h.root
	}
	return selfByID(goid)
}

// selfFor is self for a caller who most likely belongs to the tree of g.
func selfFor(g *Greenlet) *carrier {
	if assembly && g != nil && g.hub != nil && g.hub.rootID == rt.Self().ID() {
		return &g.hub.root
	}
	return self()
}

func selfByID(goid uint64) *carrier {
	if c, ok := carriers.Load(goid); ok {
		c := c.(*carrier)
		if !assembly {
			carrierCache[goid%uint64(len(carrierCache))].Store(c)
		}
		return c
	}
	roots.mu.Lock()
	defer roots.mu.Unlock()
	h := roots.m[goid].value()
	if h == nil {
		h = newHub(goid)
		h.keep()
		runtime.AddCleanup(h, forgetRoot, rootRemains{goid, h.free, h.draft})
	}
	rootCache[goid%uint64(len(rootCache))].Store(h)
	return &h.root
}

// rootRemains is what is to be cleared up after a tree.
type rootRemains struct {
	goid  uint64
	free  *stack.Local[*carrier]
	draft *draft
}

func forgetRoot(r rootRemains) {
	r.free.Flush()
	r.draft.dismiss()
	roots.mu.Lock()
	defer roots.mu.Unlock()
	if of := roots.m[r.goid]; of != nil && of.value() == nil {
		of.forget()
		delete(roots.m, r.goid)
	}
}

// pin keeps h from being made anew while on is true.
func (h *hub) pin(on bool) {
	roots.mu.Lock()
	defer roots.mu.Unlock()
	if on {
		roots.pinned[h.rootID] = h
	} else {
		delete(roots.pinned, h.rootID)
	}
}

// trees returns all trees there are.
func trees() []*hub {
	roots.mu.Lock()
	defer roots.mu.Unlock()
	all := make([]*hub, 0, len(roots.m))
	for r := roots.first; r != nil; r = r.next {
		if h := r.value(); h != nil {
			all = append(all, h)
		}
	}
	return all
}

// register and deregister keep the books of a carrier's goroutine; it calls
// them itself when it begins and when it ends.
func (c *carrier) register(slotted bool) {
	stack.Began()
	if rt.Fast {
		c.g = rt.Self()
	}
	if !assembly {
		c.number = rt.GoroutineID()
	}
	c.slotted = slotted
	if !slotted {
		carriers.Store(c.goid(), c)
	}
}

func (c *carrier) deregister() {
	if !c.slotted {
		carriers.Delete(c.goid())
		if !assembly {
			carrierCache[c.number%uint64(len(carrierCache))].CompareAndSwap(c, nil)
		}
	}
	stack.Ended()
}
