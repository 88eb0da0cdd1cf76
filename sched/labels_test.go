package sched_test

import (
	"context"
	"runtime/pprof"
	"testing"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/sched"
)

// A task has the labels of who has made it, whenever it begins and on whatever
// worker, and nobody gets those that it sets.
func TestLabels(t *testing.T) {
	if !rt.Fast {
		t.Skip("the layout of a goroutine is not known")
	}
	none := rt.Labels{}
	ctx := pprof.WithLabels(context.Background(), pprof.Labels("user", "alice"))
	l := newLoop(t)
	want := func(what string, labels rt.Labels) {
		t.Helper()
		if got := rt.OwnLabels(); got != labels {
			t.Errorf("%s: it has the labels %v, want %v", what, got, labels)
		}
	}
	setter := func() {
		pprof.SetGoroutineLabels(ctx)
		l.Yield()
		if rt.OwnLabels() == none {
			t.Error("a task has lost its labels in a wait")
		}
	}
	l.Go(func() {
		want("the first", none)
		l.Go(setter).Join()
		l.Go(func() { want("after one that has set some", none) }).Join()
		l.StartNow(new(sched.Task), body(func() { want("started at once", none) }))
		l.StartNow(new(sched.Task), body(setter))
		want("who has started one", none)
		pprof.Do(context.Background(), pprof.Labels("request", "1"), func(context.Context) {
			mine := rt.OwnLabels()
			if mine == none {
				t.Fatal("pprof.Do sets none")
			}
			var later sched.Task
			l.Prepare(&later, body(func() { want("prepared", mine) }))
			if _, ok := later.Body().(body); !ok {
				t.Errorf("Body returns a %T", later.Body())
			}
			l.StartNow(new(sched.Task), body(func() { want("child at once", mine) }))
			l.Go(func() {
				want("child", mine)
				l.Go(func() { want("grandchild", mine) })
				pprof.SetGoroutineLabels(ctx)
			}).Join()
			l.Yield()
			want("after its children", mine)
			l.Soon(func() { want("a callback", none); later.Ready() })
		})
		l.Go(func() { want("outside again", none) }).Join()
	})
	run(t, l)
	l.Go(func() { want("in another run", none) })
	run(t, l)
	want("who runs the loop", none)
}
