package greenlet_test

import (
	"errors"
	"fmt"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

var errBoom = errors.New("boom")

// returning and failing make bodies that end at once.
func returning(v any) func(any) (any, error)   { return func(any) (any, error) { return v, nil } }
func failing(err error) func(any) (any, error) { return func(any) (any, error) { return nil, err } }
func unwanted(t testing.TB) func(any) (any, error) {
	return func(v any) (any, error) {
		t.Errorf("a body ran that should not, with %v", v)
		return nil, nil
	}
}

// waiting makes a greenlet that is suspended in a Switch to the caller; what
// that Switch returns is what its body returns.
func waiting(t testing.TB, opts ...greenlet.Option) *greenlet.Greenlet {
	t.Helper()
	starter := greenlet.Current()
	g := greenlet.New(func(any) (any, error) { return starter.Switch("waits") }, opts...)
	gives(t, "waits")(g.Switch(nil))
	return g
}

// ended makes a dead greenlet.
func ended(t testing.TB, opts ...greenlet.Option) *greenlet.Greenlet {
	t.Helper()
	g := greenlet.New(unwanted(t), opts...)
	if err := g.Kill(); err != nil || !g.Dead() {
		t.Fatalf("Kill of an unstarted greenlet: %v", err)
	}
	return g
}

// Rule 29: what a body returns is the result of the parent's pending Switch,
// unchanged.
func TestReturnGoesToTheParent(t *testing.T) {
	ownTree(t)
	for _, v := range values {
		gives(t, v)(greenlet.New(returning(v)).Switch(nil))
		g := waiting(t)
		gives(t, v)(g.Switch(v))
		if !g.Dead() {
			t.Error("not dead after its body returned")
		}
	}
}

// Rule 30: a body's error is the error of the parent's pending Switch: the same
// error, at once or after a suspension.
func TestErrorGoesToTheParent(t *testing.T) {
	ownTree(t)
	g := greenlet.New(failing(errBoom))
	fails(t, errBoom)(g.Switch(nil))
	if !g.Dead() {
		t.Error("not dead after its body failed")
	}
	wrapped := fmt.Errorf("wrapped: %w", errBoom)
	fails(t, wrapped)(greenlet.New(failing(wrapped)).Switch(nil))
	fails(t, wrapped)(waiting(t).Throw(wrapped))
}

// An error passes through bodies that return it, level by level.
func TestErrorClimbsTheTree(t *testing.T) {
	ownTree(t)
	var tr trail
	var level func(n int) func(any) (any, error)
	level = func(n int) func(any) (any, error) {
		if n == 0 {
			return failing(errBoom)
		}
		return func(any) (any, error) {
			v, err := greenlet.New(level(n - 1)).Switch(nil)
			tr.add("%d", n)
			return v, err
		}
	}
	fails(t, errBoom)(greenlet.New(level(4)).Switch(nil))
	tr.is(t, "1; 2; 3; 4")
}

// Rule 31: a body that ends with Exit, or with what wraps it and nothing else, has
// ended in peace: the parent gets that very error as a value.
func TestExitArrivesAsAValue(t *testing.T) {
	ownTree(t)
	for _, exit := range []error{
		greenlet.Exit,
		fmt.Errorf("%w: shutting down", greenlet.Exit),
		errors.Join(greenlet.Exit),
	} {
		gives(t, exit)(greenlet.New(failing(exit)).Switch(nil))
		gives(t, exit)(waiting(t).Throw(exit))
	}
	gives(t, greenlet.Exit)(waiting(t).Throw(nil))
	both := errors.Join(errBoom, greenlet.Exit)
	fails(t, both)(greenlet.New(failing(both)).Switch(nil))
	fails(t, both)(waiting(t).Throw(both))
}

// Rule 32: the parent that counts is the one at the moment of death.
func TestParentAtTheMomentOfDeath(t *testing.T) {
	main := ownTree(t)
	a := greenlet.New(func(any) (any, error) {
		gives(t, "end of g")(main.Switch("a waits"))
		return "a heard of it", nil
	})
	gives(t, "a waits")(a.Switch(nil))
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		if err := g.SetParent(a); err != nil { // while it runs
			t.Error(err)
		}
		return "end of g", nil
	})
	gives(t, "a heard of it")(g.Switch(nil))
	if g.Parent() != a {
		t.Error("the parent of the dead one is another")
	}
}

