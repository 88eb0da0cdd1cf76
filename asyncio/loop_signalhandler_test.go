//go:build unix

package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The handlers of signals, with real ones, which a child sends to itself.

func sendMyself(sig syscall.Signal) { syscall.Kill(os.Getpid(), sig) }

// signalled adds a child that runs main in a task.
func signalled(name string, main func(ctx context.Context, l *asyncio.Loop) error) bool {
	return addChild(name, func() {
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			return main(ctx, l)
		})
		fmt.Println("run:", pyName(err))
	})
}

var (
	_ = signalled("signal storm", func(ctx context.Context, l *asyncio.Loop) error {
		const signals = 10_000
		var sent atomic.Int64
		got := asyncio.NewEvent()
		calls := 0
		l.AddSignalHandler(syscall.SIGUSR1, func() {
			calls++
			if sent.Load() == signals {
				got.Set() // a call that has begun after the last one was sent
			}
		})
		turns := 0
		server := asyncio.Go(ctx, func(ctx context.Context) error {
			for !got.IsSet() {
				turns++
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
			}
			return nil
		})
		go func() {
			for range signals {
				sent.Add(1)
				sendMyself(syscall.SIGUSR1)
			}
		}()
		if err := got.Wait(ctx); err != nil {
			return err
		}
		_, err := server.Await(ctx)
		fmt.Println("calls:", 0 < calls && calls <= signals, "served:", turns > 0)
		return err
	})
	_ = signalled("signal in its handler", func(ctx context.Context, l *asyncio.Loop) error {
		got := asyncio.NewEvent()
		calls := 0
		l.AddSignalHandler(syscall.SIGUSR1, func() {
			if calls++; calls == 100 {
				got.Set()
				return
			}
			sendMyself(syscall.SIGUSR1)
			time.Sleep(100 * time.Microsecond) // it comes meanwhile
		})
		sendMyself(syscall.SIGUSR1)
		err := got.Wait(ctx)
		fmt.Println("calls:", calls)
		return err
	})
	_ = signalled("signal wakes", func(ctx context.Context, l *asyncio.Loop) error {
		got := asyncio.NewEvent()
		l.AddSignalHandler(syscall.SIGUSR1, got.Set)
		l.CallWhenQuiet(func() { go sendMyself(syscall.SIGUSR1) })
		err := got.Wait(ctx)
		fmt.Println("woken")
		return err
	})
	_ = signalled("signal handler panics", func(ctx context.Context, l *asyncio.Loop) error {
		told := asyncio.NewEvent()
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
			fmt.Println(c.Message)
			told.Set()
		})
		l.AddSignalHandler(syscall.SIGUSR1, func() { panic("in a handler") })
		for range 2 {
			sendMyself(syscall.SIGUSR1)
			told.Wait(ctx)
			told.Clear()
		}
		return nil
	})
	_ = signalled("handler of interrupts", func(ctx context.Context, l *asyncio.Loop) error {
		got := asyncio.NewEvent()
		l.AddSignalHandler(os.Interrupt, func() {
			fmt.Println("handler")
			got.Set()
		})
		for range 3 { // Run would end with the second one
			sendMyself(syscall.SIGINT)
			if err := got.Wait(ctx); err != nil {
				fmt.Println(pyName(err))
			}
			got.Clear()
		}
		fmt.Println(l.RemoveSignalHandler(os.Interrupt))
		sendMyself(syscall.SIGINT)
		err := got.Wait(ctx)
		fmt.Println("main sees", pyName(err))
		return err
	})
	_ = addChild("handlers end with the loop", func() {
		for range 2 { // closing takes back what the second loop has not made
			l := asyncio.NewLoop()
			l.AddSignalHandler(syscall.SIGTERM, l.Stop)
			sendMyself(syscall.SIGTERM)
			l.RunForever()
			l.Close()
			fmt.Println("closed", l.RemoveSignalHandler(syscall.SIGTERM), l.AddSignalHandler(syscall.SIGTERM, l.Stop))
		}
		sendMyself(syscall.SIGTERM)
		time.Sleep(time.Hour)
	})
	_ = addChild("two loops", func() {
		a, b := asyncio.NewLoop(), asyncio.NewLoop()
		for _, l := range []*asyncio.Loop{a, b} {
			l.AddSignalHandler(syscall.SIGUSR1, l.Stop)
		}
		sendMyself(syscall.SIGUSR1)
		fmt.Println(a.RunForever(), b.RunForever())
		a.Close()
		sendMyself(syscall.SIGUSR1)
		fmt.Println(b.RunForever())
		b.Close()
	})
)

