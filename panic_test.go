package greenlet_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// panicOf returns what f panics with: nil if it does not. Only a PanicError is
// expected; anything else is panicked on.
func panicOf(f func()) (p *greenlet.PanicError) {
	defer func() {
		if r := recover(); r != nil {
			p = r.(*greenlet.PanicError)
		}
	}()
	f()
	return nil
}

// panicking makes a body that panics with v, in a function one can look for.
func panicking(v any) func(any) (any, error) {
	return func(any) (any, error) {
		theCulprit(v)
		return nil, nil
	}
}

//go:noinline
func theCulprit(v any) { panic(v) }

// A panic in a body goes on in the parent's Switch, as a PanicError which holds
// the value, the greenlet and its stack.
func TestPanic(t *testing.T) {
	ownTree(t)
	g := greenlet.New(panicking("ouch"), greenlet.WithName("unlucky"))
	p := panicOf(func() { g.Switch(nil) })
	if p == nil {
		t.Fatal("no panic")
	}
	if p.Value != "ouch" || p.Greenlet != fmt.Sprintf("greenlet %d %q", g.ID(), "unlucky") {
		t.Errorf("panic %v of %s", p.Value, p.Greenlet)
	}
	for _, text := range []string{string(p.Stack), p.Error()} {
		if !strings.Contains(text, ".theCulprit(") || strings.Contains(text, ".TestPanic(") {
			t.Errorf("not the greenlet's own stack:\n%s", text)
		}
	}
	if s := p.Error(); !strings.HasPrefix(s, "panic in "+p.Greenlet+": ouch\n") {
		t.Errorf("the text is %q", s)
	}
	if !g.Dead() {
		t.Error("not dead after a panic")
	}
	gives(t, "the tree goes on")(greenlet.New(returning("the tree goes on")).Switch(nil))
}

// It does so after a suspension too, and into a parent other than the switcher.
func TestPanicAfterASuspension(t *testing.T) {
	main := ownTree(t)
	parent := greenlet.New(func(any) (any, error) {
		p := panicOf(func() { main.Switch("parent waits") })
		return p.Value, nil
	})
	gives(t, "parent waits")(parent.Switch(nil))
	g := greenlet.New(func(any) (any, error) {
		main.Switch("g waits")
		panic("late")
	}, greenlet.WithParent(parent))
	gives(t, "g waits")(g.Switch(nil))
	gives(t, "late")(g.Switch(nil))
}

// Climbing three levels the panic stays the same value, so the stack is that of
// the panic itself.
func TestPanicClimbsTheTree(t *testing.T) {
	ownTree(t)
	var tr trail
	var seen []*greenlet.PanicError
	var level func(n int) func(any) (any, error)
	level = func(n int) func(any) (any, error) {
		if n == 0 {
			return panicking(errBoom)
		}
		return func(any) (any, error) {
			defer tr.add("deferred %d", n)
			defer func() {
				r := recover()
				seen = append(seen, r.(*greenlet.PanicError))
				panic(r)
			}()
			return greenlet.New(level(n - 1)).Switch(nil)
		}
	}
	p := panicOf(func() { greenlet.New(level(3)).Switch(nil) })
	tr.is(t, "deferred 1; deferred 2; deferred 3")
	for _, s := range append(seen, p) {
		if s != p {
			t.Error("on the way it became another value")
		}
	}
	if len(seen) != 3 || p.Value != errBoom || !strings.Contains(string(p.Stack), ".theCulprit(") {
		t.Errorf("seen %d times: %v", len(seen), p)
	}
	if !errors.Is(p, errBoom) {
		t.Error("errors.Is does not see through")
	}
}

// All that can be panicked with arrives; what the runtime panics with, too.
func TestPanicValues(t *testing.T) {
	ownTree(t)
	for _, v := range values {
		p := panicOf(func() { greenlet.New(panicking(v)).Switch(nil) })
		if p == nil {
			t.Errorf("panic(%#v) was lost", v)
			continue
		}
		if v == nil {
			var none *runtime.PanicNilError
			if !errors.As(p, &none) {
				t.Errorf("panic(nil) became %#v", p.Value)
			}
			continue
		}
		gives(t, v)(p.Value, nil)
		if err, ok := v.(error); ok != (p.Unwrap() != nil) || ok && !errors.Is(p, err) {
			t.Errorf("panic(%#v) unwraps to %v", v, p.Unwrap())
		}
	}
	var array []int
	var pointer *struct{ n int }
	zero, noMap := 0, map[int]int(nil)
	for name, body := range map[string]func(){
		"index out of range":      func() { array[7]++ },
		"nil pointer":             func() { pointer.n++ },
		"divide by zero":          func() { zero /= zero },
		"nil map":                 func() { noMap[1]++ },
		"interface conversion":    func() { _ = any("s").(int) },
		"close of closed channel": func() { c := make(chan int); close(c); close(c) },
	} {
		p := panicOf(func() {
			greenlet.New(func(any) (any, error) { body(); return nil, nil }).Switch(nil)
		})
		var re runtime.Error
		if p == nil || !errors.As(p, &re) || !strings.Contains(p.Error(), strings.Fields(name)[0]) {
			t.Errorf("%s: %v", name, p)
		}
	}
}

