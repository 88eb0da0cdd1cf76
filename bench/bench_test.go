// Package bench measures greenlets beside what a Go program would use instead:
// iter.Pull, channels and goroutines. Ours and the rivals run in the same
// process, one after the other, so that one run holds both and only their
// ratios are read.
//
// A name says what is done, then how, then by whom:
//
//	BenchmarkSwitch/sites=different/by=greenlet
//
// which is the form that benchstat splits (benchstat -col /by). The README says
// what each line measures and shows a table.
//
// The loops count to b.N and do not use b.Loop, which before Go 1.26 keeps the
// calls in it from being inlined; that Switch is inlined is what is measured.
package bench_test

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// TestMain says which switch is measured, as a line of benchmark configuration.
func TestMain(m *testing.M) {
	flag.Parse()
	if flag.Lookup("test.bench").Value.String() != "" {
		fmt.Println("backend:", greenlet.Backend())
	}
	os.Exit(m.Run())
}

// A box is what is sent: a pointer fits into an any without an allocation.
type box struct{ n int }

// trips starts the clock of a benchmark whose step is a round trip, that is two
// switches, and returns how many to make.
func trips(b *testing.B) int {
	b.ReportAllocs()
	b.ResetTimer()
	return (b.N + 1) / 2
}

// perSwitch stops the clock and reports what one of n switches took.
func perSwitch(b *testing.B, n int) { per(b, n, "ns/switch") }

func per(b *testing.B, n int, unit string) {
	b.StopTimer()
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n), unit)
	b.ReportMetric(0, "ns/op") // the same thing under a vaguer name
}

// echo makes a greenlet that sends back to the caller what it receives, and
// has taken its first step.
func echo(b *testing.B) *greenlet.Greenlet {
	root := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) {
		for {
			v, _ = root.Switch(v)
		}
	})
	started(b, g)
	return g
}

// started switches to g for the first time and sees to its end.
func started(b *testing.B, g *greenlet.Greenlet) {
	if _, err := g.Switch(nil); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.Kill() })
}

// arrived fails the benchmark if what came back is not what was sent.
func arrived(b *testing.B, got, want any) {
	if got != want {
		b.Fatalf("sent %v, received %v: the switches were not made", want, got)
	}
}

var errThrown = errors.New("thrown")

// onProcs runs the benchmark with n processors.
func onProcs(b *testing.B, n int) {
	old := runtime.GOMAXPROCS(n)
	b.Cleanup(func() { runtime.GOMAXPROCS(old) })
}
