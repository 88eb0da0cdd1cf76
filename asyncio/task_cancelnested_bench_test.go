package asyncio_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A nested is things within each other, deep of them. The innermost waits for good, end ends all.
type nested struct {
	name string
	make func(ctx context.Context, deep int) (end func())
}

// endOf cancels one task and waits for it, and with it for those within.
func endOf(ctx context.Context, t *asyncio.Task[asyncio.None]) func() {
	return func() {
		t.Cancel()
		t.Await(ctx)
	}
}

var allNested = []nested{
	{"beside each other", func(ctx context.Context, deep int) func() { // for comparison: what so many tasks cost by themselves
		return endOf(ctx, asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				for range deep {
					tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
				}
				return nil
			})
		}))
	}},
	{"tasks", func(ctx context.Context, deep int) func() {
		t := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		for range deep - 1 {
			of := t
			t = asyncio.Go(ctx, func(ctx context.Context) error { _, err := of.Await(ctx); return err })
		}
		return endOf(ctx, t)
	}},
	{"tasks that are gathered", func(ctx context.Context, deep int) func() {
		t := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		for range deep - 1 {
			of := t
			t = asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := asyncio.Gather[asyncio.None](ctx, of).Await(ctx)
				return err
			})
		}
		return endOf(ctx, t)
	}},
	{"shields", func(ctx context.Context, deep int) func() {
		leaf := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
		var f asyncio.FutureOf[asyncio.None] = leaf
		for range deep {
			f = asyncio.Shield[asyncio.None](ctx, f)
		}
		t := asyncio.Go(ctx, func(ctx context.Context) error { _, err := f.Await(ctx); return err })
		return func() {
			leaf.Cancel()
			t.Await(ctx)
		}
	}},
	{"task groups", func(ctx context.Context, deep int) func() {
		var level func(deep int) func(ctx context.Context) error
		level = func(deep int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				if deep == 1 {
					return asyncio.Sleep(ctx, time.Hour)
				}
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					tg.Go(level(deep - 1))
					return nil
				})
			}
		}
		return endOf(ctx, asyncio.Go(ctx, level(deep)))
	}},
}

// untilQuiet waits until every task has gone as far as it can.
func untilQuiet(ctx context.Context) {
	quiet := asyncio.NewEvent()
	asyncio.CurrentTask(ctx).Loop().CallWhenQuiet(quiet.Set)
	quiet.Wait(ctx)
}

// BenchmarkCancelNested is one of many things within each other, of which the outermost is
// cancelled; in the end all have ended. The time for making them is not part of it.
func BenchmarkCancelNested(b *testing.B) {
	for _, of := range allNested {
		for _, deep := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", of.name, deep), func(b *testing.B) {
				bench(b, func(ctx context.Context) error {
					for i := 0; i < b.N; i += deep {
						b.StopTimer()
						end := of.make(ctx, deep)
						untilQuiet(ctx)
						b.StartTimer()
						end()
					}
					return nil
				})
			})
		}
	}
}

// BenchmarkCloseNested is the same of a loop that is closed with them, which kills each task.
func BenchmarkCloseNested(b *testing.B) {
	for _, of := range allNested {
		for _, deep := range []int{1_000, 100_000} {
			b.Run(fmt.Sprintf("%s/%d", of.name, deep), func(b *testing.B) {
				for i := 0; i < b.N; i += deep {
					b.StopTimer()
					l := asyncio.NewLoop()
					l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // tasks are destroyed
					_, err := asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
						of.make(ctx, deep)
						untilQuiet(ctx)
						return nil
					}))
					b.StartTimer()
					l.Close()
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
