package asyncio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// BenchmarkSnapshot is a snapshot from another goroutine. longest is for how long the
// loop stood still at most, loop how long it was at work for it in all.
func BenchmarkSnapshot(b *testing.B) {
	for _, n := range []int{1000, 10000, 100000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			bench(b, func(ctx context.Context) error {
				l := asyncio.CurrentTask(ctx).Loop()
				for range n {
					asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				}
				asyncio.Sleep(ctx, 0)
				taken := false
				var longest, loop time.Duration
				b.ResetTimer()
				other := asyncio.Go(ctx, func(ctx context.Context) error {
					defer func() { taken = true }()
					return asyncio.ToThreadFunc(ctx, func(context.Context) error {
						for range b.N {
							if _, err := l.Snapshot(context.Background()); err != nil {
								return err
							}
						}
						return nil
					})
				})
				for last := time.Now(); !taken; {
					asyncio.Sleep(ctx, 0)
					now := time.Now()
					if d := now.Sub(last); d > 20*time.Microsecond { // there was something else than this
						longest = max(longest, d)
						loop += d
					}
					last = now
				}
				b.StopTimer()
				b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
				b.ReportMetric(float64(loop.Microseconds())/1000/float64(b.N), "loop-ms/op")
				_, err := other.Await(ctx)
				return err
			})
		})
	}
}
