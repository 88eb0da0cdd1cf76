package greenlet_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// catching makes a greenlet that waits in a Switch to its starter, sends back
// each error that is thrown at it and waits again; a value ends it.
func catching(t testing.TB, opts ...greenlet.Option) *greenlet.Greenlet {
	t.Helper()
	starter := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		v, err := starter.Switch("ready")
		for err != nil {
			v, err = starter.Switch(err)
		}
		return v, nil
	}, opts...)
	gives(t, "ready")(g.Switch(nil))
	return g
}

// Rules 48 and 58: the thrown error is what the target's pending Switch
// returns, the same object; Throw itself returns what is sent back.
func TestThrowArrivesAtThePendingSwitch(t *testing.T) {
	ownTree(t)
	g := catching(t)
	for _, err := range []error{
		errBoom,
		fmt.Errorf("wrapped: %w", errBoom),
		&watchedError{},
		errors.Join(errBoom, errBoom),
		greenlet.ErrForeign, // nothing special when it is thrown
	} {
		if v, got := g.Throw(err); v != any(err) || got != nil {
			t.Errorf("threw %v, got %v, %v", err, v, got)
		}
	}
	gives(t, "end")(g.Switch("end"))
}

// Rule 49: no error is Exit.
func TestThrowNilIsExit(t *testing.T) {
	ownTree(t)
	g := catching(t)
	gives(t, greenlet.Exit)(g.Throw(nil))
	if g.Dead() {
		t.Error("it refused to end and is dead")
	}
	gives(t, greenlet.Exit)(g.Throw(greenlet.Exit))
}

// Rule 50, the forms of throw that are refused, is the type system's: every
// error can be thrown, and nothing else.

// Rule 51: an unstarted greenlet dies without running, and the error goes to
// its parent, not to the thrower; an Exit arrives there as a value.
func TestThrowIntoTheUnstarted(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(unwanted(t))
	fails(t, errBoom)(g.Throw(errBoom))
	if !g.Dead() {
		t.Error("not dead")
	}
	gives(t, greenlet.Exit)(greenlet.New(unwanted(t)).Throw(nil))

	// The parent p is neither the thrower nor main; it ends with what it saw.
	please := fmt.Errorf("%w: please", greenlet.Exit)
	for _, c := range []struct {
		thrown error
		saw    greenlet.Args
	}{
		{errBoom, greenlet.Args{nil, errBoom}},
		{nil, greenlet.Args{greenlet.Exit, nil}},
		{please, greenlet.Args{please, nil}},
	} {
		p := greenlet.New(func(any) (any, error) {
			v, err := main.Switch("p waits")
			return greenlet.Args{v, err}, nil
		})
		gives(t, "p waits")(p.Switch(nil))
		victim := greenlet.New(unwanted(t), greenlet.WithParent(p))
		thrower := greenlet.New(func(any) (any, error) {
			victim.Throw(c.thrown)
			t.Error("the thrower went on")
			return nil, nil
		})
		gives(t, c.saw)(thrower.Switch(nil))
		if !victim.Dead() || thrower.Dead() {
			t.Errorf("the victim is %v, the thrower %v", victim, thrower)
		}
	}
}

// Rule 52: into a dead one: it comes out in the first living parent; an Exit is
// a normal return there.
func TestThrowIntoTheDead(t *testing.T) {
	ownTree(t)
	dead := ended(t)
	fails(t, errBoom)(dead.Throw(errBoom))
	gives(t, greenlet.Exit)(dead.Throw(nil))

	p := catching(t)
	child := ended(t, greenlet.WithParent(ended(t, greenlet.WithParent(p))))
	gives(t, errBoom)(child.Throw(errBoom)) // p sent it back
	gives(t, greenlet.Exit)(child.Throw(nil))
	if !p.Dead() {
		t.Error("the exit was no value for p")
	}

	// If that parent has not started, the error kills it.
	p = greenlet.New(unwanted(t))
	fails(t, errBoom)(ended(t, greenlet.WithParent(p)).Throw(errBoom))
	if !p.Dead() {
		t.Error("p lives")
	}
}

