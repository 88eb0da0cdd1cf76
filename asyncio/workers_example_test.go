package asyncio_test

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Two loops, each on a goroutine of its own. What one hands over runs on the
// other, as a task.
func ExampleRunWorkers() {
	var sum atomic.Int64
	err := asyncio.RunWorkers(context.Background(), 2, func(ctx context.Context, w *asyncio.Worker) error {
		if w.Index() > 0 {
			return asyncio.NewEvent().Wait(ctx) // at hand until it is cancelled
		}
		for i := range 10 {
			done := w.Peer(1).Go(func(ctx context.Context) error {
				sum.Add(int64(i))
				return nil
			})
			if _, err := asyncio.WrapFuture(w.Loop(), done).Await(ctx); err != nil {
				return err
			}
		}
		return fmt.Errorf("the sum is %d", sum.Load()) // ends the others
	})
	fmt.Println(err.(*asyncio.ExceptionGroup).Exceptions[0])
	// Output: the sum is 45
}
