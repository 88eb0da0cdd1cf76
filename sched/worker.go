package sched

import (
	"slices"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// workers is those of a loop that have no task. The last one in is the first one
// out, so that warm stacks are used first.
//
// A wave of tasks leaves as many workers as it had tasks. They would hold their
// stacks for good, and each cycle of the collector would scan these; so after
// each cycle those end that the loop has not needed since the one before. Their
// goroutines are kept for a while longer, by package stack.
type workers struct {
	free   []*greenlet.Greenlet
	excess int    // how many are to end: the first ones, which are the coldest
	least  int    // the fewest there were besides since the cycle
	gone   int    // at most so many places before the first one are not used any more
	cycle  uint32 // of the collector, the last one that was noticed
}

// thinning is how many workers end in one turn, which takes about 0.1 ms.
const thinning = 256

// put adds g, which still runs: it is switched to again by whoever takes it.
func (w *workers) put(g *greenlet.Greenlet) { w.free = append(w.free, g) }

// take returns one, or nil.
func (w *workers) take() *greenlet.Greenlet {
	last := len(w.free) - 1
	if last < 0 {
		return nil
	}
	g := w.free[last]
	w.free[last] = nil
	w.free = w.free[:last]
	w.least = min(w.least, max(0, last-w.excess))
	return g
}

// due reports whether there is something to decide or to end.
func (w *workers) due() bool { return w.excess > 0 || w.cycle != rt.Cycles.Load() }

// thin ends workers that are not needed. It is the hub's.
func (l *Loop) thin() {
	w := &l.idle
	w.excess = min(w.excess, len(w.free)) // if they were needed after all
	if n := rt.Cycles.Load(); n != w.cycle {
		w.cycle = n
		w.excess += w.least
		w.least = len(w.free) - w.excess
	}
	ended := 0
	defer func() { // also if a trace function panics
		w.excess -= ended
		clear(w.free[:ended])
		w.free = w.free[ended:]
		// Those that are left are moved only once as many have gone.
		if w.gone += ended; w.gone > len(w.free) || len(w.free) < cap(w.free)/4 {
			w.free, w.gone = slices.Clone(w.free), 0
		}
	}()
	for _, g := range w.free[:min(w.excess, thinning)] { // the coldest
		ended++
		g.Switch(nil) // it finds no task
	}
}

// work returns what a worker of l does, a greenlet that runs tasks one after the
// other. It is switched to with the loop's current task as what it is to run. When that
// has ended it goes on with the next that has not begun: then there is nothing
// to switch.
//
// The frames from here to where a task waits lie on the 2 KiB that a goroutine
// begins with, of which 1.1 KB can be used before the stack is doubled. So this
// frame holds little, and the first suspension of a worker, which needs the most
// stack, is done when there is no other.
func work(l *Loop) func(maker any) (any, error) {
	return func(maker any) (any, error) {
		to := maker.(*greenlet.Greenlet)
		var me *greenlet.Greenlet // unless idle: it shall not keep itself
		var t *Task
		defer func() { l.unwound(t) }()
		for {
			if to != nil {
				to.Switch(nil)
				me = l.woken
			}
			if t = l.current; t == nil {
				return nil, nil // there are too many: see thin
			}
			t.g.Store(me)
			if _, has := t.body.(*labelled); has || rt.OwnLabels() != (rt.Labels{}) {
				takeLabels(&t.body)
			}
			t.body.Run()
			if to = l.after(t, me); to != nil {
				me = nil
			}
			t = nil
		}
	}
}

// after ends t, which me has run, and returns the greenlet that goes on: nil if
// that is me again, with another task.
func (l *Loop) after(t *Task, me *greenlet.Greenlet) (to *greenlet.Greenlet) {
	l.end(t)
	if back := t.back; back != nil {
		l.current = back.task
		to = back.g
	} else if l.current = l.next(); l.current == nil {
		to = l.hub
	} else if to = l.current.g.Load(); to == nil {
		return nil
	}
	l.idle.put(me)
	rt.SetOwnLabels(rt.Labels{}) // it does nothing for anybody now
	return to
}

// unwound ends t if its body has not returned: it has panicked, or is being
// killed or ended by runtime.Goexit.
func (l *Loop) unwound(t *Task) {
	if t == nil {
		return
	}
	l.end(t)
	if back := t.back; back != nil && back.task != nil {
		back.task.g.Store(back.g)
		back.task.Ready() // control goes to the hub, not there
	}
}

// worker returns a greenlet that runs the current task when it is switched to.
func (l *Loop) worker() *greenlet.Greenlet {
	g := l.idle.take()
	if g == nil {
		g = greenlet.New(l.workBody, l.below...)
		g.Switch(greenlet.Current())
	}
	l.woken = g
	return g
}
