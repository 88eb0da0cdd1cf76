package greenlet

import (
	"errors"
	"fmt"
)

// Errors that callers test with errors.Is. A switch that is refused with one of
// them has not happened.
var (
	// Exit asks a greenlet to end. The body that receives it from a Switch
	// should return it, and may refuse. A body that ends with an error that is
	// Exit by errors.Is has ended in peace: its parent gets that error as a
	// value. Python: GreenletExit.
	Exit = errors.New("greenlet: exit")

	// ErrForeign is returned for a greenlet of another goroutine's tree. The
	// error that wraps it names both sides.
	ErrForeign = errors.New("greenlet: cannot switch to a greenlet of another goroutine")

	// ErrCycle is returned by SetParent if a greenlet would become its own
	// ancestor.
	ErrCycle = errors.New("greenlet: cyclic parent chain")

	// ErrNil is returned where a nil greenlet, or one that New did not make, is
	// switched to, killed or made a parent.
	ErrNil = errors.New("greenlet: nil greenlet")

	// ErrNoBody is returned when a greenlet without a body is started.
	ErrNoBody = errors.New("greenlet: cannot start a greenlet without a body")

	// ErrMain is returned where a main greenlet is killed or given a parent.
	ErrMain = errors.New("greenlet: a main greenlet has no parent and cannot be killed")

	// ErrReentrant is returned, or panicked with, where something that runs is
	// resumed from inside itself.
	ErrReentrant = errors.New("greenlet: resumed while it runs")
)

// A foreignError is ErrForeign with both sides named.
type foreignError struct {
	what      string // "switch to", "kill", ...
	target    *Greenlet
	goroutine uint64
}

func (e *foreignError) Error() string {
	return fmt.Sprintf("greenlet: cannot %s a greenlet of another goroutine (caller: goroutine %d; target: %s of the tree of goroutine %d)",
		e.what, e.goroutine, e.target, e.target.hub.rootID)
}

func (e *foreignError) Unwrap() error { return ErrForeign }

// All refusals are made here, one sentence each.

// mayReach refuses what c may not do to g, whatever it is.
func (c *carrier) mayReach(g *Greenlet, what string) error {
	switch {
	case g == nil || g.hub == nil:
		return fmt.Errorf("greenlet: cannot %s a nil greenlet, or one that New did not make (%w)", what, ErrNil)
	case g.hub != c.hub:
		return &foreignError{what: what, target: g, goroutine: c.goid()}
	}
	return nil
}

// movedOn refuses what another goroutine has been quicker to do: g is a coroutine
// that belongs to that one's tree now.
func (c *carrier) movedOn(g *Greenlet, what string) error {
	return &foreignError{what: what, target: g, goroutine: c.goid()}
}

// maySwitch refuses a Switch or Throw.
func (c *carrier) maySwitch(g *Greenlet) error {
	if err := c.mayReach(g, "switch to"); err != nil {
		return err
	}
	if g.body == nil && g.loadState() == fresh {
		return fmt.Errorf("%w (%s)", ErrNoBody, g)
	}
	return nil
}

// mayKill refuses a Kill.
func (c *carrier) mayKill(g *Greenlet) error {
	if err := c.mayReach(g, "kill"); err != nil {
		return err
	}
	if g.isMain() {
		return fmt.Errorf("greenlet: cannot kill the main greenlet (%w)", ErrMain)
	}
	return nil
}

// mayAdopt refuses to make p the parent of g.
func (c *carrier) mayAdopt(g, p *Greenlet) error {
	if err := c.mayReach(g, "set the parent of"); err != nil {
		return err
	}
	if err := c.mayReach(p, "make a parent of"); err != nil {
		return err
	}
	if g.isMain() {
		return fmt.Errorf("greenlet: cannot set the parent of the main greenlet (%w)", ErrMain)
	}
	for a := p; a != nil; a = a.parent {
		if a == g {
			return fmt.Errorf("%w: %s cannot be a descendant of itself", ErrCycle, g)
		}
	}
	return nil
}

// mayMove refuses to make p's coroutine part of c's tree: a goroutine stays in
// the testing/synctest bubble that it was started in, or outside of all. Before
// the coroutine has started it may be called in any.
func (p *pair) mayMove(c *carrier, g *Greenlet) error {
	if p.c == nil || p.c.hub.bubble == c.hub.bubble {
		return nil
	}
	return fmt.Errorf("greenlet: cannot resume a coroutine that was started in another testing/synctest bubble, or outside of all (%w; target: %s)", ErrForeign, g)
}
