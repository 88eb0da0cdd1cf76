package greenlet

import (
	"sync"
	"sync/atomic"
	"weak"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// A hub is a tree of greenlets: what Python calls a thread. It is made when a
// goroutine first asks for its main greenlet, and lives as long as anything
// refers to one of its greenlets.
type hub struct {
	// The assembly reads these three and writes two of them.

	running uint64  // goid of the goroutine that runs; 0 while that must not switch in assembly
	current uintptr // address of the running greenlet's handle, to compare with; 0 if not known
	gate    gates   // not 0: every switch takes the slow path, which asks why

	root   carrier // the goroutine where the tree began
	rootID uint64
	bubble uint64 // its testing/synctest bubble's: that of all of the tree's goroutines (I13)
	main   *Greenlet
	letter letter // for the greenlet that is resumed next, if it comes by the slow path
	free   *stack.Local[*carrier]
	draft  *draft
	inRow  int // carriers started since one was last left idle: see draft.go
	ids    idBlock
	meet   rt.Meet // for the goroutine that is being started

	seen   atomic.Pointer[Greenlet] // the last answer of carrier.current, until the end of a cycle of the collector
	seenOf *carrier

	failure *PanicError // how the body that has just ended did, if it panicked

	trace   TraceFunc
	tracing bool // inside the hook

	sweepAt int                     // where the sweep goes on; see collect.go
	ending  []weak.Pointer[carrier] // whose goroutines were told to end after a kill or a Goexit

	adoptions uint32 // see pair.adopt; four billion of them are more than happen between two calls
	loosened  bool   // some of those may be loose

	mu   sync.Mutex // guards live, the handles of those in it, and parents
	live []*carrier // all that are suspended, those that run but have been suspended, and coroutines that have begun

	kills    []kill     // under way; guarded by mu
	closings []*closing // under way; guarded by mu
}

// gates are the reasons for which a switch must take the slow path.
type gates struct{ bits atomic.Uint32 }

const (
	gateSweep  uint32 = 1 << iota // the collector has run: look for abandoned greenlets
	gateTrace                     // a trace hook is set, here or for all
	gateBubble                    // the tree is in a testing/synctest bubble, for ever
)

func (g *gates) set(bit uint32)   { g.bits.Or(bit) }
func (g *gates) none() bool       { return g.bits.Load() == 0 }
func (g *gates) clear(bit uint32) { g.bits.And(^bit) }
func (g *gates) has(bit uint32) bool {
	return g.bits.Load()&bit != 0
}

// newHub makes the tree of the calling goroutine.
func newHub(goid uint64) *hub {
	h := &hub{rootID: goid, running: goid, free: stack.NewLocal(&depot), draft: new(draft)}
	name := "main"
	h.main = &Greenlet{hub: h, c: &h.root, name: &name, id: h.nextID()}
	h.main.setState(started)
	h.root = carrier{hub: h, handle: h.main, armed: true, engine: newEngine()} // never enlisted
	if !assembly {
		h.root.number = goid
	}
	if rt.Fast {
		h.root.g = rt.Self()
	}
	h.main.gp = h.root.entry()
	if h.bubble = rt.Bubble(); h.bubble != 0 {
		h.gate.set(gateBubble)
	}
	if traceAll.Load() != nil {
		h.gate.set(gateTrace)
	}
	return h
}

// nextID gives out numbers that no other tree gives out, taken from the shared
// counter a block at a time because that costs an atomic operation.
func (h *hub) nextID() uint64 {
	if h.ids.next == h.ids.end {
		h.ids.end = idsTaken.Add(idBlockSize)
		h.ids.next = h.ids.end - idBlockSize
	}
	h.ids.next++
	return h.ids.next
}

type idBlock struct{ next, end uint64 }

const idBlockSize = 64

var idsTaken atomic.Uint64

// start gives t, which is fresh, a carrier. The carrier may be cold: then
// carrier.park starts its goroutine. In a testing/synctest bubble every greenlet
// has a goroutine of its own, which ends with it: idle ones of outside would
// have another clock, and the bubble waits for all of its own to end.
func (h *hub) start(t *Greenlet) {
	if !h.gate.has(gateBubble) {
		c, warm := h.free.Get()
		if !warm && assembly {
			c = h.draftAhead()
		}
		if c != nil {
			h.give(c, t)
			return
		}
	}
	h.give(newCarrier(), t)
}

// give makes t run on c.
func (h *hub) give(c *carrier, t *Greenlet) {
	c.hub = h
	c.handle = t
	t.c = c
	t.gp = c.entry()
	t.setState(started)
	if assembly {
		c.inherit()
	} else {
		c.labels = rt.OwnLabels()
	}
}

// discard ends g, which is fresh, without running it.
func (h *hub) discard(g *Greenlet) {
	g.body = nil
	g.setState(dead)
}

// enlist puts c, which is about to be suspended for the first time, among the
// live ones. It is young: its handle is referred to strongly until a sweep
// finds it suspended (see collect.go), so a greenlet that does not outlive a
// cycle of the collector never pays for being watched.
func (h *hub) enlist(c *carrier) {
	h.mu.Lock()
	c.at = int32(len(h.live))
	h.live = append(h.live, c)
	if len(h.closings) > 0 {
		h.changes(h.handleOf(c), true)
	}
	h.mu.Unlock()
	c.armed = true
	watchCollector()
}

// delist takes c, which has ended, from among the live ones.
func (h *hub) delist(c *carrier) {
	h.mu.Lock()
	last := len(h.live) - 1
	if moved := h.live[last]; moved != c {
		h.live[c.at] = moved
		moved.at = c.at
	}
	h.live[last] = nil
	h.live = h.live[:last]
	h.mu.Unlock()
}

// handleOf returns the handle of a live carrier, and makes a new one if the old
// one has been collected. h.mu is held.
func (h *hub) handleOf(c *carrier) *Greenlet {
	if c.handle != nil {
		return c.handle
	}
	if g := c.old.weak.Value(); g != nil {
		return g
	}
	g := &Greenlet{hub: h, c: c, parent: c.old.parent, name: c.old.name, id: c.old.id}
	g.gp = c.entry()
	g.setState(started)
	c.old.weak = weak.Make(g)
	return g
}
