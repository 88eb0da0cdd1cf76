//go:build !greenlet_invariants

package greenlet

// The checks of invariants.go, which a build without the tag does not have.

func (c *carrier) mustHold()      {}
func (p *pair) mustHold(*carrier) {}
