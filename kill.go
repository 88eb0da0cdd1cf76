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
	return c.kill(g)
}

func (c *carrier) kill(g *Greenlet) error {
	switch {
	case g.loadState() == fresh:
		c.hub.discard(g)
		return nil
	case g.loadState() == dead:
		return nil
	case g.c == c:
		c.dies()
	}
	h := c.hub
	k := kill{g, Current()}
	h.mu.Lock()
	h.kills = append(h.kills, k)
	h.mu.Unlock()
	defer h.endKill(k)
	for !g.Dead() {
		if !g.c.wakes(h) {
			return c.movedOn(g, "kill")
		}
		c.suspend()
		l := letter{kind: letterKill}
		if h.traced() {
			l.from = Current()
			l.passes(g)
		}
		c.post(g.c, &l, nil)
	}
	return nil
}

// dies unwinds c's stack. What its deferred calls yield is for nobody: that is for
// backSlow to see, and the assembly leaves it to that one.
func (c *carrier) dies() {
	c.killed = true
	if p := c.pair; p != nil {
		p.coroutine = nobody
	}
	runtime.Goexit()
}

// A kill is under way: until it is over, by stands for the parent of g. The
// parent itself stays what it is, because g may be an ancestor of by: the chain
// of parents must not close.
type kill struct{ g, by *Greenlet }

func (h *hub) endKill(k kill) {
	h.mu.Lock()
	i := len(h.kills) - 1 // most often: they nest
	for h.kills[i] != k {
		i--
	}
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