// A body that recovers its panic lives on.
func TestPanicRecoveredInTheBody(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		for i := range 3 {
			func() {
				defer func() { recover() }()
				panic(i)
			}()
			main.Switch(i)
		}
		return "end", nil
	})
	for i := range 3 {
		gives(t, i)(g.Switch(nil))
	}
	gives(t, "end")(g.Switch(nil))
}

// A parent that recovers may panic with something else: that is a new panic,
// with the parent's stack.
func TestPanicReplacedByTheParent(t *testing.T) {
	ownTree(t)
	p := panicOf(func() {
		greenlet.New(func(any) (any, error) {
			defer func() { panic(fmt.Errorf("parent gave up: %w", recover().(error))) }()
			return greenlet.New(panicking(io.EOF)).Switch(nil)
		}).Switch(nil)
	})
	if p == nil || !errors.Is(p, io.EOF) || !strings.Contains(p.Error(), "parent gave up") {
		t.Errorf("got %v", p)
	}
	if !strings.Contains(string(p.Stack), ".TestPanicReplacedByTheParent.") {
		t.Errorf("not the parent's stack:\n%s", p.Stack)
	}
}

// A deferred call that panics replaces the panic that is under way, as in any
// Go function.
func TestPanicInADeferredCall(t *testing.T) {
	ownTree(t)
	p := panicOf(func() {
		greenlet.New(func(any) (any, error) {
			defer theCulprit("second")
			panic("first")
		}).Switch(nil)
	})
	if p == nil || p.Value != "second" {
		t.Errorf("got %v", p)
	}
	p = panicOf(func() {
		greenlet.New(func(any) (any, error) {
			defer theCulprit("after the return")
			return "lost", nil
		}).Switch(nil)
	})
	if p == nil || p.Value != "after the return" {
		t.Errorf("got %v", p)
	}
}

// While a body panics its deferred calls may switch; the panic waits for them.
func TestSwitchWhilePanicking(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		defer func() {
			gives(t, "answer 1")(main.Switch("deferred 1"))
			if r := recover(); r != "ouch" {
				t.Errorf("recovered %v", r)
			}
			defer func() {
				gives(t, "answer 2")(main.Switch("deferred 2"))
			}()
			panic("again")
		}()
		panic("ouch")
	})
	gives(t, "deferred 1")(g.Switch(nil))
	// Meanwhile another one panics, and is done with it.
	if p := panicOf(func() { greenlet.New(panicking("other")).Switch(nil) }); p.Value != "other" {
		t.Errorf("got %v", p)
	}
	gives(t, "deferred 2")(g.Switch("answer 1"))
	if p := panicOf(func() { g.Switch("answer 2") }); p == nil || p.Value != "again" {
		t.Errorf("got %v", p)
	}
}

// Greenlets that are started, run and end in deferred calls of a panic.
func TestWholeLivesWhilePanicking(t *testing.T) {
	ownTree(t)
	p := panicOf(func() {
		greenlet.New(func(any) (any, error) {
			defer func() {
				gives(t, 1)(greenlet.New(returning(1)).Switch(nil))
				fails(t, errBoom)(greenlet.New(failing(errBoom)).Switch(nil))
				waiting(t).Kill()
				if p := panicOf(func() { greenlet.New(panicking("inner")).Switch(nil) }); p.Value != "inner" {
					t.Errorf("got %v", p)
				}
			}()
			panic("outer")
		}).Switch(nil)
	})
	if p == nil || p.Value != "outer" {
		t.Errorf("got %v", p)
	}
}

// An error returned by recover and returned again is an error, not a panic.
func TestPanicTurnedIntoAnError(t *testing.T) {
	ownTree(t)
	_, err := greenlet.New(func(any) (_ any, err error) {
		defer func() { err = recover().(error) }()
		return greenlet.New(panicking(errBoom)).Switch(nil)
	}).Switch(nil)
	var p *greenlet.PanicError
	if !errors.As(err, &p) || !errors.Is(err, errBoom) {
		t.Errorf("got %v", err)
	}
}

// The goroutine of a greenlet that panicked is used again, however often.
func TestPanicGivesTheGoroutineBack(t *testing.T) {
	ownTree(t)
	panicOf(func() { greenlet.New(panicking(0)).Switch(nil) })
	before := greenlet.Stats().Goroutines
	for i := range 100 {
		if p := panicOf(func() { greenlet.New(panicking(i)).Switch(nil) }); p == nil || p.Value != i {
			t.Errorf("panic %d: %v", i, p)
		}
		gives(t, i)(greenlet.New(returning(i)).Switch(nil))
	}
	if after := greenlet.Stats().Goroutines; after > before {
		t.Errorf("%d goroutines before, %d after", before, after)
	}
}
