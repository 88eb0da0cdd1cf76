package sched_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// A Call runs once for each turn in which it was arranged, however often, and in
// its place.
func TestCall(t *testing.T) {
	l := newLoop(t)
	g := &turnLog{l: l}
	c := l.NewCall(func() { g.note("call") })
	l.Go(func() {
		c.Soon()
		l.Soon(func() { g.note("behind") })
		c.Soon()
		if !c.Queued() {
			t.Error("it is not queued")
		}
		l.Yield()
		if c.Queued() {
			t.Error("it has run and is queued")
		}
		c.Soon()
	})
	run(t, l)
	same(t, g.lines, "2 call", "2 behind", "3 call")
}

// Cancel prevents the callback also in the turn in which it is due; Soon after
// that arranges it again, in the place that it had.
func TestCallCancel(t *testing.T) {
	l := newLoop(t)
	runs := 0
	c := l.NewCall(func() { runs++ })
	l.Soon(func() { c.Cancel() })
	c.Soon()
	run(t, l)
	if runs != 0 || c.Queued() {
		t.Errorf("it runs %d times", runs)
	}
	c.Soon()
	c.Cancel()
	c.Soon()
	run(t, l)
	if runs != 1 {
		t.Errorf("it runs %d times, want once", runs)
	}
}

// A Call may arrange itself, and then runs in each turn.
func TestCallItself(t *testing.T) {
	l := newLoop(t)
	g := &turnLog{l: l}
	var c *sched.Call
	c = l.NewCall(func() {
		g.note("call")
		if len(g.lines) < 3 {
			c.Soon()
		}
	})
	c.Soon()
	run(t, l)
	same(t, g.lines, "1 call", "2 call", "3 call")
}

// It goes by the guard, and one that panics can be arranged again.
func TestCallPanics(t *testing.T) {
	guarded := 0
	l := newLoop(t, sched.WithGuard(func(_ *sched.Handle, fn func()) {
		guarded++
		defer func() { recover() }()
		fn()
	}))
	c := l.NewCall(func() { panic("in a call") })
	for range 2 {
		c.Soon()
		run(t, l)
	}
	if guarded != 2 {
		t.Errorf("guarded %d times, want 2", guarded)
	}
}

func TestCallOnClosedLoop(t *testing.T) {
	l := sched.New()
	c := l.NewCall(func() { t.Error("it runs") })
	c.Soon()
	fails(t, l.Close(), nil)
	c.Soon()
	c.Cancel()
	if c.Queued() {
		t.Error("it is queued on a closed loop")
	}
}

func TestCallAllocatesNothing(t *testing.T) {
	if sched.RaceOn {
		t.Skip("the race detector allocates")
	}
	l := newLoop(t)
	const calls = 1000
	var c *sched.Call
	left := 0
	c = l.NewCall(func() {
		if left--; left > 0 {
			c.Soon()
		}
	})
	round := func() {
		left = calls
		c.Soon()
		l.Run()
	}
	round()
	if n := testing.AllocsPerRun(5, round); n > calls/100 {
		t.Errorf("%v allocations for %d calls", n, calls)
	}
}

// The callback is made once, and arranged when there is something to do: here by
// a timer, in life by the Watcher of a descriptor.
func ExampleCall() {
	l := sched.New()
	defer l.Close()
	var letters []string
	deliver := l.NewCall(func() {
		fmt.Println("delivered:", letters)
		letters = nil
	})
	arrive := func(letter string) {
		letters = append(letters, letter)
		deliver.Soon() // twice in one turn is once
	}
	l.Go(func() {
		arrive("from Ada")
		arrive("from Alan")
		l.Sleep(time.Millisecond)
		arrive("from Grace")
	})
	l.Run()
	// Output:
	// delivered: [from Ada from Alan]
	// delivered: [from Grace]
}
