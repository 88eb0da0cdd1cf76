package bench_test

import (
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkLocked is BenchmarkSwitch in a tree whose root is locked to its
// thread. The runtime must leave the thread to hand a channel's value to an
// unlocked goroutine.
func BenchmarkLocked(b *testing.B) {
	b.Run("by=greenlet", locked(different))
	b.Run("by=pull", locked(func(b *testing.B) { pull(b, new(box)) }))
	b.Run("by=chan0", locked(channel))
}

func locked(bench func(b *testing.B)) func(b *testing.B) {
	return func(b *testing.B) {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		bench(b)
	}
}

// BenchmarkMarking is BenchmarkSwitch while the collector marks nearly all the
// time.
func BenchmarkMarking(b *testing.B) {
	b.Run("by=greenlet", marking(different))
	b.Run("by=pull", marking(func(b *testing.B) { pull(b, new(box)) }))
	b.Run("by=chan0", marking(channel))
}

type node struct {
	next *node
	_    [2]uintptr
}

// marking runs bench on two processors while a goroutine forces one cycle of
// the collector after the other over a heap of a million objects. It reports
// how many cycles there were.
func marking(bench func(b *testing.B)) func(b *testing.B) {
	return func(b *testing.B) {
		onProcs(b, max(2, runtime.GOMAXPROCS(0)))
		var heap *node
		for range 1_000_000 {
			heap = &node{next: heap}
		}
		var (
			stop   atomic.Bool
			cycles atomic.Int64
			side   sync.WaitGroup
		)
		side.Add(1)
		go func() {
			defer side.Done()
			for !stop.Load() {
				runtime.GC()
				cycles.Add(1)
			}
		}()
		for cycles.Load() == 0 {
			runtime.Gosched()
		}
		cycles.Store(0)
		begin := time.Now()
		bench(b)
		b.ReportMetric(float64(cycles.Load())/time.Since(begin).Seconds(), "cycles/s")
		stop.Store(true)
		side.Wait()
		runtime.KeepAlive(heap)
	}
}
