package greenlet

import (
	"iter"
	"runtime"

	"github.com/go-greenlet/greenlet/stack"
)

// All returns the greenlets of all trees that have started and not ended, the
// main ones included. It is for tools. A greenlet of another goroutine that
// runs and has never been suspended may be missing. Any goroutine may call it
// and may ask what is returned for its ID, Name, Parent, String and state; it
// does not switch.
func All() iter.Seq[*Greenlet] {
	return func(yield func(*Greenlet) bool) {
		mine := self()
		for _, h := range trees() {
			h.mu.Lock()
			all := make([]*Greenlet, 0, len(h.live)+1)
			all = append(all, h.main)
			for _, c := range h.live {
				all = append(all, h.handleOf(c))
			}
			h.mu.Unlock()
			if h == mine.hub && !mine.armed {
				all = append(all, mine.handle)
			}
			for _, g := range all {
				if !yield(g) {
					return
				}
			}
		}
	}
}

// Counts are the numbers of Stats.
type Counts struct {
	Trees      int // goroutines with greenlets
	Live       int // greenlets that have started and not ended, without the main ones
	Suspended  int // of these, the ones that wait for a switch
	Pooled     int // goroutines kept for greenlets to come
	Goroutines int // goroutines started for greenlets, busy and pooled
	Collected  int // abandoned greenlets ended since the program began, without those that YieldFrom has ended along with another
}

// Stats returns counts of all trees together. They are exact for the calling
// goroutine's tree; a greenlet of another tree that runs and has never been
// suspended is taken for a pooled goroutine. Any goroutine may call it; it does
// not switch. It costs a little for every tree.
func Stats() Counts {
	mine := self()
	s := Counts{
		Goroutines: stack.Stats().Goroutines,
		Collected:  int(collected.Load()),
	}
	for _, h := range trees() {
		h.mu.Lock()
		s.Trees++
		s.Live += len(h.live)
		h.mu.Unlock()
	}
	s.Live += floatingLive()
	s.Suspended = s.Live
	if mine != &mine.hub.root {
		if !mine.armed {
			s.Live++
		} else {
			s.Suspended--
		}
	}
	s.Pooled = s.Goroutines - s.Live
	return s
}

// Stack returns where g waits: the frames of a suspended greenlet from the call
// of Switch outwards. It is nil if g runs, has not started or is dead. Owner
// only; it does not switch. With the assembly backend it costs about a
// microsecond; with the generic one the world is stopped to print all
// goroutines' stacks.
//
// Python: greenlet.gr_frame.
func (g *Greenlet) Stack() []runtime.Frame {
	pcs, goroutine := g.addresses(nil)
	if goroutine != 0 {
		return printedFrames(goroutine)
	}
	if len(pcs) == 0 {
		return nil
	}
	frames := runtime.CallersFrames(pcs)
	var all []runtime.Frame
	for {
		f, more := frames.Next()
		if f.PC != 0 {
			all = append(all, f)
		}
		if !more {
			return trimFrames(all)
		}
	}
}

// maxFrames is how many frames Stack returns at most.
const maxFrames = 1 << 14

// StackUsage tells how much stack g has: of a suspended greenlet or of the
// caller. All numbers are 0 for one that has not started or is dead, and where
// the runtime's layout is not known. Owner only; it does not switch.
func (g *Greenlet) StackUsage() stack.Usage {
	me := self()
	if me.mayReach(g, "look at the stack of") != nil || g.loadState() != started {
		return stack.Usage{}
	}
	return stack.Of(g.c.g, g.c == me)
}
