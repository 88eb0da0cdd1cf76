package sched_test

import (
	"runtime"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/sched"
	"github.com/go-greenlet/greenlet/stack"
)

// cycle has the collector run, and returns when that has been noticed: the
// loop's next turn will, if not the one that has just begun.
func cycle(l *sched.Loop) {
	for n := rt.Cycles.Load(); n == rt.Cycles.Load(); l.Yield() {
		runtime.GC()
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

// What a wave of tasks has left is given up when it is not needed any more, half
// by half, and never more than a turn can bear.
func TestIdleWorkersEnd(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		const n = 2000
		cycle(l)
		crowd(l, n)
		before := greenlet.Stats()
		if got := sched.Idle(l); got != n {
			t.Errorf("%d workers are idle, not %d", got, n)
		}
		cycle(l) // the wave was after the cycle before
		for cycles, was := 0, n; was > 0; cycles++ {
			cycle(l)
			for now, turns := was, 0; now != sched.Idle(l) || turns < 2; turns++ {
				if now-sched.Idle(l) > 256 {
					t.Errorf("%d workers have ended in a turn", now-sched.Idle(l))
				}
				now = sched.Idle(l)
				l.Yield()
			}
			if is := sched.Idle(l); is > was/2 || cycles > 20 {
				t.Fatalf("cycle %d: %d of %d are left", cycles, is, was)
			} else {
				was = is
			}
		}
		if s := greenlet.Stats(); before.Live-s.Live < n {
			t.Errorf("before %+v, after %+v", before, s)
		}
		crowd(l, 100) // and the loop goes on
	})
	run(t, l)
}

// What is needed again and again is kept.
func TestNeededWorkersStay(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		const n, rounds = 100, 20
		crowd(l, n)
		cycle(l)
		for cycles := rt.Cycles.Load(); ; cycles = rt.Cycles.Load() {
			crowd(l, n)
			begun := stack.Stats().Started
			for range rounds {
				crowd(l, n)
				cycle(l)
				l.Yield()
			}
			begun = stack.Stats().Started - begun
			if rt.Cycles.Load()-cycles != rounds {
				continue // some came without a crowd before them
			}
			if begun != 0 || sched.Idle(l) != n {
				t.Errorf("%d workers have begun anew, %d are idle", begun, sched.Idle(l))
			}
			return
		}
	})
	run(t, l)
}
