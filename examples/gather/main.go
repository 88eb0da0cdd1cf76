// Gather shows two coroutines that run beside each other on one goroutine, and
// their results in the order in which they were given.
package main

import (
	"context"
	"fmt"
	"io"
	"log"
	"os"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

func main() {
	if err := run(os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(w io.Writer) error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		here := greenlet.Current()
		names, err := asyncio.Gather(ctx, hello(w, "Bob", here), hello(w, "Alice", here)).Await(ctx)
		fmt.Fprintln(w, strings.Join(names, " "))
		return err
	})
}

func hello(w io.Writer, name string, here *greenlet.Greenlet) asyncio.Coro[string] {
	return func(ctx context.Context) (string, error) {
		fmt.Fprintf(w, "Hello %s! (%s)\n", name, thread(here))
		err := asyncio.Sleep(ctx, 20*time.Millisecond)
		fmt.Fprintf(w, "Hello %s again! (%s)\n", name, thread(here))
		return name, err
	}
}

// thread tells whether the caller runs on the goroutine that g belongs to: what
// is a thread in Python.
func thread(g *greenlet.Greenlet) string {
	if g.Owned() {
		return "same thread"
	}
	return "another thread"
}
