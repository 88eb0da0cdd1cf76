package asyncio_test

import (
	"flag"
	"fmt"
	"net"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// TestMain runs the tests and then looks for what they have left behind: goroutines,
// greenlets and descriptors. (What tells a child process from a test is in init,
// which comes before.)
func TestMain(m *testing.M) {
	warmUp()
	before := countHeld()
	code := m.Run()
	// On js the runtime has a goroutine of its own for events, and one that is
	// kept idle can outlast its tree. A fuzz test leaves one of os/signal.
	if code == 0 && runtime.GOOS != "js" && runtime.GOOS != "wasip1" && flag.Lookup("test.fuzz").Value.String() == "" {
		if err := leaks(before); err != nil {
			fmt.Fprintln(os.Stderr, "FAIL:", err)
			pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			code = 1
		}
	}
	os.Exit(code)
}

// warmUp has Go's own packages make what they keep for good: the poller of package
// net, and the goroutine of os/signal.
func warmUp() {
	if ln, err := net.Listen("tcp", "127.0.0.1:0"); err == nil {
		ln.Close()
	}
	if runtime.GOOS != "js" && runtime.GOOS != "wasip1" {
		c := make(chan os.Signal, 1)
		signal.Notify(c, os.Interrupt)
		signal.Stop(c)
	}
}

// held is what tests must give back. Goroutines that package stack keeps for
// greenlets to come are not: the tests of the root package look after those.
type held struct{ greenlets, goroutines, descriptors int }

func countHeld() held {
	s := greenlet.Stats()
	return held{s.Live, runtime.NumGoroutine() - s.Pooled, fdsOpen()}
}

// leaks tells whether more is held than before. Not all goroutines end at once: the
// last ones are given some time.
func leaks(before held) error {
	greenlet.Close() // examples run on this goroutine, whose tree keeps idle ones
	var now held
	for start := time.Now(); time.Since(start) < time.Minute; time.Sleep(5 * time.Millisecond) {
		runtime.GC() // trees that were not closed but have nothing suspended are forgotten
		stack.Trim()
		now = countHeld()
		if now.greenlets <= before.greenlets && now.goroutines <= before.goroutines && now.descriptors <= before.descriptors {
			return nil
		}
	}
	return fmt.Errorf("after the tests %+v, before them %+v; something lacks Close?", now, before)
}
