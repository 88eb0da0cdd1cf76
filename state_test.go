package greenlet_test

import (
	"fmt"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/stack"
)

// isIn checks what a greenlet says of its state.
func isIn(t testing.TB, g *greenlet.Greenlet, state string) {
	t.Helper()
	want := map[string][3]bool{ // started, active, dead
		"not started": {false, false, false},
		"current":     {true, true, false},
		"suspended":   {true, true, false},
		"dead":        {true, false, true},
	}[state]
	if got := [3]bool{g.Started(), g.Active(), g.Dead()}; got != want {
		t.Errorf("%s: started, active, dead are %v, want %v", state, got, want)
	}
	if s := g.String(); !strings.HasSuffix(s, "("+state+")") {
		t.Errorf("String is %q, want it to end in (%s)", s, state)
	}
	if got, want := greenlet.Current() == g, state == "current"; got != want {
		t.Errorf("%s: is it current: %v", state, got)
	}
}

// Rules 59 to 61 and 63: the states of a greenlet and of a main one.
func TestStates(t *testing.T) {
	main := ownTree(t)
	isIn(t, main, "current")
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		isIn(t, g, "current")
		isIn(t, main, "suspended")
		greenlet.New(func(any) (any, error) {
			isIn(t, g, "suspended")
			return nil, nil
		}).Switch(nil)
		main.Switch(nil)
		isIn(t, g, "current")
		return nil, nil
	})
	isIn(t, g, "not started")
	g.Switch(nil)
	isIn(t, g, "suspended")
	g.Switch(nil)
	isIn(t, g, "dead")
	isIn(t, main, "current")
}

// However a greenlet ends it is dead, and started even if it never ran.
func TestStatesAfterEachEnd(t *testing.T) {
	ownTree(t)
	panics := func(any) (any, error) { panic("ouch") }
	for name, end := range map[string]func(g *greenlet.Greenlet){
		"returned":              func(g *greenlet.Greenlet) { g.Switch(nil) },
		"killed":                func(g *greenlet.Greenlet) { g.Kill() },
		"exited":                func(g *greenlet.Greenlet) { g.Throw(nil) },
		"failed":                func(g *greenlet.Greenlet) { g.Throw(errBoom) },
		"closed":                func(*greenlet.Greenlet) { greenlet.Close() },
		"nothing special after": func(g *greenlet.Greenlet) { g.Switch(nil); g.Throw(nil); g.Kill() },
	} {
		g := waiting(t)
		end(g)
		t.Run(name, func(t *testing.T) { isIn(t, g, "dead") })
	}
	for name, end := range map[string]func(g *greenlet.Greenlet){
		"killed unstarted":    func(g *greenlet.Greenlet) { g.Kill() },
		"thrown at unstarted": func(g *greenlet.Greenlet) { g.Throw(errBoom) },
		"panicked":            func(g *greenlet.Greenlet) { panicOf(func() { g.Switch(nil) }) },
	} {
		g := greenlet.New(panics)
		end(g)
		t.Run(name, func(t *testing.T) { isIn(t, g, "dead") })
	}
}

// Rule 62: Current is per goroutine, and makes a main greenlet on first use.
func TestCurrentIsPerGoroutine(t *testing.T) {
	main := ownTree(t)
	var mu sync.Mutex
	seen := map[*greenlet.Greenlet]bool{main: true}
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			onGoroutine(func() {
				mine := greenlet.Current()
				if mine != greenlet.Current() || mine.Parent() != nil || mine.Name() != "main" {
					t.Errorf("not a main greenlet: %v", mine)
				}
				greenlet.New(func(any) (any, error) {
					if mine != greenlet.Current().Parent() {
						t.Error("another main in the child")
					}
					return nil, nil
				}).Switch(nil)
				mu.Lock()
				defer mu.Unlock()
				if seen[mine] {
					t.Error("two goroutines have one main greenlet")
				}
				seen[mine] = true
			})
		})
	}
	all.Wait()
	if greenlet.Current() != main {
		t.Error("main is another one now")
	}
}

// A goroutine that a greenlet starts is a plain one: it has its own tree.
func TestGoroutineOfAGreenlet(t *testing.T) {
	ownTree(t)
	gives(t, true)(greenlet.New(func(any) (any, error) {
		me := greenlet.Current()
		apart := false
		onGoroutine(func() { apart = greenlet.Current() != me && greenlet.Current().Parent() == nil })
		return apart, nil
	}).Switch(nil))
}

// Rule 63: main has no body to read or set; that form does not exist in Go. It
// can be suspended and switched to like any other: see TestSwitchOrder.