func TestSignalHandlers(t *testing.T) {
	for name, want := range map[string][]string{
		"signal storm":          {"calls: true served: true", "run: <nil>"},
		"signal in its handler": {"calls: 100", "run: <nil>"},
		"signal wakes":          {"woken", "run: <nil>"},
		"signal handler panics": {"Exception in callback", "Exception in callback", "run: <nil>"},
		"handler of interrupts": {"handler", "handler", "handler", "true", "main sees CancelledError", "run: KeyboardInterrupt"},
		"handlers end with the loop": {
			"closed false asyncio: Event loop is closed", "closed false asyncio: Event loop is closed", "died of terminated",
		},
		"two loops": {"<nil> <nil>", "<nil>"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := child(t, name)
			late := time.AfterFunc(tooLate, func() { cmd.Process.Kill() })
			defer late.Stop()
			out, err := cmd.Output()
			got := strings.Split(strings.TrimSpace(string(out)), "\n")
			var exit *exec.ExitError
			if errors.As(err, &exit) {
				got = append(got, fmt.Sprint("died of ", exit.Sys().(syscall.WaitStatus).Signal()))
			}
			if !slices.Equal(got, want) {
				t.Errorf("got  %q\nwant %q", got, want)
			}
		})
	}
}

func TestSignalHandlerRefuses(t *testing.T) {
	l := asyncio.NewLoop()
	nothing := func() {}
	for _, c := range []struct {
		sig   os.Signal
		fn    func()
		class string
		words string
	}{
		{syscall.SIGKILL, nothing, "RuntimeError", "sig 9 cannot be caught"},
		{syscall.SIGSTOP, nothing, "RuntimeError", "cannot be caught"},
		{syscall.Signal(0), nothing, "ValueError", "invalid signal number 0"},
		{syscall.Signal(-1), nothing, "ValueError", "invalid signal number -1"},
		{syscall.Signal(9999), nothing, "ValueError", "invalid signal number 9999"},
		{nil, nothing, "TypeError", "sig must be"},
		{syscall.SIGUSR1, nil, "TypeError", "callback"},
	} {
		err := l.AddSignalHandler(c.sig, c.fn)
		if pyName(err) != c.class || !strings.Contains(err.Error(), c.words) {
			t.Errorf("%v: %v", c.sig, err)
		}
		if l.RemoveSignalHandler(c.sig) {
			t.Errorf("%v: there is a handler", c.sig)
		}
	}
	l.Close()
	if err := l.AddSignalHandler(syscall.SIGUSR1, nothing); !errors.Is(err, asyncio.ErrLoopClosed) {
		t.Error(err)
	}
	synctest.Test(t, func(t *testing.T) {
		l := asyncio.NewLoop()
		defer l.Close()
		if err := l.AddSignalHandler(syscall.SIGUSR1, nothing); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("in a bubble: %v", err)
		}
	})
}

// A program that ends by itself when it is asked to.
func ExampleLoop_AddSignalHandler() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		loop, err := asyncio.RunningLoop(ctx)
		if err != nil {
			return err
		}
		stop := asyncio.NewEvent()
		if err := loop.AddSignalHandler(syscall.SIGUSR2, func() {
			fmt.Println("asked to end")
			stop.Set()
		}); err != nil {
			return err
		}
		defer loop.RemoveSignalHandler(syscall.SIGUSR2)
		syscall.Kill(os.Getpid(), syscall.SIGUSR2) // as the command kill does
		fmt.Println("working")
		return stop.Wait(ctx)
	})
	// Output:
	// working
	// asked to end
}
