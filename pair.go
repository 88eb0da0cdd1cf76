package greenlet

import (
	"fmt"
	"runtime"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A pair is a coroutine and its consumer: what is asymmetric about Coro,
// Generator and Pull. The consumer calls, the coroutine runs until it goes
// back, and what they pass lies in the memory of the face that is built on the
// pair. The coroutine is a greenlet like any other; its parent is its consumer.
//
// The pair is reachable from the coroutine's own stack. So it must not refer to
// the coroutine's handle, or an abandoned coroutine would never be noticed: the
// handle belongs to the object that users hold, which passes it to call.
//
// I10  pair.consumer is the greenlet that waits in call, or waited there last.
// Kept by pair.run and startsShort. The assembly calls for no other.
type pair struct {
	// The assembly reads these, and writes paused, yielded and how. One store of 8 bytes
	// says that the coroutine runs: it has not yielded then, nor ended, nor panicked.
	// (how's are no objects that the collector knows, until the coroutine has ended.)

	hub       *hub
	consumer  *Greenlet
	coroutine uintptr // address of the coroutine's handle, to compare with
	paused    uint32  // runs, paused or claimed: see claim.go
	yielded   bool    // the coroutine has gone back, rather than ended
	finished  bool
	panicked  bool // and whoever waits passes that on: the end is no Goexit then
	_         [1]byte
	how       *error // what Next returns as its error: of errNone, errAway, and that of the end
	floats    bool   // may be called by any goroutine, one at a time

	started bool
	stops   bool // a call of one that has ended is ErrStop

	// Of Pull and Push:

	stopped bool
	words   bool // the values are passed as words: see switch_words.go
	own     bool // seq makes its yield itself
	eight   bool // as eight registers
	never   bool // keeps next and yield from being inlined: see returns

	calls uint32 // how often it was called by way of run

	since uint32 // hub.adoptions when it was adopted last
	by    uint64 // the number of the greenlet that has adopted it then

	c *carrier // the coroutine's, while it has started and not ended

	script script // what the coroutine does: not a func, which would have to be allocated
}

// nobody is pair.coroutine of one that may not yield. 0 would not do: hub.current is
// 0 where the running greenlet is not known.
const nobody = ^uintptr(0)

// A routine is what a coroutine does, and what lies in its memory, of which the pair is
// the first part: see script.
type routine interface {
	run()

	// keep returns what puts back the values that are on their way, to or from
	// the coroutine. Other code that runs meanwhile, the deferred calls of an
	// abandoned greenlet or a trace hook, may call or yield where it should not: it
	// is refused, but has overwritten them by then.
	keep() (restore func())
}

// A face is the consumer's side of a pair, which Coro, Generator and Pull are
// built on. The assembly reads it.
type face struct {
	p *pair
	g *Greenlet // the coroutine's handle; none in the body's own copy of a Coro
}

// call, called and back are the switches between a coroutine and its consumer.
// The assembly backend has them in assembly.
//
// call resumes the coroutine and returns when it goes back or ends, or when
// something else resumes the caller: pair.yielded tells. The error says that the
// call was refused, or was thrown at the caller by somebody else. called is call
// for those who only want to know whether it was refused: then it is not 0.
//
// reserve and proceed are call in two steps, for those who pass a value to the
// coroutine: reserve claims it, if it can be called the short way, and reports
// whether it has. Then nobody else can call it, and the value can be written. Without
// that a call that is refused, on another goroutine, would overwrite the value of one
// that is not. proceed is to follow at once.
//
// back pauses the coroutine, which calls it, and returns when it is called
// again. The error was thrown at the coroutine.
var (
	call    = callInGo
	called  = calledInGo
	reserve = reserveNothing
	proceed = proceedInGo
	back    = backSlow
)

func reserveNothing(*face) bool { return false }

// proceedInGo is where proceed goes on that a gate has turned away.
func proceedInGo(f *face) (any, error) {
	return nil, f.p.run(self(), f.g, nil)
}

//go:noinline
func callInGo(f *face) (any, error) {
	var err error
	switch way, c := f.p.startsShort(f.g); way {
	case byRegisters:
		_, err = resume(f.g, nil, nil) // carrier.serve knows the pair
	case byNote:
		_, err = c.send(f.g.c, nil, nil, nil)
	default:
		return callSlow(f.p, f.g)
	}
	runtime.KeepAlive(f)
	return leaveCall(nil, err)
}

// leaveCall is how callInGo returns, which must not be inlined: see returns. The assembly
// backend makes it a jump.
var leaveCall = func(v any, err error) (any, error) { return v, err }

func calledInGo(f *face) uintptr {
	if refused, _ := callSlow(f.p, f.g); refused != nil {
		return 1
	}
	return 0
}

// callSlow is call in the generic backend, and where call goes on that a gate
// has turned away. The value is not nil if the call was refused: that is what
// called sees.
func callSlow(p *pair, g *Greenlet) (any, error) {
	return p.resume(g, nil)
}

// resume is callSlow with an error for the coroutine, or nil.
func (p *pair) resume(g *Greenlet, thrown error) (any, error) {
	c := self()
	c.mustHold()
	g, err := p.claim(c, g)
	if g == nil {
		return err, err
	}
	return nil, p.run(c, g, thrown)
}

// claim makes the coroutine c's to run and returns its handle. If there is none
// the call was refused, or the coroutine has ended.
func (p *pair) claim(c *carrier, g *Greenlet) (*Greenlet, error) {
	if err := p.owned(c, g); err != nil {
		return nil, err
	}
	for !p.take() {
		switch {
		case atomic.LoadUint32(&p.paused) != runs:
			runtime.Gosched() // it is claimed, or was
			continue
		case !p.finished:
			return nil, p.refuse(g)
		case p.stops:
			return nil, ErrStop
		}
		return nil, nil
	}
	if g == nil {
		g = p.handle()
	}
	if p.hub != c.hub {
		if refused := p.mayMove(c, g); refused != nil {
			p.set(paused)
			panic(refused)
		}
		p.move(c.hub, g)
	}
	return g, nil
}

// run lets the coroutine run that c has claimed.
func (p *pair) run(c *carrier, g *Greenlet, thrown error) error {
	consumer := c.handle
	if consumer == nil {
		consumer = c.current()
	}
	p.consumer = consumer
	if g.parent != consumer {
		p.adopt(g, consumer)
	}
	var v any
	if !p.started {
		p.started = true
		p.by, p.since = consumer.id, p.hub.adoptions
		p.coroutine = addressOf(g)
		v = p
	}
	p.yielded, p.how = false, &errAway
	p.calls++
	calls := p.calls
	p.set(runs)
	var err error
	switch c.short(g, thrown) {
	case byRegisters:
		_, err = resume(g, v, thrown)
	case byNote:
		_, err = c.send(g.c, v, thrown, nil)
	default:
		_, err = c.mail(g, v, thrown, nil)
	}
	if c.armed {
		c.hub.current = addressOf(consumer)
	}
	runtime.KeepAlive(g)
	if p.calls != calls {
		// A trace hook has called in between: what it got is not ours.
		p.yielded = false
		if err == nil {
			err = errAway
		}
	}
	return err
}

// adopt makes consumer, which is not, the parent of g. If g is an ancestor of
// consumer, which it has made, consumer's branch takes g's place: the chain must not
// close. It returns how many ancestors it has looked at.
//
// After each cycle of the collector loosen has left all that are paused without their
// consumers, and they are adopted again, those of a long delegation one by the other.
// If each looked at all of its ancestors that would take quadratic time. So the last
// adoptions are remembered, all that were made under the same number hub.adoptions:
// they, and whatever parents there are, never close a chain together. Who comes back
// to the consumer that it had under that number need not look. With an adoption that
// is not remembered the number changes, if some that are might be loose, for only
// parents that there are can be looked at. A coroutine that begins is nobody's parent
// yet, so it does not count.
func (p *pair) adopt(g, consumer *Greenlet) (steps int) {
	h := p.hub
	if p.started && !(p.by == consumer.id && p.since == h.adoptions) {
		if h.loosened {
			h.forgetAdoptions()
		}
		for a := consumer; a != nil; a = a.parent {
			steps++
			if a.parent == g {
				h.forgetAdoptions()
				a.setParent(g.parent)
				break
			}
		}
	}
	p.by, p.since = consumer.id, h.adoptions
	g.setParent(consumer)
	return steps
}

func (h *hub) forgetAdoptions() {
	h.adoptions++
	h.loosened = false
}

// startsShort makes a coroutine that has not started ready to be resumed, if its
// parent calls and a carrier is at hand. It is what claim and run do in general.
// Each call less that the first switch happens in is one return less that the
// processor cannot predict.
func (p *pair) startsShort(g *Greenlet) (way, *carrier) {
	if !assembly || p.started || g == nil {
		return byLong, nil
	}
	c := selfFor(g)
	consumer := c.handle
	switch {
	case consumer == nil || g.parent != consumer || p.hub != c.hub:
		return byLong, nil
	case !p.take():
		return byLong, nil
	}
	way := c.short(g, nil)
	if way == byLong {
		p.set(paused)
		return byLong, nil
	}
	p.set(runs)
	p.consumer = consumer
	p.started = true
	p.by, p.since = consumer.id, p.hub.adoptions
	p.how = &errAway
	p.coroutine = addressOf(g)
	p.c = g.c
	g.c.pair = p
	return way, c
}

// owned refuses what only the owner may do.
func (p *pair) owned(c *carrier, g *Greenlet) error {
	if p.floats || p.hub == c.hub {
		return nil
	}
	if g == nil {
		g = p.handle()
	}
	return &foreignError{what: "resume", target: g, goroutine: c.goid()}
}

// refuse says that the coroutine runs. Pull and Push have no other way to tell
// than a panic.
func (p *pair) refuse(g *Greenlet) error {
	if g == nil {
		g = p.handle()
	}
	err := fmt.Errorf("%w (%s)", ErrReentrant, g)
	if p.floats {
		panic(err)
	}
	return err
}

// handle is for the body's own copy of a face, which has none.
func (p *pair) handle() *Greenlet {
	c := p.c
	if c == nil {
		return nil
	}
	h := c.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.handleOf(c)
}

// backSlow is back in the generic backend, and where back goes on that a gate
// has turned away.
func backSlow(p *pair) (any, error) {
	c := p.c
	if !assembly || c == nil || c.g != rt.Self() {
		c = self()
	}
	if p.c != c {
		panic(fmt.Errorf("greenlet: Yield outside of its coroutine (%w)", ErrReentrant))
	}
	if c.killed {
		// A deferred call of a coroutine that is being killed has nobody to
		// yield to.
		runtime.Goexit()
	}
	c.mustHold()
	p.mustHold(c)
	h := c.hub
	if h.gate.has(gateSweep) {
		// Here, and not where it is called: what a call leaves for the coroutine
		// would be in the way of the deferred calls that call it.
		restore := p.routine().keep()
		c.tidy()
		restore()
	}
	consumer := p.consumer
	for consumer != nil && consumer.hub == h && consumer.loadState() == started && consumer.c.yields() {
		consumer = consumer.parent // to its own consumer, as if it had ended
	}
	if consumer == nil || consumer.hub != h {
		consumer = h.main
	}
	p.yielded, p.how = true, &errNone
	var v any
	var err error
	if h.gate.none() && consumer.loadState() == started && consumer.c != c {
		v, err = c.send(consumer.c, nil, nil, &p.paused)
	} else {
		v, err = c.mail(consumer, nil, nil, &p.paused)
	}
	g := c.handle
	if g == nil {
		g = c.current() // it may be a new one
	}
	p.coroutine = addressOf(g)
	c.hub.current = p.coroutine
	return v, err
}

// runPair is the body of all coroutines. Only those who have the pair can start
// one, since nobody else has the handle before, and they send it.
func runPair(p any) (any, error) {
	p.(*pair).routine().run()
	return nil, nil
}

// begin is the coroutine's first act, end its last.
func (p *pair) begin() {
	if p.c == nil { // not started by startsShort
		p.c = self()
		p.c.pair = p
	}
	if p.floats {
		p.launch()
	} else {
		p.c.enroll()
	}
	// As if it had been suspended before: so its first Yield is in assembly, like
	// the others.
	p.hub.running, p.hub.current = p.c.goid(), p.coroutine
}

func (p *pair) end() {
	if p.floats {
		p.land()
	}
	p.finished = true
	p.yielded = false
	p.coroutine = nobody
	p.c = nil
}

// loosen lets go of the consumer if the coroutine is paused: an abandoned
// greenlet shall not be held by what it holds itself. Until the next call the
// consumer is the main greenlet. It is called after every cycle of the
// collector, in the tree's turn; h.mu is held.
func (p *pair) loosen(h *hub) {
	if p.paused != paused {
		return
	}
	p.consumer = h.main
	h.loosened = true
	if p.c.old != nil {
		p.c.old.parent = h.main
	}
	if g := p.c.peek(); g != nil {
		g.parent = h.main
	}
}

// discard ends a coroutine that has not started and that is claimed.
func (p *pair) discard(g *Greenlet) {
	p.finished = true
	p.set(runs)
	p.hub.discard(g)
}

// close ends the coroutine by force.
func (p *pair) close(g *Greenlet) error {
	c := self()
	if err := p.owned(c, g); err != nil {
		return err
	}
	if p.finished {
		return nil
	}
	if g == nil {
		g = p.handle()
	}
	if p.paused != paused {
		for a := Current(); a != nil; a = a.parent {
			if a == g {
				return p.refuse(g)
			}
		}
	}
	if !p.started {
		p.discard(g)
		return nil
	}
	return c.kill(g)
}

// fault says what is wrong with a call of the coroutine, if it has not ended.
func (p *pair) fault(g *Greenlet) error {
	if err := p.owned(self(), g); err != nil {
		return err
	}
	if !p.finished && p.paused != paused {
		return p.refuse(g)
	}
	return nil
}
