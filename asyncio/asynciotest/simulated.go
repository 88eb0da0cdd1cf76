package asynciotest

import (
	"context"
	"fmt"
	"maps"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// EventsVar is the environment variable with the name of a file, to which a run of
// Explore with WithNetwork and a seed of its own (ASYNCIOTEST_SEED) writes the events
// of the network, one on a line.
const EventsVar = "ASYNCIOTEST_EVENTS"

// WithCheck has Explore run each n-th seed twice and compare what has happened in the
// two networks, event by event. If the runs differ, the test fails, with the first
// event that does, the events before it, and where the program was: it does something
// that no seed decides. It needs WithNetwork. With n = 1 all seeds are run twice.
func WithCheck(n int) Option { return func(p *play) { p.check = n } }

// withKept is what a run is checked with.
func withKept(p *play) {
	if p.simulated != nil {
		cfg := *p.simulated
		cfg.Keep, cfg.Steps = -1, true
		p.simulated = &cfg
	}
}

// withAllEvents has the network keep all its events.
func withAllEvents(p *play) {
	if p.simulated != nil {
		cfg := *p.simulated
		cfg.Keep = -1
		p.simulated = &cfg
	}
}

// onNetwork has f told of the network of the run before it begins.
func onNetwork(f func(n *simnet.Network)) Option { return func(p *play) { p.onNetwork = f } }

// WithWorkers has Explore spread the seeds over n processes of the test's program, or as
// many as there are processors if n is 0. Each of them runs the test as far as to the
// call of Explore, and then seeds, with its share of the processors, unless GOMAXPROCS is
// set. What f prints, and what it leaves in variables, is lost with them. On js and
// wasip1, which have no processes, it does nothing. See Explore.
func WithWorkers(n int) Option {
	if n <= 0 {
		n = runtime.GOMAXPROCS(0)
	}
	return func(p *play) { p.workers = n }
}

// An exploration is a call of Explore.
type exploration struct {
	t       testing.TB
	f       func(t testing.TB, ctx context.Context)
	opts    []Option
	check   int
	network bool
	reached map[string]int
	seed    atomic.Uint64 // that runs; 0: none
	runs    atomic.Uint64 // how many have begun
}

// run runs f with a seed, and opts besides.
func (x *exploration) run(seed uint64, opts ...Option) (*trial, *simnet.Network) {
	var n *simnet.Network
	opts = append(append(x.opts[:len(x.opts):len(x.opts)], opts...), withSight(&n))
	if x.network {
		seedCrypto(x.t, seed)
	}
	tr := &trial{TB: x.t}
	tr.play(seed, x.f, opts)
	return tr, n
}

// withSight tells of the network, besides what onNetwork does.
func withSight(to **simnet.Network) Option {
	return func(p *play) {
		first := p.onNetwork
		p.onNetwork = func(n *simnet.Network) {
			*to = n
			if first != nil {
				first(n)
			}
		}
	}
}

// checked runs a seed twice and returns the first run, and what differs.
func (x *exploration) checked(seed uint64) (*trial, *simnet.Network, string) {
	tr, first := x.run(seed, withKept)
	if first == nil || tr.failed || tr.skipped {
		return tr, first, ""
	}
	want := first.Events()
	var differs string
	_, second := x.run(seed, withKept, onNetwork(func(n *simnet.Network) {
		n.Compare(want, func(nth int, was, is *simnet.Event, task asyncio.AnyTask) {
			differs = difference(want[:min(nth, len(want))], was, is, task)
		})
	}))
	if got := second.Events(); differs == "" && len(got) < len(want) {
		differs = difference(want[:len(got)], &want[len(got)], nil, nil)
	}
	if differs == "" && first.Hash() != second.Hash() {
		differs = "the hashes differ, and all events are the same"
	}
	return tr, first, differs
}

// difference tells what a seed has done first and what after that, and what was before.
func difference(before []simnet.Event, was, is *simnet.Event, task asyncio.AnyTask) string {
	var b strings.Builder
	b.WriteString("the first difference, after the same events:\n")
	for _, e := range before[max(0, len(before)-12):] {
		fmt.Fprintf(&b, "   %v\n", e)
	}
	tell := func(which string, e *simnet.Event) {
		if e == nil {
			fmt.Fprintf(&b, "%s   nothing more\n", which)
		} else {
			fmt.Fprintf(&b, "%s%v\n", which, *e)
		}
	}
	tell("1: ", was)
	tell("2: ", is)
	switch {
	case task != nil:
		b.WriteString("the second time it goes on from here:\n")
		task.PrintStack(&b)
	case is != nil:
		fmt.Fprintf(&b, "the second time it came from here:\n%s", stackHere())
	}
	return b.String()
}

// stackHere returns the stack of the caller, without what is of the simulation.
func stackHere() string {
	lines := strings.Split(strings.TrimSpace(string(debug.Stack())), "\n")
	var kept []string
	for i := 1; i+1 < len(lines); i += 2 {
		if strings.Contains(lines[i], "/asyncio/simnet.") || strings.Contains(lines[i], "/asynciotest.") || strings.Contains(lines[i], "debug.Stack") {
			continue
		}
		kept = append(kept, lines[i], lines[i+1])
	}
	return strings.Join(kept[:min(len(kept), 24)], "\n")
}

// explained tells of a failure: the last events, and the smaller plan.
func (x *exploration) explained(seed uint64, n *simnet.Network) string {
	if n == nil {
		return ""
	}
	var b strings.Builder
	events := n.Events()
	if len(events) > 0 {
		b.WriteString("the last events:\n")
		for _, e := range events[max(0, len(events)-15):] {
			fmt.Fprintf(&b, "    %v\n", e)
		}
	}
	if faults := countFaults(n.Played()); faults > 0 && inWasm() {
		for _, p := range n.Played() {
			fmt.Fprintf(&b, "what was played, which strict mode makes no smaller:\n%s\n", indented(p.String()))
		}
	} else if faults > 0 {
		b.WriteString(x.shrunk(seed, n.Played(), faults))
	}
	return b.String()
}

func countFaults(plans []simnet.Plan) (count int) {
	for _, p := range plans {
		count += len(p)
	}
	return count
}

// How a plan is made smaller.
const (
	shrinkSeeds = 10 // that each smaller one is tried with
	shrinkTime  = time.Minute
)

// shrunk looks for less of plans with which f fails, too.
func (x *exploration) shrunk(seed uint64, plans []simnet.Plan, faults int) string {
	began, runs, found := time.Now(), 0, seed
	until := began.Add(shrinkTime)
	if t, ok := x.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if last, ok := t.Deadline(); ok {
			until = began.Add(min(shrinkTime, time.Until(last)/2))
		}
	}
	plans = slices.Clone(plans)
	for i := range plans {
		plans[i] = simnet.Shrink(plans[i], func(p simnet.Plan) bool {
			try := slices.Clone(plans)
			try[i] = p
			for k := range uint64(shrinkSeeds) {
				if time.Now().After(until) {
					return false
				}
				s := seed
				if k > 0 {
					s = seed*1000 + k
				}
				runs++
				tr, _ := x.run(s, onNetwork(func(n *simnet.Network) { n.PlayInstead(try) }))
				if tr.failed {
					found = s
					return true
				}
			}
			return false
		})
	}
	var b strings.Builder
	fmt.Fprintf(&b, "shrunk from %d faults to %d (%d runs, %v). With the seed %d, and this in place of what was played, it fails:\n",
		faults, countFaults(plans), runs, time.Since(began).Round(time.Second/10), found)
	for _, p := range plans {
		fmt.Fprintf(&b, "%s\n", indented(p.String()))
	}
	return b.String()
}

// noteReached counts what Sometimes was told of.
func (x *exploration) noteReached(n *simnet.Network) {
	if n == nil {
		return
	}
	if x.reached == nil {
		x.reached = make(map[string]int)
	}
	for name, times := range n.Reached() {
		x.reached[name] += times
	}
}

// logReached tells what was never reached.
func (x *exploration) logReached(seeds uint64) {
	for _, name := range never(x.reached) {
		x.t.Logf("in none of %d seeds: %s", seeds, name)
	}
}

// never returns what was reached no times.
func never(reached map[string]int) (names []string) {
	for _, name := range slices.Sorted(maps.Keys(reached)) {
		if reached[name] == 0 {
			names = append(names, name)
		}
	}
	return names
}

// writeEvents writes the events of n to the file that the environment says.
func writeEvents(t testing.TB, n *simnet.Network) {
	name := os.Getenv(EventsVar)
	if name == "" || n == nil {
		return
	}
	f, err := os.Create(name)
	if err == nil {
		err = n.WriteText(f)
		if closing := f.Close(); err == nil {
			err = closing
		}
	}
	if err != nil {
		t.Errorf("%s: %v", EventsVar, err)
	}
}
