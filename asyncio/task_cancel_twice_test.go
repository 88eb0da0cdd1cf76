package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// TestCancelTwice: of two requests that come before a task runs again it is told of
// one, as CPython has it: of the first, if that has ended a wait, else of the last.
func TestCancelTwice(t *testing.T) {
	never := func(ctx context.Context) error {
		_, err := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop()).Await(ctx)
		return err
	}
	for what, c := range map[string]struct {
		wait func(ctx context.Context) error
		want string
	}{
		"asleep":   {func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }, "first"},
		"a future": {never, "first"},
		"an event": {func(ctx context.Context) error { return asyncio.NewEvent().Wait(ctx) }, "first"},
		"a queue":  {func(ctx context.Context) error { _, err := asyncio.NewQueue[int](0).Get(ctx); return err }, "first"},
		"a task":   {func(ctx context.Context) error { _, err := asyncio.Go(ctx, never).Await(ctx); return err }, "first"},
		"gather": {func(ctx context.Context) error {
			_, err := asyncio.Gather(ctx, asyncio.Func(never)).Await(ctx)
			return err
		}, "first"},
		"a shield": {func(ctx context.Context) error {
			_, err := asyncio.Shield(ctx, asyncio.Func(never)).Await(ctx)
			return err
		}, "first"},
		"a timeout": {func(ctx context.Context) error {
			_, err := asyncio.WaitFor(ctx, time.Hour, asyncio.Func(never))
			return err
		}, "first"},
		"a turn":    {func(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }, "second"},
		"not begun": {nil, "second"},
		"on its way": {func(ctx context.Context) error {
			f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
			me := asyncio.CurrentTask(ctx)
			me.Loop().CallSoon(func() {
				f.SetResult(1)
				me.Cancel("first")
				me.Cancel("second")
			})
			_, err := f.Await(ctx)
			return err
		}, "second"},
		"what it waits for is cancelled by itself": {func(ctx context.Context) error {
			f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
			me := asyncio.CurrentTask(ctx)
			me.Loop().CallSoon(func() {
				f.Cancel("its own")
				me.Cancel("first")
				me.Cancel("second")
			})
			_, err := f.Await(ctx)
			return err
		}, "its own"},
	} {
		play(t, func(ctx context.Context) error {
			again := error(nil)
			task := asyncio.Go(ctx, func(ctx context.Context) error {
				err := c.wait(ctx)
				again = asyncio.Sleep(ctx, 0)
				return err
			})
			turns := 3 // what it waits for has begun
			switch what {
			case "not begun":
				turns = 0
			case "a turn":
				turns = 1
			}
			for range turns {
				asyncio.Sleep(ctx, 0)
			}
			if task.Cancelling() == 0 && what != "on its way" && c.want != "its own" {
				task.Cancel("first")
				task.Cancel("second")
			}
			_, err := task.Await(ctx)
			require.EqualError(t, err, "asyncio: cancelled: "+c.want, what)
			require.NoError(t, again, what)
			require.Equal(t, 2, task.Cancelling(), what)
			return nil
		})
	}
}

// A shield tells that its inner future was cancelled, not what that was told.
func TestShieldCancelledInside(t *testing.T) {
	play(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		s := asyncio.Shield(ctx, f)
		f.Cancel("inner")
		_, err := s.Await(ctx)
		require.EqualError(t, err, "asyncio: cancelled")
		require.True(t, s.Cancelled())
		return nil
	})
}
