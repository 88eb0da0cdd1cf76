package greenlet_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// Kill unwinds the stack: the pending Switch does not return, deferred calls
// run, the greenlet is dead when Kill returns.
func TestKill(t *testing.T) {
	main := ownTree(t)
	var tr trail
	g := greenlet.New(func(any) (any, error) {
		defer tr.add("deferred 1")
		deeper(10, func() {
			defer tr.add("deferred 2")
			main.Switch(nil)
			tr.add("g went on")
		})
		return nil, nil
	})
	g.Switch(nil)
	if err := g.Kill(); err != nil {
		t.Error(err)
	}
	isIn(t, g, "dead")
	tr.is(t, "deferred 2; deferred 1")
	if err := g.Kill(); err != nil { // the dead stay dead
		t.Error(err)
	}
}

// An unstarted greenlet dies without running.
func TestKillTheUnstarted(t *testing.T) {
	ownTree(t)
	g := greenlet.New(unwanted(t))
	if err := g.Kill(); err != nil {
		t.Error(err)
	}
	isIn(t, g, "dead")
	gives(t, "passed over")(g.Switch("passed over"))
}

// recover does not keep it alive, nor does a loop that recovers.
func TestKillCannotBeRecovered(t *testing.T) {
	main := ownTree(t)
	tries := 0
	g := greenlet.New(func(any) (any, error) {
		for {
			func() {
				defer func() {
					tries++
					if r := recover(); r != nil {
						t.Errorf("recovered %v", r)
					}
				}()
				main.Switch(nil)
			}()
		}
	})
	g.Switch(nil)
	g.Switch(nil)
	g.Kill()
	if !g.Dead() || tries != 2 {
		t.Errorf("after %d tries it is %v", tries, g)
	}
}

// Nor does a panic in a deferred call that another one recovers.
func TestKillSurvivesRecoveredPanics(t *testing.T) {
	main := ownTree(t)
	var tr trail
	g := greenlet.New(func(any) (any, error) {
		defer tr.add("last")
		defer func() { tr.add("recovered %v", recover()) }()
		defer panic("in a deferred call")
		main.Switch(nil)
		return nil, nil
	})
	g.Switch(nil)
	g.Kill()
	isIn(t, g, "dead")
	tr.is(t, "recovered in a deferred call; last")
}

// During the kill the killer is the parent; afterwards it is the old one again.
func TestKillerIsTheParent(t *testing.T) {
	main := ownTree(t)
	parent := greenlet.New(unwanted(t))
	var killer, g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		defer func() {
			if greenlet.Current() != g || g.Parent() != killer {
				t.Errorf("in the deferred call of %v the parent is %v", greenlet.Current(), g.Parent())
			}
		}()
		return main.Switch(nil)
	}, greenlet.WithParent(parent))
	g.Switch(nil)
	killer = greenlet.New(func(any) (any, error) {
		return "killed", g.Kill()
	})
	gives(t, "killed")(killer.Switch(nil))
	isIn(t, g, "dead")
	isIn(t, parent, "not started")
	if g.Parent() != parent {
		t.Errorf("afterwards the parent is %v", g.Parent())
	}
}

// What deferred calls panic with comes out of Kill; the greenlet is dead, and
// its goroutine is not used again.
func TestPanicDuringKill(t *testing.T) {
	main := ownTree(t)
	for i := range 20 {
		g := greenlet.New(func(any) (any, error) {
			defer theCulprit(i)
			return main.Switch(nil)
		})
		g.Switch(nil)
		p := panicOf(func() { g.Kill() })
		if p == nil || p.Value != i {
			t.Errorf("got %v", p)
		}
		isIn(t, g, "dead")
		if g.Parent() != main {
			t.Errorf("the parent is %v", g.Parent())
		}
		gives(t, i)(greenlet.New(returning(i)).Switch(nil))
	}
}

// Deferred calls may switch to others; when control comes back to the killer
// the next deferred call is unwound.
func TestSwitchDuringKill(t *testing.T) {
	main := ownTree(t)
	var tr trail
	other := greenlet.New(func(any) (any, error) {
		for {
			tr.add("other")
			greenlet.Current().Parent().Switch(nil)
		}
	})
	g := greenlet.New(func(any) (any, error) {
		defer tr.add("deferred 1")
		defer func() {
			defer tr.add("deferred 2")
			main.Switch("refuses")
			tr.add("went on")
		}()
		defer func() {
			other.SetParent(greenlet.Current())
			other.Switch(nil)
			other.Switch(nil)
			tr.add("deferred 3")
		}()
		return main.Switch(nil)
	})
	g.Switch(nil)
	g.Kill()
	isIn(t, g, "dead")
	tr.is(t, "other; other; deferred 3; deferred 2; deferred 1")
}

// A greenlet may kill itself: its parent gets Exit as a value.
func TestKillOneself(t *testing.T) {
	ownTree(t)
	var tr trail
	g := greenlet.New(func(any) (any, error) {
		defer tr.add("deferred")
		err := greenlet.Current().Kill()
		t.Errorf("went on, with %v", err)
		return nil, err
	})
	gives(t, greenlet.Exit)(g.Switch(nil))
	isIn(t, g, "dead")
	tr.is(t, "deferred")
}

