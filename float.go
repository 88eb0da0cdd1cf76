package greenlet

import "sync"

// A floating coroutine may be called by any goroutine, one at a time, as
// iter.Pull allows: it belongs to the tree of whoever called it last. No tree
// lists it. So that the abandoned ones are noticed, the carriers that floating
// coroutines have run on are listed here.
//
// Who calls it has claimed it, and so has the sweep while it looks whether it is
// abandoned: see claim.go.

// floating is all carriers that have ever carried a floating coroutine and whose
// goroutines have not ended. A carrier stays while it is idle or carries something else:
// what begins and ends then takes no lock. Where stores could be seen in another order, and
// where the race detector watches, it is listed only while it carries one: the lock orders
// that it carries one, and that this one has been claimed.
var floating struct {
	mu       sync.Mutex
	carriers []*carrier
}

// floatingLive returns how many have begun and not ended.
func floatingLive() (n int) {
	floating.mu.Lock()
	defer floating.mu.Unlock()
	for _, c := range floating.carriers {
		if c.floats {
			n++
		}
	}
	return n
}

// launch is a floating coroutine's begin.
func (p *pair) launch() {
	c := p.c
	c.floats, c.armed = true, true
	if c.place == 0 {
		floating.mu.Lock()
		floating.carriers = append(floating.carriers, c)
		c.place = int32(len(floating.carriers))
		floating.mu.Unlock()
	}
	watchCollector()
}

// land is its end.
func (p *pair) land() {
	if !inOrder {
		p.c.grounded()
	}
}

// grounded takes c from the list.
func (c *carrier) grounded() {
	floating.mu.Lock()
	defer floating.mu.Unlock()
	if c.place == 0 {
		return
	}
	last := len(floating.carriers) - 1
	if moved := floating.carriers[last]; moved != c {
		floating.carriers[c.place-1] = moved
		moved.place = c.place
	}
	floating.carriers[last] = nil
	floating.carriers = floating.carriers[:last]
	c.place = 0
}

// afloat returns the floating coroutine on c, which may begin or end meanwhile: whoever
// claims it has it, for one that has not begun or has ended cannot be claimed by way of its
// carrier. floating.mu is held.
func (c *carrier) afloat() *pair {
	if p := c.pair; p != nil && p.floats {
		return p
	}
	return nil
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
	for _, c := range floating.carriers {
		p := c.afloat()
		if p == nil {
			continue
		}
		left = true
		switch {
		case !p.take():
		case p.abandoned():
			go p.reap() // it stays claimed
		default:
			p.set(paused)
		}
	}
	return left
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
