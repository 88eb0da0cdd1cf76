// Manager shows what async with is: something is opened, lent to a piece of work,
// and closed whatever happens. The opening and the closing may wait.
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
		return asyncio.With(ctx, &manager{w: w}, func(ctx context.Context, m *manager) error {
			result, err := m.doSomething(ctx)
			fmt.Fprintln(w, result)
			return err
		})
	})
}

// A manager opens a connection before a piece of work, and closes it after it.
type manager struct {
	w    io.Writer
	conn string
}

func (m *manager) doSomething(context.Context) (int, error) { return 666, nil }

// Enter is Python's __aenter__.
func (m *manager) Enter(ctx context.Context) (_ *manager, err error) {
	m.conn, err = asyncio.SleepResult(ctx, 20*time.Millisecond, "connection")
	fmt.Fprintln(m.w, "enter with", m.conn)
	return m, err
}

// Exit is Python's __aexit__. It is called in any case, and is told how the work
// has ended.
func (m *manager) Exit(ctx context.Context, err error) error {
	closing := asyncio.Sleep(ctx, 20*time.Millisecond)
	fmt.Fprintln(m.w, "exit")
	if err != nil {
		return err
	}
	return closing
}
