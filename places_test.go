package greenlet_test

import (
	"errors"
	"iter"
	"maps"
	"os"
	"os/signal"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// Switching from places where control is not where it seems to be: deferred
// calls, bodies of range-over-func loops, coroutines of iter.Pull, goroutines
// of timers and signals, finalizers, initialisation.

func TestSwitchInDeferredCalls(t *testing.T) {
	main := ownTree(t)
	var tr trail
	g := greenlet.New(func(any) (any, error) {
		for i := range 3 {
			defer func() {
				v, _ := main.Switch(i)
				tr.add("%v", v)
			}()
		}
		return "end", nil
	})
	gives(t, 2)(g.Switch(nil))
	gives(t, 1)(g.Switch("a"))
	gives(t, 0)(g.Switch("b"))
	gives(t, "end")(g.Switch("c"))
	tr.is(t, "a; b; c")
}

// The body of a loop over a function is itself a function, called by the
// iterator: both sides may switch.
func TestSwitchInRangeOverFunc(t *testing.T) {
	main := ownTree(t)
	seq := func(yield func(int) bool) {
		defer main.Switch("iterator ends")
		for i := range 3 {
			main.Switch("iterator")
			if !yield(i) {
				return
			}
		}
	}
	find := func(last int) func(any) (any, error) {
		return func(any) (any, error) {
			for i := range seq {
				main.Switch(i)
				if i == last {
					return "found", nil // leaves through the iterator
				}
			}
			return "not found", nil
		}
	}
	for last, want := range [][]any{
		1: {"iterator", 0, "iterator", 1, "iterator ends", "found"},
		5: {"iterator", 0, "iterator", 1, "iterator", 2, "iterator ends", "not found"},
	} {
		if want == nil {
			continue
		}
		g := greenlet.New(find(last))
		var got []any
		for !g.Dead() {
			v, _ := g.Switch(nil)
			got = append(got, v)
		}
		if !slices.Equal(got, want) {
			t.Errorf("looking for %d: %v, want %v", last, got, want)
		}
	}
}

// A kill in the middle of such a loop unwinds the iterator too; so does a panic.
func TestUnwindRangeOverFunc(t *testing.T) {
	main := ownTree(t)
	var tr trail
	seq := func(yield func(int) bool) {
		defer tr.add("iterator unwound")
		yield(1)
		tr.add("iterator went on")
	}
	loop := func(f func()) func(any) (any, error) {
		return func(any) (any, error) {
			defer tr.add("body unwound")
			for range seq {
				f()
			}
			return nil, nil
		}
	}
	g := greenlet.New(loop(func() { main.Switch(nil) }))
	g.Switch(nil)
	g.Kill()
	if p := panicOf(func() { greenlet.New(loop(func() { panic("ouch") })).Switch(nil) }); p == nil || p.Value != "ouch" {
		t.Errorf("got %v", p)
	}
	tr.is(t, strings.TrimSuffix(strings.Repeat("iterator unwound; body unwound; ", 2), "; "))
}

// A coroutine of iter.Pull is a goroutine of its own, with its own tree: its
// caller's greenlets are foreign to it, a clear error.
func TestSwitchOutOfIterPull(t *testing.T) {
	main := ownTree(t)
	next, stop := iter.Pull(func(yield func(error) bool) {
		defer greenlet.Close()
		_, err := main.Switch(nil)
		yield(err)
		gives(t, "a tree of its own")(greenlet.New(returning("a tree of its own")).Switch(nil))
		yield(nil)
	})
	defer stop()
	if err, ok := next(); !ok || !errors.Is(err, greenlet.ErrForeign) {
		t.Errorf("got %v", err)
	}
	if err, ok := next(); !ok || err != nil {
		t.Errorf("got %v", err)
	}
}

// next may be called in any greenlet, and its caller may switch in between.
func TestIterPullFromSeveralGreenlets(t *testing.T) {
	main := ownTree(t)
	next, stop := iter.Pull(maps.Keys(map[int]int{7: 7}))
	stop()
	next, stop = iter.Pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	defer stop()
	take := func(any) (any, error) {
		for {
			v, _ := next()
			if _, err := main.Switch(v); err != nil {
				return nil, err
			}
		}
	}
	a, b := greenlet.New(take), greenlet.New(take)
	for i := range 10 {
		gives(t, 3*i)(a.Switch(nil))
		gives(t, 3*i+1)(b.Switch(nil))
		if v, _ := next(); v != 3*i+2 {
			t.Errorf("main took %d, want %d", v, 3*i+2)
		}
	}
}

// Inside the coroutine, greenlets may switch and even yield for it.
func TestYieldToIterPullFromAGreenlet(t *testing.T) {
	next, stop := iter.Pull(func(yield func(int) bool) {
		defer greenlet.Close()
		main := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			yield(1)
			main.Switch(nil)
			yield(3)
			return nil, nil
		})
		g.Switch(nil)
		yield(2)
		g.Switch(nil)
		yield(4)
	})
	defer stop()
	for want := range 4 {
		if v, ok := next(); v != want+1 || !ok {
			t.Errorf("got %d, want %d", v, want+1)
		}
	}
	if _, ok := next(); ok {
		t.Error("the sequence did not end")
	}
}

