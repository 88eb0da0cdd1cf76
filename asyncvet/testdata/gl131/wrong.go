package gl131

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ring(ctx context.Context) error {
	event := asyncio.NewEvent()
	go func() {
		time.Sleep(time.Second)
		event.Set() // want `GL131: asyncio.Event.Set is for tasks and callbacks of its loop, and a go statement runs this on another goroutine: use CallSoonThreadsafe`
	}()
	return event.Wait(ctx)
}
