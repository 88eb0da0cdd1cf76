package asyncio

import (
	"sync"

	"github.com/go-greenlet/greenlet/sched"
)

// runningLoops are the loops that run.
var runningLoops loopRegistry

// A loopRegistry finds the Loop that a loop of package sched is part of, while
// it runs.
type loopRegistry struct{ loops sync.Map }

func (r *loopRegistry) add(l *Loop)    { r.loops.Store(l.s, l) }
func (r *loopRegistry) remove(l *Loop) { r.loops.Delete(l.s) }

func (r *loopRegistry) of(s *sched.Loop) *Loop {
	if l, ok := r.loops.Load(s); ok {
		return l.(*Loop)
	}
	return nil
}

// here returns the loop that runs on the calling goroutine, or nil.
func (r *loopRegistry) here() *Loop { return r.of(sched.Running()) }
