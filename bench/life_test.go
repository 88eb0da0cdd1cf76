package bench_test

import (
	"fmt"
	"iter"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// BenchmarkStart lets a body run to its end that is never suspended, on a
// carrier that the greenlet before it has left. The rivals tell the caller that
// they have finished: a goroutine by a channel, its own or one for all.
func BenchmarkStart(b *testing.B) {
	b.Run("new=outside/by=greenlet", start)
	b.Run("new=inside/by=greenlet", newAndStart)
	b.Run("new=inside/by=pull", pullOne)
	b.Run("new=inside/by=go+chan", goAndChannel)
	b.Run("new=outside/by=go+chan", goAndReused)
}

// BenchmarkWave has many alive at once: each is made and runs until it is
// suspended, and when all are, each runs to its end. With cold carriers a
// goroutine must be started for each; the carriers of the last wave have gone.
func BenchmarkWave(b *testing.B) {
	b.Run("carriers=cold/by=greenlet", func(b *testing.B) { wave(b, true) })
	b.Run("carriers=warm/by=greenlet", func(b *testing.B) { wave(b, false) })
	b.Run("carriers=cold/by=pull", pullWave)
	b.Run("carriers=cold/by=goroutine", func(b *testing.B) { goroutineWave(b, false, true) })
	b.Run("carriers=cold/by=goroutine-parked", func(b *testing.B) { goroutineWave(b, false, false) })
	b.Run("carriers=cold/by=goroutine-handed", func(b *testing.B) { goroutineWave(b, true, true) })
}

// BenchmarkClose ends those that are suspended, all children of the main greenlet
// or each the child of the one before. The cost of each must not depend on how
// many there are, but for the memory that they take.
func BenchmarkClose(b *testing.B) {
	for _, n := range []int{1000, 100_000} {
		b.Run(fmt.Sprintf("tree=wide/n=%d", n), func(b *testing.B) { closeMany(b, n, false) })
		b.Run(fmt.Sprintf("tree=deep/n=%d", n), func(b *testing.B) { closeMany(b, n, true) })
	}
}

func closeMany(b *testing.B, n int, deep bool) {
	var w stopwatch
	main := greenlet.Current()
	waits := func(any) (any, error) { return main.Switch(nil) }
	for range b.N {
		parent := main
		all := make([]*greenlet.Greenlet, n)
		for i := range all {
			all[i] = greenlet.New(waits, greenlet.WithParent(parent))
			all[i].Switch(nil)
			if deep {
				parent = all[i]
			}
		}
		w.start()
		greenlet.Close()
		w.stop()
		if !all[0].Dead() {
			b.Fatal("it has not ended")
		}
	}
	w.report(b, n*b.N, "ns/greenlet")
}

// A stopwatch adds up the time between start and stop. The benchmark's own
// clock cannot be stopped so often: it reads the memory statistics each time.
type stopwatch struct {
	spent time.Duration
	since time.Time
}

func (w *stopwatch) start() { w.since = time.Now() }
func (w *stopwatch) stop()  { w.spent += time.Since(w.since) }

func (w *stopwatch) report(b *testing.B, n int, unit string) {
	b.ReportMetric(float64(w.spent.Nanoseconds())/float64(n), unit)
	b.ReportMetric(0, "ns/op")
}

const perLife = "ns/life"

func identity(v any) (any, error) { return v, nil }

// start makes the greenlets in batches outside the clock.
func start(b *testing.B) {
	var gs [512]*greenlet.Greenlet
	var w stopwatch
	n := 0
	b.ReportAllocs()
	for ; n < b.N; n += len(gs) {
		for i := range gs {
			gs[i] = greenlet.New(identity)
		}
		w.start()
		for _, g := range gs {
			g.Switch(nil)
		}
		w.stop()
	}
	w.report(b, n, perLife)
	if !gs[0].Dead() {
		b.Fatal("it has not finished")
	}
}

func newAndStart(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		greenlet.New(identity).Switch(nil)
	}
	per(b, b.N, perLife)
}

