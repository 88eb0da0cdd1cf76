package asyncio_test

import (
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The test binary is a worker, or one of the children below, if the environment
// says so. This is before TestMain, and after all jobs are registered.
func init() {
	if os.Getenv("ASYNCIO_TEST_NO_WORKER") != "" {
		fmt.Println("This program does something else, and says so.")
		os.Exit(0)
	}
	asyncio.ProcessWorker()
	if name := os.Getenv("ASYNCIO_TEST_CHILD"); name != "" {
		time.AfterFunc(tooLate, func() { os.Exit(9) }) // if the test has died
		children[name]()
		os.Exit(0)
	}
}

// children are programs that the test binary can be.
var children = make(map[string]func())

// addChild is called by package variables, which come before init.
func addChild(name string, run func()) bool {
	children[name] = run
	return true
}

// child is the command that runs one of them.
func child(t *testing.T, name string) *exec.Cmd {
	t.Helper()
	exe, err := os.Executable()
	if err != nil || runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes here: ", err)
	}
	argv := append(asyncio.Emulator[:len(asyncio.Emulator):len(asyncio.Emulator)], exe)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), "ASYNCIO_TEST_CHILD="+name)
	return cmd
}

type wireError struct{ Code int }

func (e *wireError) Error() string { return fmt.Sprint("wire ", e.Code) }

var (
	_      = func() bool { gob.Register(&wireError{}); return true }()
	square = asyncio.RegisterJob("square", func(_ context.Context, n int) (int, error) { return n * n, nil })
	failed = asyncio.RegisterJob("failed", func(_ context.Context, how string) (int, error) {
		switch how {
		case "class":
			return 0, valueError("in a process")
		case "whole":
			return 0, fmt.Errorf("%w", &wireError{7})
		case "registered":
			return 0, &wireError{8}
		case "cancelled":
			return 0, asyncio.ErrCancelled
		case "panic":
			panic("boom")
		case "goexit":
			runtime.Goexit()
		case "exit":
			os.Exit(3)
		}
		return 0, errors.New(how)
	})
	processID = asyncio.RegisterJob("process", func(context.Context, asyncio.None) (int, error) { return os.Getpid(), nil })
	hangs     = asyncio.RegisterJob("hangs", func(ctx context.Context, file string) (asyncio.None, error) {
		if file == os.DevNull {
			fmt.Println("printed by a job") // must not disturb
		}
		os.WriteFile(file, nil, 0o666)
		<-ctx.Done()
		os.WriteFile(file+".end", nil, 0o666)
		return asyncio.None{}, ctx.Err()
	})
	silent = asyncio.RegisterJob("silent", func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	bad    = asyncio.RegisterJob("bad", func(_ context.Context, f chan int) (chan int, error) { return f, nil })
	badOut = asyncio.RegisterJob("bad result", func(_ context.Context, n int) (chan int, error) { return nil, nil })
)

// processes is a pool that the test ends.
func processes(t *testing.T, n int) *asyncio.ProcessPool {
	t.Helper()
	if runtime.GOOS == "js" || runtime.GOOS == "wasip1" {
		t.Skip("no processes here")
	}
	p := asyncio.NewProcessPool(n)
	t.Cleanup(func() { p.Close() })
	return p
}

func TestProcessPool(t *testing.T) {
	p := processes(t, 2)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		var all []*asyncio.ConcurrentFuture[int]
		for i := range 20 {
			all = append(all, square.Submit(p, i))
		}
		for i, c := range all {
			if v, err := c.Await(ctx); v != i*i || err != nil {
				t.Errorf("square of %d: %d, %v", i, v, err)
			}
		}
		if v, err := asyncio.RunInProcess(ctx, p, square, 9); v != 81 || err != nil {
			t.Error(v, err)
		}
		pid, err := asyncio.RunInProcess(ctx, p, processID, asyncio.None{})
		if pid == os.Getpid() || pid == 0 || err != nil {
			t.Errorf("process %d, %v", pid, err)
		}
		big := []byte(strings.Repeat("0123456789abcdef", 1<<16))
		if v, err := asyncio.RunInProcess(ctx, p, silent, big); !slices.Equal(v, big) || err != nil {
			t.Errorf("%d bytes, %v", len(v), err)
		}
		assert.NoError(t, p.Shutdown(ctx))
		_, err = asyncio.RunInProcess(ctx, p, square, 9)
		assert.EqualError(t, err, "asyncio: cannot schedule new futures after shutdown")
	})
	if square.Name() != "square" {
		t.Error(square.Name())
	}
}

