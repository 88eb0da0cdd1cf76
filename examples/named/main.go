// Named shows tasks with names and Wait: which of them are done, first after a
// while and then at the end, and what each of them has made.
package main

import (
	"context"
	"errors"
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

func run(w io.Writer, opts ...asyncio.RunOption) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		tasks := []*asyncio.Task[string]{
			asyncio.CreateTask(ctx, bake("bread", 30*time.Millisecond), asyncio.WithTaskName("oven")),
			asyncio.CreateTask(ctx, bake("pizza", 10*time.Millisecond), asyncio.WithTaskName("stone oven")),
			asyncio.CreateTask(ctx, bake("", 20*time.Millisecond), asyncio.WithTaskName("broken oven")),
		}
		done, pending, err := asyncio.Wait(ctx, tasks, asyncio.FirstCompleted)
		if err != nil {
			return err
		}
		fmt.Fprintf(w, "first: %s; not yet: %d\n", done[0].Name(), len(pending))

		if done, _, err = asyncio.Wait(ctx, tasks); err != nil {
			return err
		}
		for _, t := range done {
			cake, err := t.Result()
			fmt.Fprintf(w, "%s: %s", t.Name(), cake)
			if err != nil {
				fmt.Fprint(w, err)
			}
			fmt.Fprintln(w)
		}
		return nil
	}, opts...)
}

func bake(cake string, d time.Duration) asyncio.Coro[string] {
	return func(ctx context.Context) (string, error) {
		err := asyncio.Sleep(ctx, d)
		if err == nil && cake == "" {
			err = errors.New("nothing came out")
		}
		return cake, err
	}
}
