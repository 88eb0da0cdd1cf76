//go:build greenlet_invariants

package greenlet

import (
	"fmt"
	"math/rand/v2"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// With the tag greenlet_invariants the Go code of the switch looks, each time it is
// called, whether I2, I3 and I10 of switch.go hold for the caller's tree, and panics
// if one does not. "make invariants" runs the tests so. I1 and I4 to I8 are true of
// single instructions: TestStateAtEveryInstruction looks there.

// invariantsLook is how many greenlets one call looks at, those that follow each
// other from a random one on, for the sake of trees with many.
const invariantsLook = 32

// mustHold panics if an invariant does not hold for c's tree, of which c runs.
func (c *carrier) mustHold() {
	h := c.hub
	if h == nil {
		return
	}
	if h.running != 0 && h.running != c.goid() {
		panic(fmt.Sprintf("greenlet: I3: goroutine %d runs for the tree of goroutine %d, which says that %d does", c.goid(), h.rootID, h.running))
	}
	if !h.mu.TryLock() {
		return // somebody looks at them, the caller perhaps
	}
	defer h.mu.Unlock()
	c.entryHolds(h.root.handle, &h.root)
	first := rand.IntN(len(h.live) + 1)
	for i := range min(len(h.live), invariantsLook) {
		x := h.live[(first+i)%len(h.live)]
		c.entryHolds(x.peek(), x)
	}
}

// entryHolds panics if I2 does not hold for x, a carrier of c's tree with the handle
// g, if it has one.
func (c *carrier) entryHolds(g *Greenlet, x *carrier) {
	if x == c || g == nil || g.gp.IsNil() {
		return
	}
	if status := x.g.Status(); g.gp != x.g || x.slow || status != rt.StatusWaiting || !x.g.ParkedInSwitch() {
		panic(fmt.Sprintf("greenlet: I2: %s can be resumed with values in registers, but its goroutine has status %d, slow is %t, and it is parked elsewhere than in a switch: %t",
			g, status, x.slow, !x.g.ParkedInSwitch()))
	}
}

// mustHold panics if I10 does not hold for p, whose coroutine runs on c: its
// consumer waits, unless it has ended or has been let go of (see loosen).
func (p *pair) mustHold(c *carrier) {
	g := p.consumer
	if g == nil || g.hub != c.hub || g.loadState() != started {
		return
	}
	if g.c == c {
		panic(fmt.Sprintf("greenlet: I10: the coroutine %s is its own consumer", g))
	}
	if assembly && g.c.g.Status() == rt.StatusRunning {
		panic(fmt.Sprintf("greenlet: I10: the consumer %s runs beside its coroutine", g))
	}
}
