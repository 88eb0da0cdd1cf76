package greenlet

import (
	"runtime"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A program that starts thousands of greenlets, one after the other, and ends
// none needs a goroutine for each. To start one is a trip through the scheduler
// that nothing else can be done in. So once a tree has started many in a row,
// more are drafted: a helper goroutine starts a batch, on another processor if
// one is idle, and the tree takes them when they have parked. It never waits
// for them; with all processors busy it starts its goroutines itself, as ever.

const (
	draftMax   = 32 // the largest batch
	draftShare = 32 // a batch is one in so many of those started in a row
)

// A draft is what a tree has drafted and not taken. It is an object of its own so
// that it can be given back after the tree's end.
type draft struct {
	batch *batch
}

// A batch is carriers that are being started ahead of need.
type batch struct {
	carriers []*carrier
	muster   rt.Muster
}

// draftAhead is called when there is no idle carrier. It takes those that were
// drafted, if they have parked, and has more drafted if it looks as if they will
// be needed. It returns one of those that it has taken, or none.
func (h *hub) draftAhead() (c *carrier) {
	h.inRow++
	if h.draft.batch != nil {
		b := h.draft.arrived()
		if b == nil {
			return nil
		}
		c = b.carriers[0]
		for _, other := range b.carriers[1:] {
			h.free.Put(other)
		}
		h.inRow += len(b.carriers) - 1
	}
	if n := min(draftMax, h.inRow/draftShare); n > 1 {
		b := &batch{carriers: make([]*carrier, n)}
		for i := range b.carriers {
			b.carriers[i] = newCarrier()
		}
		h.draft.batch = b
		b.start()
	}
	return c
}

// arrived returns the batch if all of it has parked; it is then the caller's.
func (d *draft) arrived() *batch {
	b := d.batch
	if b == nil || !b.muster.Complete() {
		return nil
	}
	d.batch = nil
	return b
}

// spare gives a batch that has not been asked for to the depot, where it is
// trimmed like whatever is idle.
func (d *draft) spare() {
	if b := d.arrived(); b != nil {
		depot.Take(b.carriers)
	}
}

// dismiss is spare, also for a batch that has not parked yet.
func (d *draft) dismiss() {
	for d.batch != nil {
		if d.spare(); d.batch != nil {
			runtime.Gosched()
		}
	}
}
