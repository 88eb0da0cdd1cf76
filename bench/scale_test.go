package bench_test

import (
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

var scales = []int{2, 8, 1_000, 10_000, 100_000}

// BenchmarkRing passes a value round a ring of n: each switches to the next.
// iter.Pull has no such switch, its sequences can only go back to their caller.
func BenchmarkRing(b *testing.B) {
	for _, n := range scaled(b, scales...) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) { ring(b, n) })
		b.Run(fmt.Sprintf("n=%d/by=chan0", n), func(b *testing.B) { channelRing(b, n) })
	}
}

// BenchmarkRound resumes n in turn from one place: to the first and back, to
// the second and back. One switch is half of a resumption.
func BenchmarkRound(b *testing.B) {
	for _, n := range scaled(b, scales...) {
		b.Run(fmt.Sprintf("n=%d/by=greenlet", n), func(b *testing.B) { round(b, n) })
		b.Run(fmt.Sprintf("n=%d/by=pull", n), func(b *testing.B) { pullRound(b, n) })
	}
}

// laps returns how often to go round so that about b.N switches are made, but three
// times at least, and starts the clock.
func laps(b *testing.B, switches int) int {
	b.ReportAllocs()
	b.ResetTimer()
	return max(3, (b.N+switches-1)/switches)
}

// ring counts the caller as one of the n.
func ring(b *testing.B, n int) {
	next := greenlet.Current()
	members := make([]*greenlet.Greenlet, n-1)
	for i := range members {
		to := next
		next = greenlet.New(func(v any) (any, error) {
			for {
				v, _ = to.Switch(v)
			}
		})
		members[i] = next
	}
	b.Cleanup(func() { killAll(members) })
	x := any(new(box))
	v, _ := next.Switch(x) // starts them all
	runtime.GC()
	for range warm {
		v, _ = next.Switch(v)
	}
	m := laps(b, n)
	for range m {
		v, _ = next.Switch(v)
	}
	perSwitch(b, m*n)
	arrived(b, v, x)
}

func killAll(gs []*greenlet.Greenlet) {
	for _, g := range gs {
		g.Kill()
	}
}

func channelRing(b *testing.B, n int) {
	first := make(chan *box)
	in := first
	for range n - 1 {
		from, to := in, make(chan *box)
		go func() {
			defer close(to)
			for x := range from {
				to <- x
			}
		}()
		in = to
	}
	x := new(box)
	first <- x
	v := <-in
	runtime.GC()
	m := laps(b, n)
	for range m {
		first <- v
		v = <-in
	}
	perSwitch(b, m*n)
	arrived(b, v, x)
	close(first)
	<-in
}

func round(b *testing.B, n int) {
	gs := make([]*greenlet.Greenlet, n)
	root := greenlet.Current()
	for i := range gs {
		gs[i] = greenlet.New(func(v any) (any, error) {
			for {
				v, _ = root.Switch(v)
			}
		})
		gs[i].Switch(nil)
	}
	b.Cleanup(func() { killAll(gs) })
	x := any(new(box))
	v := x
	runtime.GC()
	for range warm {
		for _, g := range gs {
			g.Switch(nil)
		}
	}
	m := laps(b, 2*n)
	for range m {
		for _, g := range gs {
			v, _ = g.Switch(v)
		}
	}
	perSwitch(b, 2*m*n)
	arrived(b, v, x)
}

func pullRound(b *testing.B, n int) {
	x := new(box)
	nexts := make([]func() (*box, bool), n)
	for i := range nexts {
		next, stop := iter.Pull(repeat(x))
		defer stop()
		next()
		nexts[i] = next
	}
	var v *box
	runtime.GC()
	m := laps(b, 2*n)
	for range m {
		for _, next := range nexts {
			v, _ = next()
		}
	}
	perSwitch(b, 2*m*n)
	arrived(b, v, x)
}
