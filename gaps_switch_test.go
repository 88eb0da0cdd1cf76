//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"bytes"
	"runtime/trace"
	"testing"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Who comes back by the scheduler is known to run for the tree, and its next switch
// is one of the assembly.
func TestWhoIsExpectedSwitchesInAssembly(t *testing.T) {
	watchDoors(t)
	g := echoes()
	h := g.hub
	g.c.expected()
	if h.running != g.c.goid() {
		t.Errorf("expected is goroutine %d, want %d", h.running, g.c.goid())
	}
	h.main.c.expected()
}

// A coroutine that a trace has seen, and that pauses by the scheduler after the end of
// the trace, is not on the slow path for ever.
func TestTraceLeavesNothingOfPauses(t *testing.T) {
	if !assembly {
		t.Skip("it is about the assembly switch: ", backend.Reason)
	}
	defer Close()
	act := func(*pair) {}
	c := NewCoro(func(c *Coro[int, bool], _ int) error {
		for {
			act(&c.k.pair)
			c.Yield(rt.Self().Traced())
		}
	})
	defer c.Close()
	if err := trace.Start(new(bytes.Buffer)); err != nil {
		t.Skip(err)
	}
	for range 3 {
		if traced, ok := c.Resume(0); !traced || !ok {
			t.Error("a coroutine that runs under a trace does not know it")
		}
	}
	trace.Stop()
	for range 3 { // it is forgotten as the coroutine goes by the scheduler: see TestTraceLeavesNothing
		c.Resume(0)
	}
	for range 4 {
		// One of the runtime's gates is closed until it has paused.
		var open func()
		act = func(*pair) { open = put(at[uint32](rt.Self(), rt.GProfiled), 2) }
		c.Resume(0)
		open()
		act = func(*pair) {}
		if traced, ok := c.Resume(0); traced || !ok {
			t.Error("it is traced after the end")
		}
	}
}
