package greenlet_test

import (
	"errors"
	"fmt"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// What Python calls a thread is here a goroutine with its tree. The race
// detector watches these tests: wrong use from another goroutine is an error,
// never a race.

// isForeign checks that err is ErrForeign, names both sides and says what was
// tried.
func isForeign(t testing.TB, err error, tried string, target *greenlet.Greenlet) {
	t.Helper()
	if !errors.Is(err, greenlet.ErrForeign) {
		t.Errorf("%s: got %v, want ErrForeign", tried, err)
		return
	}
	want := regexp.MustCompile(fmt.Sprintf(
		`^greenlet: cannot %s a greenlet of another goroutine \(caller: goroutine (\d+); target: greenlet %d .*\((.*)\) of the tree of goroutine (\d+)\)$`,
		tried, target.ID()))
	m := want.FindStringSubmatch(err.Error())
	switch {
	case m == nil:
		t.Errorf("%s: the text is %q, want %s", tried, err, want)
	case m[1] != goroutineNumber():
		t.Errorf("%s: the caller is goroutine %s, the text is %q", tried, goroutineNumber(), err)
	case m[3] == m[1]:
		t.Errorf("%s: both sides are one goroutine in %q", tried, err)
	}
}

// goroutineNumber is the number that runtime.Stack prints.
func goroutineNumber() string {
	var buf [40]byte
	return strings.Fields(string(buf[:runtime.Stack(buf[:], false)]))[1]
}

// everyState returns a greenlet of the calling goroutine in every state.
func everyState(t testing.TB) map[string]*greenlet.Greenlet {
	return map[string]*greenlet.Greenlet{
		"main":        greenlet.Current(),
		"not started": greenlet.New(unwanted(t)),
		"without one": greenlet.New(nil),
		"suspended":   waiting(t),
		"dead":        ended(t),
	}
}

// Rules 66 to 68: no greenlet of another goroutine can be used, whatever its
// state; a refusal names both sides and changes nothing.
func TestForeign(t *testing.T) {
	ownTree(t)
	for state, g := range everyState(t) {
		t.Run(state, func(t *testing.T) {
			// A subtest is on its own goroutine, where g is foreign.
			mine := ownTree(t)
			child := waiting(t)
			before := g.Parent()
			callsOnForeign(t, g, mine, child)
			greenlet.New(func(any) (any, error) { // and from a child
				callsOnForeign(t, g, mine, child)
				return nil, nil
			}).Switch(nil)
			if g.Parent() != before || child.Parent() != mine {
				t.Errorf("a refused call changed a parent")
			}
			isIn(t, child, "suspended")
		})
		if state != "main" {
			want := map[string]string{"without one": "not started"}[state]
			if want == "" {
				want = state
			}
			isIn(t, g, want)
		}
	}
}

func callsOnForeign(t *testing.T, g, mine, child *greenlet.Greenlet) {
	t.Helper()
	_, err := g.Switch("lost")
	isForeign(t, err, "switch to", g)
	_, err = g.Throw(errBoom)
	isForeign(t, err, "switch to", g)
	_, err = g.Throw(nil)
	isForeign(t, err, "switch to", g)
	isForeign(t, g.Kill(), "kill", g)
	isForeign(t, g.SetParent(mine), "set the parent of", g)
	isForeign(t, child.SetParent(g), "make a parent of", g)
	if s := g.Stack(); s != nil {
		t.Errorf("Stack of a foreign greenlet: %v", s)
	}
	if u := g.StackUsage(); u.Size != 0 {
		t.Errorf("StackUsage of a foreign greenlet: %+v", u)
	}
}

// Rule 67: an unstarted greenlet belongs to the tree of its parent, not to the
// goroutine that made it.
func TestMadeForAnotherTree(t *testing.T) {
	main := ownTree(t)
	made := make(chan *greenlet.Greenlet)
	go func() {
		defer greenlet.Close()
		g := greenlet.New(returning("ran at home"), greenlet.WithParent(main))
		_, err := g.Switch(nil)
		isForeign(t, err, "switch to", g)
		made <- g
	}()
	gives(t, "ran at home")((<-made).Switch(nil))
}

// What any goroutine may ask of a greenlet can be asked while it runs.
func TestAskingForeignGreenlets(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(nil)
		}
	}, greenlet.WithName("busy"))
	stop, done := make(chan struct{}), make(chan struct{})
	asked := make(chan struct{})
	go func() {
		defer close(done)
		defer greenlet.Close()
		for n := 0; ; n++ {
			if g.Dead() || g.Name() != "busy" || g.ID() == 0 || g.String() == "" {
				t.Error("wrong answer")
			}
			if p := g.Parent(); p != main && p.Name() != "other" {
				t.Error("no parent")
			}
			_ = g.Started() == g.Active()
			for x := range greenlet.All() {
				_ = x.String()
				_ = x.Parent()
			}
			greenlet.Stats()
			if _, err := g.Switch(nil); !errors.Is(err, greenlet.ErrForeign) {
				t.Errorf("got %v", err)
			}
			if n == 50 {
				close(asked)
			}
			runtime.Gosched() // nobody preempts on wasm
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	other := greenlet.New(nil, greenlet.WithName("other"))
	for running := true; running; {
		g.Switch(nil)
		g.SetParent(other)
		g.SetParent(main)
		waiting(t).Kill()
		runtime.Gosched()
		select {
		case <-asked:
			running = false
		default:
		}
	}
	close(stop)
	<-done
}

// Rules 69 and 70: what is left of the tree of an ended goroutine stays foreign
// to everybody else, and suspended while somebody refers to it. If the tree was
// closed, all of it is dead.
func TestTreeOfAnEndedGoroutine(t *testing.T) {
	ownTree(t)
	mine, child := greenlet.Current(), waiting(t)
	// The tree that is left behind shall not keep idle goroutines of others.
	defer stack.SetLimit(stack.SetLimit(0))
	before := steady(t).Live
	for _, closed := range []bool{true, false} {
		var gs map[string]*greenlet.Greenlet
		done := make(chan struct{})
		go func() {
			defer close(done)
			gs = everyState(t)
			if closed {
				greenlet.Close()
			}
		}()
		<-done
		for _, g := range gs {
			callsOnForeign(t, g, mine, child)
		}
		if closed {
			isIn(t, gs["suspended"], "dead")
		} else {
			isIn(t, gs["suspended"], "suspended")
		}
	}
	if greenlet.Backend().Layout == "" {
		leftBehind.Add(1) // the end of a goroutine cannot be seen
		return
	}
	eventually(t, "the end of what was left", func() bool { return greenlet.Stats().Live == before }, runtime.GC)
}

// A goroutine that runs on the memory of one that has ended has its own main
// greenlet, and no business with the tree that was there before.
func TestRecycledGoroutines(t *testing.T) {
	ownTree(t)
	rounds := 1000
	if testing.Short() {
		rounds = 200
	}
	var mains []*greenlet.Greenlet
	for i := range rounds {
		onGoroutine(func() {
			mine := greenlet.Current()
			if mine.Parent() != nil || mine.Name() != "main" {
				t.Errorf("round %d: not a main greenlet: %v", i, mine)
			}
			for _, old := range mains[max(0, len(mains)-5):] {
				if old == mine {
					t.Errorf("round %d: main of an ended goroutine", i)
				}
				if _, err := old.Switch(nil); !errors.Is(err, greenlet.ErrForeign) {
					t.Errorf("round %d: got %v", i, err)
				}
			}
			g := greenlet.New(func(any) (any, error) { return greenlet.Current().Parent() == mine, nil })
			gives(t, true)(g.Switch(nil))
			mains = append(mains, mine)
		})
	}
}

// The same where the ended goroutine carried greenlets, which is where the
// assembly backend keeps notes on the stack.
func TestRecycledCarriers(t *testing.T) {
	ownTree(t)
	rounds := 300
	if testing.Short() {
		rounds = 60
	}
	for range rounds {
		var left *greenlet.Greenlet
		onGoroutine(func() {
			left = waiting(t)
			waiting(t).Kill() // ends its goroutine
			left.Kill()
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				defer greenlet.Close()
				deeper(5, func() {
					if g := greenlet.Current(); g.Parent() != nil || g.Name() != "main" {
						t.Errorf("a plain goroutine is %v", g)
					}
				})
				if _, err := left.Switch(nil); !errors.Is(err, greenlet.ErrForeign) {
					t.Errorf("got %v", err)
				}
			})
		}
		all.Wait()
	}
}