// Rule 33: dead parents are passed over, however many.
func TestDeadParentsArePassedOver(t *testing.T) {
	ownTree(t)
	p := greenlet.Current()
	for range 5 {
		p = waiting(t, greenlet.WithParent(p))
	}
	child := waiting(t, greenlet.WithParent(p))
	for p.Parent() != nil {
		if err := p.Kill(); err != nil {
			t.Fatal(err)
		}
		p = p.Parent()
	}
	gives(t, "last words")(child.Switch("last words"))
	if !child.Dead() {
		t.Error("not dead")
	}
}

// Rule 34: an unstarted parent is started by the death of its child, with the
// one result as its argument; a chain of them likewise.
func TestDeathStartsTheParent(t *testing.T) {
	ownTree(t)
	for _, v := range values {
		grandparent := greenlet.New(func(got any) (any, error) {
			gives(t, greenlet.Args{"again", v})(got, nil)
			return "end", nil
		})
		parent := greenlet.New(func(got any) (any, error) {
			gives(t, v)(got, nil)
			return greenlet.Args{"again", got}, nil
		}, greenlet.WithParent(grandparent))
		child := greenlet.New(returning(v), greenlet.WithParent(parent))
		gives(t, "end")(child.Switch(nil))
		if !child.Dead() || !parent.Dead() || !grandparent.Dead() {
			t.Error("not all are dead")
		}
	}
}

// Rule 35: an error into an unstarted parent kills it without running it and
// goes on.
func TestErrorKillsTheUnstartedParent(t *testing.T) {
	ownTree(t)
	grandparent := greenlet.New(unwanted(t))
	parent := greenlet.New(unwanted(t), greenlet.WithParent(grandparent))
	fails(t, errBoom)(greenlet.New(failing(errBoom), greenlet.WithParent(parent)).Switch(nil))
	if !parent.Dead() || !grandparent.Dead() {
		t.Error("the unstarted parents are not dead")
	}
}

// A panic and a Goexit kill an unstarted parent just so. The Goexit is on
// another goroutine because it ends that.
func TestPanicKillsTheUnstartedParent(t *testing.T) {
	ownTree(t)
	parent := greenlet.New(unwanted(t))
	g := greenlet.New(func(any) (any, error) { panic("ouch") }, greenlet.WithParent(parent))
	if p := panicOf(func() { g.Switch(nil) }); p == nil || p.Value != "ouch" || !parent.Dead() {
		t.Errorf("panic %v, parent %v", p, parent)
	}
	onGoroutine(func() {
		parent := greenlet.New(unwanted(t))
		defer func() {
			if !parent.Dead() {
				t.Errorf("the parent is %v", parent)
			}
		}()
		greenlet.New(func(any) (any, error) {
			runtime.Goexit()
			return nil, nil
		}, greenlet.WithParent(parent)).Switch(nil)
		t.Error("Goexit did not go on")
	})
}

// Rule 36: if the parent cannot be started, that error goes on up the chain.
func TestParentThatCannotStart(t *testing.T) {
	ownTree(t)
	parent := greenlet.New(nil)
	child := greenlet.New(returning(1), greenlet.WithParent(parent))
	if _, err := child.Switch(nil); !errors.Is(err, greenlet.ErrNoBody) {
		t.Errorf("got %v", err)
	}
	if !parent.Dead() || !child.Dead() {
		t.Error("both should be dead")
	}
}

// Rule 37 is undefined in Python. Here an exit that arrives at an unstarted
// parent is a value like any other: it starts the parent.
func TestExitStartsTheParent(t *testing.T) {
	ownTree(t)
	sees := func(v any) (any, error) { return greenlet.Args{"saw", v}, nil }
	parent := greenlet.New(sees)
	g := greenlet.New(failing(greenlet.Exit), greenlet.WithParent(parent))
	gives(t, greenlet.Args{"saw", greenlet.Exit})(g.Switch(nil))

	parent = greenlet.New(sees)
	g = greenlet.New(unwanted(t), greenlet.WithParent(parent))
	gives(t, greenlet.Args{"saw", greenlet.Exit})(g.Throw(nil))
}

// Rule 38: a switch to a dead greenlet is one to its nearest living ancestor;
// from that one itself it returns at once.
func TestSwitchToTheDead(t *testing.T) {
	main := ownTree(t)
	dead := ended(t)
	for _, v := range values {
		gives(t, v)(dead.Switch(v))
	}
	p := greenlet.New(func(any) (any, error) {
		gives(t, "to the dead child")(main.Switch("p waits"))
		return "p ends", nil
	})
	gives(t, "p waits")(p.Switch(nil))
	child := ended(t, greenlet.WithParent(ended(t, greenlet.WithParent(p))))
	gives(t, "p ends")(child.Switch("to the dead child"))
	gives(t, "home")(child.Switch("home")) // now all of them are dead
}

