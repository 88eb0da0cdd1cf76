// Blocking shows functions that know nothing of the loop and block: they run on
// other goroutines, and tasks wait for them while the loop goes on.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

// read stands for a call that blocks: of a file, of a driver, of C code.
func read(file string) (string, error) {
	time.Sleep(30 * time.Millisecond)
	return strings.ToUpper(file), nil
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		// The simplest way: one call, for which the task waits.
		text, err := asyncio.ToThread(ctx, func(context.Context) (string, error) { return read("letter") })
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "has read", text)

		// Several calls, in a pool of two goroutines, while the loop goes on.
		pool := asyncio.NewThreadPool(2)
		defer pool.Close()
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		var reads []*asyncio.Future[string]
		for _, file := range []string{"a", "b", "c"} {
			reads = append(reads, asyncio.RunInExecutor(loop, pool, func() (string, error) { return read(file) }))
		}
		ticking := asyncio.CreateTask(ctx, tick)
		texts, err := asyncio.Gather(ctx, asyncio.Awaitables(reads)...).Await(ctx)
		if err != nil {
			return err
		}
		fmt.Fprintln(w, "has read", strings.Join(texts, " "))
		ticking.Cancel()
		if ticks, _ := ticking.Await(ctx); ticks > 0 {
			fmt.Fprintln(w, "the loop went on meanwhile")
		}
		return nil
	})
}

// tick counts until it is cancelled, which is not a failure.
func tick(ctx context.Context) (n int, err error) {
	for asyncio.Sleep(ctx, time.Millisecond) == nil {
		n++
	}
	return n, nil
}
