package greenlet

import (
	"errors"
	"runtime"
	"weak"

	"github.com/go-greenlet/greenlet/internal/alone"
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
	// 64 bytes, one cache line: with many greenlets nothing of a carrier is in
	// the cache when its turn comes.

	g       rt.G      // the goroutine; none where the layout is not known
	hub     *hub      // the tree; nil while idle
	handle  *Greenlet // while young, and always for the root
	old     *old      // once the handle is referred to weakly
	pair    *pair     // if it carries a coroutine: see pair.go
	*engine           // the generic backend's; else nil

	at      int32 // index in hub.live
	place   int32 // among floating.carriers, from 1 on; 0 if it is not there
	armed   bool  // may be suspended in assembly: enlisted, or the root, or floating
	floats  bool  // carries a floating coroutine (pull.go), which no tree lists
	slow    bool  // parked by the slow path: cannot receive registers
	cold    bool  // has no goroutine yet
	slotted bool  // found by the word at the base of the stack: see self.go
	killed  bool  // being unwound by Kill
	retired bool  // told to end
}

// old is what a carrier has that has been suspended for longer: the weak
// pointer to its handle and what a handle made anew needs. hub.mu guards it.
type old struct {
	weak   weak.Pointer[Greenlet]
	parent *Greenlet
	name   *string
	id     uint64
}

// ages makes g, which is suspended on c, be referred to weakly.
func (c *carrier) ages(g *Greenlet) {
	c.old = &old{weak.Make(g), g.parent, g.name, g.id}
	c.handle = nil
}

// depot is the idle carriers of all trees.
var depot stack.Depot[*carrier]

func init() { depot.Trims() }

func newCarrier() *carrier {
	return &carrier{cold: true, slow: true, engine: newEngine()}
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
	if h.seenOf == c {
		if g := h.seen.Load(); g != nil && g.c == c {
			return g
		}
	}
	h.mu.Lock()
	g := h.handleOf(c)
	h.mu.Unlock()
	h.seen.Store(g)
	h.seenOf = c
	return g
}

// goid is the number of c's goroutine, which has begun.
func (c *carrier) goid() uint64 {
	if assembly {
		return c.g.ID()
	}
	return c.number
}

// peek returns the handle if there is one still.
func (c *carrier) peek() *Greenlet {
	if c.handle != nil {
		return c.handle
	}
	if c.old != nil {
		return c.old.weak.Value()
	}
	return nil
}

// listed reports whether c is in its tree's list of live carriers.
func (c *carrier) listed() bool { return c.armed && !c.floats }

// suspend makes c, which is about to switch away, ready to be suspended.
func (c *carrier) suspend() {
	c.enroll()
	c.hub.running = c.goid()
}

// enroll makes c one that may be resumed.
func (c *carrier) enroll() {
	if !c.armed {
		c.hub.enlist(c)
	}
}

// serve is what a carrier's goroutine does: it runs bodies until one panics, which
// it reports, or c is told to end; failed tells that one just has panicked. One deferred call serves them all, so
// that a body which returns does not pay for it. It only takes the panic down:
// if the goroutine is being unwound by Goexit or Kill, and a deferred call has
// panicked, the unwinding goes on from here to depart. The letters are opened in
// here too, because a trace hook may panic.
func (c *carrier) serve(failed bool) (panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			c.hub.failure = newPanicError(p, Current().title())
			panicked = true
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
			if c.retired {
				// By returns, not by Goexit: unwinding takes more stack than there
				// is, and the runtime keeps no stack that has grown for the next
				// goroutine.
				return false
			}
			// Thrown at a greenlet whose trace hook had switched away before the
			// body began.
			v, err = c.leave(nil, err)
			continue
		}
		// Until the first suspension every switch takes the slow path, which
		// enlists c.
		c.hub.running = 0
		if !assembly {
			rt.SetOwnLabels(c.labels)
		}
		g := c.handle
		body := g.body
		g.body = nil
		if g.depth != 0 {
			stack.Reserve(int(g.depth) << 10)
		}
		var result any
		var failure error
		if p := c.pair; p != nil {
			p.routine().run() // what runPair does, with one return less
		} else {
			result, failure = body(v)
		}
		if parent := c.leavesShort(failure); parent != nil {
			v, err = resume(parent, result, nil)
		} else {
			v, err = c.leave(result, failure)
		}
	}
}

// leavesShort is leave for a young greenlet whose parent waits for a value: then
// all but the switch is done, and the parent returned. It uses little stack,
// which with many greenlets is not in the cache.
func (c *carrier) leavesShort(err error) *Greenlet {
	h, g := c.hub, c.handle
	if !assembly || err != nil || g == nil || !h.gate.none() {
		return nil
	}
	p := g.parent
	if p.gp.IsNil() || p.c.yields() || p.hub != h { // in this order: see carrier.seize
		return nil
	}
	if c.listed() {
		h.delist(c)
	}
	g.end()
	c.handle, c.hub, c.pair = nil, nil, nil
	c.armed, c.floats = false, false
	h.free.Put(c)
	h.inRow = 0
	return p
}

