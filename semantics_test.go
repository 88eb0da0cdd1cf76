package greenlet_test

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"slices"
	"sort"
	"strings"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// The tests of this package that need a tree take it from here: the main
// greenlet of the test's goroutine, whose tree is closed when the test ends.
func ownTree(t testing.TB) *greenlet.Greenlet {
	t.Helper()
	t.Cleanup(greenlet.Close)
	return greenlet.Current()
}

// gives returns a check of what a Switch or Throw returns: want, and no error.
func gives(t testing.TB, want any) func(any, error) {
	return func(v any, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("got error %v, want value %v", err, want)
		} else if !reflect.DeepEqual(v, want) {
			t.Errorf("got value %#v, want %#v", v, want)
		}
	}
}

// fails returns a check of what a Switch or Throw returns: this very error.
func fails(t testing.TB, want error) func(any, error) {
	return func(v any, err error) {
		t.Helper()
		if err != want {
			t.Errorf("got value %v and error %v, want error %v", v, err, want)
		}
	}
}

// A trail is what happened, in order.
type trail []string

func (tr *trail) add(format string, args ...any) { *tr = append(*tr, fmt.Sprintf(format, args...)) }

// is checks the whole trail: steps are separated by semicolons.
func (tr *trail) is(t testing.TB, want string) {
	t.Helper()
	if got := strings.Join(*tr, "; "); got != want {
		t.Errorf("order of events\n got: %s\nwant: %s", got, want)
	}
}

// deeper calls f with n frames of its own in between.
//
//go:noinline
func deeper(n int, f func()) int {
	var pad [64]byte
	if n == 0 {
		f()
	} else {
		pad[n%64] = byte(deeper(n-1, f))
	}
	return int(pad[n%64]) + n&1
}

// Rule 17: a switch suspends the caller and lets the target run; one greenlet
// of a tree runs at a time, and the order is exact.
func TestSwitchOrder(t *testing.T) {
	main := ownTree(t)
	var tr trail
	g := greenlet.New(func(any) (any, error) {
		tr.add("g1")
		main.Switch(nil)
		tr.add("g2")
		return nil, nil
	})
	tr.add("m1")
	g.Switch(nil)
	tr.add("m2")
	g.Switch(nil)
	tr.add("m3")
	tr.is(t, "m1; g1; m2; g2; m3")
}

func TestSwitchBetweenTwoChildren(t *testing.T) {
	main := ownTree(t)
	var tr trail
	body := func(name any) (any, error) {
		for i := range 2 {
			tr.add("%s%d", name, i)
			main.Switch(nil)
		}
		return nil, nil
	}
	f, g := greenlet.New(body), greenlet.New(body)
	f.Switch("f")
	g.Switch("g")
	f.Switch(nil)
	g.Switch(nil)
	if f.Dead() || g.Dead() {
		t.Error("dead before the end")
	}
	f.Switch(nil)
	g.Switch(nil)
	if !f.Dead() || !g.Dead() {
		t.Error("not dead after the end")
	}
	tr.is(t, "f0; g0; f1; g1")
}

func TestSwitchInRecursiveChildren(t *testing.T) {
	main := ownTree(t)
	var tr trail
	inner := func(any) (any, error) {
		tr.add("inner in")
		main.Switch(nil)
		tr.add("inner out")
		return nil, nil
	}
	outer := func(any) (any, error) {
		tr.add("outer in")
		greenlet.New(inner).Switch(nil)
		tr.add("outer out")
		return nil, nil
	}
	// The inner one switches to main past its parent, which stays suspended.
	g := greenlet.New(outer)
	g.Switch(nil)
	tr.add("main")
	g.Switch(nil)
	tr.is(t, "outer in; inner in; main; outer out")
}

// Rule 18: the first value is the body's argument.
func TestFirstSwitchIsTheArgument(t *testing.T) {
	ownTree(t)
	for _, want := range values {
		g := greenlet.New(func(v any) (any, error) {
			gives(t, want)(v, nil)
			return nil, nil
		})
		gives(t, nil)(g.Switch(want))
	}
}

// values are what is sent in the tests: nothing may be converted on the way.
// Python turns no value into (), many into a tuple and named ones into a dict
// (rules 19 to 21); here Args and a map are sent by name, so that a slice of
// any other type is always one value.
var values = []any{
	nil, 0, "", false, 7, "seven", 7.5, []any{}, []any{1, 2}, []any(nil),
	greenlet.Args{}, greenlet.Args(nil), greenlet.Args{7}, greenlet.Args{1, nil}, greenlet.Args{[]any{7}},
	map[string]any{"a": 1}, greenlet.Args{1, map[string]any{"a": 1}},
	struct{ a, b int }{1, 2}, &struct{ n int }{3}, errors.New("an error sent as a value"), greenlet.Exit, error(nil),
}

