package greenlet_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// layered makes generators of which each delegates to the next, from layer i to
// the last, which yields once. Each notes its end.
func layered(tr *trail, i, last int) *intGenerator {
	return greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		defer tr.add("%d", i)
		if i == last {
			return nil, yieldsOnce(y)
		}
		return greenlet.YieldFrom(y, layered(tr, i+1, last))
	})
}

func yieldsOnce(y *intYielder) error {
	_, err := y.Yield(1)
	return err
}

// A generator that is ended by force in the middle of a YieldFrom ends the inner
// ones first, as Close does: their deferred calls may need what its own release.
func TestYieldFromEndsTheInnerOnesFirst(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const want = "4; 3; 2; 1"
		var tr trail
		deeper(5, func() { gave(t, 1)(layered(&tr, 1, 4).Next()) })
		greenlet.Collect()
		tr.is(t, want)

		tr = nil
		g := layered(&tr, 1, 4)
		gave(t, 1)(g.Next())
		failsAs(t, "Close", g.Close(), nil)
		tr.is(t, want)
	})
	for _, loosened := range []bool{false, true} {
		ownTree(t)
		var tr trail
		g := layered(&tr, 1, 4)
		gave(t, 1)(g.Next())
		if loosened { // the parent of each that is paused is now the main greenlet
			greenlet.Collect()
		}
		greenlet.Close()
		tr.is(t, "4; 3; 2; 1")
		runtime.KeepAlive(g)
	}
}

// Also one that does not wait in its Yield but has switched elsewhere.
func TestYieldFromEndsOneThatHasSwitchedAway(t *testing.T) {
	main := ownTree(t)
	var tr trail
	var outer *greenlet.Greenlet
	g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		defer tr.add("outer")
		outer = greenlet.Current()
		return greenlet.YieldFrom(y, greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			defer func() { tr.add("inner, for %v", greenlet.Current().Parent() == outer) }()
			_, err := main.Switch(nil)
			return nil, err
		}))
	})
	gaveUp[int](t, greenlet.ErrReentrant)(g.Next()) // main has been switched to
	if err := outer.Kill(); err != nil {
		t.Error(err)
	}
	tr.is(t, "inner, for true; outer")
}

// The inner one may be who ends the outer one, itself or by a greenlet that it has
// made: it goes on when that has ended.
func TestYieldFromDoesNotEndItsKiller(t *testing.T) {
	ownTree(t)
	for name, kill := range map[string]func(g *greenlet.Greenlet) error{
		"itself": (*greenlet.Greenlet).Kill,
		"a child": func(g *greenlet.Greenlet) error {
			_, err := greenlet.New(func(any) (any, error) { return nil, g.Kill() }).Switch(nil)
			return err
		},
	} {
		var tr trail
		var outer *greenlet.Greenlet
		g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			defer tr.add("outer")
			outer = greenlet.Current()
			return greenlet.YieldFrom(y, greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
				defer tr.add("inner")
				err := kill(outer)
				tr.add("%v", err)
				return nil, err
			}))
		})
		g.Next()
		t.Log(name)
		tr.is(t, "outer; <nil>; inner")
	}
}

// A panic of the inner one's deferred call is one of the outer one's, which may
// recover it, and does not keep the outer one from its end.
func TestYieldFromWhoseInnerOnePanics(t *testing.T) {
	ownTree(t)
	for _, recovers := range []bool{false, true} {
		var tr trail
		var outer *greenlet.Greenlet
		g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			outer = greenlet.Current()
			defer tr.add("outer")
			defer func() {
				if recovers {
					var p *greenlet.PanicError
					err, _ := recover().(error)
					tr.add("%t", errors.As(err, &p) && p.Value == errBoom)
				}
			}()
			return greenlet.YieldFrom(y, greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
				defer panic(errBoom)
				return nil, yieldsOnce(y)
			}))
		})
		gave(t, 1)(g.Next())
		p := panicOf(func() { outer.Kill() })
		if recovers {
			tr.is(t, "true; outer")
		} else {
			tr.is(t, "outer")
		}
		if (p == nil) != recovers || !outer.Dead() {
			t.Errorf("recovers %t: panicked with %v, and it is %s", recovers, p, outer)
		}
	}
}