// leave ends the greenlet on c, puts c among the idle ones and switches to
// whom the result goes. It returns when c has been given the next greenlet,
// with that one's argument.
func (c *carrier) leave(v any, err error) (any, error) {
	h := c.hub
	l := c.finish(v, err)
	next := h.route(&l)
	if h.gate.has(gateBubble) || !assembly && h.spoilt(c) {
		c.retired, l.reap = true, c
	} else {
		h.free.Put(c)
		h.inRow = 0
	}
	h.running = c.goid()
	if l.plain() && !next.gp.IsNil() {
		return resume(next, l.v, l.err)
	}
	return c.post(next.c, &l, nil)
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
	l := letter{v: v, err: err}
	if c.old != nil {
		l.to = c.old.parent
	}
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
	if err != nil && c.pair == nil && alone.Is(err, Exit) {
		l.v, l.err = err, nil
	}
	l.ends = true
	if h.failure != nil {
		l = letter{kind: letterPanic, ends: true, failure: h.failure, to: l.to}
		h.failure = nil
	}
	if h.traced() {
		l.from = g
	}
	if c.listed() {
		h.delist(c)
	}
	if p := c.pair; p != nil && !p.finished { // it has not begun: see TestEndedBeforeItBegins
		p.finished, p.c, p.coroutine = true, nil, nobody
	}
	c.armed, c.floats, c.pair = false, false, nil
	c.handle, c.old, c.hub = nil, nil, nil
	return l
}

// depart runs when c's goroutine ends: because it was told to, or because the
// body left by runtime.Goexit or was killed. Then the parent still waits.
func (c *carrier) depart() {
	defer c.deregister()
	c.grounded()
	if c.retired {
		return
	}
	h := c.hub
	killed, failed := c.killed, h.failure != nil || c.pair != nil && c.pair.panicked
	l := c.finish(Exit, nil)
	if !killed && !failed {
		l.kind = letterGoexit
	}
	l.reap = c
	next := h.route(&l)
	h.running = c.goid()
	c.retired = true
	c.address(next.c, &l)
	c.handOver(next.c, nil)
	// Somebody has opened the letter and has let this goroutine end.
}

// Retire lets an idle carrier's goroutine end.
func (c *carrier) Retire() {
	c.retired = true
	c.wake()
}

// errRetired is what an idle carrier finds that is told to end.
var errRetired = errors.New("greenlet: the goroutine is not needed any more")

// A letter is what a greenlet finds that is resumed by the slow path: the value
// or error that the assembly would have brought in registers, or something that
// the assembly does not carry.
type letter struct {
	kind    letterKind
	ends    bool // it is a greenlet's last
	whole   bool // there may be more than v and err
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
			if l.ends && t.c.yields() || !t.c.wakes(h) {
				break
			}
			l.passes(t)
			return t
		case dead:
			if l.err != nil && alone.Is(l.err, Exit) {
				l.v, l.err = l.err, nil
			}
		default:
			if !l.thrown() && t.body != nil {
				h.start(t)
				if p, is := l.v.(*pair); is { // only who starts its coroutine sends it
					p.c, t.c.pair = t.c, p
				}
				l.passes(t)
				return t
			}
			if !l.thrown() {
				l.v, l.err = nil, ErrNoBody
			}
			l.passes(t)
			h.discard(t)
			if l.err != nil && alone.Is(l.err, Exit) {
				l.v, l.err = l.err, nil
			}
		}
		l.to = t.parent
	}
}

// post sends l to next, suspends c and returns what comes back. If c pauses,
// parked is the word of its pair, which is set once it is parked.
func (c *carrier) post(next *carrier, l *letter, parked *uint32) (any, error) {
	c.address(next, l)
	if assembly {
		return c.exchange(next, parked)
	}
	c.handOver(next, parked)
	return c.arrive()
}

// send is post for a value or an error. A letter is large, and the stacks of
// those who are suspended for the first time are not in the cache: so it is
// written in place.
func (c *carrier) send(next *carrier, v any, err error, parked *uint32) (any, error) {
	next.note(v, err)
	if assembly {
		return c.exchange(next, parked)
	}
	c.handOver(next, parked)
	return c.arrive()
}

// note leaves a value or an error where next will look for it, and keeps the tree's
// books.
func (next *carrier) note(v any, err error) {
	l := &next.hub.letter
	l.v, l.err = v, err // arrive has left the rest zero
	next.expected()
}

// address leaves l where next will look for it, and keeps the tree's books.
func (c *carrier) address(next *carrier, l *letter) {
	next.hub.letter = *l
	next.hub.letter.whole = true
	next.expected()
}

// expected keeps the tree's books for a switch to next by the slow path.
func (next *carrier) expected() {
	h := next.hub
	h.current = 0
	h.running = 0 // it must be enlisted before it is suspended
	if next.armed {
		h.running = next.goid()
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
		return nil, errRetired
	}
	h := c.hub
	if l := &h.letter; !l.whole {
		v, err := l.v, l.err
		l.v, l.err = nil, nil // not all of it: while the collector marks that takes long
		return v, err
	}
	l := h.letter
	h.letter = letter{}
	if l.reap != nil {
		h.lingers(l.reap)
		l.reap.wake()
		l.reap = nil // or it would be found on this stack
	}
	if l.events != nil {
		restore := func() {}
		p := c.pair
		if p == nil {
			p, _ = l.v.(*pair) // it is about to begin
		}
		if p != nil {
			restore = p.routine().keep()
		}
		h.tell(l.events)
		restore()
	}
	switch l.kind {
	case letterPanic:
		panic(l.failure)
	case letterGoexit:
		runtime.Goexit()
	case letterKill:
		c.dies()
	}
	return l.v, l.err
}