// Rule 39: and if that ancestor has not started, it is started.
func TestSwitchToTheDeadStartsTheParent(t *testing.T) {
	ownTree(t)
	for _, v := range values {
		parent := greenlet.New(func(got any) (any, error) {
			gives(t, v)(got, nil)
			return "started", nil
		})
		gives(t, "started")(ended(t, greenlet.WithParent(parent)).Switch(v))
	}
}

// Rule 40: the parent of a dead greenlet can be read and set.
func TestParentOfTheDead(t *testing.T) {
	main := ownTree(t)
	dead := ended(t)
	if dead.Parent() != main {
		t.Error("the parent of the dead one is not main")
	}
	p := waiting(t)
	if err := dead.SetParent(p); err != nil || dead.Parent() != p {
		t.Errorf("SetParent of a dead one: %v", err)
	}
	gives(t, "by way of the dead")(dead.Switch("by way of the dead"))
	if !p.Dead() {
		t.Error("the switch did not reach the new parent")
	}
}

// Rule 41: the parent can be set before the start, while suspended and while
// running; 42: never so that the chain closes, and then the old one stays.
func TestSetParent(t *testing.T) {
	main := ownTree(t)
	p := waiting(t)
	adopt := func(g, p *greenlet.Greenlet) {
		t.Helper()
		if err := g.SetParent(p); err != nil || g.Parent() != p {
			t.Errorf("SetParent: %v, the parent is %v", err, g.Parent())
		}
	}
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		adopt(g, main)
		adopt(g, p)
		return main.Switch("running")
	})
	adopt(g, p)
	adopt(g, main)
	gives(t, "running")(g.Switch(nil))
	adopt(g, main)
	adopt(g, p)
	gives(t, "end of g")(g.Switch("end of g")) // into p, which ends with it
	if !p.Dead() {
		t.Error("g did not end into p")
	}
}

func TestParentChainsDoNotClose(t *testing.T) {
	main := ownTree(t)
	a := greenlet.New(unwanted(t))
	b := waiting(t, greenlet.WithParent(a))
	c := ended(t, greenlet.WithParent(b))
	for _, pair := range [][2]*greenlet.Greenlet{{a, a}, {a, b}, {a, c}, {b, b}, {b, c}, {c, c}} {
		g, p := pair[0], pair[1]
		old := g.Parent()
		if err := g.SetParent(p); !errors.Is(err, greenlet.ErrCycle) || g.Parent() != old {
			t.Errorf("SetParent of %v to %v: %v, the parent is %v", g, p, err, g.Parent())
		}
	}
	// What is no cycle is allowed: the other way round.
	if err := errors.Join(b.SetParent(main), a.SetParent(b)); err != nil {
		t.Error(err)
	}
}

// Rules 43 to 45, refused parents, are in refusals_test.go; 46 and 47, a tree
// whose main greenlet is gone, cannot happen: every greenlet holds its tree.

// The value that comes with an error or an exit is not mixed up with them.
func TestReturnBothValueAndError(t *testing.T) {
	ownTree(t)
	both := func(any) (any, error) { return "value", greenlet.Exit }
	gives(t, greenlet.Exit)(greenlet.New(both).Switch(nil))
	fails(t, errBoom)(greenlet.New(func(any) (any, error) { return "value", errBoom }).Switch(nil))
}

// A death wakes the parent whatever that waits for: here it has switched, or
// thrown, to somebody else.
func TestDeathFindsTheParentWhereverItWaits(t *testing.T) {
	main := ownTree(t)
	var last *greenlet.Greenlet
	// other is no child of main: its own end would go to idle.
	idle := waiting(t)
	other := greenlet.New(func(any) (any, error) {
		last.Switch(nil)
		_, err := main.Switch("other waits")
		fails(t, errBoom)(nil, err)
		last = greenlet.New(returning("last again"), greenlet.WithParent(main))
		return last.Switch(nil)
	}, greenlet.WithParent(idle))

	last = greenlet.New(returning("last"))
	gives(t, "last")(other.Switch(nil))
	gives(t, "other waits")(other.Switch(nil))
	gives(t, "last again")(other.Throw(errBoom))
}

// Deferred calls of a body run before its result arrives, and may change it.
func TestDeferredCallsRunBeforeTheResultArrives(t *testing.T) {
	ownTree(t)
	var tr trail
	v, err := greenlet.New(func(any) (v any, err error) {
		defer func() {
			tr.add("deferred")
			v = "changed"
		}()
		return "returned", nil
	}).Switch(nil)
	tr.add("parent")
	gives(t, "changed")(v, err)
	tr.is(t, "deferred; parent")
}
