package greenlet_test

import (
	"context"
	"runtime"
	"runtime/pprof"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// The ways that a switch takes seldom. Each of these was found by dropping the gate
// that leads to it: see tools/mutants.

// leaveCarrier leaves a carrier for the next greenlet of the tree.
func leaveCarrier(t *testing.T) {
	t.Helper()
	gives(t, "warm")(greenlet.New(func(any) (any, error) { return "warm", nil }).Switch(nil))
}

// A greenlet whose parent is a paused coroutine ends, with a value: that goes to who
// waits for the coroutine, as an error does.
func TestEndsBelowAPausedCoroutine(t *testing.T) {
	main := ownTree(t)
	leaveCarrier(t)
	var worker *greenlet.Greenlet
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		worker = greenlet.New(func(any) (any, error) { return main.Switch("worker waits") })
		worker.Switch(nil)
		c.Yield("paused")
		c.Yield("paused again")
		return nil
	})
	c.Resume(1) // main is switched to by the worker
	if worker == nil || c.Err() == nil {
		t.Fatal("the coroutine has not switched away")
	}
	self := worker.Parent()
	gives(t, nil)(self.Switch(nil)) // it goes on, and pauses
	gives(t, "the end")(worker.Switch("the end"))
	if !worker.Dead() || greenlet.Current() != main {
		t.Errorf("the worker is %v", worker)
	}
	yields(t, "paused again")(c.Resume(2))
	ends[string](t)(c.Resume(3))
}

// What is thrown at a generator that has not begun ends it, also where a carrier is
// there that could run it.
func TestThrowAtTheUnstarted(t *testing.T) {
	ownTree(t)
	for range 3 {
		leaveCarrier(t)
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
			t.Error("it has begun")
			_, err := y.Yield(1)
			return 0, err
		})
		_, err := g.Throw(errBoom)
		failsAs(t, "Throw", err, errBoom)
		p := greenlet.New(func(any) (any, error) {
			t.Error("it has begun")
			return nil, nil
		})
		_, err = p.Throw(errBoom)
		failsAs(t, "Throw", err, errBoom)
	}
}

// A paused coroutine that is switched to by its handle goes on, whichever way the
// switch takes.
func TestPausedCoroutineByItsHandle(t *testing.T) {
	ownTree(t)
	for _, traced := range []bool{false, true} {
		var self *greenlet.Greenlet
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
			self = greenlet.Current()
			c.Yield("paused")
			self.Parent().Switch("by its handle")
			return nil
		})
		yields(t, "paused")(c.Resume(1))
		if traced {
			greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {})
		}
		v, err := self.Switch(nil)
		greenlet.SetTrace(nil)
		gives(t, "by its handle")(v, err)
		c.Close()
	}
}

// A deferred call of a coroutine that is killed has nobody to yield to: it ends
// there, and those before it run.
func TestYieldInADeferredCall(t *testing.T) {
	ownTree(t)
	var log []string
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		defer func() { log = append(log, "outer") }()
		defer func() {
			log = append(log, "inner")
			c.Yield("nobody takes it")
			log = append(log, "it went on")
		}()
		c.Yield("paused")
		return nil
	})
	yields(t, "paused")(c.Resume(1))
	c.Close()
	if len(log) != 2 || log[0] != "inner" || log[1] != "outer" {
		t.Errorf("%q", log)
	}
	ends[string](t)(c.Resume(2))
}

// A greenlet has the profiler's labels of who starts it, as a goroutine has: also on a
// carrier that another one has left with its own, and whichever way it starts.
func TestLabelsOfWhoStarts(t *testing.T) {
	ownTree(t)
	defer pprof.SetGoroutineLabels(context.Background())
	label := func(user string) {
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("user", user)))
	}
	for _, traced := range []bool{false, true} {
		if traced {
			greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {})
			defer greenlet.SetTrace(nil)
		}
		for _, user := range []string{"alice", "bob"} {
			label(user)
			want := rt.OwnLabels()
			greenlet.New(func(any) (any, error) {
				if rt.OwnLabels() != want {
					t.Errorf("traced %v: it has not the labels of %s", traced, user)
				}
				label("its own")
				return nil, nil
			}).Switch(nil)
		}
	}
}

