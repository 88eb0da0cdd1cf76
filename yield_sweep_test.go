package greenlet_test

import (
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// A coroutine that goes back while the tree has more abandoned greenlets than
// one switch looks after does not lose its place.
func TestYieldWhileAbandonedAreEnded(t *testing.T) {
	main := ownTree(t)
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	defer stop()
	for i := range 200 {
		if i%20 == 5 {
			for range 1000 {
				greenlet.New(func(any) (any, error) { return main.Switch(nil) }).Switch(nil)
			}
		}
		if i%20 > 10 {
			runtime.GC()
		}
		if v, ok := next(); v != i || !ok {
			t.Fatalf("value %d is %d, %t", i, v, ok)
		}
	}
}

// Every cycle of the collector looks whether a coroutine is abandoned, also in
// the moment in which it goes back to its consumer.
func TestPullWhileLookedAt(t *testing.T) {
	ownTree(t)
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	defer stop()
	var cycles atomic.Int64
	calm := make(chan struct{})
	go func() {
		defer close(calm)
		for range 50 {
			runtime.GC()
			cycles.Add(1)
		}
	}()
	for i := 0; cycles.Load() < 50; i++ {
		if v, ok := next(); v != i || !ok {
			t.Fatalf("value %d is %d, %t", i, v, ok)
		}
		if i%1000 == 0 {
			runtime.Gosched()
		}
	}
	<-calm
}
