package bench_test

import (
	"testing"

	"github.com/go-greenlet/greenlet"
)

// BenchmarkCurrent asks which greenlet runs: the main one of a plain goroutine,
// one that has been suspended before, and two that ask in turn, each after it
// was switched to. What the last costs more than a switch is the price of
// Current.
func BenchmarkCurrent(b *testing.B) {
	b.Run("in=main", func(b *testing.B) { current(b) })
	b.Run("in=greenlet", func(b *testing.B) {
		root := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			root.Switch(nil)
			current(b)
			return nil, nil
		})
		g.Switch(nil)
		g.Switch(nil)
	})
	b.Run("in=turns", currentInTurns)
}

func current(b *testing.B) {
	b.ReportAllocs()
	me := greenlet.Current()
	b.ResetTimer()
	for range b.N {
		if greenlet.Current() != me {
			b.Fatal("Current is somebody else")
		}
	}
	per(b, b.N, "ns/call")
}

func currentInTurns(b *testing.B) {
	root := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		for {
			root.Switch(greenlet.Current())
		}
	})
	started(b, g)
	var v any
	n := trips(b)
	for range n {
		v, _ = g.Switch(greenlet.Current())
	}
	perSwitch(b, 2*n)
	arrived(b, v, g)
}
