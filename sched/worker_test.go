package sched_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/sched"
)

// cycle has the collector run, and returns when the loop has drawn its
// conclusions, of which there are never more than a turn can bear.
func cycle(t *testing.T, l *sched.Loop) {
	was := sched.Idle(l)
	turn := func() {
		l.Yield()
		if now := sched.Idle(l); was-now > 256 {
			t.Errorf("%d workers have ended in a turn", was-now)
		} else {
			was = now
		}
	}
	for n := rt.Cycles.Load(); n == rt.Cycles.Load(); turn() {
		runtime.GC()
	}
	for range 2 + was/256 {
		turn()
	}
}

// crowd has n tasks wait at once, and returns when they have ended.
func crowd(l *sched.Loop, n int) {
	tasks := make([]*sched.Task, n)
	for i := range tasks {
		tasks[i] = l.Go(func() { l.Sleep(time.Millisecond) })
	}
	for _, t := range tasks {
		t.Join()
	}
}

// What a wave of tasks has left is given up when it is not needed any more.
func TestIdleWorkersEnd(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		const n = 2000
		crowd(l, n)
		before := greenlet.Stats()
		if got := sched.Idle(l); got != n {
			t.Errorf("%d workers are idle, not %d", got, n)
		}
		cycle(t, l) // since the one before they were needed
		cycle(t, l)
		if idle := sched.Idle(l); idle > 0 {
			t.Errorf("%d of %d are left", idle, n)
		}
		if s := greenlet.Stats(); before.Live-s.Live < n {
			t.Errorf("before %+v, after %+v", before, s)
		}
		crowd(l, 100) // and the loop goes on
	})
	run(t, l)
}

// Those that are to end, and are needed before their turn comes, go on.
func TestEndingWorkersAreNeeded(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		const n = 2000
		crowd(l, n)
		cycle(t, l)
		for sched.Idle(l) == n {
			runtime.GC()
			l.Yield()
		}
		for range 10 { // while it is decided that more than these end
			crowd(l, n-20)
		}
		if idle := sched.Idle(l); idle < n-20 {
			t.Errorf("%d workers are idle", idle)
		}
	})
	run(t, l)
}

// What is needed again and again is kept.
func TestNeededWorkersStay(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		const n, rounds = 100, 20
		crowd(l, n)
		cycle(t, l)
		for cycles := rt.Cycles.Load(); ; cycles = rt.Cycles.Load() {
			crowd(l, n)
			fewest := n
			for range rounds {
				crowd(l, n)
				cycle(t, l)
				fewest = min(fewest, sched.Idle(l))
			}
			if rt.Cycles.Load()-cycles != rounds {
				continue // some came without a crowd before them
			}
			if fewest != n {
				t.Errorf("%d of %d workers were left", fewest, n)
			}
			return
		}
	})
	run(t, l)
}

// A trace function that panics while workers end leaves none that has ended among
// the idle ones, and forgets none of the others.
func TestTracePanicsWhileWorkersEnd(t *testing.T) {
	l := newLoop(t)
	const n = 200 // all end in one turn
	armed, ran := false, 0
	defer greenlet.SetTrace(greenlet.SetTrace(func(e greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		if armed && from.Dead() { // a worker has ended
			armed = false
			panic("trace")
		}
	}))
	l.Go(func() {
		crowd(l, n)
		cycle(t, l)
		armed = true
		for armed {
			runtime.GC()
			l.Yield()
		}
	})
	if got := panicOf(func() { l.Run() }); got != "trace" || sched.Idle(l) != n-1 {
		t.Errorf("panic %v, %d workers are left of %d", got, sched.Idle(l), n)
	}
	run(t, l)
	for range 2 * n {
		l.Go(func() { l.Sleep(time.Millisecond); ran++ })
	}
	run(t, l)
	if ran != 2*n || armed {
		t.Errorf("%d of %d tasks have run; armed %v", ran, 2*n, armed)
	}
}
