package gl132

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

func testOthers(t *testing.T) {
	asynciotest.Explore(t, 9, func(t testing.TB, ctx context.Context) {
		time.AfterFunc(time.Minute, t.FailNow) // want `GL132: time.AfterFunc .* use asyncio.Sleep or CallLater`
		if err := asyncio.Sleep(ctx, 1); err != nil {
			t.Error(err)
		}
	})
	// Held: the clock stands meanwhile.
	asynciotest.Run(t, func(ctx context.Context) {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			t.Fatal(err)
		}
		loop.Hold()
		time.AfterFunc(1, func() { loop.CallSoonThreadsafe(loop.Release) })
	})
	// Not in a test on virtual time.
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	_ = ctx
}