// A timer's function, a finalizer's, a cleanup's and a signal's handler are on
// goroutines of their own: own trees, and the one they interrupt is foreign.
func TestSwitchOnOtherGoroutines(t *testing.T) {
	main := ownTree(t)
	g := waiting(t)
	visit := func() error {
		defer greenlet.Close()
		gives(t, 1)(greenlet.New(returning(1)).Switch(nil))
		mine := waiting(t)
		gives(t, 2)(mine.Switch(2))
		_, err := g.Switch(nil)
		return err
	}
	check := func(where string, err error) {
		t.Helper()
		if !errors.Is(err, greenlet.ErrForeign) {
			t.Errorf("%s: got %v", where, err)
		}
	}
	answer := make(chan error)
	time.AfterFunc(0, func() { answer <- visit() })
	check("timer", <-answer)

	makeGarbage(func() { answer <- visit() })
	for found := 0; found < 2; {
		runtime.GC()
		select {
		case err := <-answer:
			check("finalizer or cleanup", err)
			found++
		case <-time.After(10 * time.Millisecond):
		}
	}

	if p, err := os.FindProcess(os.Getpid()); err == nil {
		came := make(chan os.Signal, 1)
		signal.Notify(came, os.Interrupt)
		defer signal.Stop(came)
		if p.Signal(os.Interrupt) == nil {
			go func() { <-came; answer <- visit() }()
			check("signal", <-answer)
		}
	}
	isIn(t, g, "suspended")
	isIn(t, main, "current")
}

// makeGarbage leaves one object with a finalizer and one with a cleanup.
//
//go:noinline
func makeGarbage(f func()) {
	runtime.SetFinalizer(new([64]int), func(*[64]int) { f() })
	runtime.AddCleanup(new([64]int), func(int) { f() }, 0)
}

// A package may switch while it is initialised: the goroutine is locked to its
// thread then.
var switchedAtInit = func() (v any) {
	defer greenlet.Close()
	main := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) { return main.Switch(v) })
	g.Switch(nil)
	v, _ = g.Switch("at init")
	return v
}()

func TestSwitchAtInit(t *testing.T) { gives(t, "at init")(switchedAtInit, nil) }

// A greenlet may block as any goroutine may: in channels, mutexes, sleeps and
// system calls. Its whole tree waits for it, other trees do not.
func TestGreenletsThatBlock(t *testing.T) {
	main := ownTree(t)
	request, reply := make(chan int), make(chan int)
	go func() {
		defer close(reply)
		for v := range request {
			reply <- v + 1
		}
	}()
	var mu sync.Mutex
	body := func(v any) (any, error) {
		for {
			mu.Lock()
			request <- v.(int)
			v = <-reply
			mu.Unlock()
			runtime.Gosched()
			os.Getwd()
			var err error
			if v, err = main.Switch(v); err != nil {
				return nil, err
			}
		}
	}
	a, b := greenlet.New(body), greenlet.New(body)
	var v any = 0
	for i := range 100 {
		g := a
		if i%2 == 1 {
			g = b
		}
		var err error
		if v, err = g.Switch(v); v != i+1 || err != nil {
			t.Fatalf("got %v, %v, want %d", v, err, i+1)
		}
	}
	close(request)
	<-reply
}
