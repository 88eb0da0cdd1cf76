package asyncio

import (
	"context"
	"slices"
)

// Gather runs all of aws beside each other, and returns a future of all their
// results, in the order of aws. Coroutines become tasks at once, with the values
// and the end of ctx, and begin in this order in the loop's next turn. A future
// that is given twice has its result twice; a coroutine is run as often as it is
// given.
//
// The first error, by time, is the error of the whole, at once: the others go
// on, and what they fail with later counts as seen. That one of them is
// cancelled is an error, too. Cancel cancels all of them. What is done already
// counts at once: if all are, or one of them has failed, so is the future.
//
// If an aw is nil or belongs to another loop, or the caller has no loop, the future
// that is returned has failed with that error, and nothing is started. It does not
// switch. Cost: per coroutine a share in an allocation.
//
// Python: asyncio.gather.
func Gather[T any](ctx context.Context, aws ...Awaitable[T]) *GatherFuture[T] {
	g, all := gather[T](ctx, aws, false)
	g.collect = func() []T {
		vs := make([]T, len(all))
		for i, f := range all {
			if t, is := f.(*Task[T]); is && t.state == finished && t.err == nil {
				vs[i] = t.val // Result in few steps
			} else {
				vs[i], _ = f.Result()
			}
		}
		return vs
	}
	g.begun()
	return g
}

// An Outcome is how one of several ended: with a value or an error.
type Outcome[T any] struct {
	Value T     // its result
	Err   error // or what it has failed with, or was cancelled with
}

// GatherOutcomes is Gather that waits for all, whatever errors there are, and has
// them among the results. Only Cancel makes an error of the whole, when all have
// ended. Python: gather(return_exceptions=True).
func GatherOutcomes[T any](ctx context.Context, aws ...Awaitable[T]) *GatherFuture[Outcome[T]] {
	g, all := gather[Outcome[T]](ctx, aws, true)
	g.collect = func() []Outcome[T] {
		vs := make([]Outcome[T], len(all))
		for i, f := range all {
			vs[i].Value, vs[i].Err = f.Result()
		}
		return vs
	}
	g.begun()
	return g
}

// A GatherFuture is the future of several results: what Gather and GatherOutcomes
// return. It belongs to its loop, and so do its methods.
type GatherFuture[E any] struct {
	core
	who      waiters
	val      []E
	all      gathered        // until it is done
	places   []uint32        // among the waiters of each; nil: all are 0
	left     int             // how many have not ended
	outcomes bool            // an error is a result
	waits    bool            // some were not done when they were given
	asked    *CancelledError // all were asked to end
	collect  func() []E
}

// What a GatherFuture knows of those that it waits for.
type gathered interface {
	cancel(msg []any) bool
	count() int
	at(i int) *core
}

// gatheredOf is the futures of a Gather, in the order of its results.
type gatheredOf[T any] []FutureOf[T]

func (all gatheredOf[T]) cancel(msg []any) (any bool) {
	if slices.ContainsFunc(all, notTask[T]) { // the order in which all are told is that of the list
		defer all[0].base().loop.cancels.aside()()
	}
	for _, f := range all {
		if f.Cancel(msg...) {
			any = true
		}
	}
	return any
}

func notTask[T any](f FutureOf[T]) bool {
	_, is := f.(AnyTask)
	return !is
}

func (all gatheredOf[T]) count() int     { return len(all) }
func (all gatheredOf[T]) at(i int) *core { return all[i].base() }

// gather starts aws and has g told of their ends.
func gather[E, T any](ctx context.Context, aws []Awaitable[T], outcomes bool) (*GatherFuture[E], gatheredOf[T]) {
	g := &GatherFuture[E]{outcomes: outcomes}
	l, err := loopFor(ctx, aws...)
	if err != nil && len(aws) > 0 {
		g.settle(finished, err)
		return g, nil
	}
	g.loop = l
	for _, aw := range aws {
		if c, is := aw.(Coro[T]); is && c != nil {
			continue
		}
		if err := startable(l, aw); err != nil {
			g.end(err)
			return g, nil
		}
	}
	if len(aws) == 0 {
		g.val = []E{}
		g.settle(finished, nil)
		return g, nil
	}
	all := make(gatheredOf[T], len(aws))
	g.all = all
	g.left = 1 // until all are started
	var failed *core
	var block []Task[T]
	for i, aw := range aws {
		if c, ok := aw.(Coro[T]); ok && l.factory == nil {
			// Nobody else knows these tasks, and they go together.
			if len(block) == 0 {
				l.check()
				block = make([]Task[T], min(len(aws)-i, gatherBlock))
			}
			t := &block[0]
			block = block[1:]
			t.start(l, ctx, c, nil)
			t.waiter = g // its place is 0
			all[i] = t
			g.waits = true
			g.left++
			continue
		}
		f := startIn(l, ctx, aw)
		all[i] = f
		switch b := f.base(); {
		case !b.Done():
			g.waits = true
			g.left++
			g.waitFor(i, b)
		case b.err != nil && !outcomes:
			b.seen()
			if failed == nil {
				failed = b
			}
		}
	}
	g.who.followOthers(&g.core, g)
	if failed != nil {
		g.failed(failed)
	}
	return g, all
}

