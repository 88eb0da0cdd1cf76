package gl131

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

type service struct {
	queue *asyncio.Queue[int]
	loop  *asyncio.Loop
	job   *asyncio.Task[int]
}

func (s *service) feed(ctx context.Context) error {
	time.AfterFunc(time.Second, func() {
		s.queue.PutNowait(1)       // want `GL131: asyncio.Queue.PutNowait .* time.AfterFunc runs this`
		s.loop.CallSoon(func() {}) // want `GL131: asyncio.Loop.CallSoon`
		s.job.Cancel()             // want `GL131: asyncio.Task.Cancel`
	})
	return asyncio.Sleep(ctx, 1)
}

// A loop of the goroutine's own, and what any goroutine may call.
func own(c *asyncio.ConcurrentFuture[int], shared *asyncio.Loop) {
	go func() {
		loop := asyncio.NewLoop()
		loop.CallSoon(loop.Stop)
		loop.RunForever()
	}()
	go func() {
		c.SetResult(1)
		c.Cancel()
		shared.Stop()
	}()
	go func() {
		event := asyncio.NewEvent()
		event.Set()
	}()
}