// Rules 19 to 21: later values are the result of the Switch in which the target
// waits. They go both ways.
func TestLaterSwitchIsTheResult(t *testing.T) {
	main := ownTree(t)
	echo := greenlet.New(func(v any) (any, error) {
		for {
			var err error
			if v, err = main.Switch(v); err != nil {
				return nil, err
			}
		}
	})
	for _, want := range values {
		gives(t, want)(echo.Switch(want))
	}
}

// The values are also what they were in identity: nothing is copied.
func TestValuesKeepTheirIdentity(t *testing.T) {
	main := ownTree(t)
	p := new([1 << 10]int)
	g := greenlet.New(func(v any) (any, error) {
		if v != any(p) {
			t.Error("the argument is another object")
		}
		v, _ = main.Switch(v)
		return v, nil
	})
	for range 2 {
		if v, err := g.Switch(p); v != any(p) || err != nil {
			t.Errorf("got %p, %v, want %p", v, err, p)
		}
	}
}

// Rule 22: what Switch returns comes from whoever switches back, whatever its
// target was.
func TestResultComesFromWhoeverSwitchesBack(t *testing.T) {
	main := ownTree(t)
	var a, b *greenlet.Greenlet
	a = greenlet.New(func(any) (any, error) {
		gives(t, "b to a")(main.Switch("a to main"))
		return "end of a", nil
	})
	b = greenlet.New(func(any) (any, error) {
		gives(t, "main to b")(a.Switch("b to a"))
		return "end of b", nil
	})
	gives(t, "a to main")(a.Switch(nil))
	gives(t, "end of a")(b.Switch(nil)) // b switches to a, and a ends into main
	gives(t, "end of b")(b.Switch("main to b"))
}

// Rule 23: a switch is no call. Any greenlet may switch to any other.
func TestSwitchAcrossTheTree(t *testing.T) {
	main := ownTree(t)
	var tr trail
	gs := map[string]*greenlet.Greenlet{"main": main}
	route := strings.Fields("a b c a c b a main c main a")
	step := 0
	hop := func() {
		for step < len(route) {
			to := route[step]
			step++
			tr.add("%s", to)
			gs[to].Switch(nil)
		}
	}
	// a is main's child, b is a's child, c is main's.
	body := func(any) (any, error) {
		hop()
		return nil, nil
	}
	gs["a"] = greenlet.New(body)
	gs["b"] = greenlet.New(body, greenlet.WithParent(gs["a"]))
	gs["c"] = greenlet.New(body)
	hop()
	tr.is(t, strings.Join(route, "; "))
}

// Many greenlets that pass control round a ring keep their order, and each its
// own place on its own stack.
func TestSwitchRoundARing(t *testing.T) {
	main := ownTree(t)
	const n = 200
	rounds := 20
	ring := make([]*greenlet.Greenlet, n)
	counts := make([]int, n)
	last := -1
	for i := range ring {
		ring[i] = greenlet.New(func(any) (any, error) {
			deeper(i, func() {
				for counts[i] = 1; counts[i] < rounds; counts[i]++ {
					if (last+1)%n != i {
						t.Errorf("%d ran after %d", i, last)
					}
					last = i
					ring[(i+1)%n].Switch(i)
				}
			})
			return main.Switch("round")
		})
	}
	gives(t, "round")(ring[0].Switch(nil))
	if want := slices.Repeat([]int{rounds - 1}, n); !slices.Equal(counts[1:], want[1:]) || counts[0] != rounds {
		t.Errorf("rounds made: %v", counts)
	}
}

// Rule 24: a switch to oneself returns at once.
func TestSwitchToSelf(t *testing.T) {
	main := ownTree(t)
	boom := errors.New("boom")
	for _, v := range values {
		gives(t, v)(main.Switch(v))
	}
	fails(t, boom)(main.Throw(boom))
	fails(t, greenlet.Exit)(main.Throw(nil))
	g := greenlet.New(func(any) (any, error) {
		me := greenlet.Current()
		gives(t, 1)(me.Switch(1)) // before the first suspension
		main.Switch(nil)
		gives(t, 2)(me.Switch(2)) // and after it
		fails(t, boom)(me.Throw(boom))
		fails(t, greenlet.Exit)(me.Throw(nil))
		return "end", nil
	})
	gives(t, nil)(g.Switch(nil))
	gives(t, "end")(g.Switch(nil))
}

