package sched_test

import (
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

var errBoom = errors.New("boom")

func TestStop(t *testing.T) {
	l := newLoop(t)
	var log []string
	l.Soon(func() {
		l.Stop()
		l.Soon(func() { log = append(log, "next turn") })
		log = append(log, "stops")
	})
	l.Go(func() {
		log = append(log, "same turn")
		l.Yield()
		log = append(log, "task")
	})
	fails(t, l.RunForever(), nil)
	same(t, log, "stops", "same turn")
	l.Stop() // before a run: one turn
	fails(t, l.RunForever(), nil)
	same(t, log, "stops", "same turn", "next turn", "task")
	// A task stops it, and goes on in the next run.
	l.Go(func() {
		l.Stop()
		l.Yield()
		log = append(log, "end")
		l.Stop()
	})
	fails(t, l.RunForever(), nil)
	if log[len(log)-1] == "end" || l.Running() {
		t.Error("Stop in a task does not stop")
	}
	fails(t, l.RunForever(), nil)
	if log[len(log)-1] != "end" {
		t.Error("the task was lost")
	}
	// A Stop is for one run.
	l.Go(func() { l.Stop() })
	run(t, l)
	l.Go(func() { l.Yield(); l.Yield(); log = append(log, "whole") })
	run(t, l)
	if log[len(log)-1] != "whole" {
		t.Error("a run was stopped by the Stop of the one before")
	}
	l.Soon(func() { l.Abort(errBoom); panic(1) })
	if panicOf(func() { l.Run() }) != 1 {
		t.Error("no panic")
	}
	l.Go(func() { l.Yield(); l.Yield(); log = append(log, "whole again") })
	run(t, l)
	if log[len(log)-1] != "whole again" {
		t.Error("a run was stopped by the Stop of one that has panicked")
	}
}

func TestAbort(t *testing.T) {
	l := newLoop(t)
	var log []string
	l.Go(func() {
		l.Abort(errBoom)
		log = append(log, "goes on")
		l.Yield()
		log = append(log, "later")
	})
	l.Soon(func() { log = append(log, "rest of the turn") })
	fails(t, l.Run(), errBoom)
	same(t, log, "goes on")
	run(t, l)
	same(t, log, "goes on", "rest of the turn", "later")
	l.Soon(func() { l.Abort(errBoom) })
	l.Soon(func() { log = append(log, "after the callback") })
	fails(t, l.RunForever(), errBoom)
	if len(log) != 3 {
		t.Errorf("got %v", log)
	}
	run(t, l)
	if len(log) != 4 {
		t.Errorf("got %v", log)
	}
}

func TestRunRefuses(t *testing.T) {
	l, other := newLoop(t), newLoop(t)
	if sched.Running() != nil || l.Running() || l.Closed() {
		t.Error("a loop runs, or is closed, at the start")
	}
	l.Go(func() {
		fails(t, l.Run(), sched.ErrRunning)
		fails(t, l.RunForever(), sched.ErrRunning)
		fails(t, other.Run(), sched.ErrRunning)
		fails(t, l.Close(), sched.ErrRunning)
		if sched.Running() != l || !l.Running() || !l.Owned() {
			t.Error("the loop does not know that it runs")
		}
		onGoroutine(func() {
			if sched.Running() != nil || l.Owned() {
				t.Error("the loop runs on two goroutines")
			}
			fails(t, other.Run(), nil) // another goroutine may
		})
	})
	l.Soon(func() {
		fails(t, l.Park(), sched.ErrNotRunning)
		fails(t, l.Yield(), sched.ErrNotRunning)
		fails(t, l.Sleep(1), sched.ErrNotRunning)
	})
	run(t, l)
	fails(t, l.Park(), sched.ErrNotRunning)
	if sched.Running() != nil {
		t.Error("a loop runs at the end")
	}
}

// A loop with tasks stays on the goroutine where they wait; one without may
// move.
func TestForeignGoroutine(t *testing.T) {
	defer greenlet.Close() // ends the workers that the loop leaves here
	l := sched.New(sched.WithClock(&jumpClock{}))
	x := l.Go(func() { l.Park() })
	l.Go(func() { l.Stop() })
	run(t, l)
	onGoroutine(func() {
		fails(t, l.Run(), sched.ErrForeign)
		fails(t, l.Close(), sched.ErrForeign)
	})
	x.Ready()
	run(t, l)
	onGoroutine(func() {
		l.Go(func() { l.Yield() })
		run(t, l)
		fails(t, l.Close(), nil)
	})
	fails(t, l.Close(), nil)
}

// A task that hands its loop to another goroutine is refused there.
func TestForeignPark(t *testing.T) {
	l := newLoop(t)
	l.Go(func() {
		onGoroutine(func() {
			fails(t, l.Park(), sched.ErrForeign)
			fails(t, l.Yield(), sched.ErrForeign)
			fails(t, l.Sleep(1), sched.ErrForeign)
		})
		fails(t, l.Sleep(1), nil)
	})
	run(t, l)
}

func TestClosed(t *testing.T) {
	l := sched.New()
	fails(t, l.Close(), nil)
	fails(t, l.Close(), nil)
	fails(t, l.Run(), sched.ErrClosed)
	fails(t, l.RunForever(), sched.ErrClosed)
	fails(t, l.Park(), sched.ErrClosed)
	_, err := l.Post(func() {})
	fails(t, err, sched.ErrClosed)
	for name, f := range map[string]func(){
		"Soon":      func() { l.Soon(func() {}) },
		"After":     func() { l.After(1, func() {}) },
		"WhenQuiet": func() { l.WhenQuiet(func() {}) },
		"Go":        func() { l.Go(func() {}) },
	} {
		if p := panicOf(f); p != sched.ErrClosed {
			t.Errorf("%s: panic %v", name, p)
		}
	}
	if !l.Closed() {
		t.Error("not closed")
	}
	l.Stop() // does nothing
}

// Close kills the tasks, the youngest first. Their deferred calls run and cannot
// wait.
func TestCloseKills(t *testing.T) {
	l := sched.New(sched.WithClock(&jumpClock{}))
	var log []string
	var q sched.WaitQueue
	waits := map[string]func() error{
		"park":  l.Park,
		"sleep": func() error { return l.Sleep(time.Hour) },
		"queue": func() error { q.Add(l.Current()); defer q.Remove(l.Current()); return l.Park() },
	}
	for _, name := range []string{"park", "sleep", "queue"} {
		l.Go(func() {
			defer func() { log = append(log, name) }()
			defer func() {
				fails(t, waits[name](), sched.ErrClosed)
				fails(t, l.Yield(), sched.ErrClosed)
				recover()
			}()
			waits[name]()
			t.Error("a wait has returned in a killed task")
		})
	}
	first := l.Go(func() {
		defer func() { log = append(log, "join") }()
		l.Current()
		l.Park()
	})
	l.Go(func() {
		defer func() { fails(t, first.Join(), sched.ErrClosed); log = append(log, "joiner") }()
		first.Join()
	})
	l.Go(func() { l.Yield(); l.Stop() })
	run(t, l)
	l.Go(func() { t.Error("a task has begun in Close") })
	l.Soon(func() { t.Error("a callback was called in Close") })
	fails(t, l.Close(), nil)
	same(t, log, "joiner", "join", "queue", "sleep", "park")
	if ready, timers := l.Pending(); ready != 0 || timers != 0 {
		t.Errorf("%d and %d are left", ready, timers)
	}
}

// A task that waits in a greenlet of its own is killed as a whole.
func TestCloseKillsNested(t *testing.T) {
	l := sched.New(sched.WithClock(&jumpClock{}))
	var log []string
	l.Go(func() {
		defer func() { log = append(log, "task") }()
		greenlet.New(func(any) (any, error) {
			defer func() { log = append(log, "inner") }()
			return greenlet.New(func(any) (any, error) {
				defer func() { log = append(log, "innermost") }()
				return nil, l.Park()
			}).Switch(nil)
		}).Switch(nil)
		t.Error("the task goes on")
	})
	l.Go(func() { l.Stop() })
	run(t, l)
	fails(t, l.Close(), nil)
	same(t, log, "innermost", "inner", "task")
}

// Deferred calls that panic do not keep Close from its work.
func TestCloseAndPanics(t *testing.T) {
	p := &fakePoller{}
	l := sched.New(sched.WithClock(&jumpClock{}), sched.WithPoller(p))
	ended := 0
	for range 4 {
		l.Go(func() {
			defer func() { ended++; panic(errBoom) }()
			l.Park()
		})
	}
	l.Go(func() { l.Stop() })
	run(t, l)
	var pe *greenlet.PanicError
	if err, _ := panicOf(func() { l.Close() }).(error); !errors.As(err, &pe) {
		t.Errorf("Close panics with %v", err)
	}
	if ended != 4 || p.closed != 1 || !l.Closed() {
		t.Errorf("%d of 4 tasks were ended, the poller closed %d times", ended, p.closed)
	}
	fails(t, l.Close(), nil)
}

// A panic goes on in Run, and the loop can be run again.
func TestPanics(t *testing.T) {
	for name, spoil := range map[string]func(l *sched.Loop){
		"a task":     func(l *sched.Loop) { l.Go(func() { panic(errBoom) }) },
		"later":      func(l *sched.Loop) { l.Go(func() { l.Yield(); panic(errBoom) }) },
		"a callback": func(l *sched.Loop) { l.Soon(func() { panic(errBoom) }) },
		"a timer":    func(l *sched.Loop) { l.Go(func() { l.After(1, func() { panic(errBoom) }); l.Sleep(2) }) },
		"nested": func(l *sched.Loop) {
			l.Go(func() {
				greenlet.New(func(any) (any, error) { l.Yield(); panic(errBoom) }).Switch(nil)
			})
		},
		"eager": func(l *sched.Loop) {
			l.Go(func() {
				l.StartNow(new(sched.Task), body(func() { panic(errBoom) }))
				l.Yield()
			})
		},
		"eager, of a callback": func(l *sched.Loop) {
			l.Soon(func() { l.StartNow(new(sched.Task), body(func() { panic(errBoom) })) })
		},
		"eager, in a nested greenlet": func(l *sched.Loop) {
			l.Go(func() {
				greenlet.New(func(any) (any, error) {
					return nil, l.StartNow(new(sched.Task), body(func() { panic(errBoom) }))
				}).Switch(nil)
			})
		},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLoop(t)
			ended := 0
			for range 3 {
				l.Go(func() { l.Yield(); l.Sleep(5); ended++ })
			}
			spoil(l)
			p := panicOf(func() { l.Run() })
			if err, _ := p.(error); !errors.Is(err, errBoom) {
				t.Errorf("Run panics with %v", p)
			}
			if l.Running() || sched.Running() != nil {
				t.Error("the loop runs on")
			}
			run(t, l)
			if ended != 3 {
				t.Errorf("%d of 3 other tasks have ended", ended)
			}
		})
	}
}

