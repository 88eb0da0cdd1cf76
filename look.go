package greenlet

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/go-greenlet/greenlet/internal/look"
	"github.com/go-greenlet/greenlet/internal/rt"
)

func init() {
	look.Addresses = func(g any, pcs []uintptr) ([]uintptr, uint64) { return g.(*Greenlet).addresses(pcs) }
	look.Printed = printedStacks
	look.Trim = trimFrames
}

// addresses appends the return addresses of g to pcs if it is suspended: see package
// look.
func (g *Greenlet) addresses(pcs []uintptr) (_ []uintptr, goroutine uint64) {
	me := self()
	if me.mayReach(g, "look at the stack of") != nil || g.loadState() != started || g.c == me {
		return pcs, 0
	}
	was, ok := g.c.seize(me.hub)
	if !ok {
		return pcs, 0
	}
	if was == paused {
		defer g.c.pair.set(paused)
	}
	if !assembly {
		return pcs, g.c.goid()
	}
	for room := roomForFrames; ; room *= 2 {
		if cap(pcs)-len(pcs) < room {
			pcs = append(make([]uintptr, 0, 2*cap(pcs)+room), pcs...)
		}
		free := pcs[len(pcs) : len(pcs)+room]
		if n := rt.Callers(g.c.g, free); n < room || room >= maxFrames {
			return pcs[:len(pcs)+n], 0
		}
	}
}

// roomForFrames is how many return addresses most stacks have at most.
const roomForFrames = 64

// printedStacks reads the frames of all goroutines from what runtime.Stack prints.
func printedStacks() map[uint64][]runtime.Frame {
	all := make(map[uint64][]runtime.Frame)
	for block := range strings.SplitSeq(printedGoroutines(), "\n\n") {
		number, _, _ := strings.Cut(strings.TrimPrefix(block, "goroutine "), " ")
		if goroutine, err := strconv.ParseUint(number, 10, 64); err == nil {
			all[goroutine] = trimFrames(parseFrames(block))
		}
	}
	return all
}
