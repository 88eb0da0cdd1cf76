package greenlettest

import (
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// Main runs the tests of a package and then looks for what they have left behind, be it
// suspended greenlets or goroutines: if there are more than before, and still are after
// 10 seconds, it says so on standard error, with the stacks of the goroutines, and the
// tests have failed. It ends the process. The package calls it in TestMain:
//
//	func TestMain(m *testing.M) { greenlettest.Main(m) }
//
// What TestMain has begun before is no leak; after is called when the tests have run, to end
// what they may keep, such as idle connections. The greenlets of the calling goroutine, on
// which examples run, are closed after the tests. If the tests have failed, or are run as
// a fuzz test, it does not look. It costs some milliseconds: a collection, and a goroutine
// of package os/signal, which is there from then on.
//
// Leaks looks at a single test, and names what it has left.
func Main(m *testing.M, after ...func()) {
	os.Exit(exitCode(m, os.Stderr, mainPatience, after...))
}

// mainPatience is how long goroutines may take to end, which do not all end at once.
const mainPatience = 10 * time.Second

// exitCode is Main without the exit.
func exitCode(m interface{ Run() int }, w io.Writer, patience time.Duration, after ...func()) int {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt) // starts the goroutine of signals, which stays
	signal.Stop(signals)
	live, goroutines := held()
	if runtime.GOOS == "js" {
		goroutines++ // the runtime's own, which handles events
	}
	code := m.Run()
	if fuzz := flag.Lookup("test.fuzz"); code != 0 || fuzz != nil && fuzz.Value.String() != "" {
		return code
	}
	for _, end := range after {
		end()
	}
	greenlet.Close()
	for start := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		runtime.GC() // trees that were not closed but have nothing suspended are forgotten
		stack.Trim()
		greenlets, now := held()
		if greenlets <= live && now <= goroutines {
			return 0
		}
		if time.Since(start) > patience {
			fmt.Fprintf(w, "FAIL: after the tests %d greenlets are alive and %d goroutines, before it was %d and %d; something lacks Close?\n",
				greenlets, now, live, goroutines)
			pprof.Lookup("goroutine").WriteTo(w, 1)
			return 1
		}
	}
}

// held counts the greenlets and the goroutines, but for those that package stack keeps
// for greenlets to come: they may end meanwhile, and hide as many that are left.
func held() (greenlets, goroutines int) {
	s := greenlet.Stats()
	return s.Live, runtime.NumGoroutine() - s.Pooled
}
