package simnet

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Timers that a host has cancelled, or that are over, are not kept for its end.
func TestHostKeepsNoTimers(t *testing.T) {
	n := New(1, Config{})
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		h := n.Host("h")
		_, err := h.Go(ctx, func(ctx context.Context) error {
			l := Of(ctx).loop
			for range 1000 {
				l.CallLater(time.Hour, func() {}).Cancel()
			}
			kept := h.present().timers
			assert.Less(t, len(kept), 100, "cancelled")
			over := asyncio.NewEvent()
			for range 1000 {
				l.CallLater(0, func() {})
			}
			l.CallLater(0, over.Set)
			assert.GreaterOrEqual(t, len(kept), 1000)
			err := over.Wait(ctx)
			assert.Less(t, len(kept), 100, "over")
			return err
		}).Await(ctx)
		return err
	}, asyncio.WithLoopOptions(n.Options()...))
	require.NoError(t, err)
}
