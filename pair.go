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
	// The assembly reads these and writes the last two.

	hub       *hub
	consumer  *Greenlet
	coroutine uintptr // address of the coroutine's handle, to compare with
	paused    uint32  // 1 while the coroutine waits to be called; who makes it 0 may call
	yielded   bool    // the coroutine has gone back, rather than ended

	started  bool
	finished bool
	floats   bool // may be called by any goroutine, one at a time
	stops    bool // a call of one that has ended is ErrStop

	at    int32         // index in floating.live
	looks atomic.Uint32 // odd while somebody looks whether it is abandoned: see float.go

	c *carrier // the coroutine's, while it has started and not ended

	body interface{ run() } // what the coroutine does: not a func, which would have to be allocated
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
// back pauses the coroutine, which calls it, and returns when it is called
// again. The error was thrown at the coroutine.
var (
	call   = callInGo
	called = calledInGo
	back   = backSlow
)

func callInGo(f *face) (any, error) {
	var err error
	switch way, c := f.p.startsShort(f.g); way {
	case byRegisters:
		_, err = resume(f.g, f.p, nil)
	case byNote:
		_, err = c.send(f.g.c, f.p, nil)
	default:
		return callSlow(f.p, f.g)
	}
	runtime.KeepAlive(f)
	return nil, err
}

func calledInGo(f *face) uintptr {
	if refused, _ := callSlow(f.p, f.g); refused != nil {
		return 1
	}
	return 0
}

// callSlow is call in the generic backend, and where call goes on that a gate
// has turned away. The value is not nil if the call was refused: that is what
// called sees.
func callSlow(p *pair, g *Greenlet) (any, error) { return p.resume(g, nil) }

// resume is callSlow with an error for the coroutine, or nil.
func (p *pair) resume(g *Greenlet, thrown error) (any, error) {
	c := self()
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
	for {
		if !p.floats && p.paused == 1 {
			p.paused = 0 // nobody else can
			break
		}
		looks := p.looks.Load()
		if atomic.CompareAndSwapUint32(&p.paused, 1, 0) {
			break
		}
		if looks&1 != 0 || looks != p.looks.Load() {
			runtime.Gosched() // that was somebody who looks
			continue
		}
		switch {
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
	if p.started && !p.rests(c) {
		atomic.StoreUint32(&p.paused, 1)
		return nil, p.refuse(g)
	}
	if p.hub != c.hub {
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
	p.adopt(g, consumer)
	var v any
	if !p.started {
		p.started = true
		p.coroutine = addressOf(g)
		v = p
	}
	p.yielded = false
	_, err := enter(g, v, thrown)
	if c.armed {
		c.hub.current = addressOf(consumer)
	}
	runtime.KeepAlive(g)
	return err
}

// adopt makes consumer the parent of g. If g is an ancestor of consumer, which
// it has made, consumer's branch takes g's place: the chain must not close.
func (p *pair) adopt(g, consumer *Greenlet) {
	if g.parent == consumer {
		return
	}
	if p.started {
		for a := consumer; a != nil; a = a.parent {
			if a.parent == g {
				a.setParent(g.parent)
				break
			}
		}
	}
	g.setParent(consumer)
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
	case p.floats:
		if !atomic.CompareAndSwapUint32(&p.paused, 1, 0) {
			return byLong, nil
		}
	case p.paused == 1:
		p.paused = 0
	default:
		return byLong, nil
	}
	way := c.short(g, nil)
	if way == byLong {
		atomic.StoreUint32(&p.paused, 1)
		return byLong, nil
	}
	p.consumer = consumer
	p.started = true
	p.coroutine = addressOf(g)
	p.c = g.c
	g.c.pair = p
	return way, c
}

// rests reports whether the coroutine is parked. It pauses before it parks, so
// a second goroutine that calls at the same time may come too early; and a
// coroutine that was switched to by its handle, not called, runs although it is
// paused.
func (p *pair) rests(c *carrier) bool {
	for range 1000 {
		if p.c == nil || p.c == c {
			return false
		}
		if p.c.parked() {
			return true
		}
		runtime.Gosched()
	}
	return false
}

// parked reports whether c's goroutine waits, and is let go of.
func (c *carrier) parked() bool {
	if assembly {
		return c.g.Parked()
	}
	return c.rest.Load()
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
	if c.hub.gate.has(gateSweep) {
		c.sweep(sweepSlice) // not when it is paused already
	}
	consumer := p.consumer
	if consumer == nil || consumer.hub != c.hub {
		consumer = c.hub.main
	}
	p.yielded = true
	var v any
	var err error
	if p.floats {
		atomic.StoreUint32(&p.paused, 1)
	} else {
		p.paused = 1
	}
	switch c.short(consumer, nil) {
	case byRegisters:
		v, err = resume(consumer, nil, nil)
	case byNote:
		v, err = c.send(consumer.c, nil, nil)
	default:
		v, err = enter(consumer, nil, nil)
	}
	if c.armed {
		g := c.handle
		if g == nil {
			g = c.current() // it may be a new one
		}
		p.coroutine = addressOf(g)
		c.hub.current = p.coroutine
	}
	return v, err
}

// yields reports whether a coroutine on c waits to be called. The end of a
// greenlet passes it over, like a dead one.
func (c *carrier) yields() bool { return c.pair != nil && atomic.LoadUint32(&c.pair.paused) == 1 }

// runPair is the body of all coroutines. Only those who have the pair can start
// one, since nobody else has the handle before, and they send it.
func runPair(p any) (any, error) {
	p.(*pair).body.run()
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
	}
}

func (p *pair) end() {
	if p.floats {
		p.land()
	}
	p.finished = true
	p.yielded = false
	p.coroutine = 0
	p.c = nil
	if p.paused != 0 { // it was switched to, not called
		atomic.StoreUint32(&p.paused, 0)
	}
}

// loosen lets go of the consumer if the coroutine is paused: an abandoned
// greenlet shall not be held by what it holds itself. Until the next call the
// consumer is the main greenlet. It is called after every cycle of the
// collector, in the tree's turn; h.mu is held.
func (p *pair) loosen(h *hub) {
	if p.paused != 1 {
		return
	}
	p.consumer = h.main
	if p.c.old != nil {
		p.c.old.parent = h.main
	}
	if g := p.c.peek(); g != nil {
		g.parent = h.main
	}
}

// init makes g, which is zero, the handle of p's coroutine.
func (p *pair) init(g *Greenlet, body interface{ run() }) {
	parent := Current()
	g.hub, g.parent, g.body, g.id = parent.hub, parent, runPair, parent.hub.nextID()
	p.hub = parent.hub
	p.body = body
	p.paused = 1
}

// discard ends a coroutine that has not started and that is claimed.
func (p *pair) discard(g *Greenlet) {
	p.finished = true
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
	if p.paused != 1 {
		for a := Current(); a != nil; a = a.parent {
			if a == g {
				return p.refuse(g)
			}
		}
	}
	p.paused = 0
	if !p.started {
		p.discard(g)
		return nil
	}
	c.kill(g)
	return nil
}

// fault says what is wrong with a call of the coroutine, if it has not ended.
func (p *pair) fault(g *Greenlet) error {
	if err := p.owned(self(), g); err != nil {
		return err
	}
	if p.started && !p.finished && atomic.LoadUint32(&p.paused) == 0 {
		return p.refuse(g)
	}
	return nil
}
