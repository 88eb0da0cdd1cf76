package greenlet_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// A switch that a gate turns away goes on in a Go function, which may spill its
// arguments into the frame of the function that made the switch, or have that
// frame moved. What else is in there must stay as it is.

// A tally is several sums that are kept in a frame beside a switch.
type tally struct{ a, b, c, d int }

func startTally() tally { return tally{1, 1 << 10, 1 << 20, 1 << 30} }

func (s tally) plus(n int) tally { return tally{s.a + n, s.b + n, s.c + n, s.d + n} }

//go:noinline
func tallySwitch(g *greenlet.Greenlet, n int) (tally, bool) {
	a, b, c, d := 1, 1<<10, 1<<20, 1<<30
	for range n {
		g.Switch(nil)
		a, b, c, d = a+1, b+1, c+1, d+1
	}
	return tally{a, b, c, d}, true
}

//go:noinline
func tallyResume(co *greenlet.Coro[int, int], n int) (tally, bool) {
	a, b, c, d := 1, 1<<10, 1<<20, 1<<30
	for range n {
		v, _ := co.Resume(1)
		a, b, c, d = a+v, b+v, c+v, d+v
	}
	return tally{a, b, c, d}, true
}

//go:noinline
func tallyYield(co *greenlet.Coro[int, int]) {
	n := 0
	a, b, c, d := 1, 1<<10, 1<<20, 1<<30
	for {
		v := 1
		if (tally{a, b, c, d}) != startTally().plus(n) {
			v = 0
		}
		v = co.Yield(v)
		a, b, c, d, n = a+v, b+v, c+v, d+v, n+v
	}
}

//go:noinline
func tallySend(g *greenlet.Generator[int, int, int], n int) (tally, bool) {
	a, b, c, d := 1, 1<<10, 1<<20, 1<<30
	for range n {
		v, err := g.Send(1)
		if err != nil {
			return tally{}, false
		}
		a, b, c, d = a+v, b+v, c+v, d+v
	}
	return tally{a, b, c, d}, true
}

//go:noinline
func tallyNext(next func() (int, bool), n int) (tally, bool) {
	a, b, c, d := 1, 1<<10, 1<<20, 1<<30
	for range n {
		v, ok := next()
		if !ok {
			return tally{}, false
		}
		a, b, c, d = a+v, b+v, c+v, d+v
	}
	return tally{a, b, c, d}, true
}

func TestFramesStay(t *testing.T) {
	main := ownTree(t)
	echo := greenlet.New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(v)
		}
	})
	coro := greenlet.NewCoro(func(co *greenlet.Coro[int, int], _ int) error {
		tallyYield(co)
		return nil
	})
	generator := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		for {
			if _, err := y.Yield(1); err != nil {
				return 0, err
			}
		}
	})
	generator.Next()
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for yield(1) {
		}
	})
	defer stop()

	var cycles atomic.Int64
	var stopped atomic.Bool
	calm := make(chan struct{})
	go func() {
		defer close(calm)
		for !stopped.Load() {
			runtime.GC()
			cycles.Add(1)
		}
	}()
	defer func() { <-calm }()
	defer stopped.Store(true)

	wanted := int64(50)
	if testing.Short() {
		wanted = 10
	}
	const n = 1000
	for name, run := range map[string]func() (tally, bool){
		"Switch": func() (tally, bool) { return tallySwitch(echo, n) },
		"Coro":   func() (tally, bool) { return tallyResume(coro, n) },
		"Send":   func() (tally, bool) { return tallySend(generator, n) },
		"Pull":   func() (tally, bool) { return tallyNext(next, n) },
	} {
		for begun := cycles.Load(); cycles.Load() < begun+wanted; {
			if got, ok := run(); !ok || got != startTally().plus(n) {
				t.Fatalf("%s: the sums are %#x, want %#x", name, got, startTally().plus(n))
			}
			runtime.Gosched()
		}
	}
}
