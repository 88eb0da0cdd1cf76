package asyncio

import (
	"cmp"
	"iter"
	"slices"
	"sync"

	"github.com/go-greenlet/greenlet/sched"
)

// runningLoops are the loops that run.
var runningLoops loopRegistry

// A loopRegistry finds the Loop that a loop of package sched is part of, while
// it runs.
type loopRegistry struct {
	loops sync.Map

	mu    sync.Mutex
	first *Loop // of all of them, for those who look from outside
}

func (r *loopRegistry) add(l *Loop) {
	r.loops.Store(l.s, l)
	r.mu.Lock()
	defer r.mu.Unlock()
	l.prevRunning, l.nextRunning = nil, r.first
	if r.first != nil {
		r.first.prevRunning = l
	}
	r.first = l
}

func (r *loopRegistry) remove(l *Loop) {
	r.loops.Delete(l.s)
	r.mu.Lock()
	defer r.mu.Unlock()
	if l.nextRunning != nil {
		l.nextRunning.prevRunning = l.prevRunning
	}
	if l.prevRunning != nil {
		l.prevRunning.nextRunning = l.nextRunning
	} else {
		r.first = l.nextRunning
	}
}

func (r *loopRegistry) of(s *sched.Loop) *Loop {
	if l, ok := r.loops.Load(s); ok {
		return l.(*Loop)
	}
	return nil
}

// here returns the loop that runs on the calling goroutine, or nil.
func (r *loopRegistry) here() *Loop { return r.of(sched.Running()) }

// all returns the loops in the order in which they were made.
func (r *loopRegistry) all() iter.Seq[*Loop] {
	return func(yield func(*Loop) bool) {
		var all []*Loop
		for _, l := range r.loops.Range {
			all = append(all, l.(*Loop))
		}
		slices.SortFunc(all, func(a, b *Loop) int { return cmp.Compare(a.id, b.id) })
		for _, l := range all {
			if !yield(l) {
				return
			}
		}
	}
}
