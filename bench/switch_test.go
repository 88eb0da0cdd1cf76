package bench_test

import (
	"fmt"
	"iter"
	"math"
	"runtime"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// BenchmarkSwitch goes to and fro between two. A value goes with every switch;
// one switch is half of a round trip.
func BenchmarkSwitch(b *testing.B) {
	b.Run("sites=different/by=greenlet", different)
	b.Run("sites=same/by=greenlet", same)
	b.Run("sites=different/by=pull", func(b *testing.B) { pull(b, new(box)) })
	b.Run("sites=different/by=pull-int", func(b *testing.B) { pull(b, 7) })
	b.Run("sites=different/by=chan0", func(b *testing.B) { channel(b) })
	b.Run("sites=same/by=chan0", channelSame)
	b.Run("sites=different/by=chan128", buffered)
	b.Run("sites=same/by=gosched", gosched)
	b.Run("sites=same/by=cond", cond)
}

// BenchmarkWrapped calls Switch through a method that is not inlined.
func BenchmarkWrapped(b *testing.B) {
	b.Run("by=greenlet", wrapped)
	b.Run("by=pull", wrappedPull)
}

// BenchmarkSameWrapper calls Switch through so many methods that are not inlined, the
// same on both sides, as two tasks do that wait in a queue.
func BenchmarkSameWrapper(b *testing.B) {
	for _, calls := range []int{1, 3} {
		b.Run(fmt.Sprintf("calls=%d/by=greenlet", calls), func(b *testing.B) { sameWrapper(b, calls) })
	}
}

// BenchmarkThrow sends an error in place of a value.
func BenchmarkThrow(b *testing.B) {
	b.Run("by=greenlet", throw)
}

func different(b *testing.B) {
	g := echo(b)
	x := any(new(box))
	v := x
	n := trips(b)
	for range n {
		v, _ = g.Switch(v)
	}
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

// toAndFro is run by both sides, so that all switches come from one place in
// the program.
//
//go:noinline
func toAndFro(other *greenlet.Greenlet, v any, n int) any {
	for range n {
		v, _ = other.Switch(v)
	}
	return v
}

const forever = math.MaxInt

func same(b *testing.B) {
	root := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) { return toAndFro(root, v, forever), nil })
	started(b, g)
	x := any(new(box))
	n := trips(b)
	v := toAndFro(g, x, n)
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

func throw(b *testing.B) {
	root := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		for {
			root.Throw(errThrown)
		}
	})
	g.Switch(nil)
	b.Cleanup(func() { g.Kill() })
	var err error
	n := trips(b)
	for range n {
		_, err = g.Throw(errThrown)
	}
	perSwitch(b, 2*n)
	arrived(b, err, errThrown)
}

// A seat is the wrapper that programs write around a switch.
type seat struct{ other *greenlet.Greenlet }

//go:noinline
func (s *seat) ask(v any) (any, error) { return s.other.Switch(v) }

//go:noinline
func (s *seat) reply(v any) (any, error) { return s.other.Switch(v) }

func wrapped(b *testing.B) {
	inside := &seat{greenlet.Current()}
	outside := &seat{greenlet.New(func(v any) (any, error) {
		for {
			v, _ = inside.reply(v)
		}
	})}
	started(b, outside.other)
	x := any(new(box))
	v := x
	n := trips(b)
	for range n {
		v, _ = outside.ask(v)
	}
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

//go:noinline
func once(g *greenlet.Greenlet, v any) any { v, _ = g.Switch(v); return v }

//go:noinline
func twice(g *greenlet.Greenlet, v any) any { return once(g, v) }

//go:noinline
func thrice(g *greenlet.Greenlet, v any) any { return twice(g, v) }

//go:noinline
func throughCalls(calls int, other *greenlet.Greenlet, v any, n int) any {
	if calls == 1 {
		for range n {
			v = once(other, v)
		}
		return v
	}
	for range n {
		v = thrice(other, v)
	}
	return v
}

func sameWrapper(b *testing.B, calls int) {
	root := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) { return throughCalls(calls, root, v, forever), nil })
	started(b, g)
	x := any(new(box))
	n := trips(b)
	v := throughCalls(calls, g, x, n)
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

// repeat is the sequence that yields v for ever.
func repeat[V any](v V) iter.Seq[V] {
	return func(yield func(V) bool) {
		for yield(v) {
		}
	}
}

func pull[V comparable](b *testing.B, x V) {
	next, stop := iter.Pull(repeat(x))
	defer stop()
	v, _ := next()
	n := trips(b)
	for range n {
		v, _ = next()
	}
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

type pulled struct {
	next  func() (*box, bool)
	yield func(*box) bool
}

//go:noinline
func (p *pulled) ask() (*box, bool) { return p.next() }

//go:noinline
func (p *pulled) reply(x *box) bool { return p.yield(x) }

func wrappedPull(b *testing.B) {
	p, x := new(pulled), new(box)
	next, stop := iter.Pull(func(yield func(*box) bool) {
		p.yield = yield
		for p.reply(x) {
		}
	})
	defer stop()
	p.next = next
	v, _ := p.ask()
	n := trips(b)
	for range n {
		v, _ = p.ask()
	}
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

func channel(b *testing.B) {
	to, fro := make(chan *box), make(chan *box)
	go func() {
		for x := range to {
			fro <- x
		}
	}()
	defer close(to)
	x := new(box)
	v := x
	n := trips(b)
	for range n {
		to <- v
		v = <-fro
	}
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

func channelSame(b *testing.B) {
	to, fro := make(chan *box), make(chan *box)
	pass := func(in, out chan *box, n int) {
		for range n {
			out <- <-in
		}
	}
	n := trips(b)
	var side sync.WaitGroup
	side.Add(1)
	go func() { defer side.Done(); pass(to, fro, n) }()
	x := new(box)
	to <- x
	pass(fro, to, n-1)
	v := <-fro
	side.Wait()
	perSwitch(b, 2*n)
	arrived(b, v, x)
}

// buffered is not a switch for each value: the goroutines take turns when the
// buffer is full or empty.
func buffered(b *testing.B) {
	c := make(chan *box, 128)
	b.ReportAllocs()
	b.ResetTimer()
	go func() {
		x := new(box)
		for range b.N {
			c <- x
		}
		close(c)
	}()
	n := 0
	for range c {
		n++
	}
	perSwitch(b, n)
}

// gosched is the least that the scheduler needs to go from one goroutine to
// another; no value goes with it.
func gosched(b *testing.B) {
	onProcs(b, 1)
	n := trips(b)
	var side sync.WaitGroup
	side.Add(1)
	go func() {
		defer side.Done()
		for range n {
			runtime.Gosched()
		}
	}()
	for range n {
		runtime.Gosched()
	}
	side.Wait()
	perSwitch(b, 2*n)
}

// cond hands a turn over by a condition variable.
func cond(b *testing.B) {
	var mu sync.Mutex
	c := sync.NewCond(&mu)
	turn := 0
	play := func(me, n int) {
		for range n {
			mu.Lock()
			for turn != me {
				c.Wait()
			}
			turn = 1 - me
			c.Signal()
			mu.Unlock()
		}
	}
	n := trips(b)
	var side sync.WaitGroup
	side.Add(1)
	go func() { defer side.Done(); play(1, n) }()
	play(0, n)
	side.Wait()
	perSwitch(b, 2*n)
}
