package gl103

import (
	"context"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

type till struct {
	lock    *asyncio.Lock
	balance int
}

func (t *till) pay(ctx context.Context, n int) error {
	return t.lock.Do(ctx, func() error {
		if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
			return err
		}
		t.balance -= n
		return nil
	})
}

// For goroutines as well: unlocked before the wait.
type counter struct {
	mu sync.Mutex
	n  int
}

func (c *counter) add(ctx context.Context) error {
	c.mu.Lock()
	c.n++
	c.mu.Unlock()
	return asyncio.Sleep(ctx, time.Millisecond)
}
