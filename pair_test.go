package greenlet_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// The body's own copy of a Coro has no handle. What is refused to it is refused
// with the coroutine's name all the same; and when it has ended nothing has one.
func TestCoroOfTheBody(t *testing.T) {
	ownTree(t)
	var inner *greenlet.Coro[int, int]
	var name string
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		inner, name = c, nameOf(greenlet.Current())
		if _, ok := c.Resume(1); ok {
			t.Error("a coroutine has resumed itself")
		}
		if err := c.Err(); !errors.Is(err, greenlet.ErrReentrant) || !strings.Contains(err.Error(), name) {
			t.Errorf("who has resumed himself: %v", err)
		}
		if err := c.Close(); !errors.Is(err, greenlet.ErrReentrant) || !strings.Contains(err.Error(), name) {
			t.Errorf("who closes himself: %v", err)
		}
		return errBoom
	})
	next := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		inner, name = c, nameOf(greenlet.Current())
		c.Yield(1)
		return errBoom
	})
	ends[int](t)(c.Resume(1))
	failsAs(t, "a body", c.Err(), errBoom)
	yields(t, 1)(next.Resume(1))
	onGoroutine(func() {
		if _, ok := inner.Resume(1); ok {
			t.Error("another goroutine has resumed the body's copy")
		}
		for what, err := range map[string]error{"Err": inner.Err(), "Close": inner.Close()} {
			if !errors.Is(err, greenlet.ErrForeign) || !strings.Contains(err.Error(), name) {
				t.Errorf("%s elsewhere: %v", what, err)
			}
		}
	})
	if err := inner.Close(); err != nil {
		t.Errorf("the body's copy does not close: %v", err)
	}
	onGoroutine(func() {
		if _, ok := inner.Resume(1); ok {
			t.Error("one that has ended was resumed")
		}
		failsAs(t, "of another goroutine, and ended", inner.Err(), greenlet.ErrForeign)
	})
}

// nameOf is how messages call g, without its state.
func nameOf(g *greenlet.Greenlet) string {
	name, _, _ := strings.Cut(g.String(), " (")
	return name
}

// A consumer may end while its coroutine is switched away. What that yields then
// goes to the nearest ancestor that lives.
func TestYieldToADeadConsumer(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		here := greenlet.Current()
		var inside *greenlet.Greenlet
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
			inside = greenlet.Current()
			here.Switch("away")
			c.Yield(2)
			return nil
		})
		consumer := greenlet.New(func(any) (any, error) { c.Resume(1); return nil, nil })
		gives(t, "away")(consumer.Switch(nil))
		if err := consumer.Kill(); err != nil {
			t.Fatal(err)
		}
		gives(t, nil)(inside.Switch(nil)) // this yields
		ends[int](t)(c.Resume(1))
	})
}

// A consumer that floats may be in another tree by the time its own coroutine
// yields. Control stays in the tree of who yields.
func TestYieldToAConsumerThatHasMoved(t *testing.T) {
	main := ownTree(t)
	var outerSelf, innerSelf *greenlet.Greenlet
	outer, stopOuter := greenlet.Pull(func(yield func(int) bool) {
		outerSelf = greenlet.Current()
		inner, stopInner := greenlet.Pull(func(yield func(int) bool) {
			innerSelf = greenlet.Current()
			main.Switch("away")
			yield(1)
		})
		panicsAs(t, "inner", greenlet.ErrReentrant, func() { inner() })
		yield(7)
		yield(8)
		_ = stopInner
	})
	panicsAs(t, "outer", greenlet.ErrReentrant, func() { outer() })
	outerSelf.Switch(nil) // its inner call panics, and it yields 7 to main
	onGoroutine(func() {
		yields(t, 8)(outer()) // it is here now
	})
	innerSelf.Switch(nil) // this yields, and its consumer has moved
	isIn(t, main, "current")
	onGoroutine(func() { stopOuter() })
	innerSelf.Kill()
}

// The trace hook is told of calls of coroutines and of what they yield.
func TestTraceOfCoroutines(t *testing.T) {
	ownTree(t)
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	defer c.Close()
	c.Resume(0)
	told := 0
	greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) { told++ })
	defer greenlet.SetTrace(nil)
	for i := range 2 {
		yields(t, i)(c.Resume(i))
	}
	if told != 4 {
		t.Errorf("of 2 calls that yield the hook was told %d times", told)
	}
}

// A trace hook may call the coroutine whose value is on its way. What the hook got
// is not what the call gets that waited.
func TestCallInTheHook(t *testing.T) {
	ownTree(t)
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		for {
			n = c.Yield(n)
		}
	})
	defer c.Close()
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		for i := 0; ; i++ {
			if _, err := y.Yield(i); err != nil {
				return 0, err
			}
		}
	})
	defer g.Close()
	c.Resume(0)
	g.Next()
	for name, calls := range map[string]func() bool{
		"Resume": func() bool { _, ok := c.Resume(1); return ok },
		"Next":   func() bool { _, err := g.Next(); return err == nil },
	} {
		here, in, got := greenlet.Current(), false, false
		greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
			if to == here && !in {
				in = true
				got = calls()
			}
		})
		outer := calls()
		greenlet.SetTrace(nil)
		if !in || !got || outer {
			t.Errorf("%s: the hook has called: %v, its call has got a value: %v, and the call around it: %v", name, in, got, outer)
		}
		if !calls() {
			t.Errorf("%s: nothing afterwards", name)
		}
	}
	failsAs(t, "afterwards", c.Err(), nil)
}
