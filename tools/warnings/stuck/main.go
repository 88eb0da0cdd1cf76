// Stuck forgets a lock, and waits for it for a second.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		var lock asyncio.Lock
		if _, err := asyncio.Go(ctx, lock.Acquire).Await(ctx); err != nil {
			return err
		}
		return asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
			return lock.Acquire(ctx)
		})
	})
	fmt.Println(err)
}
