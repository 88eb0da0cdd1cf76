package greenlet_test

import (
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// allocates checks how many allocations f makes.
func allocates(t *testing.T, what string, want float64, f func()) {
	t.Helper()
	f() // warm
	if got := testing.AllocsPerRun(1000, f); got != want {
		t.Errorf("%s: %v allocations, want %v", what, got, want)
	}
}

// unoptimised reports whether the test was built with -gcflags=-N.
func unoptimised() bool { return builtWith("-gcflags", "-N") }

// builtWith reports whether flag was given to the go command, with value in it.
func builtWith(flag, value string) bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.ContainsFunc(info.Settings, func(s debug.BuildSetting) bool {
		return s.Key == flag && strings.Contains(s.Value, value)
	})
}

func TestAllocations(t *testing.T) {
	if raceOn || unoptimised() {
		t.Skip("the race detector allocates, and so does code that is not optimised")
	}
	main := ownTree(t)
	body := func(v any) (any, error) { return v, nil }
	echo := func(v any) (any, error) {
		var err error
		for {
			v, err = main.Switch(v)
			if err != nil {
				v = err
			}
		}
	}
	var value any = &struct{ n int }{1}

	allocates(t, "Current", 0, func() { greenlet.Current() })
	allocates(t, "New", 1, func() { greenlet.New(body) })
	allocates(t, "New, start and finish", 1, func() { greenlet.New(body).Switch(value) })
	allocates(t, "New and Kill", 1, func() { greenlet.New(body).Kill() })

	yielding := func(c *greenlet.Coro[int, int], in int) error { c.Yield(in); return nil }
	allocates(t, "NewCoro, start, yield and finish", 2, func() {
		c := greenlet.NewCoro(yielding)
		c.Resume(1)
		c.Resume(1)
	})
	counting := func(y *greenlet.Yielder[int, int]) (int, error) { y.Yield(1); return 0, nil }
	allocates(t, "NewGenerator, start, yield and finish", 2, func() {
		g := greenlet.NewGenerator(counting)
		g.Next()
		g.Next()
	})

	g := greenlet.New(echo)
	allocates(t, "two switches", 0, func() { g.Switch(value) })
	allocates(t, "Throw and a switch", 0, func() { g.Throw(errBoom) })
	allocates(t, "Throw(nil) and a switch", 0, func() { g.Throw(nil) })
	allocates(t, "Prefetch", 0, func() { g.Prefetch() })
	allocates(t, "a switch to oneself", 0, func() { main.Switch(value) })
	allocates(t, "Dead, Started, Active, ID, Name, Parent", 0, func() {
		_, _, _ = g.Dead(), g.Started(), g.Active()
		_, _, _ = g.ID(), g.Name(), g.Parent()
	})
	other := greenlet.New(nil)
	allocates(t, "SetParent", 0, func() {
		g.SetParent(other)
		g.SetParent(main)
	})

	// In a child that switches, dead targets included.
	dead := greenlet.New(nil)
	dead.Kill()
	greenlet.New(func(any) (any, error) {
		allocates(t, "Current in a child", 0, func() { greenlet.Current() })
		allocates(t, "a switch to the dead", 0, func() { dead.SetParent(greenlet.Current()); dead.Switch(value) })
		return nil, nil
	}).Switch(nil)

	// Many, so that the way of one does not stay in some cache.
	var ring [16]*greenlet.Greenlet
	for i := range ring {
		ring[i] = greenlet.New(echo)
	}
	allocates(t, "switches round a ring", 0, func() {
		for _, g := range ring {
			g.Switch(value)
		}
	})
}
