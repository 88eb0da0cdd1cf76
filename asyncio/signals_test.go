//go:build unix

package asyncio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What Ctrl-C does, with real signals: a child is interrupted when it says that
// it is ready.

func interrupted(name string, main func(ctx context.Context) error, opts ...asyncio.RunOption) bool {
	return addChild(name, func() {
		err := asyncio.RunMain(context.Background(), main, opts...)
		fmt.Println("run:", err == nil, errors.Is(err, asyncio.ErrKeyboardInterrupt), pyName(err))
	})
}

// ready asks for an interrupt and waits.
func ready(ctx context.Context) error {
	fmt.Println("interrupt me")
	err := asyncio.Sleep(ctx, time.Hour)
	fmt.Println("main sees", pyName(err))
	return err
}

var (
	_ = interrupted("interrupted once", func(ctx context.Context) error {
		asyncio.Go(ctx, func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Hour)
			fmt.Println("another task sees", pyName(err))
			return err
		})
		err := ready(ctx)
		asyncio.Sleep(ctx, time.Millisecond)
		fmt.Println("cleaned up")
		return err
	})
	_ = interrupted("interrupted twice", func(ctx context.Context) error {
		ready(ctx)
		return ready(ctx)
	})
	_ = interrupted("refuses", func(ctx context.Context) error {
		ready(ctx)
		return nil
	})
	_ = interrupted("fails", func(ctx context.Context) error {
		ready(ctx)
		return valueError("in the cleanup")
	})
	_ = interrupted("no signals", ready, asyncio.WithSignals(false))
	_ = interrupted("blocked", func(ctx context.Context) error {
		for range 3 {
			fmt.Println("interrupt me")
		}
		time.Sleep(time.Hour) // nobody can end the task
		return nil
	})
	_ = addChild("between runs", func() {
		r := asyncio.NewRunner()
		for range 2 {
			_, err := asyncio.RunIn(context.Background(), r, func(ctx context.Context) (int, error) { return 0, ready(ctx) })
			fmt.Println("run:", errors.Is(err, asyncio.ErrKeyboardInterrupt))
		}
		fmt.Println("close:", r.Close())
	})
)

func TestInterrupts(t *testing.T) {
	const died = "died of interrupt"
	for name, want := range map[string][]string{
		"interrupted once":  {"main sees CancelledError", "cleaned up", "another task sees CancelledError", "run: false true KeyboardInterrupt"},
		"interrupted twice": {"main sees CancelledError", "main sees CancelledError", "run: false true KeyboardInterrupt"},
		"refuses":           {"main sees CancelledError", "run: true false <nil>"},
		"fails":             {"main sees CancelledError", "run: false false ValueError"},
		"no signals":        {died},
		"blocked":           {died},
		"between runs":      {"main sees CancelledError", "run: true", "main sees CancelledError", "run: true", "close: <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := child(t, name)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			late := time.AfterFunc(30*time.Second, func() { cmd.Process.Kill() })
			var got []string
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if lines.Text() != "interrupt me" {
					got = append(got, lines.Text())
					continue
				}
				time.Sleep(10 * time.Millisecond) // signals of one kind that pend are one
				cmd.Process.Signal(os.Interrupt)
			}
			var exit *exec.ExitError
			if err := cmd.Wait(); errors.As(err, &exit) {
				if how := exit.Sys().(syscall.WaitStatus); how.Signaled() && how.Signal() == syscall.SIGINT {
					got = append(got, died)
				} else {
					got = append(got, exit.String())
				}
			}
			late.Stop()
			if !slices.Equal(got, want) {
				t.Errorf("the child prints\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}
