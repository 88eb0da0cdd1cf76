package asyncio

import "context"

// Shield returns a future of the result of aw that can be cancelled in its stead:
// a task that waits for it and is cancelled leaves aw running. If aw itself is
// cancelled, so is the future. An aw that is done is returned as it is. If the
// future was cancelled, an error of aw is nobody's, unless somebody else looks at
// it: it is reported.
//
// A coroutine becomes a task, with the values and the end of ctx: what it must
// outlive as well is shielded by context.WithoutCancel. An aw that is nil, or a
// coroutine of a caller on no loop, is the error of the future. It does not
// switch. Python: asyncio.shield.
func Shield[T any](ctx context.Context, aw Awaitable[T]) FutureOf[T] {
	l, err := loopFor(ctx, aw)
	if err != nil {
		f := &Future[T]{}
		f.settle(finished, err)
		return f
	}
	outer := NewFuture[T](l)
	if err := startable(l, aw); err != nil {
		outer.SetException(err)
		return outer
	}
	inner := startIn(l, ctx, aw)
	if inner.Done() {
		return inner
	}
	in := inner.base()
	passOn := &doneFunc{of: &outer.core, fn: func() {
		switch {
		case outer.state != pending:
		case in.state == cancelled:
			outer.settle(cancelled, in.err)
		case in.err != nil:
			in.seen()
			outer.SetException(in.err)
		default:
			v, _ := inner.Result()
			outer.SetResult(v)
		}
	}}
	in.tell(passOn)
	outer.tell(&doneFunc{fn: func() {
		if in.state == pending {
			in.untell(passOn)
		}
	}})
	return outer
}
