package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
)

// IsCurrent and Owned answer every goroutine, of every greenlet in any state.
func TestIsCurrentAndOwned(t *testing.T) {
	main := ownTree(t)
	is := func(g *greenlet.Greenlet, current, owned bool) {
		t.Helper()
		if g.IsCurrent() != current || g.Owned() != owned {
			t.Errorf("%s: IsCurrent %v, Owned %v; want %v, %v", g, g.IsCurrent(), g.Owned(), current, owned)
		}
	}
	var none *greenlet.Greenlet
	is(none, false, false)
	is(&greenlet.Greenlet{}, false, false)
	for what, g := range everyState(t) {
		is(g, what == "main", true)
		onGoroutine(func() { is(g, false, false) })
	}
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		for range 3 { // never suspended, suspended, suspended by the scheduler
			is(g, true, true)
			is(main, false, true)
			onGoroutine(func() { is(g, false, false) })
			main.Switch(nil)
			runtime.GC()
		}
		return nil, nil
	})
	for !g.Dead() {
		g.Switch(nil)
		is(g, false, true)
		is(main, true, true)
	}
}

// A goroutine that has ended may lend its place in the runtime to a new one,
// which is nevertheless not the old one's main greenlet.
func TestIsCurrentOfAnEndedGoroutine(t *testing.T) {
	for range 100 {
		var gone *greenlet.Greenlet
		onGoroutine(func() { gone = greenlet.Current() })
		onGoroutine(func() {
			if gone.IsCurrent() || gone.Owned() {
				t.Error("the main greenlet of a goroutine that has ended runs")
			}
			if !greenlet.Current().IsCurrent() {
				t.Error("the own one does not")
			}
		})
	}
}

// Of more greenlets than a cache has places for, each finds itself, also one whose
// goroutine another has had before.
func TestManyKnowWhoRuns(t *testing.T) {
	main := ownTree(t)
	all := make([]*greenlet.Greenlet, 700)
	for range 2 {
		for i := range all {
			all[i] = greenlet.New(func(any) (any, error) {
				for range 3 {
					if now := greenlet.Current(); now != all[i] {
						return now, nil
					}
					main.Switch(nil)
				}
				return nil, nil
			})
		}
		for range 4 {
			for _, g := range all {
				now, err := g.Switch(nil)
				require.NoError(t, err)
				require.Nil(t, now, "the greenlet that runs, in place of %s", g)
			}
		}
		for _, g := range all {
			require.True(t, g.Dead())
		}
	}
}
