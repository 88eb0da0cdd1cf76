package gl201

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func heartbeatThatEnds(ctx context.Context, beat func()) error {
	for range 100 {
		beat()
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func guardedByDo(ctx context.Context, lock *asyncio.Lock) error {
	return lock.Do(ctx, func() error { return nil })
}