// Rule 53, into oneself, is in TestSwitchToSelf.

// Rules 54 and 55: a child may throw at its parent, main included, and stays
// alive. Exit is then an error for main, which has no parent to return it to.
func TestThrowAtTheParent(t *testing.T) {
	main := ownTree(t)
	for _, err := range []error{errBoom, greenlet.Exit} {
		g := greenlet.New(func(any) (any, error) {
			return main.Throw(err)
		})
		fails(t, err)(g.Switch(nil))
		if g.Dead() {
			t.Error("the thrower is dead")
		}
		gives(t, "and goes on")(g.Switch("and goes on"))
	}
	p := greenlet.New(func(any) (any, error) {
		child := greenlet.New(func(any) (any, error) {
			return greenlet.Current().Parent().Throw(errBoom)
		})
		fails(t, errBoom)(child.Switch(nil))
		return child.Switch("child ends")
	})
	gives(t, "child ends")(p.Switch(nil))
}

// Rule 56: Throw is nearly the same as a helper greenlet which fails and has
// the target for its parent. Not for Exit, which is a value then.
func TestThrowThroughAHelper(t *testing.T) {
	ownTree(t)
	throw := func(g *greenlet.Greenlet, err error) (any, error) {
		return greenlet.New(failing(err), greenlet.WithParent(g)).Switch(nil)
	}
	g := catching(t)
	gives(t, errBoom)(throw(g, errBoom))
	gives(t, greenlet.Exit)(throw(g, greenlet.Exit))
	if !g.Dead() {
		t.Error("the exit was no value")
	}
}

// Rule 57: the target may take the error and switch on; then it lives on.
func TestThrownErrorsCanBeSurvived(t *testing.T) {
	main := ownTree(t)
	other := waiting(t)
	g := greenlet.New(func(any) (any, error) {
		_, err := main.Switch(nil)
		fails(t, errBoom)(nil, err)
		// On to somebody else, not back to the thrower.
		return other.Switch("from g")
	})
	gives(t, nil)(g.Switch(nil))
	gives(t, "from g")(g.Throw(errBoom)) // other ends with it
	if g.Dead() || !other.Dead() {
		t.Errorf("g is %v, other is %v", g, other)
	}
	gives(t, greenlet.Exit)(g.Throw(nil))
	if !g.Dead() {
		t.Error("g is alive")
	}
}

// An error that was thrown and is returned goes to the parent, who need not be
// the thrower.
func TestThrownErrorsEndAtTheParent(t *testing.T) {
	main := ownTree(t)
	p := catching(t)
	victim := greenlet.New(func(any) (any, error) { return main.Switch("victim waits") }, greenlet.WithParent(p))
	gives(t, "victim waits")(victim.Switch(nil))
	gives(t, errBoom)(victim.Throw(errBoom)) // by way of p, which sent it on
	if !victim.Dead() || p.Dead() {
		t.Errorf("the victim is %v, p is %v", victim, p)
	}
}

// A thrown error brings no value along, nor a value an old error.
func TestThrowAndSwitchDoNotMix(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		for i := range 100 {
			v, err := main.Switch(i)
			switch {
			case i%2 == 0 && (v != any(i) || err != nil):
				t.Errorf("%d: got %v, %v, want the value", i, v, err)
			case i%2 == 1 && (v != nil || err != errBoom):
				t.Errorf("%d: got %v, %v, want the error", i, v, err)
			}
		}
		return nil, nil
	})
	gives(t, 0)(g.Switch("start"))
	for i := range 99 {
		if i%2 == 0 {
			gives(t, i+1)(g.Switch(i))
		} else {
			gives(t, i+1)(g.Throw(errBoom))
		}
	}
	gives(t, nil)(g.Throw(errBoom))
}
