package gl121

import (
	"context"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func queue(ctx context.Context, q *asyncio.Queue[int], t *asyncio.Task[int]) error {
	for q.Empty() && !t.Done() { // want `GL121`
		_ = asyncio.Sleep(ctx, 1)
	}
	return nil
}

// The world outside, and the time, tell nobody; and here more is done than to sleep.
func outside(ctx context.Context, loop *asyncio.Loop, open func() bool, q *asyncio.Queue[int]) error {
	for !open() {
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	for deadline := time.Now().Add(1); time.Now().Before(deadline); {
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	for loop.Time() < time.Second {
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	for n := 0; n < 3; n++ {
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	n := 0
	for n < 3 {
		n++
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	for q.QSize() < 3 {
		if err := q.Put(ctx, os.Getpid()); err != nil {
			return err
		}
		if err := asyncio.Sleep(ctx, 1); err != nil {
			return err
		}
	}
	return nil
}
