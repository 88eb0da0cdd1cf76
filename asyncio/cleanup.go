package asyncio

import (
	"context"
	"time"
)

// CleanUp calls f in the calling task, for at most d, as if the task were not to
// end: the ctx of f has the values of ctx, but not its end, and a request to cancel
// the task that was not delivered yet is set aside until f has returned. So f may
// wait, and may use connections, as it likes:
//
//	defer asyncio.CleanUp(ctx, time.Second, func(ctx context.Context) error { return tx.Rollback() })
//
// A cancel that comes while f runs is another request, and ends its wait. NoTimeout
// sets no limit.
//
// The error is that of f, ErrTimeout if it has taken too long, ErrNoRunningLoop, or
// a TypeError if f is nil. It switches only where f does. Only a task may call it.
// Python has no such call; it is anyio's move_on_after(d, shield=True), in part.
func CleanUp(ctx context.Context, d time.Duration, f func(ctx context.Context) error) error {
	if f == nil {
		return typeErrorf("a function was expected, got nil")
	}
	t, err := current(ctx)
	if err != nil {
		return err
	}
	if t.must {
		defer t.setAside()()
	}
	return WithTimeout(context.WithoutCancel(ctx), d, func(ctx context.Context, _ *Timeout) error { return f(ctx) })
}

// setAside takes the request out that is to be delivered, and returns what puts it
// back, unless all were taken back meanwhile.
func (t *task) setAside() (putBack func()) {
	msg, unheard := t.cancelMsg, t.unheard
	t.must, t.unheard, t.cancelMsg = false, false, nil
	return func() {
		if t.cancels > 0 {
			t.must, t.unheard, t.cancelMsg = true, t.unheard || unheard, msg
		}
	}
}
