package greenlet_test

import (
	"bytes"
	"io"
	"maps"
	"regexp"
	"runtime"
	"runtime/pprof"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// What profiles and dumps show of greenlets.

// parkHere waits until it is switched to twice: a place that profiles show.
//
//go:noinline
func parkHere(main *greenlet.Greenlet, deep int) {
	if deep > 0 {
		parkHere(main, deep-1)
		return
	}
	main.Switch(nil)
	main.Switch(nil)
}

// churn switches to others for ever.
//
//go:noinline
func churn(main *greenlet.Greenlet, turns *atomic.Int64) {
	for {
		turns.Add(1)
		main.Switch(nil)
	}
}

// functions returns what a record of a goroutine profile shows, innermost first.
func functions(r *runtime.StackRecord) (names []string) {
	frames := runtime.CallersFrames(r.Stack())
	for {
		f, more := frames.Next()
		names = append(names, f.Function[strings.LastIndexByte(f.Function, '.')+1:])
		if !more {
			return names
		}
	}
}

// goroutinesIn counts the goroutines in whose stack a goroutine profile shows a
// function.
func goroutinesIn(t *testing.T, function string) (n int) {
	t.Helper()
	records := make([]runtime.StackRecord, runtime.NumGoroutine()+100)
	size, ok := runtime.GoroutineProfile(records)
	if !ok {
		t.Fatalf("%d goroutines, room for %d", size, len(records))
	}
	for _, r := range records[:size] {
		if slices.Contains(functions(&r), function) {
			n++
		}
	}
	return n
}

// awaitNoneIn waits until no goroutine is in a function: those that a test
// before killed may still be on their way out, with their whole stack.
func awaitNoneIn(t *testing.T, function string) {
	t.Helper()
	for goroutinesIn(t, function) > 0 {
		runtime.Gosched()
	}
}

func TestGoroutineProfile(t *testing.T) {
	main := ownTree(t)
	awaitNoneIn(t, "parkHere")
	const n = 20
	for i := range n {
		g := greenlet.New(func(any) (any, error) {
			parkHere(main, 3)
			return nil, nil
		}, greenlet.WithName("parked"))
		g.Switch(nil)
		if i%2 == 0 {
			g.Switch(nil) // and once more, as one that was resumed
		}
		t.Cleanup(func() { g.Kill() })
	}
	for range 3 {
		if got := goroutinesIn(t, "parkHere"); got != n {
			t.Errorf("a goroutine profile shows %d of %d suspended greenlets", got, n)
		}
		runtime.GC()
	}
	from := greenlet.New(func(any) (any, error) { return goroutinesIn(t, "parkHere"), nil })
	if got, _ := from.Switch(nil); got != n {
		t.Errorf("a goroutine profile taken by a greenlet shows %d of %d", got, n)
	}
	var text bytes.Buffer
	pprof.Lookup("goroutine").WriteTo(&text, 1)
	if !strings.Contains(text.String(), "parkHere") {
		t.Errorf("the profile as text shows no greenlet:\n%s", &text)
	}
}

// TestGoroutineProfileInTheMiddle takes profiles of trees that switch all the
// time: each greenlet is there once, wherever it is.
func TestGoroutineProfileInTheMiddle(t *testing.T) {
	const trees, each = 3, 5
	var stop atomic.Bool
	var turns atomic.Int64
	var all, ready sync.WaitGroup
	ready.Add(trees)
	for range trees {
		all.Go(func() {
			defer greenlet.Close()
			main := greenlet.Current()
			gs := make([]*greenlet.Greenlet, each)
			for i := range gs {
				gs[i] = greenlet.New(func(any) (any, error) {
					churn(main, &turns)
					return nil, nil
				})
				gs[i].Switch(nil)
			}
			ready.Done()
			for i := 0; !stop.Load(); i++ {
				gs[i%each].Switch(nil)
				if i%100 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	ready.Wait()
	profiles := 100
	if testing.Short() {
		profiles = 30
	}
	for range profiles {
		if got := goroutinesIn(t, "churn"); got != trees*each {
			t.Errorf("a goroutine profile shows %d of %d greenlets", got, trees*each)
			break
		}
		for now := turns.Load(); turns.Load() < now+100; {
			runtime.Gosched()
		}
	}
	stop.Store(true)
	all.Wait()
}

// TestStackOfAll makes sure that a dump of all goroutines says of a suspended
// greenlet that it is one, and where it waits.
func TestStackOfAll(t *testing.T) {
	main := ownTree(t)
	awaitNoneIn(t, "parkHere")
	g := greenlet.New(func(any) (any, error) {
		parkHere(main, 2)
		return nil, nil
	})
	g.Switch(nil)
	defer g.Kill()
	dump := make([]byte, 1<<20)
	dump = dump[:runtime.Stack(dump, true)]
	for block := range strings.SplitSeq(string(dump), "\n\n") {
		if !strings.Contains(block, "parkHere(") {
			continue
		}
		head, _, _ := strings.Cut(block, "\n")
		if greenlet.Backend().Name == "assembly" && !regexp.MustCompile(`^goroutine \d+ [^\[]*\[coroutine[],]`).MatchString(head) {
			t.Errorf("a suspended greenlet is shown as %q", head)
		}
		if n := strings.Count(block, "parkHere("); n != 3 || !strings.Contains(block, "TestStackOfAll.func1") {
			t.Errorf("a suspended greenlet's stack is shown as\n%s", block)
		}
		return
	}
	t.Errorf("no suspended greenlet in\n%s", dump)
}

// hot and warm are where the samples of TestCPUProfile must come from.
//
//go:noinline
func hot(g *greenlet.Greenlet, n int) {
	for range n {
		g.Switch(nil)
	}
}

//go:noinline
func warm(main *greenlet.Greenlet) {
	for {
		main.Switch(nil)
	}
}

// TestCPUProfile makes sure that samples taken in the middle of a switch, at
// whatever instruction, have the callers, and those of greenlets their body.
func TestCPUProfile(t *testing.T) {
	needsAssembly(t)
	wanted := 30
	if testing.Short() {
		wanted = 10
	}
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		warm(main)
		return nil, nil
	})
	inSwitch, inHot, inWarm := 0, 0, 0
	for start := time.Now(); inSwitch < wanted || inHot == 0 || inWarm == 0; {
		if time.Since(start) > 5*time.Minute {
			t.Fatalf("in five minutes %d samples of the switch, %d of one side and %d of the other", inSwitch, inHot, inWarm)
		}
		var profile bytes.Buffer
		if err := pprof.StartCPUProfile(&profile); err != nil {
			t.Skip(err)
		}
		hot(g, 10_000_000)
		pprof.StopCPUProfile()
		for _, stack := range cpuSamples(t, &profile) {
			isHot, isWarm := slices.Contains(stack, "hot"), slices.Contains(stack, "warm")
			if stack[0] == "enterText" {
				inSwitch++
				if !isHot && !isWarm {
					t.Fatalf("a sample in the switch has no callers: %q", stack)
				}
			}
			if isHot {
				inHot++
				if !slices.Contains(stack, "TestCPUProfile") {
					t.Fatalf("a sample of the main greenlet ends too early: %q", stack)
				}
			}
			if isWarm {
				inWarm++
				if isHot || !slices.Contains(stack, "func1") || !endsInCarry(stack) {
					t.Fatalf("a sample of a greenlet is %q", stack)
				}
			}
		}
	}
	t.Logf("%d samples in the switch, %d of one side and %d of the other", inSwitch, inHot, inWarm)
}

// cpuSamples returns the stacks of a CPU profile, innermost function first,
// without their packages.
func cpuSamples(t *testing.T, profile io.Reader) [][]string {
	t.Helper()
	p, err := parseProfile(profile)
	if err != nil {
		t.Fatal(err)
	}
	return p.stacks()
}

// TestOutermostFunction makes sure that the body of a greenlet is shown below the
// same function in profiles and dumps, whether its carrier was started alone or
// as one of a batch.
func TestOutermostFunction(t *testing.T) {
	needsAssembly(t)
	main := ownTree(t)
	seen := map[string]bool{}
	for range 100 {
		greenlet.New(func(any) (any, error) {
			var pcs [32]uintptr
			frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
			var outermost string
			for more := true; more; {
				var f runtime.Frame
				f, more = frames.Next()
				if f.Function != "runtime.goexit" {
					outermost = f.Function
				}
			}
			seen[outermost] = true
			main.Switch(nil)
			return nil, nil
		}).Switch(nil)
	}
	want := map[string]bool{"github.com/go-greenlet/greenlet.carry.func1": true}
	if !maps.Equal(seen, want) {
		t.Errorf("bodies are called by %v, want %v", seen, want)
	}
}