func TestProcessErrors(t *testing.T) {
	p := processes(t, 1)
	ask := func(how string) error {
		_, err := failed.Submit(p, how).Result(-1)
		return err
	}
	err := ask("class")
	var remote *asyncio.RemoteError
	if !errors.As(err, &remote) || remote.Class != "ValueError" || err.Error() != "in a process" {
		t.Errorf("%#v", err)
	}
	if err := ask("plain"); !errors.As(err, &remote) || remote.Class != "Exception" || remote.PyName() != "Exception" || err.Error() != "plain" {
		t.Errorf("%#v", err)
	}
	var wire *wireError
	if err := ask("registered"); !errors.As(err, &wire) || wire.Code != 8 {
		t.Errorf("%#v", err)
	}
	if err := ask("whole"); err.Error() != "wire 7" {
		t.Errorf("%#v", err)
	}
	if err := ask("cancelled"); !errors.Is(err, asyncio.ErrCancelled) {
		t.Errorf("%#v", err)
	}
	var panicked *asyncio.PanicError
	if err := ask("panic"); !errors.As(err, &panicked) || panicked.Value != "boom" || !strings.Contains(string(panicked.Stack), "process_test.go") || !strings.HasPrefix(panicked.Greenlet, "worker process ") {
		t.Errorf("%#v", err)
	}
	assert.EqualError(t, ask("goexit"), "asyncio: the job has ended its goroutine by runtime.Goexit")

	// A worker that dies takes its job along, and nothing else.
	before, _ := processID.Submit(p, asyncio.None{}).Result(-1)
	dies, waits := failed.Submit(p, "exit"), processID.Submit(p, asyncio.None{})
	_, err = dies.Result(-1)
	assert.EqualError(t, err, "asyncio: a worker process has died: exit status 3")
	if !errors.Is(err, asyncio.ErrBrokenProcessPool) {
		t.Error(err)
	}
	after, err := waits.Result(-1)
	if err != nil || after == before || after == 0 {
		t.Errorf("process %d after %d, %v", after, before, err)
	}

	if _, err := bad.Submit(p, nil).Result(-1); err == nil || !strings.Contains(err.Error(), `argument of job "bad"`) {
		t.Error(err)
	}
	if _, err := badOut.Submit(p, 1).Result(-1); err == nil || !strings.Contains(err.Error(), `result of job "bad result"`) {
		t.Error(err)
	}
	if err := panicOf(func() { asyncio.RegisterJob("square", func(context.Context, int) (int, error) { return 0, nil }) }); err == nil {
		t.Error("a name was taken twice")
	}
	if err := panicOf(func() { asyncio.NewProcessPool(-1) }); err == nil {
		t.Error("a pool of less than nothing")
	}
}

// eventually waits for what no event tells.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(tooLate); !is(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("in vain: %s", what)
		}
	}
}

func exists(file string) bool {
	_, err := os.Stat(file)
	return err == nil
}

