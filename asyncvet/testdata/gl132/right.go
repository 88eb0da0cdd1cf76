package gl132

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func testVirtualTimeout(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		err := asyncio.WithTimeout(ctx, time.Minute, func(ctx context.Context, _ *asyncio.Timeout) error {
			return asyncio.Sleep(ctx, time.Hour)
		})
		if err == nil {
			t.Error("not ended")
		}
	})
}

func testRealTimeout(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, time.Millisecond)
		defer cancel()
		if err := asyncio.Sleep(ctx, time.Hour); err == nil {
			t.Error("not ended")
		}
	}, asynciotest.WithRealTime())
}
