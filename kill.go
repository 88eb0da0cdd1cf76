package greenlet

import (
	"runtime"
	"slices"
)

// Kill ends g by force: the Switch in which g waits does not return; instead
// g's stack is unwound as by runtime.Goexit, deferred calls run, and nothing
// that they recover keeps g alive. Kill returns when g is dead. A greenlet that
// has not started dies without running; a dead one stays dead.
//
// During the kill g's parent is the caller, so what happens in g's deferred
// calls comes back here: their panic goes on as a panic of Kill, their switches
// to other greenlets work, and when control returns to the killer while g is
// still alive the next deferred call is unwound. A greenlet may kill itself:
// then its parent receives Exit, as a value.
//
// Kill returns ErrForeign, ErrNil or ErrMain if it was refused. Owner only; it
// switches, unless g has not started or is dead.
func (g *Greenlet) Kill() error {
	c := self()
	if err := c.mayKill(g); err != nil {
		return err
	}
	c.kill(g)
	return nil
}

func (c *carrier) kill(g *Greenlet) {
	switch {
	case g.loadState() == fresh:
		c.hub.discard(g)
		return
	case g.loadState() == dead:
		return
	case g.c == c:
		c.killed = true
		runtime.Goexit()
	}
	h := c.hub
	k := kill{g, Current()}
	h.mu.Lock()
	h.kills = append(h.kills, k)
	h.mu.Unlock()
	defer h.endKill(k)
	for !g.Dead() {
		c.suspend()
		l := letter{kind: letterKill}
		if h.traced() {
			l.from = Current()
			l.passes(g)
		}
		c.post(g.c, &l)
	}
}

// A kill is under way: until it is over, by stands for the parent of g. The
// parent itself stays what it is, because g may be an ancestor of by: the chain
// of parents must not close.
type kill struct{ g, by *Greenlet }

func (h *hub) endKill(k kill) {
	h.mu.Lock()
	i := slices.Index(h.kills, k)
	h.kills = slices.Delete(h.kills, i, i+1)
	h.mu.Unlock()
}

// heir returns to whom control goes when g ends: its killer, the last one if
// there are several, or its parent. h.mu is held.
func (h *hub) heir(g *Greenlet) *Greenlet {
	for _, k := range slices.Backward(h.kills) {
		if k.g == g {
			return k.by
		}
	}
	return g.parent
}

// Close ends the calling goroutine's tree: all greenlets that have started are
// killed, children before their parents, and the goroutines they ran on are
// given back. The main greenlet and, if that is another, the caller live on.
//
// A goroutine that uses greenlets should defer Close, because Go does not tell
// when a goroutine ends: greenlets that are suspended then would wait for ever
// if somebody still refers to them. The tree may be used again afterwards.
//
// Any goroutine may call it, for its own tree; it switches. If a deferred call
// of a greenlet panics, the panic goes on in Close, which should then be called
// again.
func Close() {
	c := self()
	h := c.hub
	for {
		g := h.deepest(c)
		if g == nil {
			break
		}
		c.kill(g)
	}
	h.free.Flush()
	h.draft.dismiss()
	h.seen, h.seenOf = nil, nil
}

// deepest returns the suspended greenlet with the most ancestors, not looking
// at c's own.
func (h *hub) deepest(c *carrier) *Greenlet {
	h.mu.Lock()
	defer h.mu.Unlock()
	var deepest *carrier
	most := -1
	for _, x := range h.live {
		if x == c {
			continue
		}
		depth := 0
		for p := x.parent(); p != nil; p = p.parent {
			depth++
		}
		if depth > most {
			deepest, most = x, depth
		}
	}
	if deepest == nil {
		return nil
	}
	return h.handleOf(deepest)
}
