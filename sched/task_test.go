package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

func TestParkAndReady(t *testing.T) {
	l := newLoop(t)
	var log []string
	sleeper := l.Go(func() {
		log = append(log, "parks")
		fails(t, l.Park(), nil)
		log = append(log, "woken")
	})
	l.Go(func() {
		if sleeper.Queued() || sleeper.Greenlet() == nil {
			t.Error("a parked task is ready, or nowhere")
		}
		if len(sleeper.Stack()) == 0 || len(l.Current().Stack()) != 0 {
			t.Error("a stack is that of a task which waits, and no other's")
		}
		sleeper.Ready()
		sleeper.Ready() // is once
		if !sleeper.Queued() {
			t.Error("a task that was made ready is not")
		}
		l.Yield()
		if !sleeper.Ended() || sleeper.Greenlet() != nil || sleeper.Queued() {
			t.Error("the task has not ended")
		}
		sleeper.Ready() // does nothing
		log = append(log, "waker")
	})
	run(t, l)
	same(t, log, "parks", "woken", "waker")
}

// A task that is ready when it parks goes on in the next turn; one that is ready
// when it ends has ended.
func TestReadyOneself(t *testing.T) {
	l := newLoop(t)
	runs := 0
	for range 2 { // by a task, and by the hub
		l.Go(func() {
			runs++
			l.Current().Ready()
			turn := l.Turns()
			l.Park()
			if l.Turns() != turn+1 {
				t.Errorf("parked for %d turns", l.Turns()-turn)
			}
			l.Current().Ready()
		})
		l.Soon(func() {})
	}
	run(t, l)
	if runs != 2 {
		t.Errorf("two tasks have run %d times", runs)
	}
}

func TestYieldAlone(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		for i := range uint64(5) {
			if l.Turns() != 1+i {
				t.Errorf("turn %d, want %d", l.Turns(), 1+i)
			}
			l.Yield()
		}
	})
	run(t, l)
}

// Ready does not end a sleep.
func TestSleepIsNotCutShort(t *testing.T) {
	l := newLoop(t)
	sleeper := l.Go(func() {
		fails(t, l.Sleep(10), nil)
		if l.Now() != 10 {
			t.Errorf("slept until %d", l.Now())
		}
		fails(t, l.Sleep(-1), nil) // a yield
	})
	l.Go(func() {
		for range 5 {
			sleeper.Ready()
			l.Sleep(1)
		}
	})
	run(t, l)
}

func TestSleepOrder(t *testing.T) {
	l := newLoop(t)
	var log []string
	for i, d := range []time.Duration{3, 1, 2, 1, 3, 2} {
		l.Go(func() {
			l.Sleep(d * time.Hour)
			log = append(log, fmt.Sprint(i))
		})
	}
	run(t, l)
	same(t, log, "1", "3", "2", "5", "0", "4")
	if l.Now() != 3*time.Hour {
		t.Errorf("it is %v", l.Now())
	}
}

// An alarm that has come, was cleared or was set again in the turn in which it
// came.
func TestAlarms(t *testing.T) {
	for _, c := range []struct {
		name  string
		do    func(x *sched.Task) // in the turn in which the alarm of 5 comes, before it
		wakes time.Duration       // 0: it does not
	}{
		{"comes", func(*sched.Task) {}, 5},
		{"cleared", func(x *sched.Task) { x.ClearAlarm() }, 0},
		{"cleared twice", func(x *sched.Task) { x.ClearAlarm(); x.ClearAlarm() }, 0},
		{"set again", func(x *sched.Task) { x.SetAlarm(3) }, 8},
		{"set again for now", func(x *sched.Task) { x.SetAlarm(0) }, 5},
		{"cleared and set again", func(x *sched.Task) { x.ClearAlarm(); x.SetAlarm(1) }, 6},
		{"set again and cleared", func(x *sched.Task) { x.SetAlarm(1); x.ClearAlarm() }, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := newLoop(t)
			woken := time.Duration(0)
			x := l.Go(func() {
				me := l.Current()
				me.SetAlarm(7)
				me.SetAlarm(5) // takes its place
				if !me.Alarmed() {
					t.Error("the alarm is not set")
				}
				l.Park()
				if me.Alarmed() {
					t.Error("the alarm has come and is set")
				}
				woken = l.Now()
			})
			l.Go(func() {
				l.At(5, func() { c.do(x) }) // made later than the alarm, so see below
				l.Sleep(100)
				if c.wakes == 0 {
					x.Ready()
					woken = 0
				}
			})
			l.Soon(func() { // the alarm becomes younger than the timer
				l.Soon(func() { x.SetAlarm(5) })
			})
			run(t, l)
			if c.wakes == 0 {
				c.wakes = 100
			}
			if woken != c.wakes {
				t.Errorf("woken at %d, want %d", woken, c.wakes)
			}
		})
	}
}

