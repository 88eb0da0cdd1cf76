package asyncio_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A request to cancel a task is passed on to what it waits for. Where that leads back
// to the task, its own wait ends, and by that those of the others.
func TestCancelCircle(t *testing.T) {
	inTask(t, func(ctx context.Context, _ *asyncio.Loop) {
		var a, b *asyncio.Task[asyncio.None]
		a = asyncio.Go(ctx, func(ctx context.Context) error { _, err := b.Await(ctx); return err })
		b = asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Gather[asyncio.None](ctx, a).Await(ctx)
			return err
		})
		asyncio.Sleep(ctx, 0)
		asyncio.Sleep(ctx, 0)
		assert.True(t, a.Cancel())
		_, err := asyncio.GatherOutcomes[asyncio.None](ctx, a, b).Await(ctx)
		assert.NoError(t, err)
		assert.True(t, a.Cancelled())
		assert.True(t, b.Cancelled())
		assert.Equal(t, 1, a.Cancelling())
	})
}

// How deep tasks wait within each other is no matter to a request: it is not passed on by
// calls within each other. The innermost one sees how many calls there are above it.
func TestCancelIsNotRecursive(t *testing.T) {
	calls := func(deep int) (n int) {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			f := asyncio.NewFuture[int](l)
			t := asyncio.Go(ctx, func(ctx context.Context) error {
				return asyncio.WaitAndCount(ctx, f, func() { n = runtime.Callers(0, make([]uintptr, 100_000)) })
			})
			for i := range deep {
				of := t
				t = asyncio.Go(ctx, func(ctx context.Context) (err error) {
					if i%2 == 0 {
						_, err = of.Await(ctx)
					} else {
						_, err = asyncio.Gather[asyncio.None](ctx, of).Await(ctx)
					}
					return err
				})
			}
			untilQuiet(ctx)
			t.Cancel()
			t.Await(ctx)
		})
		return n
	}
	few := calls(10)
	assert.NotZero(t, few)
	assert.Equal(t, few, calls(1000))
}

// Nor are futures that follow each other, when nobody waits for the outermost any more.
func TestUnfollowIsNotRecursive(t *testing.T) {
	calls := func(deep int) (n int) {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			var f asyncio.FutureOf[int] = asyncio.FollowAndCount(l, func() { n = runtime.Callers(0, make([]uintptr, 100_000)) })
			for range deep {
				f = asyncio.Shield[int](ctx, f)
			}
			t := asyncio.Go(ctx, func(ctx context.Context) error { _, err := f.Await(ctx); return err })
			untilQuiet(ctx)
			t.Cancel()
			t.Await(ctx)
		})
		return n
	}
	few := calls(10)
	assert.NotZero(t, few)
	assert.Equal(t, few, calls(1000))
}
