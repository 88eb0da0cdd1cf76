// Nested shows coroutines that start others and wait for them in three ways: for
// all results in order, for the tasks, and for each result as it comes.
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

func run(w io.Writer, opts ...asyncio.RunOption) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		for _, outer := range []struct {
			name string
			run  func(ctx context.Context, inner []asyncio.Coro[int]) ([]int, error)
		}{
			{"gather", gather},
			{"wait", wait},
			{"as completed", asCompleted},
		} {
			// The first one takes the longest.
			inner := []asyncio.Coro[int]{work(w, 1, 30), work(w, 2, 20), work(w, 3, 10)}
			results, err := outer.run(ctx, inner)
			if err != nil {
				return err
			}
			fmt.Fprintln(w, outer.name, results)
		}
		return nil
	}, opts...)
}

func work(w io.Writer, n int, ms time.Duration) asyncio.Coro[int] {
	return func(ctx context.Context) (int, error) {
		fmt.Fprintln(w, "  begins", n)
		err := asyncio.Sleep(ctx, ms*time.Millisecond)
		fmt.Fprintln(w, "  ends", n)
		return n, err
	}
}

func gather(ctx context.Context, inner []asyncio.Coro[int]) ([]int, error) {
	return asyncio.Gather(ctx, asyncio.Awaitables(inner)...).Await(ctx)
}

func wait(ctx context.Context, inner []asyncio.Coro[int]) ([]int, error) {
	var tasks []*asyncio.Task[int]
	for _, c := range inner {
		tasks = append(tasks, asyncio.CreateTask(ctx, c))
	}
	done, _, err := asyncio.Wait(ctx, tasks)
	if err != nil {
		return nil, err
	}
	var results []int
	for _, t := range done {
		n, err := t.Result()
		if err != nil {
			return nil, err
		}
		results = append(results, n)
	}
	return results, nil
}

func asCompleted(ctx context.Context, inner []asyncio.Coro[int]) ([]int, error) {
	var results []int
	for n, err := range asyncio.AsCompleted(ctx, inner) {
		if err != nil {
			return nil, err
		}
		results = append(results, n)
	}
	return results, nil
}