// A task that has ended leaves no alarm.
func TestEndClearsTheAlarm(t *testing.T) {
	l := newLoop(t)
	l.Go(func() { l.Current().SetAlarm(time.Hour) })
	run(t, l)
	if _, timers := l.Pending(); timers != 0 {
		t.Errorf("%d timers are left", timers)
	}
}

func TestJoin(t *testing.T) {
	l := newLoop(t)
	var log []string
	x := l.Go(func() {
		fails(t, l.Current().Join(), sched.ErrJoin)
		l.Sleep(1)
		log = append(log, "x")
	})
	for _, name := range []string{"a", "b"} {
		l.Go(func() {
			fails(t, x.Join(), nil)
			log = append(log, name)
			turn := l.Turns()
			fails(t, x.Join(), nil) // at once
			if l.Turns() != turn {
				t.Error("it waits for a task that has ended")
			}
		})
	}
	early := l.Go(func() { fails(t, x.Join(), nil) })
	l.Go(func() { early.Ready() }) // does not end it
	l.Soon(func() { fails(t, x.Join(), sched.ErrNotRunning) })
	run(t, l)
	same(t, log, "x", "a", "b")
	fails(t, x.Join(), nil)
}

func TestWaitQueue(t *testing.T) {
	l := newLoop(t)
	var q, other sched.WaitQueue
	var log []int
	var tasks []*sched.Task
	for i := range 5 {
		tasks = append(tasks, l.Go(func() {
			q.Add(l.Current())
			l.Park()
			log = append(log, i)
		}))
	}
	l.Go(func() {
		if q.First() != tasks[0] || q.After(tasks[0]) != tasks[1] || q.After(tasks[4]) != nil {
			t.Error("the queue is out of order")
		}
		if other.Remove(tasks[1]) || !q.Remove(tasks[1]) || q.Remove(tasks[1]) {
			t.Error("Remove is wrong about who is in")
		}
		if !q.Remove(tasks[4]) || !q.Remove(tasks[0]) {
			t.Error("the last and the first cannot leave")
		}
		q.Add(tasks[0])
		if p := panicOf(func() { other.Add(tasks[0]) }); p == nil {
			t.Error("a task is in two queues")
		}
		for q.Wake() {
		}
		if q.First() != nil || q.Wake() {
			t.Error("the queue is not empty")
		}
		tasks[1].Ready()
		tasks[4].Ready()
	})
	run(t, l)
	same(t, log, 2, 3, 0, 1, 4)
}

