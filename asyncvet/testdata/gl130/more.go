package gl130

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio"
)

func worker(ctx context.Context) error { return asyncio.Sleep(ctx, 1) }

type protocol struct {
	asyncio.NopProtocol
	ctx   context.Context
	queue *asyncio.Queue[[]byte]
}

func (p *protocol) DataReceived(data []byte) {
	if err := p.queue.Put(p.ctx, data); err != nil { // want `GL130: asyncio.Queue.Put waits, and a callback of a transport is in no task`
		return
	}
}

func (p *protocol) ConnectionLost(error) {
	worker(p.ctx) // want `GL130: gl130.worker waits as a task, and a callback of a transport is in no task`
}

func ways(ctx context.Context, loop *asyncio.Loop, lock *asyncio.Lock) error {
	go worker(ctx) // want `GL130: worker calls asyncio.Sleep, which only a task may, and a go statement runs it on another goroutine`
	go func() {
		asyncio.Go(ctx, worker) // want `GL130: asyncio.Go panics: a go statement runs this on another goroutine; use RunCoroutineThreadsafe`
	}()
	loop.CallSoon(func() { worker(ctx) }) // want `GL130: gl130.worker waits as a task`
	loop.CallSoon(func() { asyncio.Go(ctx, worker) })
	return asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
		return lock.Acquire(ctx) // want `GL130: asyncio.Lock.Acquire waits, and asyncio.ToThreadFunc runs this on another goroutine`
	})
}

// A connection waits anywhere, and so does who asks whether it is a task.
func send(ctx context.Context, conn net.Conn, c *asyncio.ConcurrentFuture[int]) {
	go func() {
		conn.Write(nil)
		c.Await(ctx)
		both(ctx)
	}()
}

func both(ctx context.Context) error {
	if asyncio.CurrentTask(ctx) == nil {
		return nil
	}
	return asyncio.Sleep(ctx, 1)
}

// Any goroutine may look at a loop, with any context.
func looks(loop *asyncio.Loop) {
	go func() {
		asyncio.TakeSnapshot(context.Background())
		loop.Snapshot(context.Background())
		loop.WriteTasks(context.Background(), nil)
	}()
}

// A goroutine with a loop of its own.
func loops(ctx context.Context) {
	go func() {
		asyncio.RunFunc(context.Background(), worker)
	}()
}
