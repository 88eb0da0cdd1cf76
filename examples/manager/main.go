// Manager shows what async with is: a function that opens, lends and closes, and
// waits for the opening and for the closing.
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

func run(w io.Writer) error {
	return asyncio.RunMain(context.Background(), func(ctx context.Context) error {
		return withConnection(ctx, w, func(c *connection) error {
			result, err := c.doSomething(ctx)
			fmt.Fprintln(w, result)
			return err
		})
	})
}

type connection struct{ name string }

func (c *connection) doSomething(context.Context) (int, error) { return 666, nil }

// withConnection lends body a connection, which is closed when body ends, in
// whatever way.
func withConnection(ctx context.Context, w io.Writer, body func(*connection) error) (err error) {
	name, err := asyncio.SleepResult(ctx, 20*time.Millisecond, "connection")
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "enter with", name)
	defer func() {
		if closing := asyncio.Sleep(ctx, 20*time.Millisecond); err == nil {
			err = closing
		}
		fmt.Fprintln(w, "exit")
	}()
	return body(&connection{name})
}
