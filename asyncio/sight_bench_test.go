package asyncio_test

import (
	"context"
	"io"
	"runtime/trace"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What it costs that tasks can be seen: hop is a step among 1,000 tasks, task one that is
// made and awaited, lock a free Acquire and Release. A trace of no task's name is what
// "trace" of an earlier build is.
func BenchmarkSight(b *testing.B) {
	for _, of := range []struct {
		name   string
		opts   []asyncio.LoopOption
		traced bool
	}{
		{name: "off"},
		{name: "labels", opts: []asyncio.LoopOption{asyncio.WithProfileLabels()}},
		{name: "watchdog", opts: []asyncio.LoopOption{asyncio.WithWatchdog(time.Second)}},
		{name: "trace", traced: true},
	} {
		run := func(b *testing.B, f func(ctx context.Context) error) {
			b.ReportAllocs()
			if of.traced {
				if err := trace.Start(io.Discard); err != nil {
					b.Skip(err)
				}
				defer trace.Stop()
			}
			if err := asyncio.RunFunc(context.Background(), f, asyncio.WithLoopOptions(of.opts...)); err != nil {
				b.Fatal(err)
			}
		}
		b.Run(of.name+"/hop", func(b *testing.B) {
			run(b, func(ctx context.Context) error {
				const n = 1000
				var tg []*asyncio.Task[asyncio.None]
				for range n {
					tg = append(tg, asyncio.Go(ctx, func(ctx context.Context) error {
						for range b.N / n {
							if err := asyncio.Sleep(ctx, 0); err != nil {
								return err
							}
						}
						return nil
					}))
				}
				b.ResetTimer()
				for _, t := range tg {
					if _, err := t.Await(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		})
		b.Run(of.name+"/task", func(b *testing.B) {
			run(b, func(ctx context.Context) error {
				b.ResetTimer()
				for range b.N {
					if _, err := asyncio.Go(ctx, func(context.Context) error { return nil }).Await(ctx); err != nil {
						return err
					}
				}
				return nil
			})
		})
		b.Run(of.name+"/lock", func(b *testing.B) {
			run(b, func(ctx context.Context) error {
				var lock asyncio.Lock
				b.ResetTimer()
				for range b.N {
					if err := lock.Acquire(ctx); err != nil {
						return err
					}
					lock.Release()
				}
				return nil
			})
		})
	}
}
