//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet_test

import (
	"bytes"
	"iter"
	"math/rand/v2"
	"runtime"
	"runtime/trace"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// These tests look behind the switch: at how it is made, not at what it does.

// storm collects garbage, almost without pause, until it is stopped, and counts. There
// is something to mark, so that marking takes most of the time.
func storm() (cycles *atomic.Int64, stop func()) {
	var stopped atomic.Bool
	cycles = new(atomic.Int64)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var heap *potato
		for range 100_000 {
			heap = &potato{skin: heap}
		}
		for !stopped.Load() {
			runtime.GC()
			cycles.Add(1)
			time.Sleep(100 * time.Microsecond) // the others' turn, if the world is stopped to mark
		}
		runtime.KeepAlive(heap)
	}()
	return cycles, func() {
		stopped.Store(true)
		<-done
	}
}

// echo starts a greenlet that sends back what it is sent.
func echo() *greenlet.Greenlet {
	main := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(v)
		}
	})
	g.Switch(nil)
	return g
}

// A potato is old, has a value that shows whether it was freed, and is
// referred to by nobody but the greenlet that has it in its hands.
type potato struct {
	n, not uint64
	skin   *potato
}

func newPotato(n uint64) *potato { return &potato{n, ^n, &potato{n, ^n, nil}} }

func (p *potato) good() bool { return p.n == ^p.not && p.skin.n == p.n && p.skin.not == p.not }

// A potato may be thrown.
func (p *potato) Error() string { return "hot" }

// TestHotPotato has an object that is on one stack at a time and goes from one
// to the next in registers, while the collector marks: if it goes from a stack
// that has not been scanned to one that has been, it must not be missed (I9).
func TestHotPotato(t *testing.T) {
	value := func(g *greenlet.Greenlet, p *potato) *potato {
		v, _ := g.Switch(p)
		p, _ = v.(*potato)
		return p
	}
	thrown := func(g *greenlet.Greenlet, p *potato) *potato {
		var err error
		if p == nil {
			_, err = g.Switch(nil)
		} else {
			_, err = g.Throw(p)
		}
		p, _ = err.(*potato)
		return p
	}
	for name, pass := range map[string]func(*greenlet.Greenlet, *potato) *potato{"value": value, "error": thrown} {
		t.Run(name, func(t *testing.T) {
			main := ownTree(t)
			hands := make([]*greenlet.Greenlet, hotHands)
			for i := range hands {
				hands[i] = greenlet.New(func(any) (any, error) {
					p := pass(main, nil)
					for {
						pass(main, nil)
						p = pass(main, p)
					}
				})
				hands[i].Switch(nil)
			}
			hotPotato(t, func(in int, p *potato) *potato { return pass(hands[in], p) })
		})
	}
}

// TestHotPotatoOfCoroutines is TestHotPotato for those who switch without a value
// also from stacks that have not been scanned: it lies in memory meanwhile.
func TestHotPotatoOfCoroutines(t *testing.T) {
	t.Run("Coro", func(t *testing.T) {
		ownTree(t)
		hands := make([]*greenlet.Coro[*potato, *potato], hotHands)
		for i := range hands {
			hands[i] = greenlet.NewCoro(func(c *greenlet.Coro[*potato, *potato], _ *potato) error {
				p := c.Yield(nil)
				for {
					c.Yield(nil)
					p = c.Yield(p)
				}
			})
			hands[i].Resume(nil)
			defer hands[i].Close()
		}
		hotPotato(t, func(in int, p *potato) *potato {
			p, _ = hands[in].Resume(p)
			return p
		})
	})
	t.Run("Generator", func(t *testing.T) {
		ownTree(t)
		hands := make([]*greenlet.Generator[*potato, *potato, int], hotHands)
		for i := range hands {
			hands[i] = greenlet.NewGenerator(func(y *greenlet.Yielder[*potato, *potato]) (int, error) {
				p, err := y.Yield(nil)
				for err == nil {
					y.Yield(nil)
					p, err = y.Yield(p)
				}
				return 0, err
			})
			hands[i].Next()
			defer hands[i].Close()
		}
		hotPotato(t, func(in int, p *potato) *potato {
			p, _ = hands[in].Send(p)
			return p
		})
	})
	t.Run("Pull", func(t *testing.T) {
		ownTree(t)
		var in *potato // what goes to the sequence
		next := make([]func() (*potato, bool), hotHands)
		for i := range next {
			var stop func()
			next[i], stop = greenlet.Pull(func(yield func(*potato) bool) {
				for more := yield(nil); more; {
					p := in
					in = nil
					more = yield(nil) && yield(p)
				}
			})
			next[i]()
			defer stop()
		}
		hotPotato(t, func(i int, p *potato) *potato {
			in = p
			p, _ = next[i]()
			return p
		})
	})
}

// There are many hands, so that it takes the collector a while to scan all stacks.
const hotHands = 32

