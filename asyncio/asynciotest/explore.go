package asynciotest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// Environment variables that Explore goes by.
const (
	SeedVar     = "ASYNCIOTEST_SEED"     // run one seed only
	SeedsVar    = "ASYNCIOTEST_SEEDS"    // run these: 5000, which are 1 to 5000, or 2001-3000
	WorkersVar  = "ASYNCIOTEST_WORKERS"  // by so many processes; 0: by none
	StateVar    = "ASYNCIOTEST_STATE"    // the name of a file that has what was done; the next run goes on from there
	FailuresVar = "ASYNCIOTEST_FAILURES" // end when so many seeds have failed, instead of one
)

// Explore runs f n times as Run does, with the seeds 1 to n, each on a goroutine
// of its own. At the first that fails it fails the test: it tells the seed, what
// f has logged, and how to run that seed again. f must not share anything between
// its runs, and take all that is random from Rand: then equal seeds are equal
// runs.
//
// With ASYNCIOTEST_SEED=17 in the environment it runs seed 17 only, and what f
// logs appears as it happens.
//
// With WithNetwork a failure also tells the last events of the network, and the
// smallest plan of faults that Explore has found with which f fails, too: f is run
// again and again for that, for a minute at most. What simnet.Sometimes has never seen
// is logged. Where t is a *testing.T that is not parallel, crypto/rand is seeded, too
// (from Go 1.26 on). See also WithCheck.
//
// With WithWorkers, WorkersVar, StateVar or FailuresVar the seeds are spread over worker
// processes, and what is told is the same. Standard error shows how far it is: in one line
// on a terminal, every half minute elsewhere. An interrupt ends it after the seeds under
// way. A seed that takes long is named there, and if it has not ended shortly before the
// time of go test's -timeout, it has failed. With StateVar the next run of the same program goes on where it was, also after a
// failure; another program begins anew. The file is for one call of Explore. A seed that
// ends its process is a failure like any other.
//
// With StrictVar the workers are the test built for wasip1, which the command simwasm
// runs, a program anew for each seed: there the seed decides everything, also the order
// of maps, goroutines and select, time.Now and addresses. It takes some 20 times longer.
// With WithCheck, too, a seed is run by two programs, and their events compared. It needs
// the go command and the test's source, builds the test first, and makes no plan smaller.
func Explore(t testing.TB, n int, f func(t testing.TB, ctx context.Context), opts ...Option) {
	t.Helper()
	var asked play
	for _, o := range opts {
		o(&asked)
	}
	x := &exploration{t: t, f: f, opts: opts, check: asked.check, network: asked.simulated != nil}
	if v := os.Getenv(SeedVar); v != "" && os.Getenv(StrictVar) == "" {
		seed, err := strconv.ParseUint(v, 0, 64)
		if err != nil {
			t.Fatalf("%s=%q: want a number", SeedVar, v)
			return
		}
		x.one(seed)
		return
	}
	seeds := span{1, uint64(max(n, 0))}
	if v := cmp.Or(oneSeed(), os.Getenv(SeedsVar)); v != "" {
		var err error
		if seeds, err = parseSeeds(v); err != nil {
			t.Fatalf("%s=%v", SeedsVar, err)
			return
		}
	}
	workers, err := workersFor(asked.workers)
	if err != nil {
		t.Fatal(err)
	}
	switch v := os.Getenv(workerVar); {
	case workers > 0 && v == "":
		x.hunt(workers, seeds, callOf(t))
		return
	case workers > 0 && v == workerName(callOf(t), t.Name()):
		x.serve(os.Stdin, stdout)
		t.SkipNow()
	case v != "":
		return // the worker is for another call
	}
	if !inWasm() && !asked.real { // in a synctest bubble time would go on for that
		told := uint64(0)
		defer x.watch(func(seed uint64, _ time.Duration) {
			if seed != told {
				told = seed
				fmt.Fprintf(os.Stderr, "%s: seed %d takes long\n", t.Name(), seed)
			}
		})()
	}
	for seed := seeds.From; seed <= seeds.To; seed++ {
		tr, net, differs := x.try(seed)
		if tr.failed || differs != "" {
			r := &reply{Log: tr.log.String(), Differs: differs}
			if tr.failed {
				r.Explained = x.explained(seed, net)
			}
			x.fail(seed, seeds.size(), r)
			return
		}
		if tr.skipped {
			t.Skip(strings.TrimSpace(tr.log.String()))
		}
		x.noteReached(net)
	}
	x.logReached(seeds.size())
}

// oneSeed returns the seeds for which SeedVar stands in strict mode.
func oneSeed() string {
	seed := os.Getenv(SeedVar)
	if seed != "" {
		seed += "-" + seed
	}
	return seed
}

