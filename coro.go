package greenlet

import (
	"errors"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A Coro is a coroutine with a typed value each way: Resume sends an In and
// gets an Out, Yield sends an Out and gets an In. It belongs to the tree of the
// greenlet that made it, and its parent is whoever resumes it.
//
// The values are passed in memory, without boxing and without allocation.
//
// While the body runs, the greenlet that resumed it waits in Resume. The body
// may switch to other greenlets of the tree, but none of them should switch to
// that one: its Resume would return, with false.
type Coro[In, Out any] struct {
	face
	k *coroutine[In, Out]
}

// coroutine is what the coroutine's stack refers to.
type coroutine[In, Out any] struct {
	pair
	in    In
	out   Out
	err   error
	body  func(c *Coro[In, Out], first In) error
	inner Coro[In, Out]
}

// errCut is what Err says of a body that did not return.
var errCut = errors.New("greenlet: the coroutine was ended by a panic, by runtime.Goexit or by Close")

// NewCoro makes a coroutine that will run body when it is first resumed; the
// value of that Resume is first. The Coro that the body receives is for Yield.
//
// Any goroutine may call it; it does not switch. Cost: two allocations.
func NewCoro[In, Out any](body func(c *Coro[In, Out], first In) error) *Coro[In, Out] {
	parent := Current()
	h := parent.hub
	both := &struct {
		Coro[In, Out]
		g Greenlet
	}{g: Greenlet{hub: h, parent: parent, body: runPair, id: h.nextID()}}
	k := &coroutine[In, Out]{pair: pair{hub: h, paused: paused}, body: body}
	k.script = scriptOf(k)
	k.inner.k, k.inner.p = k, &k.pair
	both.k, both.p = k, &k.pair
	both.setHandle(&both.g)
	return &both.Coro
}

// Resume lets the coroutine run until it yields, and returns what it yields. If
// ok is false there is no value: the coroutine has ended, or the call was
// refused, because it runs already or belongs to another goroutine. Err tells. A call
// by another goroutine that comes while the owner's is under way is a data race with
// it, though it is refused: for speed in is written first, and if it is larger than a
// word the coroutine may get a part of each.
//
// A panic of the body goes on as a panic of *PanicError in the Resume, and a
// runtime.Goexit as one in the goroutine that resumes.
//
// Owner only. It switches, unless the coroutine has ended. It allocates nothing.
//
// Python: generator.send.
func (c *Coro[In, Out]) Resume(in In) (out Out, ok bool) {
	if !rt.SwitchBuilt {
		return c.resume(in)
	}
	c.k.in = in
	if called(&c.face) == 0 { // else out may be being written
		out, ok = c.k.out, c.k.yielded
	}
	return
}

// resume is Resume that touches nothing before it knows that it may.
func (c *Coro[In, Out]) resume(in In) (out Out, ok bool) {
	k, me := c.k, self()
	g, _ := k.claim(me, c.g)
	if g == nil {
		return out, false
	}
	k.in = in
	k.pair.run(me, g, nil)
	return k.out, k.yielded
}

// Yield suspends the coroutine, gives out to the Resume that waits and returns
// the value of the next Resume. Only the body may call it, on its own greenlet;
// elsewhere it panics with an error that is ErrReentrant.
func (c *Coro[In, Out]) Yield(out Out) In {
	c.k.out = out
	back(&c.k.pair)
	return c.k.in
}

// Err tells why Resume returned no value: it returns the error that the body
// ended with, nil if it returned none; ErrReentrant while the coroutine runs;
// and ErrForeign on another goroutine. Owner only; it does not switch.
func (c *Coro[In, Out]) Err() error {
	if err := c.k.fault(c.g); err != nil {
		return err
	}
	return c.k.err
}

// Close ends the coroutine by force, as Kill does: its deferred calls run. A
// coroutine that has ended stays as it is. The coroutine itself, and whoever it
// has resumed, cannot close it (ErrReentrant). Owner only; it switches.
func (c *Coro[In, Out]) Close() error {
	k := c.k
	if err := k.close(c.g); err != nil {
		return err
	}
	if !k.started {
		k.err = errCut
	}
	return nil
}

func (k *coroutine[In, Out]) keep() func() {
	in, out := k.in, k.out
	return func() { k.in, k.out = in, out }
}

// run is the coroutine's greenlet.
func (k *coroutine[In, Out]) run() {
	k.begin()
	err := errCut
	defer func() {
		var in In
		var out Out
		k.in, k.out, k.err = in, out, err
		k.end()
	}()
	err = k.body(&k.inner, k.in)
}
