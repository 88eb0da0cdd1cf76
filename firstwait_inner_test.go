package greenlet

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who waits for the first time has one frame of the switch on its stack, and who waits
// again none: the collector looks at each in every cycle.
func TestFramesOfWaiting(t *testing.T) {
	if !assembly {
		t.Skip("the stack is not read")
	}
	defer Close()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // while it marks, the scheduler parks
	runtime.GC()                                     // that may have begun
	main := Current()
	frames := func(g *Greenlet) (names []string) {
		pcs, _ := g.addresses(nil)
		for all := runtime.CallersFrames(pcs); ; {
			f, more := all.Next()
			if strings.HasPrefix(f.Function, "github.com/go-greenlet/greenlet.") && !strings.Contains(f.Function, "TestFrames") {
				names = append(names, f.Function[len("github.com/go-greenlet/greenlet."):])
			}
			if !more {
				return names
			}
		}
	}
	below := []string{"(*Greenlet).Switch", "(*carrier).serve", "carry.func1"}
	for range 300 { // there are no used goroutines for so many
		g := New(func(any) (any, error) {
			main.Switch(nil)
			return main.Switch(nil)
		})
		g.Switch(nil)
		require.Equal(t, append([]string{"parkedText", "slow"}, below...), frames(g))
		g.Switch(nil)
		require.Equal(t, append([]string{"parkedText"}, below...), frames(g))
	}
}

// The first Yield of a coroutine is in assembly, as the others are: so is the Resume
// after it.
func TestFirstYieldIsInAssembly(t *testing.T) {
	if !assembly {
		t.Skip("it is about the assembly switch: ", backend.Reason)
	}
	defer Close()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // its cycles close gates
	runtime.GC()
	main := Current()
	h := main.hub
	inside := func() (is [2]uint64) { // who runs, as the gates of backText see it
		return [2]uint64{h.running, uint64(h.current)}
	}
	is := func(g *Greenlet) [2]uint64 { return [2]uint64{g.c.goid(), uint64(addressOf(g))} }
	var seen [2]uint64
	for range 2 { // the first may be on a cold carrier
		c := NewCoro(func(c *Coro[int, int], _ int) error {
			seen = inside()
			c.Yield(1)
			return nil
		})
		c.Resume(0)
		require.Equal(t, is(c.g), seen)
		require.Equal(t, is(main), inside())
		calls := c.p.calls
		c.Resume(0)
		require.Equal(t, calls, c.p.calls, "Resume has gone by way of run")
		require.Equal(t, is(main), inside())
	}
	next, stop := Pull(func(yield func(int) bool) {
		seen = inside()
		yield(1)
	})
	defer stop()
	next()
	require.Equal(t, h.main.c.goid(), inside()[0])
	floating.mu.Lock()
	defer floating.mu.Unlock()
	for _, c := range floating.carriers {
		if c.goid() == seen[0] {
			require.Equal(t, uint64(c.pair.coroutine), seen[1])
			return
		}
	}
	t.Error("its carrier is not listed")
}
