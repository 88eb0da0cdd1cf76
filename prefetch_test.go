package greenlet_test

import (
	"runtime"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// Prefetch does nothing that can be seen, whatever state g is in.
func TestPrefetch(t *testing.T) {
	main := ownTree(t)
	var none *greenlet.Greenlet
	none.Prefetch()
	new(greenlet.Greenlet).Prefetch()
	main.Prefetch()

	var g *greenlet.Greenlet
	g = greenlet.New(func(v any) (any, error) {
		g.Prefetch()
		main.Prefetch()
		v, err := main.Switch(v)
		stackOf(64 << 10)
		g.Prefetch()
		return v, err
	})
	for step, state := range []string{"not started", "suspended", "dead"} {
		g.Prefetch()
		runtime.GC()
		g.Prefetch()
		isIn(t, g, state)
		if v, err := g.Switch(step); v != step || err != nil {
			t.Errorf("the step that begins %s gives %v, %v", state, v, err)
		}
	}
	g.Prefetch()
}

// stackOf lets the stack grow.
//
//go:noinline
func stackOf(n int) byte {
	var room [1 << 10]byte
	if n > len(room) {
		room[n%len(room)] = stackOf(n - len(room))
	}
	return room[n/2%len(room)]
}

// Others may prefetch what starts, runs, moves and ends at the same time. The
// race detector must find nothing in that either.
func TestPrefetchFromElsewhere(t *testing.T) {
	main := ownTree(t)
	gs := make([]*greenlet.Greenlet, 100)
	for i := range gs {
		gs[i] = greenlet.New(func(v any) (any, error) {
			stackOf(i << 7)
			return main.Switch(v)
		})
	}
	var other sync.WaitGroup
	done := make(chan struct{})
	other.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
				gs[i%len(gs)].Prefetch()
			}
		}
	})
	for round := range 3 {
		for i, g := range gs {
			if v, err := g.Switch(i); v != i || err != nil {
				t.Errorf("round %d: %v, %v", round, v, err)
			}
		}
		runtime.GC()
	}
	close(done)
	other.Wait()
}
