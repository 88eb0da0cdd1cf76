//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import "sync/atomic"

// A Gate keeps the number of a descriptor from being used after its end, when it
// may be another's: who makes a system call with it enters the gate before and
// leaves it afterwards, and the last one out of a gate that was shut closes the
// descriptor. It knows as well who has the turn to write. Any goroutine may call
// its methods.
type Gate struct {
	state atomic.Uint32
	FD    int // the descriptor
}

const (
	gateShut   uint32 = 1 << iota // nobody may enter any more
	gateTaken                     // somebody has the turn
	gateWanted                    // and somebody else waits for it
	gateOne                       // one who is inside; the bits from here on count
	gateInside = ^(gateOne - 1)
)

// change sets the state to what f makes of it, unless f refuses.
func (g *Gate) change(f func(v uint32) (to uint32, ok bool)) bool {
	for {
		v := g.state.Load()
		to, ok := f(v)
		if !ok {
			return false
		}
		if g.state.CompareAndSwap(v, to) {
			return true
		}
	}
}

// Enter reports false if the gate is shut. Else Leave must be called.
func (g *Gate) Enter() bool {
	return g.change(func(v uint32) (uint32, bool) { return v + gateOne, v&gateShut == 0 })
}

// Leave reports whether the descriptor is to be closed now.
func (g *Gate) Leave() (last bool) {
	v := g.state.Add(^(gateOne - 1))
	return v&(gateShut|gateInside) == gateShut
}

// Shut lets nobody in any more. It reports whether it was open before, and
// whether the descriptor is to be closed now.
func (g *Gate) Shut() (first, last bool) {
	v := g.state.Or(gateShut)
	first = v&gateShut == 0
	return first, first && v&gateInside == 0
}

// IsShut reports whether nobody may enter any more.
func (g *Gate) IsShut() bool { return g.state.Load()&gateShut != 0 }

// Take takes the turn, if nobody has it.
func (g *Gate) Take() bool {
	return g.change(func(v uint32) (uint32, bool) { return v | gateTaken, v&(gateShut|gateTaken) == 0 })
}

// Want notes that somebody waits for the turn. It reports false if nobody has it,
// or the gate is shut: then there is nothing to wait for.
func (g *Gate) Want() bool {
	return g.change(func(v uint32) (uint32, bool) {
		return v | gateWanted, v&(gateShut|gateTaken) == gateTaken
	})
}

// Give gives the turn back. It reports false if somebody waits for it: then it is
// to be handed on.
func (g *Gate) Give() bool {
	return g.change(func(v uint32) (uint32, bool) { return v &^ gateTaken, v&gateWanted == 0 })
}

// Free gives the turn back when nobody waits for it any more.
func (g *Gate) Free() { g.state.And(^(gateTaken | gateWanted)) }