// A cancel of the wait ends the context of the job; the worker lives on.
func TestProcessCancel(t *testing.T) {
	p := processes(t, 1)
	file := t.TempDir() + "/file"
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		pid, _ := asyncio.RunInProcess(ctx, p, processID, asyncio.None{})
		task := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.RunInProcess(ctx, p, hangs, file)
			return err
		})
		queued := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.RunInProcess(ctx, p, hangs, file+".never")
			return err
		})
		for !exists(file) {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		queued.Cancel()
		task.Cancel()
		for _, task := range []*asyncio.Task[asyncio.None]{task, queued} {
			if _, err := task.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
				t.Error(err)
			}
		}
		if again, err := asyncio.RunInProcess(ctx, p, processID, asyncio.None{}); again != pid || err != nil {
			t.Errorf("process %d after %d, %v", again, pid, err)
		}
		if !exists(file + ".end") {
			t.Error("the job has not learnt of it")
		}
		if exists(file + ".never") {
			t.Error("the job ran that was cancelled before")
		}
		short, end := context.WithTimeout(ctx, time.Millisecond)
		defer end()
		if _, err := asyncio.RunInProcess(short, p, hangs, file); !errors.Is(err, context.DeadlineExceeded) {
			t.Error(err)
		}
	})
	// Also for a caller that is no task.
	short, end := context.WithTimeout(context.Background(), time.Millisecond)
	defer end()
	if _, err := asyncio.RunInProcess(short, p, hangs, file); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	assert.NoError(t, p.Shutdown(context.Background()))
}

func TestProcessPoolClose(t *testing.T) {
	p := processes(t, 1)
	file := t.TempDir() + "/file"
	running, queued := hangs.Submit(p, file), square.Submit(p, 2)
	eventually(t, "the job begins", func() bool { return exists(file) })
	short, end := context.WithTimeout(context.Background(), time.Millisecond)
	defer end()
	if err := p.Shutdown(short); err != context.DeadlineExceeded {
		t.Error(err)
	}
	p.Close()
	if _, err := running.Result(-1); !errors.Is(err, asyncio.ErrBrokenProcessPool) {
		t.Error(err)
	}
	if _, err := queued.Result(-1); !errors.Is(err, asyncio.ErrCancelled) {
		t.Error(err)
	}
	p.Close()
	asyncio.NewProcessPool(1).Close()
}

// A program that forgets to call ProcessWorker is told so, and does not start
// itself for ever.
func TestForgottenProcessWorker(t *testing.T) {
	t.Setenv("ASYNCIO_TEST_NO_WORKER", "1")
	p := processes(t, 1)
	_, err := square.Submit(p, 2).Result(-1)
	if !errors.Is(err, asyncio.ErrBrokenProcessPool) || !strings.Contains(err.Error(), "does main begin with asyncio.ProcessWorker?") {
		t.Error(err)
	}
	t.Setenv("ASYNCIO_PROCESS_WORKER", "1")
	if err := panicOf(func() { asyncio.NewProcessPool(1) }); err == nil {
		t.Error("a worker that is none makes workers")
	}
}

// Workers end when the process that has started them does, however it ends: here
// it is killed. They hold its standard error open as long as they live.
func TestNoOrphans(t *testing.T) {
	cmd := child(t, "pool owner")
	errs, err := cmd.StderrPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var pid int
	if _, err := fmt.Fscan(out, &pid); err != nil {
		t.Error(err)
	}
	printed := make([]byte, len("printed by a job\n"))
	if _, err := io.ReadFull(errs, printed); err != nil || string(printed) != "printed by a job\n" {
		t.Errorf("on standard error: %q, %v", printed, err)
	}
	cmd.Process.Kill()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		io.Copy(io.Discard, errs)
	}()
	select {
	case <-ended:
	case <-time.After(tooLate):
		t.Errorf("process %d lives on", pid)
	}
	cmd.Wait()
}

var _ = addChild("pool owner", func() {
	p := asyncio.NewProcessPool(1)
	pid, _ := processID.Submit(p, asyncio.None{}).Result(-1)
	hangs.Submit(p, os.DevNull)
	fmt.Println(pid)
	time.Sleep(time.Hour)
})
