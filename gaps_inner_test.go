package greenlet

import (
	"runtime"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A coroutine may move to another tree while its child ends: after the child has read
// the tree of the one, and before it wakes the other. Nothing can be made to happen
// there, so it has happened here before. The child's letter goes past it.
func TestRouteToWhatMovesMeanwhile(t *testing.T) {
	defer Close()
	var self *Greenlet
	next, stop := Pull(func(yield func(int) bool) {
		self = Current()
		yield(1)
	})
	next()
	h, c := self.hub, self.c
	c.pair.set(runs) // elsewhere
	c.hub = &nowhere
	l := letter{to: self, ends: true}
	if to := h.route(&l); to != self.Parent() {
		t.Errorf("the letter goes to %s", to)
	}
	c.hub = h
	c.pair.set(paused)
	stop()
}

// Two goroutines that push at a time may both find that nothing has started, and one
// of them comes when it has ended.
func TestAsksOneThatHasEnded(t *testing.T) {
	defer Close()
	p := newPuller[int, struct{}](func(func(int) bool) {})
	if p.asks() || !p.state().finished || p.asks() {
		t.Error("it asks for a value")
	}
}

// An abandoned sequence of a bubble is left alone: it could only be ended in there.
func TestPullAbandonedInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer Close()
		ended := false
		p := startAndLose(&ended)
		for seen := rt.Cycles.Load(); rt.Cycles.Load() < seen+10; {
			runtime.GC()
			runtime.Gosched()
		}
		if ended || p.finished {
			t.Error("it was ended")
		}
		g := p.handle()
		if err := g.Kill(); err != nil || !ended {
			t.Errorf("Kill: %v, ended %v", err, ended)
		}
	})
}

//go:noinline
func startAndLose(ended *bool) *pair {
	p := newPuller[int, struct{}](func(yield func(int) bool) {
		defer func() { *ended = true }()
		yield(1)
	})
	call(&p.face)
	return p.p
}

// Of several who close a tree, each in a deferred call of what the one before kills, the
// outer may be done before the inner: it takes out its own closing and no other, and
// the inner goes on to be told of changes.
func TestClosingsEndInAnyOrder(t *testing.T) {
	for i := range 3 {
		h, me := new(hub), new(carrier)
		all := []*closing{h.survey(me), h.survey(me), h.survey(me)}
		h.surveyed(all[i])
		if left := slices.Delete(slices.Clone(all), i, i+1); !slices.Equal(h.closings, left) {
			t.Errorf("%d of 3 has ended, and others are under way than before", i)
		}
		h.changes(&Greenlet{}, true)
		for j, k := range all {
			if told := len(k.changed) == 1; told != (j != i) {
				t.Errorf("%d of 3 has ended, and %d is told of changes: %v", i, j, told)
			}
		}
	}
}