// It may kill its ancestors, itself excluded, and lives on under the next one.
func TestKillAnAncestor(t *testing.T) {
	ownTree(t)
	var tr trail
	var parent *greenlet.Greenlet
	grandparent := greenlet.New(func(any) (any, error) {
		parent = greenlet.New(func(any) (any, error) {
			defer tr.add("parent ends")
			return greenlet.New(func(any) (any, error) {
				if err := parent.Kill(); err != nil {
					t.Error(err)
				}
				tr.add("child lives")
				return "from the child", nil
			}).Switch(nil)
		})
		return parent.Switch(nil)
	})
	gives(t, "from the child")(grandparent.Switch(nil))
	tr.is(t, "parent ends; child lives")
}

// Two that kill each other, one the ancestor of the other: both die, and the
// chain of parents stays open.
func TestKillEachOther(t *testing.T) {
	ownTree(t)
	var g, child *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		child = greenlet.New(func(any) (any, error) {
			defer func() {
				n := greenlet.New(nil)
				if err := n.SetParent(child); err != nil {
					t.Error(err)
				}
			}()
			g.Kill()
			t.Error("the child went on")
			return nil, nil
		})
		defer func() {
			if g.Parent() != child {
				t.Errorf("the killer is %v", g.Parent())
			}
			// child waits in its Kill.
			if err := errors.Join(child.Kill(), greenlet.New(nil).SetParent(child)); err != nil {
				t.Error(err)
			}
			if g.Parent() != greenlet.Current().Parent() || g.Parent() == child {
				t.Errorf("the parent is %v", g.Parent())
			}
		}()
		return child.Switch(nil)
	})
	gives(t, greenlet.Exit)(g.Switch(nil))
	isIn(t, g, "dead")
	isIn(t, child, "dead")
	if child.Parent() != g {
		t.Errorf("the child's parent is %v", child.Parent())
	}
}

// A killer that is killed meanwhile leaves its victim to its parent again.
func TestKillerIsKilled(t *testing.T) {
	main := ownTree(t)
	var killer *greenlet.Greenlet
	g := greenlet.New(func(any) (any, error) {
		defer func() {
			killer.Kill()
			main.Switch("after the killer's death")
		}()
		return main.Switch("waits")
	})
	gives(t, "waits")(g.Switch(nil))
	killer = greenlet.New(func(any) (any, error) {
		g.Kill()
		t.Error("the killer went on")
		return nil, nil
	})
	gives(t, "after the killer's death")(killer.Switch(nil))
	isIn(t, killer, "dead")
	isIn(t, g, "suspended")
	if g.Parent() != main {
		t.Errorf("the parent is %v", g.Parent())
	}
	gives(t, greenlet.Exit)(g.Switch(nil))
	isIn(t, g, "dead")
}

// SetParent during the kill does not lead control astray: the killer gets it,
// and the new parent stays.
func TestSetParentDuringKill(t *testing.T) {
	main := ownTree(t)
	p := greenlet.New(unwanted(t))
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		defer func() {
			if err := g.SetParent(p); err != nil || g.Parent() != main {
				t.Errorf("SetParent: %v, the parent is %v", err, g.Parent())
			}
		}()
		return main.Switch(nil)
	})
	g.Switch(nil)
	g.Kill()
	isIn(t, g, "dead")
	if g.Parent() != p {
		t.Errorf("the parent is %v", g.Parent())
	}
}

// Close kills all, children before their parents, and gives all back. The
// caller, who need not be main, lives on, and so does the tree.
func TestClose(t *testing.T) {
	main := ownTree(t)
	var tr trail
	var level func(n int) func(any) (any, error)
	level = func(n int) func(any) (any, error) {
		return func(any) (any, error) {
			defer tr.add("%d", n)
			if n < 4 {
				return greenlet.New(level(n + 1)).Switch(nil)
			}
			return main.Switch("deep")
		}
	}
	for range 2 {
		gives(t, "deep")(greenlet.New(level(1)).Switch(nil))
		unstarted := greenlet.New(unwanted(t))
		greenlet.Close()
		isIn(t, unstarted, "not started")
		tr.is(t, "4; 3; 2; 1")
		tr = nil
		gives(t, "deep")(greenlet.New(level(1)).Switch(nil))
		caller := greenlet.New(func(any) (any, error) {
			greenlet.Close()
			return "closed", nil
		})
		gives(t, "closed")(caller.Switch(nil))
		tr.is(t, "4; 3; 2; 1")
		tr = nil
	}
}

// Idle goroutines go to the store that all trees share, from which Trim ends
// them.
func TestCloseGivesBack(t *testing.T) {
	ownTree(t)
	greenlet.Close()
	stack.Trim()
	before := stack.Stats().Goroutines
	var all []*greenlet.Greenlet
	for range 10 {
		all = append(all, waiting(t))
	}
	for _, g := range all {
		g.Switch(nil)
	}
	greenlet.Close()
	if n := stack.Trim(); n < 10 {
		t.Errorf("Trim found %d idle goroutines, want ten", n)
	}
	eventually(t, "the end of the idle goroutines", func() bool { return stack.Stats().Goroutines <= before }, runtime.Gosched)
}

// A panic during Close goes on in it; called again it finds the rest.
func TestCloseAgainAfterAPanic(t *testing.T) {
	main := ownTree(t)
	var all []*greenlet.Greenlet
	for i := range 3 {
		g := greenlet.New(func(any) (any, error) {
			defer theCulprit(i)
			return main.Switch(nil)
		})
		g.Switch(nil)
		all = append(all, g)
	}
	for range all {
		if p := panicOf(greenlet.Close); p == nil {
			t.Error("no panic")
		}
	}
	greenlet.Close()
	for _, g := range all {
		isIn(t, g, "dead")
	}
}
