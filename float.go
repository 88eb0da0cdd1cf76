package greenlet

import "sync"

// A floating coroutine may be called by any goroutine, one at a time, as
// iter.Pull allows: it belongs to the tree of whoever called it last. No tree
// lists it; all that are suspended are listed here, so that the abandoned ones
// are noticed.
//
// Who calls it has claimed it, and so has the sweep while it looks whether it is
// abandoned: see claim.go.

var floating struct {
	mu   sync.Mutex
	live []*pair
}

// floatingLive returns how many there are.
func floatingLive() int {
	floating.mu.Lock()
	defer floating.mu.Unlock()
	return len(floating.live)
}

// launch is a floating coroutine's begin.
func (p *pair) launch() {
	c := p.c
	c.floats, c.armed = true, true
	floating.mu.Lock()
	p.at = int32(len(floating.live))
	floating.live = append(floating.live, p)
	floating.mu.Unlock()
	watchCollector()
}

// land is its end.
func (p *pair) land() {
	floating.mu.Lock()
	last := len(floating.live) - 1
	if moved := floating.live[last]; moved != p {
		floating.live[p.at] = moved
		moved.at = p.at
	}
	floating.live[last] = nil
	floating.live = floating.live[:last]
	floating.mu.Unlock()
}

// move makes the coroutine part of the tree h. The caller has claimed it, so it
// is suspended or has not started, and nobody else uses it.
func (p *pair) move(h *hub, g *Greenlet) {
	p.hub = h
	p.consumer, p.by = nil, 0
	g.hub = h
	if p.c != nil {
		p.c.hub = h
	}
}

// nowhere is the tree of a floating coroutine from the end of a cycle of the
// collector to its next call, which finds that it has to be moved.
var nowhere hub

// sweepFloating ends the floating coroutines that are abandoned, each on a
// goroutine of its own, and reports whether any are left. It is called after
// every cycle of the collector.
func sweepFloating() (left bool) {
	floating.mu.Lock()
	defer floating.mu.Unlock()
	for _, p := range floating.live {
		switch {
		case !p.take():
		case p.abandoned():
			go p.reap() // it stays claimed
		default:
			p.set(paused)
		}
	}
	return len(floating.live) > 0
}

// abandoned reports whether nobody refers to p's handle. A young coroutine
// grows old here: until now its carrier did. As in pair.loosen,
// the consumer is let go of.
func (p *pair) abandoned() bool {
	c := p.c
	if c.hub.gate.has(gateBubble) {
		// A bubble's goroutines can only be ended from inside.
		return false
	}
	g := c.peek()
	if g == nil {
		return true
	}
	g.setParent(c.hub.main)
	p.hub, p.consumer, p.by = &nowhere, nil, 0
	if c.handle != nil {
		c.ages(g)
	}
	return false
}

// reap ends p's coroutine, which is claimed and abandoned.
func (p *pair) reap() {
	c := self()
	h := c.hub
	x := p.c
	h.mu.Lock()
	g := h.handleOf(x)
	h.mu.Unlock()
	p.move(h, g)
	p.set(runs)
	collected.Add(1)
	c.killAbandoned(g)
	Close()
}
