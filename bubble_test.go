package greenlet_test

import (
	"errors"
	"iter"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// fillPool makes sure that there are idle goroutines which any tree may take.
func fillPool(t *testing.T) {
	t.Helper()
	onGoroutine(func() {
		main := greenlet.Current()
		var all []*greenlet.Greenlet
		for range 50 {
			g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
			g.Switch(nil)
			all = append(all, g)
		}
		for _, g := range all {
			g.Switch(nil)
		}
	})
	if greenlet.Stats().Pooled == 0 {
		t.Fatal("the pool is empty")
	}
}

// Idle goroutines of outside can be ended from inside of a bubble, which goes on
// afterwards.
func TestTrimInABubble(t *testing.T) {
	stack.Trim()
	goroutines := runtime.NumGoroutine()
	fillPool(t)
	synctest.Test(t, func(t *testing.T) {
		if n := stack.Trim(); n == 0 {
			t.Error("Trim has ended nothing")
		}
		time.Sleep(time.Hour)
	})
	eventually(t, "they have ended", func() bool { return runtime.NumGoroutine() <= goroutines }, runtime.GC)
}

// Greenlets of a goroutine in a testing/synctest bubble live in the bubble: on
// its clock, and on goroutines of their own, which are not kept afterwards.
func TestBubble(t *testing.T) {
	fillPool(t)
	before := greenlet.Stats()
	synctest.Test(t, func(t *testing.T) {
		main := greenlet.Current()
		start := time.Now()
		passed := func(want time.Duration) {
			t.Helper()
			if d := time.Since(start); d != want {
				t.Errorf("%v have passed, want %v", d, want)
			}
		}
		g := greenlet.New(func(any) (any, error) {
			time.Sleep(time.Hour)
			passed(time.Hour)
			main.Switch(nil)
			passed(2 * time.Hour)
			time.Sleep(time.Hour)
			return "end", nil
		})
		gives(t, nil)(g.Switch(nil))
		time.Sleep(time.Hour)
		gives(t, "end")(g.Switch(nil))
		passed(3 * time.Hour)
	})
	after := greenlet.Stats()
	if after.Goroutines > before.Goroutines {
		t.Errorf("goroutines of the bubble are left: before %+v, after %+v", before, after)
	}
}

// Everything else works there as well. The bubble ends only if all of its
// goroutines do.
func TestWholeTreesInABubble(t *testing.T) {
	fillPool(t)
	synctest.Test(t, func(t *testing.T) {
		defer greenlet.Close()
		main := greenlet.Current()
		for i := range 20 {
			gives(t, i)(greenlet.New(returning(i)).Switch(nil))
			fails(t, errBoom)(greenlet.New(failing(errBoom)).Switch(nil))
			if p := panicOf(func() { greenlet.New(panicking(i)).Switch(nil) }); p == nil || p.Value != i {
				t.Errorf("got %v", p)
			}
			waiting(t).Kill()
			gives(t, greenlet.Exit)(waiting(t).Throw(nil))
			waiting(t) // Close finds it
		}
		// A suspended greenlet counts as blocked, so that time goes on and
		// Wait returns.
		g := waiting(t)
		var done atomic.Bool
		go func() {
			defer greenlet.Close()
			mine := greenlet.Current()
			h := greenlet.New(func(any) (any, error) { return mine.Switch(nil) })
			h.Switch(nil)
			time.Sleep(time.Minute)
			h.Switch(nil)
			done.Store(true)
		}()
		synctest.Wait()
		if done.Load() {
			t.Error("Wait did not return before the clock moved")
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if !done.Load() {
			t.Error("the other goroutine is not done")
		}
		gives(t, "bye")(g.Switch("bye"))
		isIn(t, main, "current")
	})
}

// Trees inside and outside run side by side and share nothing.
func TestBubblesAmongOthers(t *testing.T) {
	fillPool(t)
	stop := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		defer greenlet.Close()
		for n := 0; ; n++ {
			gives(t, n)(greenlet.New(returning(n)).Switch(nil))
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	for range 10 {
		synctest.Test(t, func(t *testing.T) {
			defer greenlet.Close()
			var all sync.WaitGroup
			for i := range 4 {
				all.Go(func() {
					defer greenlet.Close()
					main := greenlet.Current()
					g := greenlet.New(func(any) (any, error) {
						time.Sleep(time.Duration(i) * time.Second)
						return main.Switch(time.Now())
					})
					g.Switch(nil)
					g.Switch(nil)
				})
			}
			all.Wait()
		})
	}
	close(stop)
	all.Wait()
}

// A bubble may be made inside a greenlet, and is then a tree of its own.
func TestBubbleInAGreenlet(t *testing.T) {
	ownTree(t)
	outer := greenlet.New(func(any) (any, error) {
		me := greenlet.Current()
		var other *greenlet.Greenlet
		synctest.Test(t, func(t *testing.T) {
			other = greenlet.Current()
			time.Sleep(time.Hour)
			gives(t, 1)(greenlet.New(returning(1)).Switch(nil))
		})
		return me != other && me == greenlet.Current(), nil
	})
	gives(t, true)(outer.Switch(nil))
}

// A coroutine stays in the bubble that it was started in, or outside of all: who
// calls from elsewhere is refused, and the coroutine is none the worse.
func TestCoroutineOfAnotherBubble(t *testing.T) {
	refused := func(what string, f func()) {
		t.Helper()
		defer func() {
			t.Helper()
			if err, _ := recover().(error); !errors.Is(err, greenlet.ErrForeign) || errors.Is(err, greenlet.ErrReentrant) {
				t.Errorf("%s: %v", what, err)
			}
		}()
		f()
	}
	count := func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	}
	expect := func(want int, next func() (int, bool)) {
		t.Helper()
		if got, ok := next(); got != want || !ok {
			t.Errorf("got %d, %v, want %d", got, ok, want)
		}
	}

	outer, stopOuter := greenlet.Pull(count)
	fresh, stopFresh := greenlet.Pull(count)
	push, stopPush := greenlet.Push(func(seq iter.Seq[int]) {
		for range seq {
		}
	})
	next2, stop2 := greenlet.Pull2(func(yield func(int, int) bool) { yield(1, 2) })
	expect(0, outer)
	push(1)
	next2()
	started, done := make(chan bool), make(chan bool)
	go func() {
		defer close(done)
		defer greenlet.Close()
		<-started
		refused("from outside", func() { fresh() })
		refused("stop from outside", stopFresh)
		synctest.Test(t, func(t *testing.T) {
			defer greenlet.Close()
			refused("from another bubble", func() { fresh() })
		})
	}()
	synctest.Test(t, func(t *testing.T) {
		defer greenlet.Close()
		refused("of outside", func() { outer() })
		refused("stop of outside", stopOuter)
		refused("push of outside", func() { push(2) })
		refused("Pull2 of outside", func() { next2() })
		expect(0, fresh) // it starts here
		close(started)
		<-done
		expect(1, fresh)
		stopFresh()
	})
	expect(1, outer)
	stopOuter()
	stopPush()
	stop2()
}
