//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestSubprocessScenarios(t *testing.T) {
	playScenarios(t, scenario{"asyncio/240_subprocess_communicate", subprocessCommunicate})
}

func subprocessCommunicate(s *script) {
	pipes := func(stdin, stdout, stderr asyncio.Stdio) []asyncio.SubprocessOption {
		return []asyncio.SubprocessOption{asyncio.WithStdin(stdin), asyncio.WithStdout(stdout), asyncio.WithStderr(stderr)}
	}
	none := func(b []byte) string {
		if b == nil {
			return "none"
		}
		return "some"
	}
	code := func(p *asyncio.Process) any {
		if code, ok := p.ReturnCode(); ok {
			return code
		}
		return "none"
	}
	s.onSystem(func(ctx context.Context) error {
		p, err := asyncio.CreateSubprocessExec(ctx, []string{"cat"}, pipes(asyncio.Pipe, asyncio.Pipe, asyncio.Inherit)...)
		s.must(err)
		s.print("running, returncode", code(p))
		out, errs, err := p.Communicate(ctx, []byte("through cat"))
		s.must(err)
		s.print("out", string(out), "err", none(errs), "code", code(p))
		p, err = asyncio.CreateSubprocessShell(ctx, "echo to stdout; echo to stderr >&2; exit 3", pipes(asyncio.Inherit, asyncio.Pipe, asyncio.Pipe)...)
		s.must(err)
		out, errs, err = p.Communicate(ctx, nil)
		s.must(err)
		s.print("out", strings.TrimSpace(string(out)), "err", strings.TrimSpace(string(errs)), "code", code(p))
		p, err = asyncio.CreateSubprocessShell(ctx, "echo a; echo b >&2; echo c", pipes(asyncio.DevNull, asyncio.Pipe, asyncio.Stdout)...)
		s.must(err)
		out, _, err = p.Communicate(ctx, nil)
		s.must(err)
		s.print("merged", strings.Join(strings.Fields(string(out)), " "))
		if _, err := asyncio.CreateSubprocessExec(ctx, []string{"no-such-program-here"}); errors.Is(err, fs.ErrNotExist) {
			s.print("FileNotFoundError")
		}
		var waits []asyncio.Awaitable[int]
		for _, n := range []int{0, 7, 42} {
			p, err := asyncio.CreateSubprocessExec(ctx, []string{"sh", "-c", fmt.Sprint("exit ", n)})
			s.must(err)
			waits = append(waits, asyncio.Coro[int](p.Wait))
		}
		codes, err := asyncio.Gather(ctx, waits...).Await(ctx)
		s.print("codes", strings.Trim(fmt.Sprint(codes), "[]"))
		return err
	})
}

// allPipes connects all streams of a child.
func allPipes(more ...asyncio.SubprocessOption) []asyncio.SubprocessOption {
	return append(more, asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdout(asyncio.Pipe), asyncio.WithStderr(asyncio.Pipe))
}

// createShell starts a command for the shell.
func createShell(ctx context.Context, t *testing.T, command string, opts ...asyncio.SubprocessOption) *asyncio.Process {
	t.Helper()
	p, err := asyncio.CreateSubprocessShell(ctx, command, opts...)
	require.NoError(t, err)
	return p
}

func ends(ctx context.Context, t *testing.T, p *asyncio.Process, want int) {
	t.Helper()
	if code, err := p.Wait(ctx); code != want || err != nil {
		t.Errorf("it ended with %d, %v; want %d", code, err, want)
	}
	noChildren(t, p.Pid())
}

// Ten megabytes go both ways at once, and ten of errors besides.
func TestCommunicateMuch(t *testing.T) {
	noLeaks(t)
	input := make([]byte, 10<<20)
	for i := range input {
		input[i] = byte(i * i >> 5)
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := createShell(ctx, t, "tee /dev/stderr", allPipes()...)
		out, errs, err := p.Communicate(ctx, input)
		if err != nil || !bytes.Equal(out, input) || !bytes.Equal(errs, input) {
			t.Errorf("%d and %d bytes, %v", len(out), len(errs), err)
		}
		assert.NoError(t, p.Stdin.WaitClosed(ctx))
		ends(ctx, t, p, 0)
	})
}

