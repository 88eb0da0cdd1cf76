package greenlet_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-greenlet/greenlet"
)

// yields returns a check of what Resume or a next returns: want, and true.
func yields[V comparable](t testing.TB, want V) func(V, bool) {
	return func(v V, ok bool) {
		t.Helper()
		if v != want || !ok {
			t.Errorf("got %v, %v, want %v, true", v, ok, want)
		}
	}
}

// ends returns a check of what Resume or a next returns: nothing, and false.
func ends[V comparable](t testing.TB) func(V, bool) {
	return func(v V, ok bool) {
		t.Helper()
		var none V
		if v != none || ok {
			t.Errorf("got %v, %v, want %v, false", v, ok, none)
		}
	}
}

// is checks an error by errors.Is; a nil want stands for no error.
func failsAs(t testing.TB, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got %v, want %v", what, err, want)
	}
}

// panicValue returns what f panics with, or nil.
func panicValue(f func()) (v any) {
	defer func() { v = recover() }()
	f()
	return nil
}

// panicsAs checks that f panics with an error that is want.
func panicsAs(t testing.TB, what string, want error, f func()) {
	t.Helper()
	v := panicValue(f)
	if err, ok := v.(error); !ok || !errors.Is(err, want) {
		t.Errorf("%s: the panic is %v, want one that is %v", what, v, want)
	}
}

// everywhere runs f, which uses a tree of its own, wherever the switch takes
// another way.
func everywhere(t *testing.T, f func(t *testing.T)) {
	t.Run("plain", func(t *testing.T) {
		ownTree(t)
		f(t)
	})
	t.Run("in a child", func(t *testing.T) {
		ownTree(t)
		greenlet.New(func(any) (any, error) { f(t); return nil, nil }).Switch(nil)
	})
	t.Run("traced", func(t *testing.T) {
		ownTree(t)
		defer greenlet.SetTrace(greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) {}))
		f(t)
	})
	t.Run("locked to its thread", func(t *testing.T) {
		ownTree(t)
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		f(t)
	})
	t.Run("in a bubble", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			ownTree(t)
			f(t)
		})
	})
	t.Run("while the collector runs", func(t *testing.T) {
		ownTree(t)
		stop, stopped := make(chan bool), make(chan bool)
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
		defer func() { close(stop); <-stopped }()
		f(t)
	})
}

// adding yields the sum of what it was sent, n times.
func adding(n int) *greenlet.Coro[int, int] {
	return greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		sum := 0
		for range n {
			sum += in
			in = c.Yield(sum)
		}
		return nil
	})
}

// What is sent to a coroutine is the result of the Yield that waits, what is
// yielded that of the Resume that waits. The end is not a value.
func TestCoro(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		c := adding(100)
		failsAs(t, "Err before the start", c.Err(), nil)
		sum := 0
		for i := range 100 {
			sum += i
			yields(t, sum)(c.Resume(i))
			failsAs(t, "Err of a paused one", c.Err(), nil)
		}
		for range 3 {
			ends[int](t)(c.Resume(7))
			failsAs(t, "Err of an ended one", c.Err(), nil)
		}
	})
}

// The types of the two ways are any.
func TestCoroTypes(t *testing.T) {
	ownTree(t)
	type big struct {
		text  string
		words [9]uint64
		next  *big
	}
	c := greenlet.NewCoro(func(c *greenlet.Coro[big, string], in big) error {
		for {
			in = c.Yield(fmt.Sprint(in.text, in.words[8], in.next != nil))
		}
	})
	for i := range 20 {
		in := big{text: strings.Repeat("x", i), next: &big{}}
		in.words[8] = uint64(i)
		yields(t, fmt.Sprint(in.text, i, true))(c.Resume(in))
		runtime.GC()
	}
	none := greenlet.NewCoro(func(c *greenlet.Coro[struct{}, struct{}], _ struct{}) error {
		c.Yield(struct{}{})
		return nil
	})
	yields(t, struct{}{})(none.Resume(struct{}{}))
	ends[struct{}](t)(none.Resume(struct{}{}))
}

