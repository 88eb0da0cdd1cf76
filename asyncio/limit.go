package asyncio

import "context"

// Limit returns coros as awaitables of which at most n run at a time:
//
//	pages, err := asyncio.Gather(ctx, asyncio.Limit(8, fetches...)...).Await(ctx)
//
// Each becomes a task when it is gathered, and begins when it is its turn, in the
// order of coros. Until then it has no stack: it costs what its Task takes, some
// 400 bytes. One that is cancelled before its turn never begins.
//
// It panics with a ValueError if n is below one. Any goroutine may call it.
// Python has no such call.
func Limit[T any](n int, coros ...Coro[T]) []Awaitable[T] {
	limit := newLimiter(n)
	all := make([]limited[T], len(coros))
	aws := make([]Awaitable[T], len(coros))
	for i, c := range coros {
		all[i] = limited[T]{c, limit}
		aws[i] = &all[i]
	}
	return aws
}

// A limited is a coroutine that runs under a limit.
type limited[T any] struct {
	coro  Coro[T]
	limit *limiter
}

// Await runs the coroutine as a task of its own, and waits for that.
func (c *limited[T]) Await(ctx context.Context) (T, error) {
	l, err := loopOf(ctx)
	if err == nil {
		err = startable[T](l, c)
	}
	if err != nil {
		var none T
		return none, err
	}
	return startIn[T](l, ctx, c).Await(ctx)
}

func (c *limited[T]) future(l *Loop) (AnyFuture, error) {
	if err := startable[T](l, c); err != nil {
		return nil, err
	}
	return startIn[T](l, context.Background(), c), nil
}

// A limiter lets a number of tasks run at a time. The others are held: they
// begin when one of those has ended.
type limiter struct {
	free int
	held places[*slot] // first come, first served; some may have been cancelled
}

func newLimiter(n int) *limiter {
	if n < 1 {
		panic(valueErrorf("limit must be at least 1, not %d", n))
	}
	return &limiter{free: n}
}

// forTask puts a task under the limit, whose option it is.
func (lim *limiter) forTask(o *taskOptions) { o.limit = lim }

// A slot is the right to run, which a task has or waits for.
type slot struct {
	limit *limiter
	t     *task
	taken bool
	place inList[*slot] // among those that are held
}

// admit gives t a slot if one is free. Else t is held.
func (lim *limiter) admit(t *task) bool {
	s := &slot{limit: lim, t: t, taken: lim.free > 0}
	t.tell(s)
	if s.taken {
		lim.free--
	} else {
		lim.held.add(&s.place, s)
	}
	return s.taken
}

// futureDone hands the slot of a task that has ended to the one that is held
// longest.
func (s *slot) futureDone(*core) {
	if !s.taken { // it was cancelled before its turn
		s.place.leave()
		return
	}
	lim := s.limit
	for at := lim.held.first; at != nil; at = lim.held.first {
		next := at.of
		at.leave()
		if next.t.wait == waiting {
			next.taken = true
			next.t.wake()
			return
		}
	}
	lim.free++
}
