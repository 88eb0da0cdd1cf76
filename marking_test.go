//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet_test

import (
	"bytes"
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

// TestHotPotato has an object that is on one stack at a time and goes from one
// to the next in registers, while the collector marks: if it goes from a stack
// that has not been scanned to one that has been, it must not be missed (I9).
func TestHotPotato(t *testing.T) {
	var wanted int64 = 100
	if testing.Short() {
		wanted = 30
	}
	cycles, calm := storm()
	defer calm()
	main := ownTree(t)
	hands := make([]*greenlet.Greenlet, 2)
	for i := range hands {
		hands[i] = greenlet.New(func(any) (any, error) {
			// Not the argument: that one stays on the stack.
			v, _ := main.Switch(nil)
			for {
				main.Switch(nil)
				v, _ = main.Switch(v)
			}
		})
		hands[i].Switch(nil)
	}
	idle := echo()
	var lost atomic.Bool
	start := newPotato(1)
	runtime.AddCleanup(start, func(int) { lost.Store(true) }, 0)
	hands[0].Switch(start)
	start = nil
	for in := 0; cycles.Load() < wanted; in = 1 - in {
		for range 10 {
			idle.Switch(nil)
		}
		v, _ := hands[in].Switch(nil)
		hands[1-in].Switch(v)
		if lost.Load() {
			t.Fatalf("the potato is lost after %d cycles of the collector", cycles.Load())
		}
		// What takes the place of one that was freed.
		garbage.Store(newPotato(0))
	}
	v, _ := hands[0].Switch(nil)
	if v == nil {
		v, _ = hands[1].Switch(nil)
	}
	if p := v.(*potato); p.n != 1 || !p.good() {
		t.Error("the potato is not what it was")
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
			count := greenlet.CountTurned()
			cycles, calm := storm()
			n := 0
			for ; cycles.Load() < 20; n++ {
				if v, _ := g.Switch(n); v != n {
					t.Fatalf("sent %d, got %v", n, v)
				}
			}
			calm()
			slow, scheduled := count()
			t.Logf("%d switches in %d cycles of the collector: %d slow, %d by the scheduler", 2*n, cycles.Load(), slow, scheduled)
			if scheduled > n/20 {
				t.Errorf("of %d switches in %d cycles of the collector %d were left to the scheduler", 2*n, cycles.Load(), scheduled)
			}
		})
	}
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
