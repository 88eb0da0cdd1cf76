package greenlet

import "slices"

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
// again. It costs as much for each greenlet however many there are.
func Close() {
	c := self()
	h := c.hub
	for h.closeAll(c) {
		// Deferred calls may have done anything.
	}
	h.free.Flush()
	h.draft.dismiss()
	h.seen.Store(nil)
	h.seenOf = nil
}

// A closing is a Close under way. A greenlet knows its parent only, so the
// branches of the tree, from the main greenlet down, are found once for all. What
// deferred calls change meanwhile is told by hub.enlist and by setParent.
//
// The branches are walked depth first: of the two states other than idle, those
// that are open are being walked, each inside the one before; those that hang are
// in the list of their parent's branch, which will come to them. The lists are
// not mended when a greenlet gets another parent: who takes it from a list looks
// whether it still belongs there.
type closing struct {
	branches []branch
	index    map[*Greenlet]int32 // of nil too: the branch of the main greenlet
	open     []int32
	changed  []change
	by       *carrier // lives on
}

// A branch is a greenlet, alive or not, and those whose parent it is.
type branch struct {
	g     *Greenlet
	kids  []int32
	state branchState
	live  bool // is to be killed
}

type branchState uint8

const (
	idle branchState = iota
	hangs
	open
)

// A change is a greenlet that has got another parent or, if it is new, that is
// suspended for the first time.
type change struct {
	g   *Greenlet
	new bool
}

// closeAll kills all greenlets of the tree but c's, and reports whether there were
// any. It may miss one whose parent the collector's sweep has changed.
func (h *hub) closeAll(c *carrier) (found bool) {
	k := h.survey(c)
	defer h.surveyed(k)
	for g := h.leaf(k); g != nil; g = h.leaf(k) {
		found = true
		c.kill(g)
	}
	return found
}

// survey finds the branches of the tree.
func (h *hub) survey(c *carrier) *closing {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := len(h.live)
	k := &closing{branches: make([]branch, 1, n+2), index: make(map[*Greenlet]int32, n+2), open: []int32{0}, by: c}
	k.index[nil] = 0
	k.branches[0].state = open
	for _, x := range h.live {
		if x != c {
			k.hang(h.handleOf(x), true)
		}
	}
	h.closings = append(h.closings, k)
	return k
}

func (h *hub) surveyed(k *closing) {
	h.mu.Lock()
	defer h.mu.Unlock()
	i := slices.Index(h.closings, k)
	h.closings = slices.Delete(h.closings, i, i+1)
}

// leaf returns a greenlet that is to be killed next: none that is to be killed has
// it for an ancestor.
func (h *hub) leaf(k *closing) *Greenlet {
	h.mu.Lock()
	defer h.mu.Unlock()
	k.settle()
	for len(k.open) > 0 {
		at := k.open[len(k.open)-1]
		b := &k.branches[at]
		if last := len(b.kids) - 1; last >= 0 {
			kid := b.kids[last]
			b.kids = b.kids[:last]
			if x := &k.branches[kid]; x.state == hangs && x.g.parent == b.g {
				x.state = open
				k.open = append(k.open, kid)
			}
			continue
		}
		k.open = k.open[:len(k.open)-1]
		b.state, b.kids = idle, nil
		if b.live {
			b.live = false
			if !b.g.Dead() && b.g.c != k.by {
				return b.g
			}
		}
	}
	return nil
}

// settle does what has changed since the last leaf.
func (k *closing) settle() {
	for _, n := range k.changed {
		i, known := k.index[n.g]
		if !known && !n.new {
			continue
		}
		if known {
			switch k.branches[i].state {
			case hangs:
				k.branches[i].state = idle
			case open:
				k.back(i)
			}
		}
		k.hang(n.g, n.new)
	}
	clear(k.changed)
	k.changed = k.changed[:0]
}

// back gives up the walk from i on, which is open, as if it had not been begun.
func (k *closing) back(i int32) {
	at := slices.Index(k.open, i)
	again := slices.Clone(k.open[at:])
	k.open = k.open[:at]
	for _, j := range again {
		k.branches[j].state = idle
	}
	for _, j := range again {
		k.hang(k.branches[j].g, false)
	}
}

// hang puts g in the list of its parent's branch, and so on up to a branch that
// will be come to anyway.
func (k *closing) hang(g *Greenlet, live bool) {
	i := k.of(g)
	k.branches[i].live = k.branches[i].live || live
	for k.branches[i].state == idle {
		k.branches[i].state = hangs
		p := k.of(k.branches[i].g.parent)
		k.branches[p].kids = append(k.branches[p].kids, i)
		i = p
	}
}

// of returns g's branch.
func (k *closing) of(g *Greenlet) int32 {
	i, ok := k.index[g]
	if !ok {
		i = int32(len(k.branches))
		k.branches = append(k.branches, branch{g: g})
		k.index[g] = i
	}
	return i
}

// changes tells those who close the tree of g. h.mu is held.
func (h *hub) changes(g *Greenlet, new bool) {
	for _, k := range h.closings {
		k.changed = append(k.changed, change{g, new})
	}
}