// The body's error is Err's. A body need not yield.
func TestCoroErr(t *testing.T) {
	ownTree(t)
	for _, want := range []error{nil, io.EOF, greenlet.Exit, greenlet.ErrStop} {
		c := greenlet.NewCoro(func(*greenlet.Coro[int, string], int) error { return want })
		ends[string](t)(c.Resume(1))
		failsAs(t, "Err", c.Err(), want)
		ends[string](t)(c.Resume(1))
		failsAs(t, "Err, asked again", c.Err(), want)
		failsAs(t, "Close", c.Close(), nil)
		failsAs(t, "Err after Close", c.Err(), want)
	}
}

// A panic of the body goes on as a *PanicError in the Resume that waits; the
// coroutine has ended.
func TestCoroPanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, v := range []any{"ouch", errBoom, nil} {
			for _, late := range []bool{false, true} {
				c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
					if late {
						c.Yield(in)
					}
					theCulprit(v)
					return nil
				})
				if late {
					yields(t, 1)(c.Resume(1))
				}
				p := panicOf(func() { c.Resume(2) })
				if p == nil || v != nil && p.Value != v || !strings.Contains(string(p.Stack), "theCulprit") {
					t.Errorf("panic(%v): got %v", v, p)
					continue
				}
				if _, ok := p.Value.(*runtime.PanicNilError); v == nil && !ok {
					t.Errorf("panic(nil): got %v", p.Value)
				}
				ends[int](t)(c.Resume(3))
				if c.Err() == nil {
					t.Error("Err says nothing of the panic")
				}
				failsAs(t, "Close", c.Close(), nil)
			}
		}
		c := greenlet.NewCoro(func(*greenlet.Coro[[]int, int], []int) error {
			var list []int
			list[len(list)] = 1
			return nil
		})
		p := panicOf(func() { c.Resume(nil) })
		if _, ok := p.Value.(runtime.Error); !ok {
			t.Errorf("a runtime error arrives as %v", p.Value)
		}
	})
}

// A Goexit of the body ends the goroutine that resumes.
func TestCoroGoexit(t *testing.T) {
	var c *greenlet.Coro[int, int]
	var tr trail
	onGoroutine(func() {
		defer func() {
			tr.add("deferred, %v", recover())
			ends[int](t)(c.Resume(1))
			if c.Err() == nil {
				t.Error("Err says nothing of the Goexit")
			}
		}()
		c = greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			defer tr.add("body")
			c.Yield(in)
			runtime.Goexit()
			return nil
		})
		yields(t, 5)(c.Resume(5))
		c.Resume(6)
		tr.add("went on")
	})
	tr.is(t, "body; deferred, <nil>")
}

// Close ends a coroutine by force, deferred calls and all.
func TestCoroClose(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var tr trail
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			defer tr.add("outer")
			defer func() { tr.add("inner, %v", recover()) }()
			for {
				in = c.Yield(in)
			}
		})
		yields(t, 1)(c.Resume(1))
		failsAs(t, "Close", c.Close(), nil)
		tr.is(t, "inner, <nil>; outer")
		ends[int](t)(c.Resume(2))
		if c.Err() == nil {
			t.Error("Err says nothing of Close")
		}
		failsAs(t, "the second Close", c.Close(), nil)
		tr.is(t, "inner, <nil>; outer")

		unstarted := greenlet.NewCoro(func(*greenlet.Coro[int, int], int) error {
			t.Error("it ran")
			return nil
		})
		failsAs(t, "Close before the start", unstarted.Close(), nil)
		ends[int](t)(unstarted.Resume(1))
		if unstarted.Err() == nil {
			t.Error("Err says nothing of Close before the start")
		}
	})
}

// Deferred calls that run during Close may resume others, but have nobody to
// yield to; and their panic comes out of Close.
func TestCoroDeferredCallsDuringClose(t *testing.T) {
	ownTree(t)
	var tr trail
	other := adding(10)
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		defer func() {
			defer tr.add("last")
			for range 3 {
				sum, _ := other.Resume(1)
				tr.add("sum %d", sum)
			}
			c.Yield(7)
			tr.add("the Yield returned")
		}()
		c.Yield(in)
		return nil
	})
	yields(t, 1)(c.Resume(1))
	failsAs(t, "Close", c.Close(), nil)
	tr.is(t, "sum 1; sum 2; sum 3; last")
	ends[int](t)(c.Resume(1))

	c = greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		defer theCulprit("late")
		c.Yield(in)
		return nil
	})
	yields(t, 1)(c.Resume(1))
	if p := panicOf(func() { c.Close() }); p == nil || p.Value != "late" {
		t.Errorf("got %v", p)
	}
	failsAs(t, "Close again", c.Close(), nil)
}

