// Hello shows the smallest program: a coroutine is a function with a context,
// and waits in the middle.
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
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		fmt.Fprintln(w, "Hello world!")
		if err := asyncio.Sleep(ctx, 20*time.Millisecond); err != nil {
			return err
		}
		fmt.Fprintln(w, "Hello again!")
		return nil
	})
}
