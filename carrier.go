package greenlet

import (
	"errors"
	"runtime"
	"weak"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// A carrier is a goroutine that greenlets run on, one after the other; or the
// plain goroutine at the root of a tree, which carries its main greenlet.
//
// It is also the state that a suspended greenlet's own stack holds. The handle
// that users hold is another object: the carrier of a greenlet that has been
// suspended refers to it weakly, so that an abandoned greenlet can be noticed.
type carrier struct {
	g    rt.G   // the goroutine; none where the layout is not known
	goid uint64 // its number

	hub    *hub      // the tree; nil while idle
	handle *Greenlet // while young, and always for the root
	weak   weak.Pointer[Greenlet]

	// What a handle made anew needs, set by hub.age. hub.mu guards them.
	parent *Greenlet
	name   *string
	id     uint64
	at     int32 // index in hub.live

	armed   bool // may be suspended in assembly: enlisted, or the root, or floating
	floats  bool // carries a floating coroutine (pull.go), which no tree lists
	slow    bool // parked by the slow path: cannot receive registers
	cold    bool // has no goroutine yet
	killed  bool // being unwound by Kill
	retired bool // told to end

	pair *pair // if it carries a coroutine: see pair.go

	failure *PanicError // how the body ended, if it panicked

	engine
}

// depot is the idle carriers of all trees.
var depot stack.Depot[*carrier]

func init() { depot.Trims() }

func newCarrier() *carrier {
	c := &carrier{cold: true, slow: true}
	c.engine.init()
	return c
}

// entry is what the handle's gp is to be while c is suspended.
func (c *carrier) entry() rt.G {
	if assembly && !c.slow {
		return c.g
	}
	return rt.G{}
}

// current is Current for a carrier whose handle is not at hand.
func (c *carrier) current() *Greenlet {
	h := c.hub
	if h.seenOf == c && h.seen.c == c {
		return h.seen
	}
	h.mu.Lock()
	g := h.handleOf(c)
	h.mu.Unlock()
	h.seen, h.seenOf = g, c
	return g
}

// peek returns the handle if there is one still.
func (c *carrier) peek() *Greenlet {
	if c.handle != nil {
		return c.handle
	}
	return c.weak.Value()
}

// listed reports whether c is in its tree's list of live carriers.
func (c *carrier) listed() bool { return c.armed && !c.floats }

// suspend makes c, which is about to switch away, ready to be suspended.
func (c *carrier) suspend() {
	h := c.hub
	if !c.armed {
		h.enlist(c)
	}
	h.running = c.goid
}

// life is what a carrier's goroutine does: it runs bodies until it is told to
// end.
func (c *carrier) life() {
	c.landed()
	for failed := false; ; failed = true {
		c.serve(failed)
	}
}

// serve runs bodies until one panics; failed tells that one just has. One
// deferred call serves them all, so that a body which returns does not pay for
// it. It only takes the panic down: if the goroutine is being unwound by Goexit
// or Kill, and a deferred call has panicked, the unwinding goes on from here to
// depart. The letters are opened in here too, because a trace hook may panic.
func (c *carrier) serve(failed bool) {
	defer func() {
		if p := recover(); p != nil {
			c.failure = newPanicError(p, Current().title())
		}
	}()
	var v any
	var err error
	if failed {
		v, err = c.leave(nil, nil)
	} else {
		v, err = c.arrive()
	}
	for {
		if err != nil {
			// Thrown at a greenlet whose trace hook had switched away before the
			// body began.
			v, err = c.leave(nil, err)
			continue
		}
		// Until the first suspension every switch takes the slow path, which
		// enlists c.
		c.hub.running = 0
		g := c.handle
		body := g.body
		g.body = nil
		if g.depth != 0 {
			stack.Reserve(int(g.depth) << 10)
		}
		result, failure := body(v)
		if parent := c.leavesShort(failure); parent != nil {
			v, err = resume(parent, result, nil)
		} else {
			v, err = c.leave(result, failure)
		}
	}
}

// leavesShort is leave for a greenlet that was never suspended and whose parent
// waits for a value: then all but the switch is done, and the parent returned.
func (c *carrier) leavesShort(err error) *Greenlet {
	h, g := c.hub, c.handle
	if !assembly || c.listed() || err != nil || g == nil || !h.gate.none() || g.parent.hub != h || g.parent.gp.IsNil() || g.parent.c.yields() {
		return nil
	}
	g.end()
	c.handle, c.hub, c.pair = nil, nil, nil
	c.armed, c.floats = false, false
	h.free.Put(c)
	h.running = c.goid
	return g.parent
}

// leave ends the greenlet on c, puts c among the idle ones and switches to
// whom the result goes. It returns when c has been given the next greenlet,
// with that one's argument.
func (c *carrier) leave(v any, err error) (any, error) {
	h := c.hub
	l := c.finish(v, err)
	next := h.route(&l)
	if h.gate.has(gateBubble) {
		c.retired, l.reap = true, c
	} else {
		h.free.Put(c)
	}
	h.running = c.goid
	if l.plain() && !next.gp.IsNil() {
		return resume(next, l.v, l.err)
	}
	return c.post(next.c, &l)
}

// end makes g dead.
func (g *Greenlet) end() {
	g.gp = rt.G{}
	g.c = nil
	g.setState(dead)
}

// finish ends the greenlet that ran on c and makes the letter to its parent.
func (c *carrier) finish(v any, err error) letter {
	h := c.hub
	l := letter{v: v, err: err, to: c.parent}
	g := c.peek()
	if g == nil && h.traced() {
		g = c.current() // the hook is told of those without a handle, too
	}
	if g != nil {
		l.to = g.parent
		if c.killed {
			h.mu.Lock()
			l.to = h.heir(g)
			h.mu.Unlock()
		}
		g.end()
		g.body = nil // if it has not begun
	}
	if err != nil && c.pair == nil && errors.Is(err, Exit) {
		l.v, l.err = err, nil
	}
	l.ends = true
	if c.failure != nil {
		l = letter{kind: letterPanic, ends: true, failure: c.failure, to: l.to}
		c.failure = nil
	}
	if h.traced() {
		l.from = g
	}
	if c.listed() {
		h.delist(c)
	}
	c.armed, c.floats, c.pair = false, false, nil
	c.handle, c.parent, c.name = nil, nil, nil
	c.hub = nil
	return l
}

// depart runs when c's goroutine ends: because it was told to, or because the
// body left by runtime.Goexit or was killed. Then the parent still waits.
func (c *carrier) depart() {
	defer c.deregister()
	if c.retired {
		return
	}
	h := c.hub
	killed, failed := c.killed, c.failure != nil
	l := c.finish(Exit, nil)
	if !killed && !failed {
		l.kind = letterGoexit
	}
	l.reap = c
	next := h.route(&l)
	h.running = c.goid
	c.retired = true
	c.address(next.c, &l)
	c.handOver(next.c)
	// Somebody has opened the letter and has let this goroutine end.
}

// Retire lets an idle carrier's goroutine end.
func (c *carrier) Retire() {
	c.retired = true
	c.wake()
}

// A letter is what a greenlet finds that is resumed by the slow path: the value
// or error that the assembly would have brought in registers, or something that
// the assembly does not carry.
type letter struct {
	kind    letterKind
	ends    bool // it is a greenlet's last
	v       any
	err     error
	failure *PanicError
	to      *Greenlet // for route: to whom it should go
	reap    *carrier  // whose goroutine waits to end
	from    *Greenlet // who sends it, if the trace hook is to be told
	events  []event   // what the trace hook is to be told
}

type letterKind uint8

const (
	letterValue  letterKind = iota // Switch returns v and err
	letterPanic                    // Switch panics with failure
	letterGoexit                   // Switch ends the goroutine
	letterKill                     // Switch ends the greenlet
)

// plain reports whether the assembly can carry l.
func (l *letter) plain() bool {
	return l.kind == letterValue && l.events == nil && l.from == nil && l.reap == nil
}

// thrown reports whether l brings something else than a value.
func (l *letter) thrown() bool { return l.kind != letterValue || l.err != nil }

// route finds the greenlet that can receive l: l.to or, past the dead ones,
// the nearest living ancestor. A fresh one is started by a value and dies of
// an error. What it returns has a carrier.
func (h *hub) route(l *letter) *Greenlet {
	for {
		t := l.to
		if t.hub != h { // a floating coroutine that has moved on
			t = h.main
		}
		switch t.loadState() {
		case started:
			if l.ends && t.c.yields() {
				break
			}
			l.passes(t)
			return t
		case dead:
			if l.err != nil && errors.Is(l.err, Exit) {
				l.v, l.err = l.err, nil
			}
		default:
			if !l.thrown() && t.body != nil {
				h.start(t)
				l.passes(t)
				return t
			}
			if !l.thrown() {
				l.v, l.err = nil, ErrNoBody
			}
			l.passes(t)
			h.discard(t)
			if l.err != nil && errors.Is(l.err, Exit) {
				l.v, l.err = l.err, nil
			}
		}
		l.to = t.parent
	}
}

// post sends l to next, suspends c and returns what comes back.
func (c *carrier) post(next *carrier, l *letter) (any, error) {
	c.address(next, l)
	if assembly {
		return c.exchange(next)
	}
	c.handOver(next)
	return c.arrive()
}

// address leaves l where next will look for it, and keeps the tree's books.
func (c *carrier) address(next *carrier, l *letter) {
	next.hub.letter = *l
	next.expected()
}

// expected keeps the tree's books for a switch to next by the slow path.
func (next *carrier) expected() {
	h := next.hub
	h.current = 0
	h.running = next.goid
	if !next.armed {
		h.running = 0 // it must be enlisted before it is suspended
	}
}

// sinks notes that c is about to be parked by the scheduler: it can then not be
// resumed with values in registers.
func (c *carrier) sinks() {
	c.slow = true
	if g := c.peek(); g != nil {
		g.gp = rt.G{}
	}
}

// landed notes that c runs again after the scheduler has parked it.
func (c *carrier) landed() {
	c.slow = false
	if g := c.peek(); g != nil {
		g.gp = c.entry()
	}
}

// arrive opens the letter with which c was resumed.
func (c *carrier) arrive() (any, error) {
	if c.retired {
		runtime.Goexit()
	}
	h := c.hub
	l := h.letter
	h.letter = letter{}
	if l.reap != nil {
		l.reap.wake()
	}
	if l.events != nil {
		h.tell(l.events)
	}
	switch l.kind {
	case letterPanic:
		panic(l.failure)
	case letterGoexit:
		runtime.Goexit()
	case letterKill:
		c.killed = true
		runtime.Goexit()
	}
	return l.v, l.err
}
