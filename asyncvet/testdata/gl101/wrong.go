package gl101

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func poll(ctx context.Context) error {
	for range 3 {
		time.Sleep(time.Second) // want `GL101: time.Sleep blocks the loop, in a task, as it calls asyncio.Sleep: use asyncio.Sleep`
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}
