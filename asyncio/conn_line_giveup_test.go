package asyncio_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What tasks wait for in a line.
var lines = []struct {
	name string
	wait func() func(ctx context.Context) error
}{
	{"Lock", func() func(ctx context.Context) error {
		l := asyncio.NewLock()
		l.Acquire(context.Background())
		return l.Acquire
	}},
	{"Semaphore", func() func(ctx context.Context) error { return asyncio.NewSemaphore(0).Acquire }},
	{"Event", func() func(ctx context.Context) error { return asyncio.NewEvent().Wait }},
	{"Condition", func() func(ctx context.Context) error {
		c := asyncio.NewCondition(nil)
		return func(ctx context.Context) error { return c.Do(ctx, func() error { return c.Wait(ctx) }) }
	}},
	{"Barrier", func() func(ctx context.Context) error {
		b := asyncio.NewBarrier(1 << 20)
		return func(ctx context.Context) error { _, err := b.Wait(ctx); return err }
	}},
	{"Queue.Get", func() func(ctx context.Context) error {
		q := asyncio.NewQueue[int](0)
		return func(ctx context.Context) error { _, err := q.Get(ctx); return err }
	}},
	{"Queue.Put", func() func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		q.PutNowait(1)
		return func(ctx context.Context) error { return q.Put(ctx, 2) }
	}},
	{"Queue.Join", func() func(ctx context.Context) error {
		q := asyncio.NewQueue[int](1)
		q.PutNowait(1)
		return q.Join
	}},
}

// BenchmarkGiveUpLine is one more waiter that gives up what none, or 50,000 others,
// wait for.
func BenchmarkGiveUpLine(b *testing.B) {
	for _, line := range lines {
		for _, others := range []int{0, 50_000} {
			b.Run(fmt.Sprintf("%s/others=%d", line.name, others), func(b *testing.B) {
				asyncio.RunFunc(b.Context(), func(ctx context.Context) error {
					wait := line.wait()
					c, cancel := context.WithCancel(ctx)
					for range others {
						asyncio.Go(ctx, func(ctx context.Context) error { wait(c); return nil })
					}
					asyncio.Sleep(ctx, 0)
					for b.Loop() {
						asyncio.WithTimeout(ctx, 1, func(ctx context.Context, _ *asyncio.Timeout) error { return wait(ctx) })
					}
					b.StopTimer()
					cancel()
					return nil
				})
			})
		}
	}
}

// BenchmarkGiveUpLineAll is all waiters giving up in one turn, per waiter.
func BenchmarkGiveUpLineAll(b *testing.B) {
	for _, line := range lines {
		for _, n := range []int{1000, 50_000} {
			b.Run(fmt.Sprintf("%s/n=%d", line.name, n), func(b *testing.B) {
				asyncio.RunFunc(b.Context(), func(ctx context.Context) error {
					for b.Loop() {
						wait := line.wait()
						ts := make([]*asyncio.Task[asyncio.None], n)
						for i := range ts {
							ts[i] = asyncio.Go(ctx, wait)
						}
						asyncio.Sleep(ctx, 0)
						for _, t := range ts {
							t.Cancel()
						}
						asyncio.Wait(ctx, ts)
					}
					return nil
				})
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/waiter")
			})
		}
	}
}