// try runs a seed, twice if it is to be checked.
func (x *exploration) try(seed uint64) (tr *trial, net *simnet.Network, differs string) {
	x.seed.Store(seed)
	x.runs.Add(1)
	defer x.seed.Store(0)
	if x.check > 0 && x.network && !inWasm() && seed%uint64(x.check) == 0 {
		return x.checked(seed)
	}
	tr, net = x.run(seed)
	return tr, net, ""
}

// fail fails the test, by what r says of a seed.
func (x *exploration) fail(seed, of uint64, r *reply) {
	x.t.Helper()
	again := fmt.Sprintf("%s=%d go test -run '%s'", SeedVar, seed, pattern(x.t.Name()))
	if how := os.Getenv(StrictVar); how != "" {
		again = StrictVar + "=" + how + " " + again
	}
	again = "run it again: " + again
	if r.Differs != "" {
		x.t.Fatalf("seed %d is not the same run twice: %s\n%s%s", seed, r.Differs, r.Explained, again)
	} else {
		x.t.Fatalf("seed %d fails, of %d:\n%s\n%s%s", seed, of, indented(r.Log), r.Explained, again)
	}
}

// one runs one seed, with the test's own t.
func (x *exploration) one(seed uint64) {
	x.t.Helper()
	opts := append(x.opts[:len(x.opts):len(x.opts)], WithSeed(seed))
	if x.network {
		seedCrypto(x.t, seed)
		if os.Getenv(EventsVar) != "" {
			opts = append(opts, withAllEvents)
		}
		var n *simnet.Network
		opts = append(opts, withSight(&n))
		defer func() { writeEvents(x.t, n) }()
	}
	Run(x.t, func(ctx context.Context) { x.f(x.t, ctx) }, opts...)
}

func indented(s string) string {
	return "    " + strings.ReplaceAll(strings.TrimRight(s, "\n"), "\n", "\n    ")
}

// A trial is a testing.TB for one seed. What it is told stays in it until it
// fails. As with any TB, other goroutines may call all that does not end the test.
type trial struct {
	testing.TB
	mu              sync.Mutex
	log             strings.Builder
	failed, skipped bool
	cleanups        []func()
}

// Write is for Output.
func (tr *trial) Write(p []byte) (int, error) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.log.Write(p)
}

func (tr *trial) end(fails bool) {
	tr.mu.Lock()
	tr.failed, tr.skipped = tr.failed || fails, tr.skipped || !fails
	tr.mu.Unlock()
}

func (tr *trial) play(seed uint64, f func(t testing.TB, ctx context.Context), opts []Option) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer greenlet.Close()
		defer tr.cleanUp()
		Run(tr, func(ctx context.Context) { f(tr, ctx) }, append(opts[:len(opts):len(opts)], WithSeed(seed))...)
	}()
	<-done
}

// cleanUp does what Cleanup was called with, the last first.
func (tr *trial) cleanUp() {
	for last := len(tr.cleanups) - 1; last >= 0; last = len(tr.cleanups) - 1 {
		f := tr.cleanups[last]
		tr.cleanups = tr.cleanups[:last]
		defer tr.cleanUp() // also if f ends the goroutine
		f()
	}
}

func (tr *trial) Cleanup(f func())          { tr.cleanups = append(tr.cleanups, f) }
func (tr *trial) Helper()                   {}
func (tr *trial) Output() io.Writer         { return tr }
func (tr *trial) Log(args ...any)           { fmt.Fprintln(tr, args...) }
func (tr *trial) Logf(f string, a ...any)   { fmt.Fprintf(tr, strings.TrimSuffix(f, "\n")+"\n", a...) }
func (tr *trial) Fail()                     { tr.end(true) }
func (tr *trial) Failed() bool              { tr.mu.Lock(); defer tr.mu.Unlock(); return tr.failed }
func (tr *trial) FailNow()                  { tr.Fail(); runtime.Goexit() }
func (tr *trial) Error(args ...any)         { tr.Log(args...); tr.Fail() }
func (tr *trial) Errorf(f string, a ...any) { tr.Logf(f, a...); tr.Fail() }
func (tr *trial) Fatal(args ...any)         { tr.Log(args...); tr.FailNow() }
func (tr *trial) Fatalf(f string, a ...any) { tr.Logf(f, a...); tr.FailNow() }
func (tr *trial) Skip(args ...any)          { tr.Log(args...); tr.SkipNow() }
func (tr *trial) Skipf(f string, a ...any)  { tr.Logf(f, a...); tr.SkipNow() }
func (tr *trial) SkipNow()                  { tr.end(false); runtime.Goexit() }
func (tr *trial) Skipped() bool             { tr.mu.Lock(); defer tr.mu.Unlock(); return tr.skipped }
