package sched_test

import (
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// What tasks do all the time allocates nothing once the loop is warm.
func TestAllocations(t *testing.T) {
	if sched.RaceOn {
		t.Skip("the race detector allocates")
	}
	for name, step := range map[string]func(l *sched.Loop) func(){
		"Yield": func(l *sched.Loop) func() { return func() { l.Yield() } },
		"Sleep": func(l *sched.Loop) func() { return func() { l.Sleep(time.Microsecond) } },
		"Park and Ready": func(l *sched.Loop) func() {
			var q sched.WaitQueue
			l.Go(func() {
				for !l.Closed() {
					q.Add(l.Current())
					if l.Park() != nil {
						return
					}
				}
			})
			return func() { q.Wake(); l.Yield() }
		},
		"Start": func(l *sched.Loop) func() {
			tasks, i := make([]sched.Task, 200), 0
			nothing := body(func() {})
			return func() { l.Start(&tasks[i], nothing); tasks[i].Join(); i++ }
		},
		"StartNow": func(l *sched.Loop) func() {
			tasks, i := make([]sched.Task, 200), 0
			nothing := body(func() {})
			return func() { l.StartNow(&tasks[i], nothing); i++ }
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t)
			l.Go(func() {
				f := step(l)
				for range 10 {
					f()
				}
				if n := testing.AllocsPerRun(100, f); n != 0 && !(name == "StartNow" && n == 1) {
					t.Errorf("%v allocations", n)
				}
				l.Stop() // some are left
			})
			for range 3 { // somebody to hand over to
				l.Go(func() {
					pause := time.Duration(0)
					if name == "Sleep" {
						pause = time.Microsecond // the clock stands while somebody is ready
					}
					for l.Sleep(pause) == nil {
					}
				})
			}
			run(t, l)
		})
	}
}
