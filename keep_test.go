package greenlet_test

import (
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// untilSwept goes through rounds, with the cycle of the collector that makes the
// tree look for abandoned greenlets at its next switch, until one has been ended
// whose deferred call does meddle.
func untilSwept(t *testing.T, meddle func(), round func(n int)) {
	t.Helper()
	swept := false
	abandon(func(wait func()) error {
		defer func() {
			swept = true
			meddle()
		}()
		wait()
		return nil
	})
	n := 0
	eventually(t, "an abandoned one is ended", func() bool { return swept }, func() {
		n++
		round(n)
	})
}

// collects has the collector run, and whoever is told of that.
func collects() {
	runtime.GC()
	runtime.Gosched()
}

// refusedYield calls yield outside of its coroutine.
func refusedYield(t *testing.T, yield func()) {
	t.Helper()
	defer func() {
		if err, _ := recover().(error); !errors.Is(err, greenlet.ErrReentrant) {
			t.Errorf("a Yield elsewhere: %v", err)
		}
	}()
	yield()
}

// The deferred calls of an abandoned greenlet may run inside somebody's Yield, and
// may call that coroutine there, or its Yield. They are refused; what is on its way
// at the time, in either direction, arrives.
func TestSweepInsideAYieldChangesNoValue(t *testing.T) {
	each := func(what string, f func(t *testing.T)) {
		t.Run(what, func(t *testing.T) { everywhere(t, f) })
	}
	each("Coro", func(t *testing.T) {
		var inner *greenlet.Coro[string, string]
		c := greenlet.NewCoro(func(c *greenlet.Coro[string, string], in string) error {
			inner = c
			for {
				collects()
				in = c.Yield("out for " + in)
			}
		})
		defer c.Close()
		untilSwept(t, func() {
			if out, ok := c.Resume("the meddler"); ok {
				t.Errorf("the meddler got %q", out)
			}
			refusedYield(t, func() { inner.Yield("the meddler's") })
		}, func(n int) {
			in := fmt.Sprint(n)
			if out, ok := c.Resume(in); out != "out for "+in || !ok {
				t.Errorf("round %d: got %q, %t", n, out, ok)
			}
		})
	})
	each("Generator", func(t *testing.T) {
		var inner *greenlet.Yielder[string, string]
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[string, string]) (string, error) {
			inner = y
			sent, err := y.Yield("first")
			for err == nil || err == errBoom {
				collects()
				sent, err = y.Yield(fmt.Sprintf("out for %s, %v", sent, err))
			}
			return sent, err
		})
		defer g.Close()
		g.Next()
		untilSwept(t, func() {
			for _, call := range []func() (string, error){
				g.Next,
				func() (string, error) { return g.Send("the meddler") },
				func() (string, error) { return g.Throw(errors.New("the meddler's")) },
			} {
				if _, err := call(); !errors.Is(err, greenlet.ErrReentrant) {
					t.Errorf("the meddler got %v", err)
				}
			}
			failsAs(t, "Close", g.Close(), greenlet.ErrReentrant)
			refusedYield(t, func() { inner.Yield("the meddler's") })
		}, func(n int) {
			out, err := g.Send(fmt.Sprint(n))
			if want := fmt.Sprintf("out for %d, <nil>", n); out != want || err != nil {
				t.Errorf("round %d: got %q, %v", n, out, err)
			}
		})
		out, err := g.Throw(errBoom)
		if want := "out for , boom"; out != want || err != nil {
			t.Errorf("got %q, %v; want %q", out, err, want)
		}
	})
	each("Pull", func(t *testing.T) {
		var inner func(string) bool
		next, stop := greenlet.Pull(func(yield func(string) bool) {
			inner = yield
			for n := 1; ; n++ {
				collects()
				if !yield(fmt.Sprint(n)) {
					return
				}
			}
		})
		defer stop()
		untilSwept(t, func() {
			panicsAs(t, "next", greenlet.ErrReentrant, func() { next() })
			panicsAs(t, "stop", greenlet.ErrReentrant, stop)
			refusedYield(t, func() { inner("the meddler's") })
		}, func(n int) { yields(t, fmt.Sprint(n))(next()) })
	})
	each("Pull2", func(t *testing.T) {
		var inner func(int, string) bool
		next, stop := greenlet.Pull2(func(yield func(int, string) bool) {
			inner = yield
			for n := 1; ; n++ {
				collects()
				if !yield(n, fmt.Sprint(n)) {
					return
				}
			}
		})
		defer stop()
		untilSwept(t, func() {
			panicsAs(t, "next", greenlet.ErrReentrant, func() { next() })
			refusedYield(t, func() { inner(-1, "the meddler's") })
		}, func(n int) {
			if k, v, ok := next(); k != n || v != fmt.Sprint(n) || !ok {
				t.Errorf("round %d: got %d, %q, %t", n, k, v, ok)
			}
		})
	})
	each("Push", func(t *testing.T) {
		var got []int
		push, stop := greenlet.Push(func(seq iter.Seq[int]) {
			for v := range seq {
				got = append(got, v)
				collects()
			}
		})
		defer stop()
		untilSwept(t, func() {
			panicsAs(t, "push", greenlet.ErrReentrant, func() { push(-1) })
			panicsAs(t, "stop", greenlet.ErrReentrant, stop)
		}, func(n int) {
			if !push(n) || len(got) != n || got[n-1] != n {
				t.Errorf("round %d: got %v", n, got)
			}
		})
	})
}

// So may a trace hook, which is called when the coroutine goes on, before its
// Yield returns.
func TestTraceHookChangesNoValue(t *testing.T) {
	ownTree(t)
	var self *greenlet.Greenlet
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		self = greenlet.Current()
		for {
			in = c.Yield(-in)
		}
	})
	defer c.Close()
	calls := 0
	defer greenlet.SetTrace(greenlet.SetTrace(func(_ greenlet.TraceEvent, _, to *greenlet.Greenlet) {
		if to == self && self != nil {
			calls++
			if out, ok := c.Resume(1000); ok {
				t.Errorf("the hook got %d", out)
			}
		}
	}))
	for n := range 5 {
		if out, ok := c.Resume(n); out != -n || !ok {
			t.Errorf("Resume(%d) returned %d, %t", n, out, ok)
		}
	}
	if calls != 4 {
		t.Errorf("the hook was called %d times when it went on", calls)
	}
}

// Nor at its start, when the coroutine has not yet seen its first value.
func TestTraceHookChangesNoFirstValue(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		main := greenlet.Current()
		var c *greenlet.Coro[int, int]
		calls := 0
		defer greenlet.SetTrace(greenlet.SetTrace(func(_ greenlet.TraceEvent, from, to *greenlet.Greenlet) {
			if from == main && to != main && calls == 0 {
				calls++
				if out, ok := c.Resume(1000); ok {
					t.Errorf("the hook got %d", out)
				}
			}
		}))
		c = greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			c.Yield(-in)
			return nil
		})
		defer c.Close()
		if out, ok := c.Resume(7); out != -7 || !ok {
			t.Errorf("Resume(7) returned %d, %t", out, ok)
		}
		if calls != 1 {
			t.Errorf("the hook was called %d times", calls)
		}
	})
}