func TestCommunicateForms(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		// Nothing is a pipe.
		p := createShell(ctx, t, "exit 4", asyncio.WithStdin(asyncio.DevNull))
		if _, _, err := p.Communicate(ctx, []byte("x")); pyName(err) != "ValueError" {
			t.Error(err)
		}
		out, errs, err := p.Communicate(ctx, nil)
		if out != nil || errs != nil || err != nil || p.Stdin != nil || p.Stdout != nil || p.Stderr != nil {
			t.Errorf("%q %q %v", out, errs, err)
		}
		ends(ctx, t, p, 4)
		// Only the input is.
		p = createShell(ctx, t, "cat >/dev/null", asyncio.WithStdin(asyncio.Pipe))
		if _, _, err := p.Communicate(ctx, nil); err != nil {
			t.Error(err)
		}
		// A pipe with nothing in it.
		p = createShell(ctx, t, "exit", allPipes()...)
		out, errs, err = p.Communicate(ctx, []byte("x"))
		if out == nil || errs == nil || len(out)+len(errs) != 0 || err != nil {
			t.Errorf("%q %q %v", out, errs, err)
		}
		// One that does not read what it is given.
		p = createShell(ctx, t, "exec <&-; echo out", allPipes()...)
		out, _, err = p.Communicate(ctx, make([]byte, 1<<20))
		if string(out) != "out\n" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
		ends(ctx, t, p, 0)
	})
}

func TestProcessStreams(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := createShell(ctx, t, `while read x; do echo "got $x"; done; echo end >&2`, allPipes(asyncio.WithPipeLimit(100))...)
		for _, word := range []string{"one", "two"} {
			p.Stdin.WriteString(word + "\n")
			if line, err := p.Stdout.ReadLine(ctx); string(line) != "got "+word+"\n" || err != nil {
				t.Errorf("%q, %v", line, err)
			}
		}
		p.Stdin.Close()
		if _, err := p.Stdout.ReadLine(ctx); err != io.EOF {
			t.Error(err)
		}
		if line, err := p.Stderr.Read(ctx, -1); string(line) != "end\n" || err != nil {
			t.Errorf("%q, %v", line, err)
		}
		if err := p.Stdin.Drain(ctx); err == nil {
			t.Error("Drain of a pipe that is closed")
		}
		if p.Transport().PipeTransport(0) != asyncio.BaseTransport(p.Stdin.Transport()) {
			t.Error("the writer has another transport")
		}
		ends(ctx, t, p, 0)

		// Nobody reads: the child waits, and all comes in the end.
		p = createShell(ctx, t, "head -c 1000000 /dev/zero", allPipes(asyncio.WithPipeLimit(100))...)
		p.Stdin.Close()
		asyncio.Sleep(ctx, 10*time.Millisecond)
		if all, err := p.Stdout.ReadExactly(ctx, 1000000); len(all) != 1000000 || err != nil {
			t.Errorf("%d bytes, %v", len(all), err)
		}
		ends(ctx, t, p, 0)
	})
}

