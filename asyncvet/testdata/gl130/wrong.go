package gl130

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func later(ctx context.Context, loop *asyncio.Loop) {
	loop.CallLater(time.Second, func() {
		if err := asyncio.Sleep(ctx, time.Second); err != nil { // want `GL130: asyncio.Sleep waits, and a callback of asyncio.Loop.CallLater is in no task: start a task by asyncio.Go`
			loop.Stop()
		}
	})
	go func() {
		if err := asyncio.Sleep(ctx, time.Second); err != nil { // want `GL130: asyncio.Sleep waits, and a go statement runs this on another goroutine: use a task, or RunCoroutineThreadsafe`
			loop.Stop()
		}
	}()
}