// A coroutine that runs can be neither resumed nor closed, by itself or by
// those that it waits for. That changes nothing.
func TestCoroFromInside(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var c *greenlet.Coro[int, int]
		refused := func(who string, c *greenlet.Coro[int, int]) {
			t.Helper()
			for range 3 {
				if _, ok := c.Resume(99); ok {
					t.Errorf("Resume by %s was not refused", who)
				}
				failsAs(t, "Err after Resume by "+who, c.Err(), greenlet.ErrReentrant)
				failsAs(t, "Close by "+who, c.Close(), greenlet.ErrReentrant)
			}
		}
		c = greenlet.NewCoro(func(mine *greenlet.Coro[int, int], in int) error {
			for {
				refused("itself", c)
				refused("itself, through its own", mine)
				yields(t, 1)(greenlet.NewCoro(func(other *greenlet.Coro[int, int], in int) error {
					refused("one that it has resumed", c)
					other.Yield(in)
					return nil
				}).Resume(1))
				greenlet.New(func(any) (any, error) {
					refused("a greenlet that it waits for", c)
					return nil, nil
				}).Switch(nil)
				in = mine.Yield(in)
			}
		})
		for i := range 3 {
			yields(t, i)(c.Resume(i))
			failsAs(t, "Err", c.Err(), nil)
		}
		failsAs(t, "Close", c.Close(), nil)
	})
}

// The body's own Coro is as good as the other when the coroutine is paused.
func TestCoroThroughTheBodysOwn(t *testing.T) {
	ownTree(t)
	var own *greenlet.Coro[int, int]
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		own = c
		for {
			in = c.Yield(2 * in)
		}
	})
	for i := range 5 {
		yields(t, 2*i)(c.Resume(i))
		yields(t, 2*i+2)(own.Resume(i + 1))
	}
	failsAs(t, "Close", own.Close(), nil)
	ends[int](t)(c.Resume(1))
	ends[int](t)(own.Resume(1))
}

// Yield is for the body alone, on the coroutine's own greenlet, while it runs.
func TestCoroYieldElsewhere(t *testing.T) {
	ownTree(t)
	var own *greenlet.Coro[int, int]
	wrong := func(where string) {
		t.Helper()
		panicsAs(t, "Yield "+where, greenlet.ErrReentrant, func() { own.Yield(99) })
	}
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		own = c
		greenlet.New(func(any) (any, error) {
			wrong("in another greenlet")
			return nil, nil
		}).Switch(nil)
		adding(1).Resume(1)
		greenlet.NewCoro(func(*greenlet.Coro[int, int], int) error {
			wrong("in another coroutine")
			return nil
		}).Resume(1)
		in = c.Yield(in)
		c.Yield(in)
		return nil
	})
	yields(t, 1)(c.Resume(1))
	wrong("while it is paused")
	onGoroutine(func() { wrong("on another goroutine") })
	yields(t, 2)(c.Resume(2))
	ends[int](t)(c.Resume(3))
	wrong("after the end")
	closed := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		own = c
		c.Yield(in)
		return nil
	})
	yields(t, 1)(closed.Resume(1))
	failsAs(t, "Close", closed.Close(), nil)
	wrong("after Close")
	onGoroutine(func() { wrong("after Close, on another goroutine") })
	// Greenlets that are made now may lie where the coroutine's was.
	for range 100 {
		runtime.GC()
		greenlet.New(func(any) (any, error) {
			wrong("after the end, in a new greenlet")
			return nil, nil
		}).Switch(nil)
		if testing.Short() {
			break
		}
	}
}

