package greenlet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// A copse is a tree in which every greenlet, when it is killed, looks whether one
// that has it for an ancestor is still alive, and then changes the tree.
type copse struct {
	t       *testing.T
	main    *greenlet.Greenlet
	all     []*greenlet.Greenlet
	rand    *rand.Rand
	changes int // how many more there may be
	ended   int
}

// grow makes a greenlet that waits, somewhere below one of those that there are.
func (v *copse) grow() {
	starter := greenlet.Current()
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		defer v.ends(g)
		return starter.Switch(nil)
	}, greenlet.WithParent(v.some()))
	v.all = append(v.all, g)
	if v.rand.IntN(10) > 0 { // else it stays unstarted, and may be a parent
		g.Switch(nil)
	}
}

func (v *copse) some() *greenlet.Greenlet {
	if v.rand.IntN(5) == 0 || len(v.all) == 0 {
		return v.main
	}
	return v.all[v.rand.IntN(len(v.all))]
}

func (v *copse) ends(g *greenlet.Greenlet) {
	v.ended++
	for _, x := range v.all {
		if x == g || !x.Active() || x.IsCurrent() {
			continue
		}
		for p := x.Parent(); p != nil; p = p.Parent() {
			if p == g {
				v.t.Errorf("%s is to end before %s, whose ancestor it is", g, x)
			}
		}
	}
	for range v.rand.IntN(4) {
		if v.changes == 0 {
			return
		}
		v.changes--
		switch x, p := v.some(), v.some(); {
		case v.rand.IntN(3) == 0:
			v.grow()
		case x != v.main:
			if err := x.SetParent(p); err != nil && !errors.Is(err, greenlet.ErrCycle) {
				v.t.Error(err)
			}
		}
	}
}

// Close kills children before their parents, whatever deferred calls make of the
// tree meanwhile.
func TestCloseKillsChildrenFirst(t *testing.T) {
	for seed := range uint64(300) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			v := &copse{t: t, main: ownTree(t), rand: rand.New(rand.NewPCG(seed, 0)), changes: int(seed)}
			for range 2 + seed/10 {
				v.grow()
			}
			if seed%3 > 0 {
				greenlet.Close()
			} else { // the caller lives on, who has not been suspended before
				_, err := greenlet.New(func(any) (any, error) { greenlet.Close(); return nil, errBoom }).Switch(nil)
				if err != errBoom {
					t.Errorf("the caller has ended with %v", err)
				}
			}
			started := slices.DeleteFunc(v.all, func(g *greenlet.Greenlet) bool { return !g.Started() })
			if v.ended != len(started) || slices.ContainsFunc(started, (*greenlet.Greenlet).Active) {
				t.Errorf("%d of %d have ended", v.ended, len(started))
			}
		})
	}
}

// Close inside a deferred call that another Close runs ends that one's caller too,
// if that is not the main greenlet.
func TestCloseInsideClose(t *testing.T) {
	main := ownTree(t)
	for _, inChild := range []bool{false, true} {
		var all []*greenlet.Greenlet
		closed := 0
		for range 5 {
			g := greenlet.New(func(any) (any, error) {
				defer func() {
					greenlet.Close()
					closed++
				}()
				return main.Switch(nil)
			})
			g.Switch(nil)
			all = append(all, g)
		}
		caller := greenlet.New(func(any) (any, error) { greenlet.Close(); return "went on", nil })
		if inChild {
			v, err := caller.Switch(nil)
			if v == "went on" || err != nil {
				t.Errorf("the caller has ended with %v, %v", v, err)
			}
		}
		greenlet.Close()
		for _, g := range all {
			isIn(t, g, "dead")
		}
		if closed != 1 { // the others have ended each other in the middle of theirs
			t.Errorf("%d calls have returned, want the last one", closed)
		}
	}
}
