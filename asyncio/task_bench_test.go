package asyncio_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

func BenchmarkHop(b *testing.B) {
	for _, n := range []int{1, 2, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				left := n
				done := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
				for range n {
					asyncio.Go(ctx, func(ctx context.Context) error {
						for range b.N / n {
							asyncio.Sleep(ctx, 0)
						}
						if left--; left == 0 {
							done.SetResult(0)
						}
						return nil
					})
				}
				b.ResetTimer()
				done.Await(ctx)
				return nil
			})
		})
	}
}

func BenchmarkCreateAwait(b *testing.B) {
	b.ReportAllocs()
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for range b.N {
			asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return 1, nil }).Await(ctx)
		}
		return nil
	})
}
