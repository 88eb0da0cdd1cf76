package gl132

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func testTimeout(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, time.Minute) // want `GL132: context.WithTimeout goes by the system's clock, and asynciotest.Run by a virtual one: use asyncio.WithTimeout`
		defer cancel()
		if err := asyncio.Sleep(ctx, time.Hour); err == nil {
			t.Error("not ended")
		}
	})
}
