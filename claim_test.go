package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// A sequence that was switched to by its handle runs, whatever it waits for: no
// caller and no sweep takes it for a paused one.
func TestPullSwitchedToByItsHandleBlocks(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var seq *greenlet.Greenlet
		blocked, unblock := make(chan bool), make(chan bool)
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			seq = greenlet.Current()
			yield(1)
			blocked <- true
			<-unblock
			yield(2)
		})
		yields(t, 1)(next())
		refused := make(chan bool)
		go func() {
			defer close(refused)
			<-blocked
			for range 3 {
				runtime.GC()
				panicsAs(t, "next", greenlet.ErrReentrant, func() { next() })
				panicsAs(t, "stop", greenlet.ErrReentrant, func() { stop() })
			}
			unblock <- true
		}()
		gives(t, nil)(seq.Switch(nil))
		<-refused
		ends[int](t)(next())
	})
}

// A greenlet that waits for a coroutine, and has itself been paused since, is not
// gone back to in the middle of its Yield.
func TestCoroOfAPausedConsumer(t *testing.T) {
	main := ownTree(t)
	var outerSelf, innerSelf *greenlet.Greenlet
	inner := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		innerSelf = greenlet.Current()
		main.Switch("away")
		c.Yield("inner")
		return nil
	})
	outer := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		outerSelf = greenlet.Current()
		inner.Resume(1)
		if in := c.Yield("outer"); in != 7 {
			t.Errorf("Yield of the outer one returned %d", in)
		}
		return nil
	})
	// The outer one waits in Resume, main goes on.
	if _, ok := outer.Resume(1); ok {
		t.Error("a value that nobody has yielded")
	}
	outerSelf.Switch(nil) // its Resume returns, and it yields to main
	innerSelf.Switch(nil) // this yields; its consumer is paused, so main has it
	ends[string](t)(outer.Resume(7))
	ends[string](t)(inner.Resume(1))
}