// What is thrown at who waits in Next comes out of that Next, also where the trace
// hook that is told of it has called the generator in between.
func TestThrownAtWhoWaitsInNext(t *testing.T) {
	main := ownTree(t)
	var self *greenlet.Greenlet
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		self = greenlet.Current()
		greenlet.New(func(any) (any, error) { return main.Throw(errBoom) }).Switch(nil)
		for n := 1; ; n++ {
			if _, err := y.Yield(n); err != nil {
				return 0, err
			}
		}
	})
	defer greenlet.SetTrace(greenlet.SetTrace(func(ev greenlet.TraceEvent, _, to *greenlet.Greenlet) {
		if ev == greenlet.TraceThrow && to == main {
			gives(t, nil)(self.Switch(nil)) // it yields 1, to nobody
			gave(t, 2)(g.Next())
		}
	}))
	_, err := g.Next()
	failsAs(t, "Next", err, errBoom)
	gave(t, 3)(g.Next())
	failsAs(t, "Close", g.Close(), nil)
}

// A deferred call of a coroutine that is killed yields to nobody, whatever it has
// done before: not to the consumer of its last value either, who waits elsewhere.
func TestYieldInADeferredCallWakesNobody(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, first := range []string{"it only yields", "it has switched before"} {
			killer := greenlet.Current()
			echo := greenlet.New(func(v any) (any, error) {
				for {
					v, _ = v.(*greenlet.Greenlet).Switch("echo")
				}
			})
			c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], _ int) error {
				defer func() {
					if me := greenlet.Current(); first == "it has switched before" {
						gives(t, "echo")(echo.Switch(me))
						gives(t, "echo")(echo.Switch(me))
					}
					c.Yield(2)
					t.Error(first, ": Yield returned")
				}()
				c.Yield(1)
				return nil
			})
			consumer := greenlet.New(func(any) (any, error) {
				yields(t, 1)(c.Resume(0))
				gives(t, "go on")(killer.Switch("consumed"))
				return "the end", nil
			})
			gives(t, "consumed")(consumer.Switch(nil))
			failsAs(t, "Close", c.Close(), nil)
			gives(t, "the end")(consumer.Switch("go on"))
			echo.Kill()
		}
	})
}

// The Yield of a coroutine that has ended is refused, whoever calls it and however
// that one was resumed last: its last consumer goes on to wait.
func TestYieldOfTheEnded(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		here := greenlet.Current()
		var inner *greenlet.Coro[int, int]
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], _ int) error {
			inner = c
			return nil
		})
		consumer := greenlet.New(func(any) (any, error) {
			ends[int](t)(c.Resume(0))
			gives(t, "go on")(here.Switch("consumed"))
			return "the end", nil
		})
		gives(t, "consumed")(consumer.Switch(nil))
		waiting(t).Kill() // it comes back by a letter
		refusedYield(t, func() { inner.Yield(1) })
		gives(t, "the end")(consumer.Switch("go on"))
	})
}

// A coroutine that has ended may be closed by anybody of its tree, its children too.
func TestClosedByItsChild(t *testing.T) {
	ownTree(t)
	var child *greenlet.Greenlet
	var c *greenlet.Coro[int, int]
	c = greenlet.NewCoro(func(*greenlet.Coro[int, int], int) error {
		child = greenlet.New(func(any) (any, error) { return c.Close(), nil })
		return nil
	})
	ends[int](t)(c.Resume(0))
	gives(t, error(nil))(child.Switch(nil))
}

// An abandoned greenlet is ended though it was the last to call a coroutine that is
// old: the coroutine does not hold it.
func TestCoroThatIsOldHoldsNoConsumer(t *testing.T) {
	main := ownTree(t)
	var tr trail
	deeper(5, func() {
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			defer tr.add("coroutine")
			for {
				in = c.Yield(in)
			}
		})
		consumer := greenlet.New(func(any) (any, error) {
			defer tr.add("consumer")
			for n := range 3 {
				yields(t, n)(c.Resume(n))
				main.Switch(nil)
			}
			return nil, nil
		})
		consumer.Switch(nil)
		greenlet.Collect()
		consumer.Switch(nil)
	})
	eventually(t, "both are ended", func() bool { return len(tr) == 2 }, greenlet.Collect)
	tr.is(t, "consumer; coroutine")
}

