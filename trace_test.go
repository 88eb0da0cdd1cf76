package greenlet_test

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// traced sets a hook that writes the events of the calling goroutine's tree
// down, by the names of the greenlets, until the test ends.
func traced(t testing.TB) *trail {
	t.Helper()
	events := new(trail)
	if old := greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		// One that died unstarted never ran, so it cannot be current.
		if greenlet.Current() != to && !to.Dead() {
			t.Errorf("the hook runs in %v, the event is for %v", greenlet.Current(), to)
		}
		events.add("%v %s>%s", ev, from.Name(), to.Name())
	}); old != nil {
		t.Error("a hook was set")
	}
	t.Cleanup(func() { greenlet.SetTrace(nil) })
	return events
}

// take checks the events so far and forgets them.
func (tr *trail) take(t testing.TB, want string) {
	t.Helper()
	tr.is(t, want)
	*tr = nil
}

func named(name string, body func(any) (any, error), opts ...greenlet.Option) *greenlet.Greenlet {
	return greenlet.New(body, append(opts, greenlet.WithName(name))...)
}

// Rule 85: SetTrace returns the hook before it, nil removes it, GetTrace tells.
// A hook belongs to the tree in which it is set.
func TestSetTrace(t *testing.T) {
	ownTree(t)
	calls := [2]int{}
	hook := func(i int) greenlet.TraceFunc {
		return func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { calls[i]++ }
	}
	if greenlet.GetTrace() != nil || greenlet.SetTrace(hook(0)) != nil || greenlet.GetTrace() == nil {
		t.Error("at first there is no hook, then there is")
	}
	greenlet.New(returning(nil)).Switch(nil)
	greenlet.New(func(any) (any, error) { // set in a child, it is the tree's
		old := greenlet.SetTrace(hook(1))
		old(0, nil, nil)
		return nil, nil
	}).Switch(nil)
	onGoroutine(func() {
		if greenlet.GetTrace() != nil {
			t.Error("the hook is another goroutine's too")
		}
		greenlet.New(returning(nil)).Switch(nil)
	})
	if greenlet.GetTrace() == nil || greenlet.SetTrace(nil) == nil || greenlet.GetTrace() != nil {
		t.Error("the hook was lost, or stays")
	}
	greenlet.New(returning(nil)).Switch(nil)
	if calls != [2]int{2 + 1 + 1, 1} {
		t.Errorf("the hooks were called %v times", calls)
	}
}

// A hook keeps its tree, which is otherwise made anew when nothing refers to it.
func TestTraceHookIsKept(t *testing.T) {
	ownTree(t)
	waiting(t) // so that the end of the collector's cycles is noticed
	onGoroutine(func() {
		greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {})
		for range 5 {
			cleaned := make(chan string, 1)
			watched("", cleaned)
			runtime.GC()
			<-cleaned
		}
		if greenlet.GetTrace() == nil {
			t.Error("the hook was lost")
		}
		greenlet.SetTrace(nil)
	})
}

// Rules 86 and 87: each transfer is told after it has happened, in the target,
// before the target's Switch returns or its body runs.
func TestTraceEvents(t *testing.T) {
	main := ownTree(t)
	events := traced(t)
	a := named("a", func(any) (any, error) {
		events.add("a runs")
		v, _ := main.Switch(nil)
		events.add("a got %v", v)
		return nil, nil
	})
	b := named("b", func(any) (any, error) {
		return a.Switch("x")
	})
	a.Switch(nil)
	events.add("main goes on")
	b.Switch(nil)
	events.take(t, "switch main>a; a runs; switch a>main; main goes on; "+
		"switch main>b; switch b>a; a got x; switch a>main")
	if greenlet.TraceSwitch.String() != "switch" || greenlet.TraceThrow.String() != "throw" || greenlet.TraceEvent(0).String() != "unknown" {
		t.Error("names of the events")
	}
}

// Rule 88: whatever is no value is a throw: an error, a panic, a Goexit, a kill.
// An exit that ends its greenlet is a switch on its way to the parent.
func TestTraceThrows(t *testing.T) {
	ownTree(t)
	events := traced(t)
	wait := func() *greenlet.Greenlet {
		t.Helper()
		g := waiting(t, greenlet.WithName("g"))
		events.take(t, "switch main>g; switch g>main")
		return g
	}
	wait().Throw(errBoom)
	events.take(t, "throw main>g; throw g>main")
	wait().Throw(nil)
	events.take(t, "throw main>g; switch g>main")
	wait().Kill()
	events.take(t, "throw main>g; switch g>main")
	named("g", failing(errBoom)).Switch(nil)
	events.take(t, "switch main>g; throw g>main")
	named("g", failing(greenlet.Exit)).Switch(nil)
	events.take(t, "switch main>g; switch g>main")
	panicOf(func() { named("g", panicking(1)).Switch(nil) })
	events.take(t, "switch main>g; throw g>main")
	named("g", func(any) (any, error) { return nil, greenlet.Current().Kill() }).Switch(nil)
	events.take(t, "switch main>g; switch g>main")
	onGoroutine(func() {
		events := traced(t)
		defer events.is(t, "switch main>g; throw g>main")
		named("g", exiting).Switch(nil)
	})
}