// Rule 64 counts the bytes of stack that Python saved on the heap; here it is
// the stack itself that is described.
func TestStackUsage(t *testing.T) {
	main := ownTree(t)
	known := main.StackUsage().Size != 0
	if !known {
		t.Log("the layout is not known in this build: all numbers must be 0")
	}
	check := func(what string, g *greenlet.Greenlet, has bool) int {
		t.Helper()
		u := g.StackUsage()
		if has && known {
			if u.Size != int(u.Hi-u.Lo) || u.InUse <= 0 || u.InUse > u.Size || u.HighWater < u.InUse {
				t.Errorf("%s: %+v", what, u)
			}
		} else if u != (stack.Usage{}) {
			t.Errorf("%s: %+v, want nothing", what, u)
		}
		return u.InUse
	}
	check("main", main, true)
	g := greenlet.New(func(any) (any, error) {
		deeper(100, func() {
			if u := greenlet.Current().StackUsage(); known {
				if at := rt.StackPointer(); at < u.Lo || at >= u.Hi {
					t.Errorf("%#x is not in [%#x, %#x)", at, u.Lo, u.Hi)
				}
			}
			main.Switch(nil)
		})
		main.Switch(nil)
		return nil, nil
	})
	check("not started", g, false)
	g.Switch(nil)
	deep := check("deep", g, true)
	g.Switch(nil)
	shallow := check("shallow", g, true)
	if known && deep-shallow < 100*64 {
		t.Errorf("a hundred frames more take %d bytes", deep-shallow)
	}
	g.Switch(nil)
	check("dead", g, false)
}

// Rule 65: a running panic is its greenlet's own. Another one that is switched
// to meanwhile recovers nothing of it, and has panics of its own.
func TestPanicsAreKeptApart(t *testing.T) {
	main := ownTree(t)
	other := greenlet.New(func(any) (any, error) {
		for {
			if r := recover(); r != nil {
				t.Errorf("other recovered %v", r)
			}
			func() {
				defer func() {
					main.Switch(nil)
					if r := recover(); r != "of other" {
						t.Errorf("other recovered %v of its own", r)
					}
				}()
				panic("of other")
			}()
		}
	})
	func() {
		defer func() {
			other.Switch(nil)
			other.Switch(nil)
			if r := recover(); r != "of main" {
				t.Errorf("main recovered %v of its own", r)
			}
		}()
		panic("of main")
	}()
}

func TestNamesAndNumbers(t *testing.T) {
	main := ownTree(t)
	named := greenlet.New(returning(nil), greenlet.WithName("Anna"))
	plain := greenlet.New(returning(nil))
	for _, c := range []struct {
		g    *greenlet.Greenlet
		name string
		text string
	}{
		{main, "main", `^greenlet \d+ "main" \(current\)$`},
		{named, "Anna", `^greenlet \d+ "Anna" \(not started\)$`},
		{plain, "", `^greenlet \d+ \(not started\)$`},
		{nil, "", `^greenlet <nil>$`},
	} {
		if c.g.Name() != c.name || !regexp.MustCompile(c.text).MatchString(c.g.String()) {
			t.Errorf("name %q, want %q; text %q, want %s", c.g.Name(), c.name, c.g, c.text)
		}
		if c.g != nil && !strings.HasPrefix(c.g.String(), fmt.Sprintf("greenlet %d", c.g.ID())) {
			t.Errorf("%s has the number %d", c.g, c.g.ID())
		}
	}
	var none *greenlet.Greenlet
	if none.Dead() || none.Started() || none.Active() || none.Parent() != nil || none.ID() != 0 || none.Stack() != nil || none.StackUsage().Size != 0 {
		t.Error("a nil greenlet is in some state")
	}
}

// Numbers are given once, to the greenlets of whatever goroutine.
func TestNumbersAreGivenOnce(t *testing.T) {
	var mu sync.Mutex
	var ids []uint64
	var all sync.WaitGroup
	for range 10 {
		all.Go(func() {
			defer greenlet.Close()
			mine := []uint64{greenlet.Current().ID()}
			for range 200 {
				mine = append(mine, greenlet.New(nil).ID())
			}
			mu.Lock()
			defer mu.Unlock()
			ids = append(ids, mine...)
		})
	}
	all.Wait()
	slices.Sort(ids)
	if n := len(slices.Compact(ids)); n != 10*201 || ids[0] == 0 {
		t.Errorf("%d different numbers for %d greenlets", n, 10*201)
	}
}

