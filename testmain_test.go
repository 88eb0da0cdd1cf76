package greenlet_test

import (
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// TestMain plays a scene if this is a child process of crash_test.go; else it
// runs the tests and then looks for what they have left behind.
func TestMain(m *testing.M) {
	if scene := os.Getenv(sceneVar); scenes[scene] != nil {
		playScene(scene)
	}
	live, goroutines := greenlet.Stats().Live, runtime.NumGoroutine()
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

// leftBehind counts the greenlets that a test could not help to leave
// suspended, because it is about goroutines that end without Close.
var leftBehind atomic.Int64

// stranded counts the goroutines that never end, because one would end locked: see
// carryByCall.
var stranded atomic.Int64

// leaks tells whether there are more greenlets or goroutines than at the start.
// Not all goroutines end at once: the last ones are given some time.
func leaks(live, goroutines int) error {
	live += int(leftBehind.Load())
	goroutines += int(leftBehind.Load() + stranded.Load())
	var s greenlet.Counts
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(time.Millisecond) {
		runtime.GC() // trees that were not closed but have nothing suspended are forgotten
		stack.Trim()
		s = greenlet.Stats()
		if s.Live <= live && runtime.NumGoroutine() <= goroutines {
			return nil
		}
	}
	return fmt.Errorf("after the tests %d greenlets are alive and %d goroutines, before it was %d and %d; a test or example lacks Close? (%+v, %+v)",
		s.Live, runtime.NumGoroutine(), live, goroutines, s, stack.Stats())
}