// Rule 89: a switch to oneself is told with both sides the same. The dead are
// never named, whom control reaches is.
func TestTraceOfTheSelfAndTheDead(t *testing.T) {
	main := ownTree(t)
	events := traced(t)
	main.Switch(nil)
	events.take(t, "switch main>main")
	main.Throw(errBoom)
	events.take(t, "throw main>main")
	dead := ended(t, greenlet.WithName("dead"))
	dead.Switch(nil)
	events.take(t, "switch main>main")
	dead.Throw(nil)
	events.take(t, "switch main>main")
	p := named("p", returning(nil))
	dead.SetParent(p)
	dead.Switch(nil)
	events.take(t, "switch main>p; switch p>main")
}

// Rule 90: a throw into an unstarted one passes through it, and a parent that
// is unstarted, likewise.
func TestTraceOfTheUnstarted(t *testing.T) {
	ownTree(t)
	events := traced(t)
	named("g", unwanted(t)).Throw(errBoom)
	events.take(t, "throw main>g; throw g>main")
	named("g", unwanted(t)).Throw(nil)
	events.take(t, "throw main>g; switch g>main")
	p := named("p", unwanted(t))
	named("g", unwanted(t), greenlet.WithParent(p)).Throw(errBoom)
	events.take(t, "throw main>g; throw g>p; throw p>main")
	p = named("p", returning(nil))
	named("g", returning(nil), greenlet.WithParent(p)).Switch(nil)
	events.take(t, "switch main>g; switch g>p; switch p>main")
	named("g", unwanted(t)).Kill() // nothing is switched to
	events.take(t, "")
}

// Refused switches are not told.
func TestTraceOfTheRefused(t *testing.T) {
	ownTree(t)
	events := traced(t)
	greenlet.New(nil).Switch(nil)
	new(greenlet.Greenlet).Switch(nil)
	foreign := make(chan *greenlet.Greenlet, 1)
	onGoroutine(func() { foreign <- greenlet.New(nil) })
	(<-foreign).Switch(nil)
	events.take(t, "")
}

// Rule 91: a hook that panics is removed, and the panic goes on in the target,
// in place of the value.
func TestTraceHookPanics(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		defer func() {
			if r := recover(); r != "hook" {
				t.Errorf("recovered %v", r)
			}
			main.Switch("recovered")
		}()
		main.Switch("waits")
		t.Error("the value arrived")
		return nil, nil
	})
	gives(t, "waits")(g.Switch(nil))
	greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { panic("hook") })
	gives(t, "recovered")(g.Switch("lost"))
	if greenlet.GetTrace() != nil {
		t.Error("the hook is still set")
	}
	// In a greenlet that starts it is as if the body panicked at once.
	greenlet.SetTrace(func(_ greenlet.TraceEvent, _, to *greenlet.Greenlet) { panic("hook of " + to.Name()) })
	if p := panicOf(func() { named("h", unwanted(t)).Switch(nil) }); p == nil || p.Value != "hook of h" {
		t.Errorf("got %v", p)
	}
	if greenlet.GetTrace() != nil {
		t.Error("the hook is still set")
	}
}

// Rule 92: the hook may switch. Its own switches are not told, and the value in
// flight waits for it.
func TestTraceHookSwitches(t *testing.T) {
	main := ownTree(t)
	var events trail
	var aside *greenlet.Greenlet
	aside = greenlet.New(func(v any) (any, error) {
		for {
			events.add("aside got %v", v)
			v, _ = aside.Parent().Switch("from aside")
		}
	})
	greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		aside.SetParent(to)
		v, err := aside.Switch(from.Name() + ">" + to.Name())
		gives(t, "from aside")(v, err)
		gives(t, 1)(greenlet.New(returning(1)).Switch(nil))
	})
	defer greenlet.SetTrace(nil)
	g := named("g", func(v any) (any, error) {
		gives(t, "argument")(v, nil)
		v, err := main.Switch("first")
		fails(t, errBoom)(v, err)
		return "last", nil
	})
	gives(t, "first")(g.Switch("argument"))
	gives(t, "last")(g.Throw(errBoom))
	events.is(t, "aside got main>g; aside got g>main; aside got main>g; aside got g>main")
}

// It may switch away from a greenlet whose body has not begun. That can be
// thrown at, killed or switched to meanwhile.
func TestTraceHookHoldsUpTheStart(t *testing.T) {
	main := ownTree(t)
	defer greenlet.SetTrace(nil)
	held := func(body func(any) (any, error)) *greenlet.Greenlet {
		t.Helper()
		g := greenlet.New(body)
		greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {
			greenlet.SetTrace(nil)
			if v, err := main.Switch("held up"); err != nil {
				panic(err)
			} else {
				gives(t, "on")(v, err)
			}
		})
		gives(t, "held up")(g.Switch("argument"))
		isIn(t, g, "suspended")
		return g
	}
	gives(t, "argument")(held(func(v any) (any, error) { return v, nil }).Switch("on"))
	g := held(unwanted(t))
	if err := g.Kill(); err != nil {
		t.Error(err)
	}
	isIn(t, g, "dead")
	g = held(unwanted(t))
	if p := panicOf(func() { g.Throw(errBoom) }); p == nil || p.Value != errBoom {
		t.Errorf("got %v", p)
	}
	isIn(t, g, "dead")
}

