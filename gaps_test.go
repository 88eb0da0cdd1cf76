package greenlet_test

import (
	"context"
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