func TestStartNow(t *testing.T) {
	l := newLoop(t)
	var log []string
	first := func(name string) body {
		return func() {
			log = append(log, name)
			l.Yield()
			log = append(log, name+" goes on")
		}
	}
	fails(t, l.StartNow(new(sched.Task), first("none")), sched.ErrNotRunning)
	var never sched.Task
	l.Soon(func() {
		fails(t, l.StartNow(new(sched.Task), first("of a callback")), nil)
		if l.Current() != nil {
			t.Error("a callback has become a task")
		}
	})
	l.Go(func() {
		me := l.Current()
		fails(t, l.StartNow(new(sched.Task), body(func() {
			fails(t, l.StartNow(new(sched.Task), first("grandchild")), nil)
			first("child").Run()
		})), nil)
		log = append(log, "task")
		fails(t, l.StartNow(&never, body(func() { log = append(log, "ends at once") })), nil)
		if l.Current() != me || !never.Ended() {
			t.Error("StartNow returns to another task")
		}
	})
	run(t, l)
	same(t, log, "of a callback", "grandchild", "child", "task", "ends at once",
		"of a callback goes on", "grandchild goes on", "child goes on")
	if panicOf(func() { l.Start(&never, first("twice")) }) == nil {
		t.Error("a task was started twice")
	}
}

// A task waits wherever its calls have taken it: in greenlets that it has made
// the wait suspends that greenlet, and the task goes on there.
func TestNestedGreenlets(t *testing.T) {
	l := newLoop(t)
	var log []string
	for _, name := range []string{"a", "b"} {
		l.Go(func() {
			me, worker := l.Current(), greenlet.Current()
			inner := greenlet.New(func(v any) (any, error) {
				for i := range 3 {
					log = append(log, fmt.Sprint(name, i))
					fails(t, l.Sleep(1), nil)
					if l.Current() != me || me.Greenlet() != greenlet.Current() {
						t.Error("another task goes on in the greenlet")
					}
				}
				worker.Switch("half")
				l.Yield()
				return "whole", nil
			})
			for _, want := range []string{"half", "whole"} {
				if got, err := inner.Switch(nil); got != want || err != nil {
					t.Errorf("got %v, %v, want %s", got, err, want)
				}
				l.Yield()
				if l.Current() != me || me.Greenlet() != worker {
					t.Error("the task does not go on in its own greenlet")
				}
			}
		})
	}
	run(t, l)
	same(t, log, "a0", "b0", "a1", "b1", "a2", "b2")
}

func TestTasks(t *testing.T) {
	l := newLoop(t)
	var names []*sched.Task
	a := l.Go(func() { l.Sleep(1) })
	b := l.Go(func() {})
	c := l.Go(func() {
		for x := range l.Tasks() {
			names = append(names, x)
			l.Sleep(5) // a ends meanwhile
			if len(names) == 2 {
				break
			}
		}
	})
	if got := slices.Collect(l.Tasks()); !slices.Equal(got, []*sched.Task{a, b, c}) {
		t.Errorf("got %v", got)
	}
	run(t, l)
	if !slices.Equal(names, []*sched.Task{a, c}) {
		t.Errorf("got %v", names)
	}
	if a.Loop() != l || a.Body() == nil {
		t.Error("a task does not know its loop or body")
	}
}

// Workers are used again; many tasks one after the other need just one.
func TestWorkersAreUsedAgain(t *testing.T) {
	l := newLoop(t)
	seen := make(map[*greenlet.Greenlet]bool)
	l.Go(func() {
		for range 100 {
			l.Go(func() { seen[greenlet.Current()] = true }).Join()
			l.Go(func() { l.Yield(); seen[greenlet.Current()] = true }).Join()
		}
	})
	run(t, l)
	if len(seen) > 2 {
		t.Errorf("%d workers for one task at a time", len(seen))
	}
}

// TestSwitchToTheLoop: a task that switches to the loop's greenlet itself, not by
// Park, lets the others run, and goes on when it is made ready.
func TestSwitchToTheLoop(t *testing.T) {
	l := newLoop(t)
	var log []string
	first := l.Go(func() {
		log = append(log, "leaves")
		greenlet.Current().Parent().Switch(nil)
		log = append(log, "is back")
	})
	l.Go(func() {
		log = append(log, "another")
		first.Ready()
	})
	run(t, l)
	if want := []string{"leaves", "another", "is back"}; !slices.Equal(log, want) {
		t.Errorf("the log is %v, want %v", log, want)
	}
}