func TestProcessWaiters(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := createShell(ctx, t, "exec cat >/dev/null", asyncio.WithStdin(asyncio.Pipe))
		var waits []*asyncio.Task[int]
		for range 3 {
			waits = append(waits, asyncio.CreateTask(ctx, p.Wait))
		}
		asyncio.Sleep(ctx, 0)
		waits[1].Cancel()
		if _, err := waits[1].Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error(err)
		}
		if _, ok := p.ReturnCode(); ok {
			t.Error("a cancel has killed it")
		}
		short, end := context.WithTimeout(ctx, time.Millisecond)
		defer end()
		if _, err := p.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		if _, err := asyncio.WaitFor(ctx, time.Millisecond, asyncio.Coro[int](p.Wait)); !errors.Is(err, asyncio.ErrTimeout) {
			t.Error(err)
		}
		assert.NoError(t, p.SendSignal(syscall.SIGUSR1))
		for _, i := range []int{0, 2} {
			if code, err := waits[i].Await(ctx); code != -int(syscall.SIGUSR1) || err != nil {
				t.Errorf("%d, %v", code, err)
			}
		}
		for _, err := range []error{p.Terminate(), p.Kill(), p.SendSignal(os.Interrupt)} {
			if !errors.Is(err, os.ErrProcessDone) {
				t.Error(err)
			}
		}
		p.Stdin.Close()
	})
}

// A Communicate that is cancelled loses nothing, wherever it was.
func TestCommunicateCancelled(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for turns := range 12 {
			p := createShell(ctx, t, "echo before; cat; echo after; echo err >&2", allPipes()...)
			talk := asyncio.Go(ctx, func(ctx context.Context) error {
				_, _, err := p.Communicate(ctx, nil)
				return err
			})
			for range turns {
				asyncio.Sleep(ctx, time.Millisecond/4)
			}
			talk.Cancel()
			if _, err := talk.Await(ctx); err != nil && !errors.Is(err, asyncio.ErrCancelled) {
				t.Error(err)
			} else if err == nil {
				continue // it was too late
			}
			out, errs, err := p.Communicate(ctx, nil)
			if string(out) != "before\nafter\n" || string(errs) != "err\n" || err != nil {
				t.Errorf("after %d turns: %q %q %v", turns, out, errs, err)
			}
			ends(ctx, t, p, 0)
		}
		// In the middle of Drain.
		p := createShell(ctx, t, "read x; cat | wc -c", allPipes()...)
		data := bytes.Repeat([]byte("x"), 1<<20)
		p.Stdin.Write(data)
		if _, err := asyncio.WaitFor(ctx, time.Millisecond, asyncio.Func(p.Stdin.Drain)); !errors.Is(err, asyncio.ErrTimeout) {
			t.Error(err)
		}
		p.Stdin.WriteString("\n12345")
		out, _, err := p.Communicate(ctx, nil)
		if strings.TrimSpace(string(out)) != "5" || err != nil {
			t.Errorf("%q, %v", out, err)
		}
	})
}

// A child that ignores SIGTERM.
const deaf = "trap '' TERM; echo up; while :; do sleep 0.01; done"

func TestKillOnCancel(t *testing.T) {
	noLeaks(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, c := range []struct {
			name, command string
			grace         time.Duration
			cancels, code int
		}{
			{"at once", deaf, 0, 1, -9},
			{"gently", "trap 'exit 3' TERM; echo up; while :; do sleep 0.01; done", time.Hour, 1, 3},
			{"after the grace", deaf, time.Millisecond, 1, -9},
			{"by a second cancel", deaf, time.Hour, 2, -9},
		} {
			for _, communicate := range []bool{false, true} {
				p := createShell(ctx, t, c.command, asyncio.WithStdout(asyncio.Pipe), asyncio.WithKillOnCancel(c.grace))
				p.Stdout.ReadLine(ctx)
				task := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
					if communicate {
						_, _, err := p.Communicate(ctx, nil)
						return 0, err
					}
					return p.Wait(ctx)
				})
				for range c.cancels {
					asyncio.Sleep(ctx, time.Millisecond)
					task.Cancel()
				}
				if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
					t.Errorf("%s: %v", c.name, err)
				}
				if code, ok := p.ReturnCode(); code != c.code || !ok {
					t.Errorf("%s: code %d, %v", c.name, code, ok)
				}
				noChildren(t, p.Pid())
			}
		}
		p := createShell(ctx, t, "exec sleep 1000", asyncio.WithKillOnCancel(0))
		short, end := context.WithTimeout(ctx, time.Millisecond)
		defer end()
		if _, err := p.Wait(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
		ends(ctx, t, p, -9)
	})
}