// hotPotato has hands pass potatoes to each other; one of them is empty. What is given
// to a hand by pass it gives back in the next call.
func hotPotato(t *testing.T, pass func(hand int, p *potato) *potato) {
	var wanted int64 = 100
	if testing.Short() {
		wanted = 30
	}
	var lost atomic.Int64
	for i := range hotHands - 1 {
		p := newPotato(uint64(i))
		runtime.AddCleanup(p, func(int) { lost.Add(1) }, 0)
		pass(i, p)
	}
	cycles, calm := storm()
	defer calm()
	r := rand.New(rand.NewPCG(1, 2))
	for empty := hotHands - 1; cycles.Load() < wanted; {
		from := (empty + 1 + r.IntN(hotHands-1)) % hotHands
		pass(empty, pass(from, nil))
		empty = from
		if lost.Load() > 0 {
			t.Fatalf("a potato is lost after %d cycles of the collector", cycles.Load())
		}
		// What takes the place of one that was freed.
		garbage.Store(newPotato(hotHands))
	}
	var seen [hotHands]bool
	for i := range hotHands {
		if p := pass(i, nil); p != nil {
			if !p.good() || seen[p.n] {
				t.Fatalf("a potato is not what it was: %v", p)
			}
			seen[p.n] = true
		}
	}
	for i, has := range seen {
		if has != (i < hotHands-1) {
			t.Errorf("whether there is a potato %d: %v", i, has)
		}
	}
}

var garbage atomic.Pointer[potato]

// TestMarkingStaysInAssembly makes sure that switches do not collapse to the
// scheduler's pace while the collector marks, whether or not the tree is locked
// to a thread.
func TestMarkingStaysInAssembly(t *testing.T) {
	needsAssembly(t)
	for name, lock := range map[string]func() (unlock func()){
		"free":   func() func() { return func() {} },
		"locked": func() func() { runtime.LockOSThread(); return runtime.UnlockOSThread },
	} {
		t.Run(name, func(t *testing.T) {
			ownTree(t)
			defer lock()()
			g := echo()
			n, _, scheduled := inStorm(t, func(n int) {
				if v, _ := g.Switch(n); v != n {
					t.Fatalf("sent %d, got %v", n, v)
				}
			})
			if scheduled > n/20 {
				t.Errorf("of %d switches %d were left to the scheduler", 2*n, scheduled)
			}
		})
	}
}

// TestMarkingStaysInAssemblyWithoutValues makes sure that switches without a value do
// not even go to Go, though stacks have not been scanned: there is a cycle nearly all
// of the time.
func TestMarkingStaysInAssemblyWithoutValues(t *testing.T) {
	needsAssembly(t)
	for name, begin := range map[string]func() (step func(n int), end func()){
		"nil": func() (func(int), func()) {
			g := echo()
			return func(int) { g.Switch(nil) }, func() { g.Kill() }
		},
		"coroutine": func() (func(int), func()) {
			c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
				for {
					n = c.Yield(n)
				}
			})
			return func(n int) {
				if v, ok := c.Resume(n); v != n || !ok {
					t.Fatalf("sent %d, got %v, %v", n, v, ok)
				}
			}, func() { c.Close() }
		},
		"floating coroutine": func() (func(int), func()) {
			next, stop := greenlet.Pull(func(yield func(int) bool) {
				for i := 0; yield(i); i++ {
				}
			})
			return func(n int) {
				if v, ok := next(); v != n || !ok {
					t.Fatalf("value %d is %v, %v", n, v, ok)
				}
			}, stop
		},
		"pushed": func() (func(int), func()) {
			last := 0
			push, stop := greenlet.Push(func(seq iter.Seq[int]) {
				for v := range seq {
					last = v
				}
			})
			return func(n int) {
				if more := push(n); !more || last != n {
					t.Fatalf("pushed %d: %v, got %d", n, more, last)
				}
			}, stop
		},
	} {
		t.Run(name, func(t *testing.T) {
			ownTree(t)
			step, end := begin()
			defer end()
			if n, slow, _ := inStorm(t, step); slow > n/100+1000 {
				t.Errorf("of %d switches %d went to Go", 2*n, slow)
			}
		})
	}
}

// inStorm does a step of two switches, over and over, while the collector collects.
// It returns how many steps were done, how many switches went to Go, and how many of
// these to the scheduler.
func inStorm(t *testing.T, step func(n int)) (n, slow, scheduled int) {
	count := greenlet.CountTurned()
	most := int64(20)
	if runtime.GOMAXPROCS(0) == 1 {
		most = 4 // a cycle takes a second: it has to wait for its turn
	}
	cycles, calm := storm()
	for ; cycles.Load() < most; n++ {
		step(n)
	}
	calm()
	slow, scheduled = count()
	t.Logf("%d switches in %d cycles of the collector: %d slow, %d by the scheduler", 2*n, cycles.Load(), slow, scheduled)
	return n, slow, scheduled
}

// TestTraceLeavesNothing makes sure that a trace which has ended does not hold
// greenlets on the slow path, whatever number its generations have.
func TestTraceLeavesNothing(t *testing.T) {
	needsAssembly(t)
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(greenlet.Traced())
		}
	})
	for range 7 {
		var b bytes.Buffer
		if err := trace.Start(&b); err != nil {
			t.Skip(err)
		}
		for range 3 {
			if v, _ := g.Switch(nil); v != true || !greenlet.Traced() {
				t.Error("a greenlet that runs under a trace does not know it")
			}
		}
		trace.Stop()
		// One switch by the scheduler to forget it, one more if the trace
		// ended in the middle of that.
		for range 2 {
			g.Switch(nil)
		}
		count := greenlet.CountTurned()
		for range 100 {
			if v, _ := g.Switch(nil); v != false || greenlet.Traced() {
				t.Fatal("a greenlet is on the slow path for ever")
			}
		}
		// The collector may turn some away.
		if slow, scheduled := count(); scheduled > 20 {
			t.Errorf("of 200 switches %d were slow, %d of them by the scheduler", slow, scheduled)
		}
	}
}
