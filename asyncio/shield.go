package asyncio

import "context"

// Shield returns a future of the result of aw that can be cancelled in its stead:
// a task that waits for it and is cancelled leaves aw running. If aw itself is
// cancelled, so is the future. An aw that is done is returned as it is. If the
// future was cancelled, an error of aw is told to the exception handler when it
// comes, once, also if somebody else waits for aw.
//
// A coroutine becomes a task, with the values and the end of ctx: what it must
// outlive as well is shielded by context.WithoutCancel. If aw is nil, or a
// coroutine and the caller has no loop, the future has failed with that error. It
// does not switch. Python: asyncio.shield.
func Shield[T any](ctx context.Context, aw Awaitable[T]) FutureOf[T] {
	l, err := loopFor(ctx, aw)
	if err != nil {
		f := &Future[T]{}
		f.settle(finished, err)
		return f
	}
	s := &shield[T]{outer: Future[T]{core: core{loop: l}}}
	outer := &s.outer
	if l.debug {
		outer.made = sourceHere(1)
	}
	if err := startable(l, aw); err != nil {
		outer.SetException(err)
		return outer
	}
	s.inner = startIn(l, ctx, aw)
	if s.inner.Done() {
		return s.inner
	}
	s.who.followOthers(&outer.core, s)
	s.follow()
	return outer
}

// A shield is the future that Shield returns, and what waits for the inner one.
type shield[T any] struct {
	outer Future[T]
	who   waiters // of outer
	inner FutureOf[T]
	place uint32 // among the waiters of inner
}

// futureDone passes the outcome on.
func (s *shield[T]) futureDone(*core) { s.outer.soon(s.catchUp) }

func (s *shield[T]) follow() {
	if s.inner.Done() {
		s.catchUp()
		return
	}
	s.place = s.inner.base().tell(s)
}

func (s *shield[T]) unfollow() {
	in := s.inner.base()
	if in.state != pending {
		return
	}
	if !s.who.idle {
		in.untell(s, s.place)
	}
	if s.outer.state == cancelled && !in.reports {
		in.reports = true
		in.tell(&shieldReport{s.inner})
	}
}

func (s *shield[T]) catchUp() {
	switch in, outer := s.inner.base(), &s.outer; {
	case outer.state != pending || !s.inner.Done():
	case in.state == cancelled:
		outer.settle(cancelled, cancelledError(nil)) // what aw was told is not for who waits for the future
	case in.err != nil:
		in.seen()
		outer.val, _ = s.inner.Result()
		outer.SetException(in.err)
	default:
		v, _ := s.inner.Result()
		outer.SetResult(v)
	}
}

// A shieldReport waits for a future of which a Shield was cancelled: one for all of
// them.
type shieldReport struct{ inner AnyFuture }

func (r *shieldReport) futureDone(f *core) { f.soon(func() { reportShielded(r.inner) }) }

// reportShielded tells the exception handler what f has failed with, for which
// nobody waits any more.
func reportShielded(f AnyFuture) {
	c := f.base()
	if c.state == cancelled || c.err == nil {
		return
	}
	c.seen()
	message := "exception in shielded future"
	if class := className(c.err); class != "" {
		message = class + " " + message
	}
	c.loop.CallExceptionHandler(ExceptionContext{
		Message:   message,
		Exception: c.err,
		Future:    f,
		Source:    c.made.frames(),
	})
}

func (s *shield[T]) awaiters(add func(*task)) { s.outer.eachAwaiter(add) }
