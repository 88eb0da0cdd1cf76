package greenlet

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Whether greenlets go by call or by turn shows in the time of a switch only. So it is
// looked at here: see switch_generic.go.
func TestGreenletsGoByCall(t *testing.T) {
	if assembly || !rt.Fast {
		t.Skip("the switch is the assembly, or all goes by turn")
	}
	defer StrandedFromZero()() // other tests leave some
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer Close()
		main := Current()
		begin := func() *Greenlet {
			g := New(func(any) (any, error) { return main.Switch(nil) })
			g.Switch(nil)
			return g
		}
		by := func(g *Greenlet, byTurn bool, when string) {
			t.Helper()
			if g.c.byTurn != byTurn {
				t.Errorf("%s: by turn is %v", when, g.c.byTurn)
			}
		}
		runtime.LockOSThread()
		g := begin()
		by(g, true, "started by a locked goroutine")
		c := g.c
		g.Switch(nil)
		if g = begin(); g.c != c {
			t.Error("the goroutines of a locked tree are not used again")
		}
		runtime.UnlockOSThread()
		g.Switch(nil)
		g = begin()
		by(g, false, "started when the tree is not locked any more")
		c = g.c
		g.Switch(nil)
		if g = begin(); g.c != c {
			t.Error("its goroutine is not used again")
		}
		runtime.LockOSThread()
		g.Switch(nil)
		by(begin(), true, "resumed by a locked goroutine, and that again")
		runtime.UnlockOSThread()
	}()
	<-ended
}

// StrandedFromZero counts anew the goroutines that ended locked, until what it returns is
// called.
func StrandedFromZero() (restore func()) {
	was := stranded.Swap(0)
	return func() { stranded.Store(was) }
}

const StrandedMax = strandedMax
