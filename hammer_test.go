package greenlet_test

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// hammerVar is the environment variable that says how long TestHammer lasts,
// as "20s" or "10m". Settings of GODEBUG, GOGC and -cpu make it worse: see
// tools/hostile.sh.
const hammerVar = "GREENLET_HAMMER"

func hammerTime(t *testing.T) time.Duration {
	if asked := os.Getenv(hammerVar); asked != "" {
		d, err := time.ParseDuration(asked)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	if testing.Short() {
		return time.Second
	}
	return 3 * time.Second
}

// threadID returns the number of the calling thread, where that is known.
var threadID = func() int { return 0 }

// TestHammer lets trees of greenlets switch at random, on stacks that grow and
// shrink, some of them locked to a thread, while everything of the runtime that
// looks at goroutines, stops them or counts them is at work. See
// hammer_tree_test.go for what the trees do and how it is checked.
func TestHammer(t *testing.T) {
	gr := &grove{shared: make(chan *spring, 8)}
	seed := uint64(time.Now().UnixNano())
	t.Logf("%v, seed %d", greenlet.Backend(), seed)

	var trees, weather sync.WaitGroup
	for i := range 6 {
		trees.Go(func() { gr.grow(seed+uint64(i), i%3 == 2) })
	}
	for _, blow := range hammerWeather {
		weather.Go(func() {
			for !gr.stop.Load() {
				blow(gr)
			}
		})
	}
	end := time.AfterFunc(hammerTime(t), func() { gr.stop.Store(true) })
	defer end.Stop()
	trees.Wait()
	weather.Wait()

	close(gr.shared)
	for s := range gr.shared {
		s.stop()
	}
	if f := gr.fault.Load(); f != nil {
		t.Error(*f)
	}
	// Through all that the collector has been watched, and still is.
	ended := make(chan string, 2)
	abandonPull(0, ended)
	eventually(t, "an abandoned sequence is ended", func() bool { return len(ended) == 1 }, runtime.GC)

	t.Logf("%d switches", gr.steps.Load())
	if gr.steps.Load() < 100 {
		t.Error("the trees have hardly switched")
	}
}

// hammerWeather is what goes on around the trees. Each function is one gust.
var hammerWeather = []func(*grove){
	func(gr *grove) {
		runtime.GC()
		gr.untilSwitches(gr.steps.Load() % 4096)
	},
	func(gr *grove) {
		defer debug.SetGCPercent(debug.SetGCPercent(1))
		gr.untilSwitches(5000)
	},
	func(gr *grove) {
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1 + int(gr.steps.Load())%4))
		gr.untilSwitches(5000)
	},
	func(gr *grove) {
		for debugLevel := range 3 {
			pprof.Lookup("goroutine").WriteTo(io.Discard, debugLevel)
			gr.untilSwitches(3000)
		}
	},
	func(gr *grove) {
		for _, p := range pprof.Profiles() { // also goroutineleak, where there is one
			// Go 1.27 cannot take that one under gccheckmark: it allocates in the
			// middle of the check, and dies, also in a program without greenlets.
			if p.Name() == "goroutineleak" && strings.Contains(os.Getenv("GODEBUG"), "gccheckmark=1") {
				continue
			}
			p.WriteTo(io.Discard, 0)
			gr.untilSwitches(3000)
		}
	},
	func(gr *grove) {
		if pprof.StartCPUProfile(io.Discard) == nil {
			gr.untilSwitches(20_000)
			pprof.StopCPUProfile()
		}
		gr.untilSwitches(20_000)
	},
	func(gr *grove) {
		var b bytes.Buffer
		if trace.Start(&b) == nil {
			gr.untilSwitches(2000)
			trace.Stop()
		}
		gr.untilSwitches(10_000)
	},
	func(gr *grove) {
		fr := trace.NewFlightRecorder(trace.FlightRecorderConfig{})
		if fr.Start() == nil {
			gr.untilSwitches(1000)
			fr.WriteTo(io.Discard)
			gr.untilSwitches(1000)
			fr.Stop()
		}
		gr.untilSwitches(10_000)
	},
	func(gr *grove) {
		runtime.Stack(make([]byte, 1<<16), true)
		debug.Stack()
		gr.untilSwitches(5000)
	},
	func(gr *grove) {
		all := metrics.All()
		samples := make([]metrics.Sample, len(all))
		for i := range samples {
			samples[i].Name = all[i].Name
		}
		metrics.Read(samples)
		debug.FreeOSMemory()
		gr.untilSwitches(20_000)
	},
	func(gr *grove) { // somebody who has to be preempted
		for range 100_000 {
			spin()
		}
		gr.untilSwitches(5000)
	},
	func(gr *grove) { // goroutines that come and go
		var all sync.WaitGroup
		for range 50 {
			all.Go(runtime.Gosched)
		}
		all.Wait()
		stack.Trim()
		gr.untilSwitches(5000)
	},
	func(gr *grove) { // our own hooks and counters
		greenlet.SetTraceAll(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { gr.steps.Add(1) })
		gr.untilSwitches(1000)
		greenlet.SetTraceAll(nil)
		greenlet.Stats()
		for g := range greenlet.All() {
			_ = g.String()
		}
		gr.untilSwitches(10_000)
	},
}

//go:noinline
func spin() {}

// untilSwitches returns when the trees have switched n times more.
func (gr *grove) untilSwitches(n int64) {
	for end := gr.steps.Load() + n; gr.steps.Load() < end && !gr.stop.Load(); {
		time.Sleep(100 * time.Microsecond)
	}
}

// needsAssembly skips a test about what only the assembly does.
func needsAssembly(t testing.TB) {
	t.Helper()
	if b := greenlet.Backend(); b.Name != "assembly" {
		t.Skip(b)
	}
}
