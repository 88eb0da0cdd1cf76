package gl103

import (
	"context"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

type account struct {
	mu      sync.Mutex
	balance int
}

func (a *account) pay(ctx context.Context, n int) error {
	a.mu.Lock() // want `GL103: a.mu is locked while the task waits in asyncio.Sleep at line \d+: another task that locks it stops the loop for ever; use asyncio.Lock`
	defer a.mu.Unlock()
	if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
		return err
	}
	a.balance -= n
	return nil
}