func pullOne(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		next, _ := iter.Pull(func(yield func(int) bool) {})
		if _, ok := next(); ok {
			b.Fatal("it has not finished")
		}
	}
	per(b, b.N, perLife)
}

func goAndChannel(b *testing.B) {
	b.ReportAllocs()
	for range b.N {
		done := make(chan *box)
		go func() { done <- nil }()
		<-done
	}
	per(b, b.N, perLife)
}

func goAndReused(b *testing.B) {
	b.ReportAllocs()
	done := make(chan *box)
	body := func() { done <- nil }
	b.ResetTimer()
	for range b.N {
		go body()
		<-done
	}
	per(b, b.N, perLife)
}

const waveSize = 10_000

// waves calls one for a wave of waveSize lives until there were b.N. Outside
// the clock it calls between and clears the heap of what was left behind, so
// that no wave pays for the one before.
func waves(b *testing.B, one, between func()) {
	// The first wave of a process finds no memory that goroutines have left, and takes
	// three times as long. Which benchmark has it is chance; so none counts it.
	between()
	one()
	var w stopwatch
	n := 0
	b.ReportAllocs()
	for ; n < b.N; n += waveSize {
		between()
		runtime.GC()
		w.start()
		one()
		w.stop()
	}
	w.report(b, n, perLife)
}

func wave(b *testing.B, cold bool) {
	defer stack.SetLimit(stack.SetLimit(2 * waveSize)) // all are kept
	others := dismiss(-1)
	root := greenlet.Current()
	body := func(v any) (any, error) { return root.Switch(v) }
	gs := make([]*greenlet.Greenlet, waveSize)
	one := func() {
		for i := range gs {
			gs[i] = greenlet.New(body)
			gs[i].Switch(nil)
		}
		for _, g := range gs {
			g.Switch(nil)
		}
	}
	if !cold {
		one()
	}
	waves(b, one, func() {
		if cold {
			dismiss(others)
		}
	})
	if !gs[0].Dead() {
		b.Fatal("it has not finished")
	}
	dismiss(others)
}

// dismiss ends the idle carriers of this tree and those that all trees share,
// and waits until no more carriers are left than others. It returns how many
// there were when it began that are somebody else's.
func dismiss(others int) int {
	greenlet.Close()
	theirs := stack.Stats().Goroutines - stack.Trim()
	for others >= 0 && stack.Stats().Goroutines > others {
		runtime.Gosched()
	}
	return theirs
}

func pullWave(b *testing.B) {
	nexts := make([]func() (int, bool), waveSize)
	seq := func(yield func(int) bool) { yield(1) }
	waves(b, func() {
		for i := range nexts {
			nexts[i], _ = iter.Pull(seq)
			nexts[i]()
		}
		for _, next := range nexts {
			next()
		}
	}, func() {})
}

// goroutineWave makes goroutines that park on a channel. If handed, each has
// run before the next is made, as a greenlet has that was switched to; else they
// run when the scheduler likes. At the end they are released and waited for,
// inside the clock if finish is true.
func goroutineWave(b *testing.B, handed, finish bool) {
	var release chan *box
	var parked, ended sync.WaitGroup
	back := make(chan *box)
	body := func() {
		parked.Done()
		<-release
		ended.Done()
	}
	if handed {
		body = func() {
			back <- nil
			<-release
			ended.Done()
		}
	}
	free := func() {
		if release != nil {
			close(release)
			ended.Wait()
			release = nil
		}
	}
	waves(b, func() {
		release = make(chan *box)
		ended.Add(waveSize)
		if !handed {
			parked.Add(waveSize)
		}
		for range waveSize {
			go body()
			if handed {
				<-back
			}
		}
		parked.Wait()
		if finish {
			free()
		}
	}, free)
	free()
}
