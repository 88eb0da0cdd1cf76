package asyncio

import (
	"runtime"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/known"
	"github.com/go-greenlet/greenlet/sched"
	"github.com/go-greenlet/greenlet/stack"
)

// A loop stands still if all its tasks wait and nothing will wake them: a deadlock,
// in Python a program that hangs without a word. The loop knows that it has no
// timer, watches no descriptor and nothing is held; but other goroutines may call
// it, and of those it knows only how many there are. So it is sure, and tells the
// exception handler, if there are none but its own, greenlets, and those that
// wait for a signal to interrupt the run. Where there are others it says nothing.
//
// It is no error of a task: nothing is cancelled, and the loop waits on, as an
// interrupt can still come.
type standstill struct {
	since time.Duration // when it was first seen, on the loop's clock
	turn  uint64        // and in which turn of the loop, which was the last if it is one
	wait  time.Duration // how long until the next look
	told  string        // what was said last, which is not said again
}

const (
	stillPatience    = 100 * time.Millisecond // until it is looked who else is there
	stillPatienceMax = 10 * time.Second       // after that Go's own detector can strike
)

// knownGoroutine counts the calling goroutine among those that wake no loop by
// themselves, until the function that it returns is called.
func knownGoroutine() (end func()) { return known.Goroutine() }

// signalsUsed is set when package os/signal has a goroutine.
var signalsUsed = &known.Signals

// nobodyElse reports whether there are no goroutines but those that cannot wake the
// caller's loop.
func nobodyElse() bool {
	harmless := 1 + stack.Stats().Goroutines + int(known.Goroutines.Load())
	if signalsUsed.Load() {
		harmless++
	}
	return runtime.NumGoroutine() <= harmless
}

var stillPart = newPart[standstill](endStacks, nil, nil)

func init() { whenIdle = append(whenIdle, (*Loop).standsStill) }

// standsStill looks whether the loop can be woken at all, and returns when to look
// again.
func (l *Loop) standsStill(still bool) (again time.Duration) {
	s := stillPart.in(l.parts)
	if !still {
		s.wait = 0
		return sched.Never
	}
	turn := l.s.Turns()
	l.noteStill()
	switch {
	case l.virtual:
		s.wait = stillPatienceMax // its clock would go forward
	case s.wait == 0 || turn != s.turn:
		s.since, s.wait = l.Time(), stillPatience
		s.turn = turn + 1 // that in which the time has come
		return s.since + s.wait
	case l.Time() < s.since+s.wait:
		return s.since + s.wait
	}
	// In this order: who is gone may have called the loop before.
	if nobodyElse() && l.s.Still() && !l.expectsSomething() {
		s.tell(l)
		return sched.Never
	}
	if s.wait >= stillPatienceMax {
		return sched.Never
	}
	s.wait *= 2
	s.turn = turn + 1
	return s.since + s.wait
}

// noteStill notes since when the loop stands still, for those who look at it.
func (l *Loop) noteStill() {
	steps, seen := l.s.Counts().Steps, l.seen()
	seen.expects.Store(l.expectsOutside())
	if seen.stillFrom.Load() == 0 || seen.stillSteps.Load() != steps {
		seen.stillSteps.Store(steps)
		seen.stillFrom.Store(int64(time.Since(started)))
	}
}

// expectsSomething reports whether something may come that is no goroutine yet: a
// signal that has a handler, or the deadline of a context.
func (l *Loop) expectsSomething() bool {
	if l.expected > 0 || l.runDeadline {
		return true
	}
	waits := false
	for st := range l.s.Tasks() {
		waits = true
		if w := taskIn(st).watcher; w != nil && w.armed {
			if _, limited := w.ctx.Deadline(); limited {
				return true
			}
		}
	}
	return !waits // for what RunForever is there for
}

func (s *standstill) tell(l *Loop) {
	var tasks, all strings.Builder
	look := l.lookHere()
	newTextTree(look, &tasks).all()
	if tasks.String() == s.told {
		return
	}
	s.told = tasks.String()
	look.write(&all)
	l.CallExceptionHandler(ExceptionContext{
		Message: "Deadlock: all tasks wait, and nothing can wake them",
		Tasks:   all.String(),
	})
}
