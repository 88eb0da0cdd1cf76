package app

import (
	"context"
	"sync"

	"example.com/faults/facts/helper"
	"example.com/other"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main(ctx context.Context, c *helper.Client) *asyncio.Task[asyncio.None] { // want main:"blocks: GL101 time.Sleep"
	helper.Slow()
	return asyncio.Go(ctx, func(ctx context.Context) error {
		helper.Slow() // want `GL101: helper.Slow blocks the loop, in a function that asyncio.Go runs: it calls time.Sleep at helper.go:\d+; use asyncio.Sleep`
		helper.Elsewhere()
		helper.Brief(nil)
		other.Poll()
		return c.Ask() // want `GL105: helper.Client.Ask blocks the loop, .* it calls http.Get at helper.go:\d+; use ToThread`
	})
}

func waits(ctx context.Context, mu *sync.Mutex) error { // want waits:"needs a task: helper.Wait"
	mu.Lock() // want "GL103: mu is locked while the task waits in helper.Wait"
	defer mu.Unlock()
	if err := helper.Wait(ctx); err != nil {
		return err
	}
	if err := helper.Both(ctx); err != nil {
		return err
	}
	return helper.Fetch("") // want `GL105: helper.Fetch blocks the loop, in a task, as it calls helper.Wait`
}

func places(ctx context.Context, loop *asyncio.Loop) {
	go helper.Wait(ctx)   // want `GL130: helper.Wait calls asyncio.Sleep, which only a task may, and a go statement runs it on another goroutine`
	go helper.Either(ctx) // for both
	go helper.EitherByArgument(ctx, false)
	go helper.Slow()
	loop.CallSoon(helper.Slow)     // want `GL101: helper.Slow blocks the loop, where asyncio.Loop.CallSoon runs it`
	asyncio.Go(ctx, helper.Wait)   // want `GL203`
	asyncio.Go(ctx, helper.Either) // want `GL203`
}