// Rule 73: trees are made and used on many goroutines at once while the
// collector runs.
func TestManyTreesAtOnce(t *testing.T) {
	var all sync.WaitGroup
	trees, each := 50, 50
	if testing.Short() {
		trees, each = 20, 20
	}
	for n := range trees {
		all.Go(func() {
			defer greenlet.Close()
			main := greenlet.Current()
			for i := range each {
				g := greenlet.New(func(v any) (any, error) {
					v, _ = main.Switch(v)
					return v, nil
				})
				gives(t, n)(g.Switch(n))
				if i%25 == 0 {
					runtime.GC()
				}
				gives(t, i)(g.Switch(i))
			}
		})
	}
	all.Wait()
}

// A handle may be passed on and come home: what another goroutine tried on the
// way has changed nothing.
func TestHandlesTravel(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) { return main.Switch("waits") })
	there, back := make(chan *greenlet.Greenlet), make(chan *greenlet.Greenlet)
	go func() {
		defer close(back)
		defer greenlet.Close()
		for g := range there {
			_, err := g.Switch("from abroad")
			isForeign(t, err, "switch to", g)
			back <- g
		}
	}()
	for _, want := range []any{"waits", "end"} {
		there <- g
		gives(t, want)((<-back).Switch(want))
	}
	close(there)
	<-back
}
