package asynciotest_test

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// TestMain runs the tests and then looks for what they have left behind.
func TestMain(m *testing.M) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt) // starts the goroutine of signals, which stays
	signal.Stop(signals)
	live, goroutines := greenlet.Stats().Live, runtime.NumGoroutine()
	if runtime.GOOS == "js" {
		goroutines++ // the runtime's own, which handles events
	}
	code := m.Run()
	if code == 0 {
		if err := leaks(live, goroutines); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			code = 1
		}
	}
	os.Exit(code)
}

// leaks tells whether there are more greenlets or goroutines than at the start.
// Not all goroutines end at once: the last ones are given some time.
func leaks(live, goroutines int) error {
	greenlet.Close() // examples run on this goroutine, whose tree keeps idle ones
	for start := time.Now(); time.Since(start) < 10*time.Second; time.Sleep(5 * time.Millisecond) {
		runtime.GC()
		stack.Trim()
		if greenlet.Stats().Live <= live && runtime.NumGoroutine() <= goroutines {
			return nil
		}
	}
	return fmt.Errorf("after the tests %d greenlets are alive and %d goroutines, before it was %d and %d",
		greenlet.Stats().Live, runtime.NumGoroutine(), live, goroutines)
}