// Who switches to a coroutine while it moves to another tree is refused. Here that
// happens in the middle of the switch: in a deferred call of an abandoned greenlet.
func TestSwitchToWhatMovesMeanwhile(t *testing.T) {
	main := ownTree(t)
	var self *greenlet.Greenlet
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		self = greenlet.Current()
		for n := 1; yield(n); n++ {
		}
	})
	yields(t, 0+1)(next())
	moved, end := false, make(chan bool)
	move := func() {
		if greenlet.Current().Parent() != main {
			return // it was ended by the coroutine itself, which runs
		}
		arrived := make(chan bool)
		go func() {
			defer close(end)
			defer greenlet.Close()
			next()
			moved = true
			arrived <- true
			<-end
			stop()
		}()
		<-arrived
	}
	for !moved {
		abandon(func(wait func()) error {
			defer func() {
				if !moved {
					move()
				}
			}()
			wait()
			return nil
		})
		runtime.GC()
		_, err := self.Switch(nil)
		if moved {
			failsAs(t, "Switch", err, greenlet.ErrForeign)
		}
	}
	end <- true
	<-end
}

// A greenlet ends whose parent, a coroutine, runs in another tree by now: its result
// goes to the main greenlet of its own.
func TestEndsBelowACoroutineThatRunsElsewhere(t *testing.T) {
	main := ownTree(t)
	for range 20 {
		var child *greenlet.Greenlet
		inside, goOn := make(chan bool), make(chan bool)
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			child = greenlet.New(func(any) (any, error) { return main.Switch("child waits") })
			yield(1)
			inside <- true
			<-goOn
			yield(2)
		})
		yields(t, 1)(next())
		gives(t, "child waits")(child.Switch(nil))
		done := make(chan bool)
		go func() {
			defer close(done)
			defer greenlet.Close()
			yields(t, 2)(next())
			stop()
		}()
		<-inside
		gives(t, "child ends")(child.Switch("child ends"))
		isIn(t, main, "current")
		goOn <- true
		<-done
	}
}

// A switch to a dead greenlet goes to its parent, a paused coroutine too: only the
// end of one passes that over.
func TestSwitchToADeadChildOfAPausedCoroutine(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var child *greenlet.Greenlet
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
			child = greenlet.New(returning(1))
			gives(t, 1)(child.Switch(nil))
			consumer := greenlet.Current().Parent()
			c.Yield("paused")
			consumer.Switch("by its child")
			return nil
		})
		yields(t, "paused")(c.Resume(1))
		gives(t, "by its child")(child.Switch(nil))
		c.Close()
	})
}

// What a coroutine yields to a consumer that is dead starts that one's parent, if it
// has not begun; and that one may call the coroutine. In a bubble the parent gets a
// goroutine that is new.
func TestYieldStartsTheConsumersParent(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		here := greenlet.Current()
		var inside *greenlet.Greenlet
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
			inside = greenlet.Current()
			here.Switch("away")
			for {
				n = c.Yield(n)
			}
		})
		consumer := greenlet.New(func(any) (any, error) { c.Resume(1); return nil, nil })
		gives(t, "away")(consumer.Switch(nil))
		if err := consumer.Kill(); err != nil {
			t.Fatal(err)
		}
		parent := greenlet.New(func(any) (any, error) {
			yields(t, 2)(c.Resume(2))
			return "called it", nil
		})
		consumer.SetParent(parent)
		gives(t, "called it")(inside.Switch(nil))
		yields(t, 3)(c.Resume(3))
		c.Close()
	})
}

// A trace hook that ends a coroutine before its body has begun ends it for all: who
// calls is told that it has ended, not that it runs.
func TestEndedBeforeItBegins(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		here := greenlet.Current()
		ended := func(call func()) {
			t.Helper()
			old := greenlet.SetTrace(func(_ greenlet.TraceEvent, _, to *greenlet.Greenlet) {
				if to != here {
					to.Kill()
				}
			})
			call()
			greenlet.SetTrace(old)
		}
		c := greenlet.NewCoro(func(*greenlet.Coro[int, int], int) error { t.Error("it has begun"); return nil })
		ended(func() { ends[int](t)(c.Resume(1)) })
		ends[int](t)(c.Resume(1))
		failsAs(t, "Err", c.Err(), nil)
		failsAs(t, "Close", c.Close(), nil)
		g := greenlet.NewGenerator(func(*greenlet.Yielder[int, int]) (int, error) { t.Error("it has begun"); return 0, nil })
		ended(func() { g.Next() })
		gaveUp[int](t, greenlet.ErrStop)(g.Next())
		failsAs(t, "Close", g.Close(), nil)
		next, stop := greenlet.Pull(func(func(int) bool) { t.Error("it has begun") })
		ended(func() { ends[int](t)(next()) })
		ends[int](t)(next())
		stop()
	})
}
