package gl201

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func heartbeat(ctx context.Context, beat func()) error {
	for range 100 {
		beat()
		asyncio.Sleep(ctx, time.Second) // want `GL201: the error of asyncio.Sleep is dropped, and with it a cancel: return it`
	}
	return nil
}

func guarded(ctx context.Context, lock *asyncio.Lock) {
	lock.Acquire(ctx) // want `GL201: the error of asyncio.Lock.Acquire is dropped: after a cancel the task goes on without it; return the error, or use Do`
	defer lock.Release()
}
