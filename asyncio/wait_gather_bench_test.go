package asyncio_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// BenchmarkGather measures one trivial coroutine or goroutine of many that are
// waited for together. The time and the allocations are those of one of them.
func BenchmarkGather(b *testing.B) {
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("gather/%d", n), func(b *testing.B) {
			coros := make([]asyncio.Awaitable[int], n)
			for i := range coros {
				coros[i] = asyncio.Coro[int](func(context.Context) (int, error) { return i, nil })
			}
			b.ReportAllocs()
			asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				for i := 0; i < b.N; i += n {
					if _, err := asyncio.Gather(ctx, coros...).Await(ctx); err != nil {
						b.Error(err)
					}
				}
				return nil
			})
		})
		b.Run(fmt.Sprintf("goroutines/%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for i := 0; i < b.N; i += n {
				results := make([]int, n)
				var wg sync.WaitGroup
				for i := range results {
					wg.Add(1)
					go func() {
						defer wg.Done()
						results[i] = i
					}()
				}
				wg.Wait()
			}
		})
	}
}
