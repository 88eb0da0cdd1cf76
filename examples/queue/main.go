// Queue shows producers and consumers: a bounded queue, workers that share it,
// and an end at which nothing is left in it.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// An order is a dish that takes its time.
type order struct {
	dish string
	time time.Duration
}

var orders = []order{
	{"soup", 10 * time.Millisecond},
	{"roast", 40 * time.Millisecond},
	{"salad", 10 * time.Millisecond},
	{"fish", 30 * time.Millisecond},
	{"cake", 15 * time.Millisecond},
}

func run(w io.Writer, opts ...asyncio.RunOption) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		queue := asyncio.NewQueue[order](2)
		var cooks []*asyncio.Task[asyncio.None]
		for _, name := range []string{"ann", "bob"} {
			cooks = append(cooks, asyncio.Go(ctx, cook(w, queue), asyncio.WithTaskName(name)))
		}
		for _, o := range orders {
			if err := queue.Put(ctx, o); err != nil { // waits while the queue is full
				return err
			}
			fmt.Fprintln(w, "ordered", o.dish)
		}
		if err := queue.Join(ctx); err != nil { // until all is cooked
			return err
		}
		for _, c := range cooks {
			c.Cancel()
		}
		_, _, err := asyncio.Wait(ctx, cooks)
		return err
	}, opts...)
}

func cook(w io.Writer, queue *asyncio.Queue[order]) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		name := asyncio.CurrentTask(ctx).Name()
		for {
			o, err := queue.Get(ctx)
			if err != nil {
				fmt.Fprintln(w, name, "goes home")
				return err
			}
			if err := asyncio.Sleep(ctx, o.time); err != nil {
				return err
			}
			fmt.Fprintln(w, name, "has made", o.dish)
			queue.TaskDone()
		}
	}
}