// I10: any greenlet of the tree may resume, one after the other. The coroutine
// goes back to the one that did, which is its parent then.
func TestCoroConsumers(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		root := greenlet.Current()
		c := greenlet.NewCoro(func(c *greenlet.Coro[*greenlet.Greenlet, int], from *greenlet.Greenlet) error {
			for n := 0; n < 60; n++ {
				if p := greenlet.Current().Parent(); p != from {
					t.Errorf("resumed by %v, the parent is %v", from, p)
				}
				from = c.Yield(n)
			}
			return io.EOF
		})
		n := 0
		resume := func() {
			me := greenlet.Current()
			yields(t, n)(c.Resume(me))
			if greenlet.Current() != me {
				t.Errorf("Current is %v after a Resume of %v", greenlet.Current(), me)
			}
			n++
		}
		consumers := make([]*greenlet.Greenlet, 3)
		for i := range consumers {
			consumers[i] = greenlet.New(func(any) (any, error) {
				for {
					resume()
					root.Switch(nil)
				}
			})
		}
		for n < 60 {
			resume()
			consumers[n%3].Switch(nil)
			resume()
			resume() // twice the same
			consumers[(n+1)%3].Switch(nil)
			if n == 30 {
				runtime.GC()
			}
		}
		// The last one to resume has the end.
		greenlet.New(func(any) (any, error) {
			ends[int](t)(c.Resume(greenlet.Current()))
			failsAs(t, "Err", c.Err(), io.EOF)
			return nil, nil
		}).Switch(nil)
		for _, g := range consumers {
			g.Kill()
		}
	})
}

// The same with the outcomes that are no value: they go to whoever resumes now.
func TestCoroEndsAtTheRightConsumer(t *testing.T) {
	ownTree(t)
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		c.Yield(in)
		panic("for the second")
	})
	yields(t, 1)(c.Resume(1))
	gives(t, "seen")(greenlet.New(func(any) (any, error) {
		if p := panicOf(func() { c.Resume(2) }); p == nil || p.Value != "for the second" {
			t.Errorf("got %v", p)
		}
		return "seen", nil
	}).Switch(nil))
	ends[int](t)(c.Resume(1))
}

// A coroutine may be resumed by a greenlet that it has made, which is its
// child: the two change places in the tree, whose chains must not close.
func TestCoroResumedByItsChild(t *testing.T) {
	ownTree(t)
	var child *greenlet.Greenlet
	var c *greenlet.Coro[int, int]
	main := greenlet.Current()
	c = greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		child = greenlet.New(func(any) (any, error) {
			main.Switch("child waits")
			yields(t, 11)(c.Resume(11))
			ends[int](t)(c.Resume(12))
			return "child ends", nil
		})
		in = c.Yield(in)
		c.Yield(in)
		return nil
	})
	yields(t, 1)(c.Resume(1))
	gives(t, "child waits")(child.Switch(nil))
	gives(t, "child ends")(child.Switch(nil))
	for p := child.Parent(); p != nil; p = p.Parent() {
		if p == child {
			t.Fatal("the child is its own ancestor")
		}
	}
	gives(t, "home")(child.Switch("home"))
}

// Current is the coroutine's own greenlet, the same one all along. What it
// makes are its children: they end into it while it runs.
func TestCoroIsAGreenlet(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		consumer := greenlet.Current()
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			me := greenlet.Current()
			if me == consumer || me.Parent() != consumer || !me.Active() {
				t.Errorf("in the body Current is %v, its parent %v", me, me.Parent())
			}
			for {
				child := greenlet.New(func(v any) (any, error) { return v.(int) + 1, nil })
				if child.Parent() != me {
					t.Errorf("the parent of a new greenlet is %v", child.Parent())
				}
				v, err := child.Switch(in)
				gives(t, in+1)(v, err)
				in = c.Yield(v.(int))
				if greenlet.Current() != me {
					t.Errorf("after Yield Current is %v, not %v", greenlet.Current(), me)
				}
			}
		})
		for i := range 5 {
			yields(t, i+1)(c.Resume(i))
			if greenlet.Current() != consumer {
				t.Errorf("after Resume Current is %v", greenlet.Current())
			}
			runtime.GC()
		}
		failsAs(t, "Close", c.Close(), nil)
	})
}

// The body may switch to other greenlets while its consumer waits, and they
// back to it.
func TestCoroSwitchesInside(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var self *greenlet.Greenlet
		echo := greenlet.New(func(v any) (any, error) {
			for {
				v, _ = self.Switch(v)
			}
		})
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			self = greenlet.Current()
			for {
				v, err := echo.Switch(in)
				gives(t, in)(v, err)
				in = c.Yield(-in)
			}
		})
		for i := 1; i < 20; i++ {
			yields(t, -i)(c.Resume(i))
		}
		failsAs(t, "Close", c.Close(), nil)
		echo.Kill()
	})
}