// Run kills and waits for what is left, with tasks that wait in every place, and
// calls in deferred functions that come too late.
func TestRunEndsProcesses(t *testing.T) {
	noLeaks(t)
	var all []*asyncio.Process
	var errs []error
	// The time for the shutdown is over when all of them have ended.
	clock := &heldClock{held: func() bool { return len(errs) < 9 }}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // of the last task
		for range 3 {
			p := createShell(ctx, t, deaf, allPipes()...)
			all = append(all, p)
			p.Stdout.ReadLine(ctx)
			for _, wait := range []func(context.Context) error{
				func(ctx context.Context) error { _, err := p.Wait(ctx); return err },
				func(ctx context.Context) error { _, _, err := p.Communicate(ctx, make([]byte, 1<<20)); return err },
				p.Stdin.WaitClosed,
			} {
				asyncio.Go(ctx, func(ctx context.Context) error {
					err := wait(ctx)
					errs = append(errs, err)
					return err
				})
			}
		}
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer func() {
				all[0].Stdin.Write([]byte("late"))
				all[0].Stdin.Close()
				all[0].Transport().Close()
			}()
			for {
				asyncio.Sleep(ctx, time.Hour) // it refuses to be cancelled
			}
		})
		asyncio.Sleep(ctx, 0)
	}, asyncio.WithShutdownTimeout(10*time.Millisecond), asyncio.WithClock(clock))
	if len(errs) != 9 || slices.ContainsFunc(errs, func(err error) bool { return !errors.Is(err, asyncio.ErrCancelled) }) {
		t.Errorf("the waits ended with %v", errs)
	}
	for _, p := range all {
		if code, ok := p.ReturnCode(); code != -9 || !ok {
			t.Errorf("code %d, %v", code, ok)
		}
		noChildren(t, p.Pid())
	}
}

// A heldClock is one that jumps when nobody holds it.
type heldClock struct {
	jumpingClock
	held func() bool
}

func (c *heldClock) Until(when time.Duration, _ bool) time.Duration {
	return c.jumpingClock.Until(when, !c.held())
}

// Without descriptors for processes all is the same.
func TestProcessesWithoutDescriptors(t *testing.T) {
	defer asyncio.WithoutProcessDescriptors()()
	for name, test := range map[string]func(*testing.T){
		"ends":     TestSubprocess,
		"output":   TestSubprocessLosesNoOutput,
		"signals":  TestSubprocessSignals,
		"many":     TestManySubprocesses,
		"panics":   TestSubprocessProtocolPanics,
		"cancels":  TestSubprocessStartCancelled,
		"closing":  TestLoopClosesSubprocesses,
		"waiters":  TestProcessWaiters,
		"kill":     TestKillOnCancel,
		"run ends": TestRunEndsProcesses,
	} {
		t.Run(name, test)
	}
}

// Wait waits for the process, not for its pipes, which a grandchild keeps open.
func TestProcessWaitGrandchild(t *testing.T) {
	noLeaks(t)
	r, w := osPipe(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		p := createShell(ctx, t, "(read line <&3; echo grand $line) & exit 3",
			asyncio.WithStdin(asyncio.DevNull), asyncio.WithStdout(asyncio.Pipe), asyncio.WithExtraFiles(r))
		if code, err := p.Wait(ctx); code != 3 || err != nil {
			t.Errorf("%d, %v", code, err)
		}
		if p.Stdout.AtEOF() {
			t.Error("the pipe has ended, too")
		}
		fmt.Fprintln(w, "child")
		if out, err := p.Stdout.Read(ctx, -1); string(out) != "grand child\n" || err != nil && !errors.Is(err, io.EOF) {
			t.Errorf("%q, %v", out, err)
		}
	})
}