// Goexit, which t.FailNow calls, ends the goroutine that runs the loop; its
// deferred calls can close it.
func TestGoexit(t *testing.T) {
	for name, spoil := range map[string]func(l *sched.Loop){
		"a task":     func(l *sched.Loop) { l.Go(func() { l.Yield(); runtime.Goexit() }) },
		"a callback": func(l *sched.Loop) { l.Soon(runtime.Goexit) },
	} {
		t.Run(name, func(t *testing.T) {
			var log []string
			onGoroutine(func() {
				l := sched.New(sched.WithClock(&jumpClock{}))
				defer func() {
					fails(t, l.Close(), nil)
					log = append(log, "closed")
				}()
				l.Go(func() {
					defer func() { log = append(log, "killed") }()
					l.Sleep(1)
				})
				spoil(l)
				l.Run()
				log = append(log, "Run has returned")
			})
			same(t, log, "killed", "closed")
		})
	}
}

// A task may kill itself: that ends it alone.
func TestTaskKillsItself(t *testing.T) {
	l := newLoop(t)
	var log []string
	x := l.Go(func() {
		defer func() { log = append(log, "killed") }()
		l.Yield()
		greenlet.Current().Kill()
	})
	l.Go(func() {
		x.Join()
		log = append(log, "joined")
	})
	run(t, l)
	same(t, log, "killed", "joined")
}