// A hook may remove or replace itself.
func TestTraceHookReplacesItself(t *testing.T) {
	main := ownTree(t)
	calls := 0
	greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {
		greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {
			calls++
			greenlet.SetTrace(nil)
		})
	})
	for i := range 5 {
		gives(t, i)(main.Switch(i))
	}
	if calls != 1 || greenlet.GetTrace() != nil {
		t.Errorf("%d calls", calls)
	}
}

// A greenlet whose handle is gone is named all the same.
func TestTraceOfTheForgotten(t *testing.T) {
	ownTree(t)
	// One that waits for its child, which alone refers to it, runs on when the
	// child has ended, and then nobody does.
	var events *trail
	var child *greenlet.Greenlet
	abandon(func(wait func()) error {
		child = greenlet.New(func(any) (any, error) { wait(); return nil, nil })
		child.Switch(nil)
		child = nil
		runtime.GC()
		events = traced(t)
		return nil
	}, greenlet.WithName("nobody's"))
	greenlet.Collect() // grows old
	child.Switch(nil)
	events.take(t, "switch nobody's>main")

	abandon(func(wait func()) error { wait(); return nil }, greenlet.WithName("lost"))
	events.take(t, "switch main>lost; switch lost>main")
	greenlet.Collect()
	events.take(t, "throw main>lost; switch lost>main")
}

// SetTraceAll is for all trees, those there are and those to come, and is
// called before a tree's own hook.
func TestSetTraceAll(t *testing.T) {
	main := ownTree(t)
	var mine, others atomic.Int64
	var order trail
	ready, set, done := make(chan bool), make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		defer greenlet.Close()
		greenlet.Current()
		ready <- true
		<-set
		greenlet.New(returning(nil)).Switch(nil)
	}()
	<-ready
	goroutine := goroutineNumber()
	old := greenlet.SetTraceAll(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		if goroutineNumber() == goroutine {
			mine.Add(1)
			order.add("all")
		} else if strings.Contains(fmt.Sprint(from, to), "main") {
			others.Add(1)
		}
	})
	if old != nil {
		t.Error("a hook was set")
	}
	greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { order.add("own") })
	main.Switch(nil)
	greenlet.SetTrace(nil)
	main.Switch(nil)
	close(set)
	<-done
	onGoroutine(func() { greenlet.New(returning(nil)).Switch(nil) })
	if old := greenlet.SetTraceAll(nil); old == nil {
		t.Error("the hook was lost")
	}
	main.Switch(nil)
	onGoroutine(func() { greenlet.New(returning(nil)).Switch(nil) })
	order.is(t, "all; own; all")
	if mine.Load() != 2 || others.Load() != 4 {
		t.Errorf("told of %d switches here and %d elsewhere, want 2 and 4", mine.Load(), others.Load())
	}
}

// One that panics is removed for all, and no tree's own hook is.
func TestSetTraceAllPanics(t *testing.T) {
	main := ownTree(t)
	own := 0
	greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { own++ })
	defer greenlet.SetTrace(nil)
	greenlet.SetTraceAll(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { panic("hook of all") })
	func() {
		defer func() {
			if r := recover(); r != "hook of all" {
				t.Errorf("recovered %v", r)
			}
		}()
		main.Switch(nil)
		t.Error("no panic")
	}()
	main.Switch(nil)
	if own != 1 || greenlet.GetTrace() == nil {
		t.Errorf("the tree's own hook was called %d times", own)
	}
	if old := greenlet.SetTraceAll(nil); old != nil {
		t.Error("the hook is still set")
	}
}

// Hooks come and go while other trees switch.
func TestTraceAllRaces(t *testing.T) {
	var all sync.WaitGroup
	var calls atomic.Int64
	stop := make(chan struct{})
	for range 4 {
		all.Go(func() {
			defer greenlet.Close()
			main := greenlet.Current()
			g := greenlet.New(func(v any) (any, error) {
				for {
					v, _ = main.Switch(v)
				}
			})
			for i := 0; ; i++ {
				gives(t, i)(g.Switch(i))
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	for range 50 {
		before := calls.Load()
		greenlet.SetTraceAll(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { calls.Add(1) })
		eventually(t, "a call of the hook", func() bool { return calls.Load() > before }, runtime.Gosched)
		greenlet.SetTraceAll(nil)
	}
	close(stop)
	all.Wait()
}

// Rule 93, the interpreter's own profile and trace functions, has no form in Go.
