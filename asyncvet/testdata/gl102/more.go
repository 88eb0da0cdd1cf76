package gl102

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ways(ctx context.Context, in, out chan int, other *asyncio.ConcurrentFuture[int]) error {
	out <- 1            // want `GL102: a send to a channel`
	for v := range in { // want `GL102: a range over a channel`
		_ = v
	}
	select { // want `GL102: a select without default`
	case <-in:
	case out <- 1:
	}
	<-ctx.Done()             // want `GL102: a receive from a channel .* use a wait with that ctx`
	<-time.After(1)          // want `GL102: a receive from a channel .* use asyncio.Sleep`
	<-other.Done()           // want `GL102: a receive from a channel .* use its Await`
	for range time.Tick(1) { // want `GL102: a range over a channel`
		break
	}
	return asyncio.Sleep(ctx, 1)
}

type box struct{ ch chan int }

func newBox() *box { return &box{ch: make(chan int, 1)} }

func anotherBox() *box { return &box{make(chan int, 1)} }

// A channel that is made with room takes a send at once.
func (b *box) put(ctx context.Context) error {
	results := make(chan int, 8)
	results <- 1
	b.ch <- 1
	select {
	case results <- 2:
	default:
	}
	return asyncio.Sleep(ctx, 1)
}

// One that is not always made so does not.
func cramped(ctx context.Context, room bool) error {
	ch := make(chan int)
	if room {
		ch = make(chan int, 1)
	}
	ch <- 1 // want `GL102`
	return asyncio.Sleep(ctx, 1)
}

// On goroutines a channel is right.
func onGoroutine(ctx context.Context, loop *asyncio.Loop, in <-chan int) error {
	future := asyncio.NewFuture[int](loop)
	go func() {
		v := <-in
		loop.CallSoonThreadsafe(func() { future.SetResult(v) })
	}()
	_, err := future.Await(ctx)
	return err
}