// Stack tells where a suspended greenlet waits, innermost first and the frames
// of the switch left out.
func TestStackOfTheSuspended(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		deeper(3, func() { waitHere(main) })
		return nil, nil
	})
	if s := g.Stack(); s != nil {
		t.Errorf("the stack of an unstarted greenlet: %v", s)
	}
	g.Switch(nil)
	var calls []string
	for _, f := range g.Stack() {
		calls = append(calls, f.Function[strings.LastIndexByte(f.Function, '/')+1:])
		if f.File == "" || f.Line == 0 {
			t.Errorf("no place: %+v", f)
		}
	}
	const pkg = "greenlet_test."
	want := []string{
		pkg + "waitHere", pkg + "TestStackOfTheSuspended.func1.1",
		pkg + "deeper", pkg + "deeper", pkg + "deeper", pkg + "deeper",
		pkg + "TestStackOfTheSuspended.func1",
	}
	if !slices.Equal(calls, want) {
		t.Errorf("waits in\n%s\nwant\n%s", strings.Join(calls, "\n"), strings.Join(want, "\n"))
	}
	if s := main.Stack(); s != nil {
		t.Errorf("the stack of the caller: %v", s)
	}
	g.Switch(nil)
	if s := g.Stack(); s != nil {
		t.Errorf("the stack of a dead greenlet: %v", s)
	}
}

//go:noinline
func waitHere(to *greenlet.Greenlet) { to.Switch(nil) }

// Also the stack of a parent that waits for its child, and of main.
func TestStackOfTheAncestors(t *testing.T) {
	main := ownTree(t)
	mentions := func(g *greenlet.Greenlet, function string) {
		t.Helper()
		if !slices.ContainsFunc(g.Stack(), func(f runtime.Frame) bool { return strings.HasSuffix(f.Function, function) }) {
			t.Errorf("%s is not in the stack of %s: %v", function, g, g.Stack())
		}
	}
	var p *greenlet.Greenlet
	p = greenlet.New(func(any) (any, error) {
		waitHere(greenlet.New(func(any) (any, error) {
			mentions(p, ".waitHere")
			mentions(main, ".TestStackOfTheAncestors")
			return nil, nil
		}))
		return nil, nil
	})
	p.Switch(nil)
}

// All lists what is alive, Stats counts it.
func TestAllAndStats(t *testing.T) {
	main := ownTree(t)
	before := steady(t)
	if before.Trees < 1 || before.Pooled < 0 || before.Suspended > before.Live {
		t.Errorf("%+v", before)
	}
	listed := func(g *greenlet.Greenlet) bool {
		n := 0
		for x := range greenlet.All() {
			if x == g {
				n++
			}
		}
		if n > 1 {
			t.Errorf("%s is listed %d times", g, n)
		}
		return n > 0
	}
	differ := func(live, suspended int) {
		t.Helper()
		s := greenlet.Stats()
		if s.Live-before.Live != live || s.Suspended-before.Suspended != suspended || s.Pooled < 0 || s.Goroutines != s.Live+s.Pooled {
			t.Errorf("%+v, before %+v, want %d more alive and %d more suspended", s, before, live, suspended)
		}
	}
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		differ(1, 0)
		if !listed(g) || !listed(main) {
			t.Error("what runs is not listed")
		}
		main.Switch(nil)
		differ(1, 0)
		greenlet.New(func(any) (any, error) {
			differ(2, 1)
			return nil, nil
		}).Switch(nil)
		return nil, nil
	})
	if listed(g) {
		t.Error("what has not started is listed")
	}
	g.Switch(nil)
	differ(1, 1)
	if !listed(g) || !listed(main) {
		t.Error("what is suspended is not listed")
	}
	for range greenlet.All() {
		break // may be left early
	}
	g.Switch(nil)
	differ(0, 0)
	if listed(g) {
		t.Error("what is dead is listed")
	}
}

// TestStackWhileTheCollectorScans makes sure that the stack of a suspended greenlet is
// there also in the moment in which the collector scans it.
func TestStackWhileTheCollectorScans(t *testing.T) {
	needsAssembly(t) // else the world is stopped for each
	main := ownTree(t)
	var all []*greenlet.Greenlet
	for range 2000 {
		g := greenlet.New(func(any) (any, error) {
			main.Switch(nil)
			return nil, nil
		})
		g.Switch(nil)
		all = append(all, g)
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	rounds := 100
	if testing.Short() {
		rounds = 20
	}
	for range rounds {
		for _, g := range all {
			if len(g.Stack()) == 0 {
				t.Fatal("a suspended greenlet has no stack")
			}
		}
	}
	close(stop)
	<-stopped
}