// begun is called when all are started, and g can collect their results.
func (g *GatherFuture[E]) begun() {
	if g.waits {
		g.ended()
	} else {
		g.finish()
	}
}

// gatherBlock is how many tasks are allocated at once.
const gatherBlock = 16

// futureDone is told of the end of one of those that were gathered. In Python
// each end is a callback. Here only those are that have an effect: the last one,
// and errors.
func (g *GatherFuture[E]) futureDone(f *core) {
	if f.err != nil && !g.outcomes {
		g.left--
		g.loop.s.Soon(func() { g.failed(f) })
		return
	}
	g.ended()
}

func (g *GatherFuture[E]) ended() {
	if g.left--; g.left == 0 {
		g.loop.s.Soon(g.finish)
	}
}

// failed passes the error of f on, if it is the first. What the others fail with
// later counts as seen.
func (g *GatherFuture[E]) failed(f *core) {
	f.seen()
	if g.state != pending {
		return
	}
	for i := range g.all.count() {
		g.all.at(i).quiet = true
	}
	g.end(f.err)
	g.all = nil
}

// waitFor has g told of the end of f, the one with index i.
func (g *GatherFuture[E]) waitFor(i int, f *core) {
	place := f.tell(g)
	if place != 0 && g.places == nil {
		g.places = make([]uint32, g.all.count())
	}
	if g.places != nil {
		g.places[i] = place
	}
}

// unfollow takes g out of the waiters of those that have not ended.
func (g *GatherFuture[E]) unfollow() {
	if g.all == nil || g.who.idle {
		return
	}
	for i := range g.all.count() {
		if f := g.all.at(i); f.state == pending {
			place := uint32(0)
			if g.places != nil {
				place = g.places[i]
			}
			f.untell(g, place)
		}
	}
}

// catchUp counts the ends of those that g was not told of: that of the first in
// order that has failed, if one has, as nobody knows which was the first by time.
func (g *GatherFuture[E]) catchUp() {
	left := 0
	for i := range g.all.count() {
		switch f := g.all.at(i); {
		case g.state != pending:
			return
		case !f.Done():
			left++
		case f.err != nil && !g.outcomes:
			g.failed(f)
		}
	}
	if left == 0 {
		g.finish()
	}
}

func (g *GatherFuture[E]) follow() {
	g.catchUp()
	if g.state != pending {
		return
	}
	g.left = 0
	for i := range g.all.count() {
		if f := g.all.at(i); f.state == pending {
			g.left++
			g.waitFor(i, f)
		}
	}
}

// finish ends g after the last one.
func (g *GatherFuture[E]) finish() {
	if g.state != pending {
		return
	}
	vs, last := g.collect(), g.all.at(g.all.count()-1)
	g.all = nil
	switch {
	case g.asked == nil:
		g.val = vs
		g.settle(finished, nil)
	case last.state == cancelled:
		g.end(last.err)
	default:
		g.end(g.asked) // the last has refused
	}
}

// end ends g with an error. A cancellation is one, but not of the kind that
// somebody has to look at.
func (g *GatherFuture[E]) end(err error) {
	if asCancelled(err) != nil {
		g.settle(finished, err)
		return
	}
	g.fail(err, "GatherFuture")
}

// Cancel cancels all that have not ended, and reports whether there was one. The
// future itself is done when they are: Gather at the first that is cancelled,
// GatherOutcomes at the last. Its error is a CancelledError then, even if all of
// them refuse. Python: cancel of what gather returns.
func (g *GatherFuture[E]) Cancel(msg ...any) bool {
	if g.Done() || !g.all.cancel(msg) {
		return false
	}
	g.asked = cancelledError(msg)
	return true
}

// Result returns the results, or the error. While g is pending the error is
// ErrInvalidState.
func (g *GatherFuture[E]) Result() ([]E, error) {
	err := g.outcome()
	return g.val, err
}

// Await suspends the calling task until g is done, and returns its results. If g
// is done it returns at once, without a switch. If the task is cancelled
// meanwhile, so is g.
//
// The error is that of g; ErrOtherLoop or ErrNoRunningLoop; or that of ctx, when
// it ends. Python: await.
func (g *GatherFuture[E]) Await(ctx context.Context) ([]E, error) {
	if g.state == pending && !g.look() {
		if err := g.wait(ctx, g); err != nil {
			return nil, err
		}
	}
	return g.Result()
}

// AddDoneCallback arranges that cb is called with g, by CallSoon, when g is done.
func (g *GatherFuture[E]) AddDoneCallback(cb *Callback) { g.call(cb, g) }

func (g *GatherFuture[E]) future(*Loop) (AnyFuture, error) {
	if g == nil {
		return nil, errNotAwaitable
	}
	return g, nil
}

func (g *GatherFuture[E]) awaiters(add func(*task)) { g.eachAwaiter(add) }
