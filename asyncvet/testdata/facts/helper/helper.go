// Package helper has functions that block, wait, or do either.
package helper

import (
	"context"
	"net/http"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func Slow() { nap() } // want Slow:"blocks: GL101 time.Sleep"

func nap() { time.Sleep(1) } // want nap:"blocks: GL101 time.Sleep"

func Fetch(url string) error { // want Fetch:"blocks: GL105 http.Get"
	r, err := http.Get(url)
	if err == nil {
		r.Body.Close()
	}
	return err
}

type Client struct{}

func (*Client) Ask() error { return Fetch("") } // want Ask:"blocks: GL105 http.Get"

func Wait(ctx context.Context) error { return asyncio.Sleep(ctx, 1) } // want Wait:"needs a task: asyncio.Sleep"

// Blocks on the loop, which is reported here, and nowhere else.
func Both(ctx context.Context) error { // want Both:"needs a task: Wait"
	time.Sleep(1) // want "GL101"
	return Wait(ctx)
}

// Either is for tasks and for goroutines, and so has no fact.
func Either(ctx context.Context) error {
	if asyncio.CurrentTask(ctx) == nil {
		time.Sleep(1)
		return nil
	}
	return asyncio.Sleep(ctx, 1)
}

func EitherByArgument(ctx context.Context, async bool) error {
	if async {
		return asyncio.Sleep(ctx, 1)
	}
	time.Sleep(1)
	return nil
}

// Brief blocks for a moment, and says so.
func Brief(ch chan int) int {
	return <-ch //asyncvet:ignore GL102 it is there already
}

// Elsewhere blocks another goroutine.
func Elsewhere() { go nap() }