// While the body is away, in a greenlet that it has switched to, the coroutine
// runs; a greenlet that ends goes to its own parent, not into a Yield.
func TestCoroThatIsAway(t *testing.T) {
	main := ownTree(t)
	var self, worker *greenlet.Greenlet
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		self = greenlet.Current()
		worker = greenlet.New(func(any) (any, error) {
			if _, ok := c.Resume(1); ok {
				t.Error("resumed while it was away")
			}
			failsAs(t, "Err", c.Err(), greenlet.ErrReentrant)
			v, err := self.Switch("back")
			gives(t, "finish")(v, err)
			return "the worker's end", errBoom
		})
		gives(t, "back")(worker.Switch(nil))
		c.Yield("paused")
		c.Yield("paused again")
		return nil
	})
	yields(t, "paused")(c.Resume(1))
	// The worker's parent is the coroutine, which waits in Yield: it is passed
	// over for its consumer.
	fails(t, errBoom)(worker.Switch("finish"))
	if !worker.Dead() || greenlet.Current() != main {
		t.Errorf("the worker is %v", worker)
	}
	yields(t, "paused again")(c.Resume(2))
	ends[string](t)(c.Resume(3))
}

// A greenlet that waits in Resume should not be switched to. If it is, its
// Resume returns without a value, and the coroutine can go on later.
func TestCoroConsumerIsSwitchedTo(t *testing.T) {
	main := ownTree(t)
	var self *greenlet.Greenlet
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, string], _ int) error {
		self = greenlet.Current()
		gives(t, "go on")(main.Switch("not a value"))
		c.Yield("a value")
		return nil
	})
	if _, ok := c.Resume(1); ok {
		t.Error("Resume returned a value")
	}
	failsAs(t, "Err", c.Err(), greenlet.ErrReentrant)
	if _, ok := c.Resume(1); ok {
		t.Error("Resume returned a value")
	}
	gives(t, nil)(self.Switch("go on")) // it yields to main, who waits in Switch
	ends[string](t)(c.Resume(1))
	failsAs(t, "Err", c.Err(), nil)
}

// A paused coroutine that is switched to by its handle goes on as if resumed.
// That is of no use, but it does no harm.
func TestCoroIsSwitchedTo(t *testing.T) {
	ownTree(t)
	var self *greenlet.Greenlet
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		self = greenlet.Current()
		for {
			in = c.Yield(in)
		}
	})
	yields(t, 1)(c.Resume(1))
	self.Switch("no value of its")
	self.Throw(errBoom)
	yields(t, 2)(c.Resume(2))
	greenlet.New(func(any) (any, error) {
		self.Switch(nil)
		yields(t, 3)(c.Resume(3))
		return nil, nil
	}).Switch(nil)
	if err := self.Kill(); err != nil {
		t.Error(err)
	}
	ends[int](t)(c.Resume(4))
	failsAs(t, "Close", c.Close(), nil)
}

// Coroutines nest: each is resumed by the one around it.
func TestCoroNested(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const depth = 100
		var layer func(n int) *greenlet.Coro[int, int]
		layer = func(n int) *greenlet.Coro[int, int] {
			return greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
				if n == 0 {
					for {
						in = c.Yield(in)
					}
				}
				inner := layer(n - 1)
				defer inner.Close()
				for {
					out, ok := inner.Resume(in + 1)
					if !ok {
						return inner.Err()
					}
					in = c.Yield(out + 1)
				}
			})
		}
		c := layer(depth)
		for i := range 20 {
			yields(t, i+2*depth)(c.Resume(i))
		}
		before := greenlet.Stats().Live
		failsAs(t, "Close", c.Close(), nil)
		if after := greenlet.Stats().Live; before-after != depth+1 {
			t.Errorf("%d coroutines of %d are closed", before-after, depth+1)
		}
	})
}

