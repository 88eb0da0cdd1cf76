package gl131

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ringThreadsafe(ctx context.Context, loop *asyncio.Loop) error {
	event := asyncio.NewEvent()
	go func() {
		time.Sleep(time.Second)
		loop.CallSoonThreadsafe(event.Set)
	}()
	return event.Wait(ctx)
}
