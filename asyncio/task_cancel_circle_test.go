package asyncio_test

import (
	"context"
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
