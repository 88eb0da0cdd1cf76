//go:build unix

package asyncio_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What Ctrl-C does, with real signals: a child is interrupted when it says that
// it is ready.

func interrupted(name string, main func(ctx context.Context) error, opts ...asyncio.RunOption) bool {
	return addChild(name, func() {
		err := asyncio.RunFunc(context.Background(), main, opts...)
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
	// All wait for nothing: it is told, once, and an interrupt still ends it.
	_ = interrupted("stands still", func(ctx context.Context) error {
		tellReports(ctx, "interrupt me")
		asyncio.Go(ctx, func(context.Context) error { return valueError("which is why") }, asyncio.WithTaskName("worker"))
		lock := asyncio.NewLock()
		lock.Acquire(ctx)
		child := asyncio.Go(ctx, lock.Acquire, asyncio.WithTaskName("child"))
		_, err := child.Await(ctx)
		fmt.Println("main sees", pyName(err))
		return err
	})
	// All wait, and something comes that the loop does not know of.
	_ = addChild("waits for others", func() {
		for name, f := range map[string]func(ctx context.Context, l *asyncio.Loop, e *asyncio.Event) error{
			"goroutine": func(ctx context.Context, l *asyncio.Loop, e *asyncio.Event) error {
				go func() {
					time.Sleep(standing)
					l.CallSoonThreadsafe(e.Set)
				}()
				return e.Wait(ctx)
			},
			"timer that is held": func(ctx context.Context, l *asyncio.Loop, e *asyncio.Event) error {
				l.Hold()
				time.AfterFunc(standing, func() {
					l.CallSoonThreadsafe(e.Set)
					l.Release()
				})
				return e.Wait(ctx)
			},
			"deadline": func(ctx context.Context, _ *asyncio.Loop, e *asyncio.Event) error {
				ctx, cancel := context.WithTimeout(ctx, standing)
				defer cancel()
				e.Wait(ctx)
				return nil
			},
			"signal": func(ctx context.Context, l *asyncio.Loop, e *asyncio.Event) error {
				l.AddSignalHandler(syscall.SIGUSR1, e.Set)
				time.AfterFunc(standing, func() { syscall.Kill(os.Getpid(), syscall.SIGUSR1) })
				return e.Wait(ctx)
			},
			"timer": func(ctx context.Context, l *asyncio.Loop, e *asyncio.Event) error {
				l.CallLater(standing, e.Set)
				return e.Wait(ctx)
			},
		} {
			err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				tellReports(ctx, name)
				l, _ := asyncio.RunningLoop(ctx)
				return f(ctx, l, asyncio.NewEvent())
			})
			if err != nil {
				fmt.Println(name, err)
			}
		}
		ctx, cancel := context.WithTimeout(context.Background(), standing)
		defer cancel()
		asyncio.RunFunc(ctx, func(ctx context.Context) error {
			tellReports(ctx, "deadline of the run")
			return asyncio.NewEvent().Wait(ctx)
		})
		fmt.Println("the end")
	})
	// A goroutine calls the loop and ends, both after the loop has looked what was posted.
	_ = addChild("called at the last moment", func() {
		asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			tellReports(ctx, "told")
			l, _ := asyncio.RunningLoop(ctx)
			called := asyncio.NewEvent()
			go l.CallSoonThreadsafe(called.Set)
			for !asyncio.NobodyElse() {
				runtime.Gosched()
			}
			asyncio.LookForStandStill(l)
			called.Wait(ctx)
			fmt.Println("called")
			asyncio.LookForStandStill(l) // now it would stand still
			return nil
		}, asyncio.WithSignals(false))
	})
	_ = addChild("after workers", func() {
		for range 3 { // whose signal handler must not stay
			err := asyncio.RunWorkers(context.Background(), 2, func(context.Context, *asyncio.Worker) error { return valueError("broken") })
			fmt.Println("run:", err != nil)
		}
		fmt.Println("interrupt me")
		time.Sleep(time.Hour)
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

// standing is how long a loop stands still for the tests: several looks.
const standing = 400 * time.Millisecond

// tellReports prints what the exception handler is told, and then the line.
func tellReports(ctx context.Context, line string) {
	l, _ := asyncio.RunningLoop(ctx)
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		fmt.Println(c.Message, c.Exception)
		for task := range strings.Lines(c.Tasks) {
			task, _, _ = strings.Cut(task, ", called by")
			fmt.Println(" ", strings.TrimSpace(task))
		}
		if c.Tasks != "" {
			fmt.Println(line)
		}
	})
}

func TestInterrupts(t *testing.T) {
	const died = "died of interrupt"
	for name, want := range map[string][]string{
		"interrupted once":  {"main sees CancelledError", "cleaned up", "another task sees CancelledError", "run: false true KeyboardInterrupt"},
		"interrupted twice": {"main sees CancelledError", "main sees CancelledError", "run: false true KeyboardInterrupt"},
		"refuses":           {"main sees CancelledError", "run: true false <nil>"},
		"fails":             {"main sees CancelledError", "run: false false ValueError"},
		"no signals":        {died},
		"blocked":           {died},
		"stands still": {
			"Deadlock: all tasks wait, and nothing can wake them <nil>",
			"Task-1: waits in asyncio.(*Task[...]).Await",
			"└─ child: waits in asyncio.(*Lock).Acquire; the lock is held by Task-1",
			"worker: has failed, and nobody has looked at the error: which is why",
			"W1: a circle: Task-1 waits for child, which waits for the lock held by Task-1",
			"main sees CancelledError", "Task exception was never retrieved which is why", "run: false true KeyboardInterrupt",
		},
		"waits for others": {"the end"},
		"called at the last moment": {
			"called", "Deadlock: all tasks wait, and nothing can wake them <nil>", "Task-1: runs", "told",
		},
		"after workers": {"run: true", "run: true", "run: true", died},
		"between runs":  {"main sees CancelledError", "run: true", "main sees CancelledError", "run: true", "close: <nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := child(t, name)
			out, err := cmd.StdoutPipe()
			require.NoError(t, err)
			require.NoError(t, cmd.Start())
			late := time.AfterFunc(tooLate, func() { cmd.Process.Kill() })
			var got []string
			again := false
			for lines := bufio.NewScanner(out); lines.Scan(); {
				if lines.Text() != "interrupt me" {
					got = append(got, strings.TrimSpace(lines.Text()))
					continue
				}
				time.Sleep(10 * time.Millisecond) // signals of one kind that pend are one
				cmd.Process.Signal(os.Interrupt)
				if name == "blocked" && !again {
					again = true
					go func() { // on a busy machine they pend for longer: it dies of the third that it gets
						for cmd.Process.Signal(os.Interrupt) == nil {
							time.Sleep(100 * time.Millisecond)
						}
					}()
				}
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
