package greenlet

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// A long delegation is adopted again after every cycle of the collector, and nobody
// looks at all of his ancestors for that.
func TestAdoptOfALongDelegation(t *testing.T) {
	const depth = 500
	defer Close()
	main := Current()
	chain := make([]*Generator[int, int, int], depth)
	for i := range chain {
		chain[i] = NewGenerator(func(y *Yielder[int, int]) (int, error) {
			if i+1 < depth {
				return YieldFrom(y, chain[i+1])
			}
			for n := 0; ; n++ {
				if _, err := y.Yield(n); err != nil {
					return 0, err
				}
			}
		})
	}
	next := func(want int) {
		t.Helper()
		n, err := chain[0].Next()
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	// What a cycle of the collector does, and then what a resume does, down the chain.
	again := func() (steps int) {
		h := main.hub
		h.mu.Lock()
		for _, g := range chain {
			g.p.loosen(h)
		}
		h.mu.Unlock()
		consumer := main
		for i, g := range chain {
			if i > 0 {
				assert.Equal(t, main, g.g.parent)
				steps += g.p.adopt(g.g, consumer)
			}
			g.p.consumer = consumer
			consumer = g.g
		}
		return steps
	}
	next(0)
	for n := range 3 {
		c := NewCoro(func(c *Coro[int, int], n int) error { c.Yield(n); return nil })
		c.Resume(1)
		assert.Zero(t, again(), "steps")
		main.hub.mu.Lock()
		c.p.loosen(main.hub)
		main.hub.mu.Unlock()
		c.Resume(1)
		next(n + 1)
	}

	// Somebody gets another parent, so all look once.
	require.NoError(t, New(func(any) (any, error) { return nil, nil }).SetParent(chain[0].g))
	assert.NotZero(t, again())
	next(4)
	assert.Zero(t, again())
	next(5)
	require.NoError(t, chain[0].Close())
}

// Who was adopted by somebody else meanwhile does look: the chain must not close.
func TestAdoptLooksWhereItMust(t *testing.T) {
	defer Close()
	main := Current()
	var child, other *Greenlet
	var c *Coro[int, int]
	c = NewCoro(func(in *Coro[int, int], n int) error {
		child = New(func(any) (any, error) { // its parent is the coroutine
			for {
				c.Resume(1)
				main.Switch(nil)
			}
		})
		for {
			n = in.Yield(n)
		}
	})
	c.Resume(0)
	g := c.g
	resume := func(by *Greenlet) {
		h := main.hub
		h.mu.Lock()
		c.p.loosen(h)
		h.mu.Unlock()
		by.Switch(nil)
		for a, n := g, 0; a != nil; a, n = a.parent, n+1 {
			require.Less(t, n, 10, "a chain of parents is closed")
		}
	}
	require.Equal(t, g, child.parent)
	resume(child)
	require.Equal(t, child, g.parent)
	require.Equal(t, main, child.parent)
	other = New(func(any) (any, error) {
		for {
			c.Resume(2)
			main.Switch(nil)
		}
	})
	resume(other)
	require.Equal(t, other, g.parent)
	require.NoError(t, child.SetParent(g))
	resume(child) // who had adopted it once, before it became its child again
	require.Equal(t, child, g.parent)
	require.NotEqual(t, g, child.parent)

	// And to the same one that had adopted it last.
	h := main.hub
	h.mu.Lock()
	c.p.loosen(h)
	h.mu.Unlock()
	require.NoError(t, child.SetParent(g))
	resume(child)
	require.Equal(t, child, g.parent)
	require.NotEqual(t, g, child.parent)
	require.NoError(t, c.Close())
}

// An adoption that is new is looked at only beside the parents that there are. Those
// that are loose may close a chain with it, so they are not remembered any more.
func TestAdoptForgetsWhatIsLoose(t *testing.T) {
	defer Close()
	main := Current()
	var c *Greenlet
	var first, second, third *Coro[int, int]
	calls := func(of **Coro[int, int]) func(*Coro[int, int], int) error {
		return func(in *Coro[int, int], n int) error {
			for {
				(*of).Resume(n)
				n = in.Yield(n)
			}
		}
	}
	first, second = NewCoro(calls(&second)), NewCoro(calls(&third))
	third = NewCoro(func(in *Coro[int, int], n int) error {
		c = New(func(any) (any, error) { // a child of the third
			first.Resume(0)
			return nil, nil
		})
		for {
			n = in.Yield(n)
		}
	})
	first.Resume(0) // which calls the second, which calls the third
	h := main.hub
	h.mu.Lock()
	for _, x := range []*Coro[int, int]{first, second, third} {
		x.p.loosen(h)
	}
	h.mu.Unlock()
	c.Switch(nil) // which calls the first
	for a, n := third.g, 0; a != nil; a, n = a.parent, n+1 {
		require.Less(t, n, 10, "a chain of parents is closed")
	}
}
