package asyncio

import (
	"context"
	"iter"
	"time"
)

// AsCompleted runs all of aws beside each other, and returns their results as
// they come:
//
//	for v, err := range asyncio.AsCompleted(ctx, aws) {
//
// Coroutines become tasks at the call. The loop over the results suspends the
// task that runs it while none is there. It can be run once; a second time gives a
// RuntimeError. The errors of aws come at their turn. When the time is over
// (Within), each of those that are missing is an ErrTimeout. An error of the wait
// itself takes the turn of one.
//
// Nothing is ever cancelled: those that the loop does not wait for, because it is
// left or the time is over, go on. If an aw is nil or belongs to another loop, or
// the caller has no loop, that error is the only pair, and nothing is started.
//
// Python: for f in asyncio.as_completed(aws).
func AsCompleted[T any, A Awaitable[T]](ctx context.Context, aws []A, opts ...AsCompletedOption) iter.Seq2[T, error] {
	c, err := complete[T](ctx, aws, opts)
	return func(yield func(T, error) bool) {
		var none T
		if err := c.beginLoop(err); err != nil {
			yield(none, err)
			return
		}
		defer c.stop()
		for range c.fs {
			var v T
			f, err := c.next(ctx)
			if err == nil {
				v, err = f.Result()
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// AsCompletedTasks is AsCompleted that gives the futures themselves, which are
// done: those that were given, and the tasks of coroutines. So the loop knows
// which of them it has got. Their errors are not the loop's: those are errors of
// the wait, and an ErrTimeout is its last.
//
// Python: async for f in asyncio.as_completed(aws).
func AsCompletedTasks[T any, A Awaitable[T]](ctx context.Context, aws []A, opts ...AsCompletedOption) iter.Seq2[FutureOf[T], error] {
	c, err := complete[T](ctx, aws, opts)
	return func(yield func(FutureOf[T], error) bool) {
		if err := c.beginLoop(err); err != nil {
			yield(nil, err)
			return
		}
		defer c.stop()
		for range c.fs {
			f, err := c.next(ctx)
			if !yield(f, err) || err == ErrTimeout {
				return
			}
		}
	}
}

// A completion is futures in the order in which they end.
type completion[T any] struct {
	loop  *Loop
	fs    []arrival[T]
	order []FutureOf[T] // those that have ended
	ready int           // how many of them were called back for
	taken int           // how many of them were handed out
	over  bool          // no more will come
	used  bool          // the loop was begun
	timer *TimerHandle
	waits *task // who waits for the next
}

// An arrival is one of the futures that are expected.
type arrival[T any] struct {
	c     *completion[T]
	f     FutureOf[T]
	place uint32 // among the waiters of f
}

// complete starts aws and waits for their ends.
func complete[T any, A Awaitable[T]](ctx context.Context, aws []A, opts []AsCompletedOption) (*completion[T], error) {
	var o waitOptions
	choose(&o, opts, AsCompletedOption.forAsCompleted)
	all := Awaitables[T](aws)
	l, err := loopFor(ctx, all...)
	if err != nil && len(aws) > 0 {
		return nil, err
	}
	for _, aw := range all {
		if err := startable(l, aw); err != nil {
			return nil, err
		}
	}
	c := &completion[T]{loop: l, fs: make([]arrival[T], 0, len(all)), order: make([]FutureOf[T], 0, len(all))}
	seen := make(map[*core]bool)
	for _, aw := range all {
		f := startIn(l, ctx, aw)
		if b := f.base(); !seen[b] {
			seen[b] = true
			c.fs = append(c.fs, arrival[T]{c: c, f: f})
		}
	}
	for i := range c.fs {
		a := &c.fs[i]
		a.place = a.f.base().tell(a)
	}
	if o.limited && len(all) > 0 {
		c.timer = l.s.After(time.Duration(o.within), c.timeout)
	}
	return c, nil
}

// beginLoop begins the loop, if complete was successful.
func (c *completion[T]) beginLoop(err error) error {
	switch {
	case err != nil:
		return err
	case c.used:
		return runtimeErrorf("the loop over AsCompleted can be run once")
	}
	c.used = true
	return nil
}

// futureDone notes the end of a. It counts when the callback has run.
func (a *arrival[T]) futureDone(*core) {
	c := a.c
	c.order = append(c.order, a.f)
	c.loop.s.Soon(c.arrived)
}

func (c *completion[T]) arrived() {
	if c.over {
		return
	}
	if c.ready++; c.ready == len(c.fs) && c.timer != nil {
		c.timer.Cancel()
	}
	if c.waits != nil {
		c.waits.wake()
	}
}

func (c *completion[T]) timeout() {
	c.stop()
	if c.waits != nil {
		c.waits.wake()
	}
}

// stop forgets what has not come, once.
func (c *completion[T]) stop() {
	if c.over {
		return
	}
	c.over = true
	if c.timer != nil {
		c.timer.Cancel()
	}
	for i := range c.fs {
		if a := &c.fs[i]; a.f.base().state == pending {
			a.f.base().untell(a, a.place)
		}
	}
}

// next waits for the next one that ends.
func (c *completion[T]) next(ctx context.Context) (FutureOf[T], error) {
	for c.taken == c.ready {
		t, err := current(ctx)
		switch {
		case c.over:
			return nil, ErrTimeout
		case err != nil:
			return nil, err
		case t.loop != c.loop:
			return nil, ErrOtherLoop
		}
		c.waits = t
		err = t.suspend(ctx)
		c.waits = nil
		if err != nil {
			return nil, err
		}
	}
	f := c.order[c.taken]
	c.order[c.taken] = nil
	c.taken++
	return f, nil
}

func (a *arrival[T]) awaiters(add func(*task)) {
	if t := a.c.waits; t != nil {
		add(t)
	}
}
