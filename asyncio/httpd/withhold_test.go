package httpd

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// Who waits until another task has sent "100 Continue" hears of a cancel afterwards,
// and lets the other go on after the end of its context.
func TestWithholdContinue(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		ended, end := context.WithCancel(ctx)
		w := &response{c: &conn{ctx: ended}}
		w.asking.Store(true)
		var after error
		waiter := asyncio.CreateTask(ctx, func(ctx context.Context) (bool, error) {
			first := w.withholdContinue()
			after = asyncio.Sleep(ctx, time.Hour)
			return first, nil
		})
		assert.NoError(t, asyncio.Sleep(ctx, time.Second))
		waiter.Cancel()
		end()
		assert.NoError(t, asyncio.Sleep(ctx, time.Second))
		assert.False(t, waiter.Done(), "it waits still")
		w.asking.Store(false)
		first, err := waiter.Await(ctx)
		assert.NoError(t, err)
		assert.False(t, first)
		assert.ErrorIs(t, after, asyncio.ErrCancelled)
		assert.Equal(t, 1, waiter.Cancelling())
	})
}
