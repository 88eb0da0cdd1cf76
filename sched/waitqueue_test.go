package sched_test

import (
	"testing"

	"github.com/go-greenlet/greenlet/sched"
)

// A task that is killed while it waits leaves its queue: else a Wake that
// somebody else needs would be lost on it.
func TestKilledTaskLeavesWaitQueue(t *testing.T) {
	l := sched.New()
	defer l.Close()
	var q sched.WaitQueue
	woken := 0
	wait := func() {
		q.Add(l.Current())
		if err := l.Park(); err != nil {
			t.Error(err)
		}
		woken++
	}
	first := l.Go(wait)
	l.Go(wait)
	l.Go(func() {
		first.Greenlet().Kill()
		if !q.Wake() {
			t.Error("nobody was there to wake")
		}
	})
	l.Go(func() { // whoever is left behind
		l.Yield()
		l.Yield()
		l.Stop()
	})
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if woken != 1 {
		t.Errorf("%d were woken, want 1", woken)
	}
}
