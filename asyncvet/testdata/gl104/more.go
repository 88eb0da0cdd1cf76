package gl104

import (
	"context"
	"sync"

	"github.com/go-greenlet/greenlet/asyncio"
)

func cond(ctx context.Context, c *sync.Cond) error {
	c.L.Lock()
	c.Wait() // want `GL104: sync.Cond.Wait .* use asyncio.Condition`
	c.L.Unlock()
	return asyncio.Sleep(ctx, 1)
}

// Waits of package asyncio have the same name.
func ours(ctx context.Context, e *asyncio.Event, c *asyncio.Condition) error {
	if err := e.Wait(ctx); err != nil {
		return err
	}
	return c.Do(ctx, func() error { return c.Wait(ctx) })
}