// The hub may be another greenlet in each run. What a task panics with goes to
// the present one.
func TestHubMoves(t *testing.T) {
	l := newLoop(t)
	defer greenlet.Close()
	var x *sched.Task
	first := greenlet.New(func(any) (any, error) {
		x = l.Go(func() { l.Park(); panic(errBoom) })
		l.Go(func() { l.Stop() })
		return nil, l.Run()
	})
	if _, err := first.Switch(nil); err != nil {
		t.Fatal(err)
	}
	second := greenlet.New(func(any) (any, error) {
		x.Ready()
		p := panicOf(func() { l.Run() })
		if err, _ := p.(error); !errors.Is(err, errBoom) {
			t.Errorf("Run panics with %v", p)
		}
		return nil, nil
	})
	if _, err := second.Switch(nil); err != nil {
		t.Fatal(err)
	}
}

// Close does not harm the greenlet that was the hub.
func TestCloseKeepsTheHub(t *testing.T) {
	defer greenlet.Close()
	main := greenlet.Current()
	l := sched.New(sched.WithClock(&jumpClock{}))
	hub := greenlet.New(func(any) (any, error) {
		l.Go(func() { l.Park() })
		l.Go(func() { l.Stop() })
		run(t, l)
		main.Switch(nil)
		return "lives", nil
	})
	hub.Switch(nil)
	fails(t, l.Close(), nil)
	if got, err := hub.Switch(nil); got != "lives" || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestGuard(t *testing.T) {
	var guarded []any
	l := newLoop(t, sched.WithGuard(func(h *sched.Handle, fn func()) {
		defer func() { guarded = append(guarded, recover()) }()
		fn()
	}))
	l.Soon(func() { panic(1) })
	l.Go(func() { l.After(1, func() { panic(2) }); l.Sleep(2) })
	l.Soon(func() {})
	run(t, l)
	same(t, guarded, any(1), nil, any(2))
}

// A tree that is locked to its thread runs a loop like any other.
func TestLockedThread(t *testing.T) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	l := newLoop(t)
	n := 0
	for range 10 {
		l.Go(func() {
			for range 10 {
				l.Yield()
				l.Sleep(1)
				n++
			}
		})
	}
	run(t, l)
	if n != 100 {
		t.Errorf("%d of 100 steps", n)
	}
}

// In a bubble a loop with the system's clock goes by the bubble's, and the
// bubble is idle while it waits.
func TestInBubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		defer greenlet.Close()
		l := sched.New()
		defer l.Close()
		start := time.Now()
		posted := time.Duration(0)
		l.Go(func() {
			go func() {
				time.Sleep(time.Hour)
				l.Post(func() { posted = time.Since(start) })
			}()
			l.Sleep(3 * time.Hour)
		})
		run(t, l)
		if posted != time.Hour || time.Since(start) != 3*time.Hour || l.Now() != 3*time.Hour {
			t.Errorf("posted after %v, ended after %v, it is %v", posted, time.Since(start), l.Now())
		}
	})
}
