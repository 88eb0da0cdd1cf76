// Ticker shows what async for is: range over a sequence whose body waits.
package main

import (
	"context"
	"fmt"
	"io"
	"iter"
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
		for i, err := range ticks(ctx, 20*time.Millisecond, 5) {
			if err != nil {
				return err
			}
			fmt.Fprintln(w, i)
		}
		return nil
	})
}

// ticks counts to n, and waits for delay before each number but the first. If a
// wait fails, its error is the last thing that comes.
func ticks(ctx context.Context, delay time.Duration, n int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			var err error
			if i > 0 {
				err = asyncio.Sleep(ctx, delay)
			}
			if !yield(i, err) || err != nil {
				return
			}
		}
	}
}