// On another goroutine a coroutine is foreign, in every state. The owner does
// not notice.
func TestCoroForeign(t *testing.T) {
	ownTree(t)
	states := map[string]*greenlet.Coro[int, int]{"not started": adding(3), "paused": adding(3), "ended": adding(0)}
	yields(t, 5)(states["paused"].Resume(5))
	ends[int](t)(states["ended"].Resume(5))
	for state, c := range states {
		onGoroutine(func() {
			for range 3 {
				if _, ok := c.Resume(100); ok {
					t.Errorf("%s: Resume was not refused", state)
				}
				failsAs(t, state+": Err", c.Err(), greenlet.ErrForeign)
				failsAs(t, state+": Close", c.Close(), greenlet.ErrForeign)
			}
			text := c.Err().Error()
			if !strings.Contains(text, "caller: goroutine "+goroutineNumber()+";") || !strings.Contains(text, "resume") {
				t.Errorf("%s: the text is %q", state, text)
			}
		})
	}
	yields(t, 7)(states["not started"].Resume(7))
	yields(t, 12)(states["paused"].Resume(7))
	yields(t, 20)(states["paused"].Resume(8))
	failsAs(t, "Err", states["paused"].Err(), nil)
	ends[int](t)(states["paused"].Resume(1))
	failsAs(t, "Close", states["not started"].Close(), nil)
}

// Goroutines that call at the same time as the owner are all refused, and the
// owner gets a value every time. What they wanted to send may be what the body
// receives, though: Resume writes it down before it asks.
func TestCoroForeignersAtOnce(t *testing.T) {
	ownTree(t)
	c := adding(1 << 30)
	stop, stopped := make(chan bool), make(chan bool)
	const intruders = 3
	for range intruders {
		go func() {
			defer func() { greenlet.Close(); stopped <- true }()
			for {
				select {
				case <-stop:
					return
				default:
				}
				if _, ok := c.Resume(0); ok {
					t.Error("Resume was not refused")
				}
				failsAs(t, "Err", c.Err(), greenlet.ErrForeign)
				failsAs(t, "Close", c.Close(), greenlet.ErrForeign)
				runtime.Gosched()
			}
		}()
	}
	sum := 0
	for range 20000 {
		v, ok := c.Resume(1)
		if !ok || v != sum && v != sum+1 {
			t.Fatalf("got %d, %v after %d", v, ok, sum)
		}
		sum = v
	}
	close(stop)
	for range intruders {
		<-stopped
	}
	failsAs(t, "Close", c.Close(), nil)
}

// Who is refused gets no value: that of another call, on another goroutine, may be
// half written.
func TestRefusedGetsNoValue(t *testing.T) {
	ownTree(t)
	c := greenlet.NewCoro(func(c *greenlet.Coro[string, string], in string) error {
		for {
			in = c.Yield("out for " + in)
		}
	})
	defer c.Close()
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[string, int]) (int, error) {
		_, err := y.Yield("yielded")
		return 0, err
	})
	defer g.Close()
	yields(t, "out for in")(c.Resume("in"))
	gave(t, "yielded")(g.Next())
	onGoroutine(func() {
		if out, ok := c.Resume("another's"); out != "" || ok {
			t.Errorf("Resume: %q, %v", out, ok)
		}
		if v, err := g.Next(); v != "" || !errors.Is(err, greenlet.ErrForeign) {
			t.Errorf("Next: %q, %v", v, err)
		}
	})
	yields(t, "out for in")(c.Resume("in"))
}

// An abandoned coroutine is ended: its deferred calls run.
func TestCoroAbandoned(t *testing.T) {
	ownTree(t)
	before := steady(t)
	var tr trail
	abandonCoro(&tr)
	greenlet.Collect()
	tr.is(t, "ended")
	if after := greenlet.Stats(); after.Live != before.Live || after.Collected != before.Collected+1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

//go:noinline
func abandonCoro(tr *trail) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
		defer tr.add("ended")
		for {
			in = c.Yield(in)
		}
	})
	for i := range 10 {
		c.Resume(i)
	}
	greenlet.NewCoro(func(*greenlet.Coro[int, int], int) error { // never started
		tr.add("ran")
		return nil
	})
}