// Rule 25: switching works from any depth of calls, and from below functions
// that know nothing of it.
func TestSwitchFromAnyDepth(t *testing.T) {
	main := ownTree(t)
	const word = "word"
	visit := func() { gives(t, word)(main.Switch("here")) }
	ways := map[string]func(){
		"at once":        visit,
		"10 frames":      func() { deeper(10, visit) },
		"10000 frames":   func() { deeper(10000, visit) },
		"reflection":     func() { reflect.ValueOf(visit).Call(nil) },
		"sync.Once":      func() { new(sync.Once).Do(visit) },
		"a mapping":      func() { _ = strings.Map(func(r rune) rune { visit(); return r }, "x") },
		"a comparison":   func() { sort.Slice([]int{2, 1}, func(i, j int) bool { visit(); return i < j }) },
		"a deferred one": func() { defer visit() },
		"a method value": func() { f := (&visitor{visit}).String; _ = f() },
		"formatting":     func() { _ = fmt.Sprintf("%v", &visitor{visit}) },
		"a map loop": func() {
			for range map[int]int{1: 1} {
				visit()
			}
		},
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			// The subtest is on a goroutine of its own.
			main = ownTree(t)
			g := greenlet.New(func(any) (any, error) {
				way()
				return "end", nil
			})
			v, err := g.Switch(nil)
			for v != "end" && err == nil {
				gives(t, "here")(v, err)
				v, err = g.Switch(word)
			}
			gives(t, "end")(v, err)
		})
	}
}

type visitor struct{ visit func() }

func (v *visitor) String() string { v.visit(); return "" }

// A stack that grows or shrinks while its greenlet is suspended or running
// keeps what is on it, pointers into itself included.
func TestSwitchWithStacksThatMove(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		var x int
		p := &x // to this frame, wherever that moves
		for i := 1; i <= 100; i++ {
			deeper(i*50, func() { *p = i })
			got, _ := main.Switch(*p)
			if got != x || *p != x {
				t.Errorf("step %d: got %v, *p is %d, x is %d", i, got, *p, x)
			}
		}
		return nil, nil
	})
	v, err := g.Switch(nil)
	for i := 1; !g.Dead(); i++ {
		gives(t, i)(v, err)
		if i%10 == 0 {
			runtime.GC() // shrinks stacks
		}
		v, err = g.Switch(v)
	}
}

// Rule 26: a value in flight survives although nothing else refers to it, nor
// to the greenlet that sent it.
func TestValueInFlightIsNotLost(t *testing.T) {
	main := ownTree(t)
	for range 10 {
		sendFromNobody(t, main)
	}
}

//go:noinline
func sendFromNobody(t *testing.T, main *greenlet.Greenlet) {
	v, err := greenlet.New(func(any) (any, error) {
		got, err := main.Switch(fresh(7))
		runtime.GC()
		gives(t, fresh(8))(got, err)
		return fresh(9), nil
	}).Switch(nil)
	runtime.GC() // the sender is abandoned, the value is not
	gives(t, fresh(7))(v, err)
}

//go:noinline
func fresh(n int) *[64]int {
	p := new([64]int)
	for i := range p {
		p[i] = n
	}
	return p
}

// Rule 27: a switch keeps no value alive: not the argument, not what is sent
// later, not results and not errors, by whichever path they went.
func TestNoValueIsKeptAlive(t *testing.T) {
	main := ownTree(t)
	gone := make(chan string, 16)
	g := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(watched("result", gone))
		}
	})
	sendAndDrop := func() {
		g.Switch(watched("argument", gone)) // starts it: the slow path
		g.Switch(watched("later value", gone))
		g.Throw(&watchedError{watched("error", gone)})
		greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {})
		g.Switch(watched("traced value", gone)) // and in a letter
		greenlet.SetTrace(nil)
		h := greenlet.New(func(v any) (any, error) { return nil, v.(error) })
		h.Switch(&watchedError{watched("error of the end", gone)})
		h.Switch(watched("value to the dead", gone))
	}
	deeper(10, sendAndDrop)
	want := 10
	for range 50 {
		deeper(10, func() {}) // what was left there is overwritten
		runtime.GC()
		runtime.Gosched()
		if len(gone) >= want {
			break
		}
	}
	if n := len(gone); n < want {
		t.Errorf("%d values of %d are still alive", want-n, want)
	}
	runtime.KeepAlive(g)
}

// watched returns a new object whose end is told to gone.
//
//go:noinline
func watched(name string, gone chan<- string) *[32]int {
	p := new([32]int)
	runtime.AddCleanup(p, func(name string) { gone <- name }, name)
	return p
}

type watchedError struct{ with *[32]int }

func (*watchedError) Error() string { return "watched" }

// Rule 28 is that a tuple of values may itself run code that switches; values
// in Go run no code when they are passed.

// Handles compare equal exactly if they are one greenlet.
func TestCurrentIsTheHandleThatNewReturned(t *testing.T) {
	main := ownTree(t)
	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		for range 3 {
			if greenlet.Current() != g {
				t.Error("Current is not the handle that New returned")
			}
			main.Switch(nil)
			runtime.GC()
		}
		return nil, nil
	})
	for !g.Dead() {
		g.Switch(nil)
		if greenlet.Current() != main {
			t.Error("Current is not the main greenlet")
		}
	}
}
