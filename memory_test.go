package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// Rule 84: creating and finishing, dropping unstarted, killing and abandoning
// greenlets leaves memory and goroutines where they were.
func TestNothingGrows(t *testing.T) {
	main := ownTree(t)
	n, batch := 1_000_000, 10_000
	switch {
	case raceOn:
		n, batch = 6_000, 2_000
	case testing.Short():
		n = 50_000
	}
	body := func(any) (any, error) { return nil, nil }
	waits := func(any) (any, error) { return main.Switch(nil) }
	ways := []struct {
		name  string
		share int // of n: some are slower
		once  func()
	}{
		{"finished", 1, func() { greenlet.New(body).Switch(nil) }},
		{"unstarted", 1, func() { greenlet.New(body) }},
		{"thrown at unstarted", 1, func() { greenlet.New(body).Throw(nil) }},
		{"killed unstarted", 1, func() { greenlet.New(body).Kill() }},
		{"suspended, finished", 2, func() { g := greenlet.New(waits); g.Switch(nil); g.Switch(nil) }},
		{"killed", 10, func() { g := greenlet.New(waits); g.Switch(nil); g.Kill() }},
		{"panicked", 20, func() { panicOf(func() { greenlet.New(panicking(1)).Switch(nil) }) }},
		{"abandoned", 5, func() { greenlet.New(waits).Switch(nil) }},
	}
	for _, way := range ways {
		round := func(n int) {
			for i := range n {
				if i%batch == batch-1 {
					greenlet.Collect()
				}
				way.once()
			}
			greenlet.Collect()
		}
		if backend := greenlet.Backend().Name; backend != "assembly" && !raceOn {
			way.share *= 40
		}
		n := n / way.share
		round(min(batch, n)) // warm
		// The runtime keeps what it needs for as many goroutines as there have
		// been at once, and gives stacks back when it likes. So a round may grow,
		// by up to a megabyte in an emulator on a busy machine, and the next may
		// shrink; a leak grows in all.
		grew := func() bool {
			mem, live, goroutines := footprint()
			round(n)
			mem2, live2, goroutines2 := footprint()
			t.Logf("%s %d times: %+d bytes", way.name, n, int64(mem2-mem))
			if live2 != live || goroutines2 > goroutines+10 {
				t.Errorf("%s: %d alive before, %d after; %d goroutines before, %d after", way.name, live, live2, goroutines, goroutines2)
			}
			return mem2 > mem+uint64(4*n)+64<<10 // a few bytes for each
		}
		for rounds := 1; grew(); rounds++ {
			if rounds == 10 {
				t.Errorf("%s: memory grows", way.name)
				break
			}
		}
	}
}

// footprint is what is in use when all that is garbage or idle is gone.
func footprint() (mem uint64, live, goroutines int) {
	for range 3 {
		greenlet.Close()
		stack.Trim()
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc + m.StackInuse, greenlet.Stats().Live, runtime.NumGoroutine()
}

// A hundred thousand abandoned half-way at once are all ended.
func TestHundredThousandAbandoned(t *testing.T) {
	main := ownTree(t)
	n := 100_000
	if raceOn || testing.Short() {
		n = 5_000 // the race detector allows 8,000 goroutines
	}
	before, ended := greenlet.Stats().Live, 0
	for i := range n {
		greenlet.New(func(any) (any, error) {
			defer func() { ended++ }()
			return main.Switch(i)
		}).Switch(nil)
	}
	greenlet.Collect()
	if live := greenlet.Stats().Live; ended != n || live > before {
		t.Errorf("%d of %d have ended; %d alive before, %d after", ended, n, before, live)
	}
}