// An abandoned greenlet that holds a paused coroutine is ended, and the
// coroutine with it: the coroutine does not hold its consumer.
func TestCoroOfAnAbandonedConsumer(t *testing.T) {
	ownTree(t)
	before := steady(t)
	var tr trail
	abandonConsumer(&tr)
	// The goroutine of the first may still hold the second when it is at its end.
	eventually(t, "both are ended", func() bool { return len(tr) == 2 }, greenlet.Collect)
	tr.is(t, "consumer; coroutine")
	if after := greenlet.Stats(); after.Live != before.Live {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

//go:noinline
func abandonConsumer(tr *trail) {
	abandon(func(wait func()) error {
		defer tr.add("consumer")
		c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
			defer tr.add("coroutine")
			for {
				in = c.Yield(in)
			}
		})
		for i := range 10 {
			c.Resume(i)
		}
		wait()
		c.Resume(1)
		return nil
	})
}

// Close of a tree ends its coroutines, children first.
func TestCoroInAClosedTree(t *testing.T) {
	var tr trail
	var c *greenlet.Coro[int, int]
	onGoroutine(func() {
		main := greenlet.Current()
		greenlet.New(func(any) (any, error) {
			defer tr.add("consumer")
			c = greenlet.NewCoro(func(c *greenlet.Coro[int, int], in int) error {
				defer tr.add("coroutine")
				for {
					in = c.Yield(in)
				}
			})
			c.Resume(1)
			main.Switch(nil)
			return nil, nil
		}).Switch(nil)
		greenlet.Close()
		tr.is(t, "coroutine; consumer")
		ends[int](t)(c.Resume(1))
	})
}

// The stack of a coroutine's greenlet shows the body where it waits, and nothing
// of ours.
func TestCoroStack(t *testing.T) {
	ownTree(t)
	var self *greenlet.Greenlet
	check := func(what string) {
		t.Helper()
		frames := self.Stack()
		n := len(frames) - 1
		if n < 1 || !strings.HasSuffix(frames[n-1].Function, ".waitInside") || !strings.Contains(frames[n].Function, ".TestCoroStack") {
			t.Errorf("%s: %v", what, frames)
		}
	}
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], _ int) error {
		self = greenlet.Current()
		for {
			waitInside(func() { c.Yield(1) })
		}
	})
	g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
		self = greenlet.Current()
		for {
			waitInside(func() { y.Yield(1) })
		}
	})
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		self = greenlet.Current()
		for more := true; more; {
			waitInside(func() { more = yield(1) })
		}
	})
	defer stop()
	for range 2 {
		c.Resume(1)
		check("Coro")
	}
	for range 2 {
		g.Next()
		check("Generator")
	}
	for range 2 {
		next()
		check("Pull")
	}
}

//go:noinline
func waitInside(f func()) { f() }

func TestCoroAllocations(t *testing.T) {
	if raceOn || unoptimised() {
		t.Skip("the race detector allocates, and so does code that is not optimised")
	}
	ownTree(t)
	c := greenlet.NewCoro(func(c *greenlet.Coro[[4]string, [4]string], in [4]string) error {
		for {
			in = c.Yield(in)
		}
	})
	allocates(t, "Resume and Yield", 0, func() { c.Resume([4]string{"a", "b"}) })
	allocates(t, "Err", 0, func() { c.Err() })
	greenlet.New(func(any) (any, error) {
		allocates(t, "Resume and Yield in a child", 0, func() { c.Resume([4]string{}) })
		return nil, nil
	}).Switch(nil)
	pair := [2]*greenlet.Coro[int, int]{adding(1 << 30), adding(1 << 30)}
	allocates(t, "Resume and Yield in turn", 0, func() { pair[0].Resume(1); pair[1].Resume(1) })
}

// A coroutine that waits for another one is not paused: the end of a collector's cycle
// leaves it its consumer.
func TestCoroWaitsWhileItIsCollected(t *testing.T) {
	ownTree(t)
	inner := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		greenlet.Collect()
		c.Yield(n + 1)
		return nil
	})
	defer inner.Close()
	outer := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		n, _ = inner.Resume(n)
		c.Yield(n + 1)
		return nil
	})
	defer outer.Close()
	got := 0
	g := greenlet.New(func(any) (any, error) {
		got, _ = outer.Resume(1)
		return nil, nil
	})
	if _, err := g.Switch(nil); err != nil || got != 3 {
		t.Errorf("its consumer got %d, want 3; %v", got, err)
	}
}
