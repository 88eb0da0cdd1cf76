package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// refersTo is the body of a greenlet that waits and whose stack alone refers to
// what ref has made.
func refersTo[T any](ref func() T) func(wait func()) error {
	return func(wait func()) error {
		x := ref()
		wait()
		runtime.KeepAlive(x)
		return nil
	}
}

// An abandoned greenlet to which only another one refers is found by the same
// Collect, whatever they are and whatever has ended the other. Until its goroutine
// has ended a greenlet's stack refers to what it referred to: so each case is
// tried often.
func TestCollectFindsWhatTheAbandonedReferTo(t *testing.T) {
	main := ownTree(t)
	ended := 0
	inner := func() *greenlet.Greenlet {
		starter := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			defer func() { ended++ }()
			return starter.Switch(nil)
		}, greenlet.WithParent(main))
		g.Switch(nil)
		return g
	}
	coro := func() *greenlet.Coro[int, int] {
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], _ int) error {
			defer func() { ended++ }()
			g := inner()
			c.Yield(1)
			runtime.KeepAlive(g)
			return nil
		})
		c.Resume(0)
		return c
	}
	generator := func() *greenlet.Generator[int, int, int] {
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
			defer func() { ended++ }()
			c := coro()
			_, err := y.Yield(1)
			runtime.KeepAlive(c)
			return 0, err
		})
		g.Next()
		return g
	}
	var chain func(n int) *greenlet.Greenlet
	chain = func(n int) *greenlet.Greenlet {
		if n == 1 {
			return inner()
		}
		starter := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			defer func() { ended++ }()
			next := chain(n - 1)
			_, err := starter.Switch(nil)
			runtime.KeepAlive(next)
			return nil, err
		}, greenlet.WithParent(main))
		g.Switch(nil)
		return g
	}
	for _, c := range []struct {
		name  string
		lose  func()
		ended int
	}{
		{"a greenlet", func() { abandon(refersTo(inner)) }, 1},
		{"a coroutine", func() { abandon(refersTo(coro)) }, 2},
		{"a generator", func() { abandon(refersTo(generator)) }, 3},
		{"in the heap", func() {
			abandon(refersTo(func() map[string]any { return map[string]any{"a": inner(), "b": coro(), "c": generator()} }))
		}, 6},
		{"in a chain", func() { chain(5) }, 5},
		{"of one just killed", func() {
			g := greenlet.New(func(any) (any, error) { return nil, refersTo(inner)(func() { main.Switch(nil) }) })
			g.Switch(nil)
			g.Kill()
		}, 1},
	} {
		for range 10 {
			ended = 0
			deeper(5, c.lose)
			greenlet.Collect()
			if ended != c.ended {
				t.Fatalf("%s: %d of %d have ended", c.name, ended, c.ended)
			}
		}
	}
}

// The same with one that has left by Goexit, which takes its parent along.
func TestCollectAfterGoexit(t *testing.T) {
	for range 10 {
		ended := false
		onGoroutine(func() {
			main := greenlet.Current()
			defer func() {
				greenlet.Collect()
				if !ended {
					t.Error("it has not ended")
				}
			}()
			deeper(5, func() {
				greenlet.New(func(any) (any, error) {
					return nil, refersTo(func() *greenlet.Greenlet {
						starter := greenlet.Current()
						g := greenlet.New(func(any) (any, error) {
							defer func() { ended = true }()
							return starter.Switch(nil)
						}, greenlet.WithParent(main))
						g.Switch(nil)
						return g
					})(runtime.Goexit)
				}).Switch(nil)
			})
		})
	}
}

// One whose stack refers to a child that waits is not found, as documented: the
// child refers to it.
func TestCollectKeepsAParentOfItsOwnChild(t *testing.T) {
	ownTree(t)
	ended := 0
	deeper(5, func() {
		abandon(refersTo(func() *greenlet.Greenlet {
			starter := greenlet.Current()
			g := greenlet.New(func(any) (any, error) {
				defer func() { ended++ }()
				return starter.Switch(nil)
			})
			g.Switch(nil)
			return g
		}))
	})
	greenlet.Collect()
	if ended != 0 {
		t.Error("it was found: the page of caveats is wrong")
	}
	greenlet.Close()
	if ended != 1 {
		t.Error("Close has not ended it")
	}
}
