package greenlet_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/stack"
)

// What iter.Pull promises, and what Pull promises more.

// upTo yields 0 to n-1 and says when it ends.
func upTo(n int, ended func(early bool)) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range n {
			if !yield(i) {
				ended(true)
				return
			}
		}
		ended(false)
	}
}

// cubes yields i and its cube for 0 to n-1.
func cubes(n int) iter.Seq2[int, int64] {
	return func(yield func(int, int64) bool) {
		for i := range n {
			if !yield(i, int64(i*i*i)) {
				return
			}
		}
	}
}

// A puller hides whether Pull or Pull2 made it, so that a test does both.
type intPuller struct {
	next func() (int, bool)
	stop func()
}

// bothPulls runs f with a Pull of seq, and with a Pull2 of the same values in
// both places.
func bothPulls(t *testing.T, f func(t *testing.T, pull func(seq iter.Seq[int]) intPuller)) {
	t.Run("Pull", func(t *testing.T) {
		f(t, func(seq iter.Seq[int]) intPuller {
			next, stop := greenlet.Pull(seq)
			return intPuller{next, stop}
		})
	})
	t.Run("Pull2", func(t *testing.T) {
		f(t, func(seq iter.Seq[int]) intPuller {
			next, stop := greenlet.Pull2(func(yield func(int, string) bool) {
				seq(func(i int) bool { return yield(i, fmt.Sprint(i)) })
			})
			return intPuller{func() (int, bool) {
				i, s, ok := next()
				if want := fmt.Sprint(i); ok && s != want || !ok && s != "" {
					t.Errorf("the key is %d, %v, the value %q", i, ok, s)
				}
				return i, ok
			}, stop}
		})
	})
}

// next returns the values of the sequence one by one, then nothing any more.
// stop ends it at any place; both can be called again.
func TestPull(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		everywhere(t, func(t *testing.T) {
			const n = 5
			for taken := 0; taken <= n+1; taken++ {
				var tr trail
				p := pull(upTo(n, func(early bool) { tr.add("early %v", early) }))
				for i := range min(taken, n) {
					yields(t, i)(p.next())
				}
				want := ""
				if taken > n {
					ends[int](t)(p.next())
					want = "early false"
				} else if taken > 0 {
					want = "early true"
				}
				for range 3 {
					p.stop()
					ends[int](t)(p.next())
				}
				tr.is(t, want)
			}
		})
	})
}

func TestPull2(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		next, stop := greenlet.Pull2(cubes(4))
		defer stop()
		for i := range 4 {
			if k, v, ok := next(); k != i || v != int64(i*i*i) || !ok {
				t.Errorf("got %v, %v, %v", k, v, ok)
			}
		}
		for range 3 {
			if k, v, ok := next(); k != 0 || v != 0 || ok {
				t.Errorf("got %v, %v, %v", k, v, ok)
			}
		}
	})
}

// A sequence that is stopped before its first value never runs.
func TestPullStopAtOnce(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		p := pull(func(func(int) bool) { t.Error("the sequence ran") })
		for range 3 {
			p.stop()
			ends[int](t)(p.next())
		}
		ends[int](t)(pull(func(func(int) bool) {}).next()) // an empty one
	})
}

// A sequence that goes on to yield after it was told to stop is told again.
func TestPullOfAStubbornSequence(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		told := 0
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			for i := range 10 {
				if !yield(i) {
					told++
				}
			}
		})
		yields(t, 0)(next())
		yields(t, 1)(next())
		stop()
		if told != 9 {
			t.Errorf("told %d times", told)
		}
		ends[int](t)(next())
	})
}

// next and stop inside the sequence are refused by a panic, which is the
// sequence's own: whether it recovers or not.
func TestPullFromInside(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		everywhere(t, func(t *testing.T) {
			var p intPuller
			refused := func(where string) {
				t.Helper()
				panicsAs(t, "next "+where, greenlet.ErrReentrant, func() { p.next() })
				panicsAs(t, "stop "+where, greenlet.ErrReentrant, func() { p.stop() })
			}
			p = pull(func(yield func(int) bool) {
				for i := range 3 {
					refused("in the sequence")
					inner := pull(func(yield func(int) bool) {
						refused("in a sequence that it pulls")
						yield(7)
					})
					yields(t, 7)(inner.next())
					inner.stop()
					greenlet.New(func(any) (any, error) {
						refused("in a greenlet that it waits for")
						return nil, nil
					}).Switch(nil)
					if !yield(i) {
						t.Error("a refused stop has stopped it")
					}
				}
			})
			for i := range 3 {
				yields(t, i)(p.next())
			}
			ends[int](t)(p.next())

			p = pull(func(func(int) bool) { p.next() })
			panicsAs(t, "a next that is not recovered", greenlet.ErrReentrant, func() { p.next() })
			ends[int](t)(p.next())
			p.stop()

			p = pull(func(yield func(int) bool) { yield(1); p.stop() })
			yields(t, 1)(p.next())
			panicsAs(t, "a stop inside stop", greenlet.ErrReentrant, func() { p.stop() })
			ends[int](t)(p.next())
		})
	})
}

// yield is for the sequence alone, on the greenlet where it runs.
func TestPullYieldElsewhere(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		ownTree(t)
		var kept func(int) bool
		wrong := func(where string) {
			t.Helper()
			panicsAs(t, "yield "+where, greenlet.ErrReentrant, func() { kept(99) })
		}
		p := pull(func(yield func(int) bool) {
			kept = yield
			greenlet.New(func(any) (any, error) { wrong("in another greenlet"); return nil, nil }).Switch(nil)
			yield(1)
			wait := make(chan bool)
			go func() { defer close(wait); wrong("on another goroutine") }()
			<-wait
			yield(2)
		})
		yields(t, 1)(p.next())
		wrong("while it is paused")
		yields(t, 2)(p.next())
		onGoroutine(func() { wrong("while it is paused, on another goroutine") })
		ends[int](t)(p.next())
		wrong("after the end")
		p.stop()
		wrong("after the end and stop")

		p = pull(func(yield func(int) bool) { kept = yield; yield(1) })
		yields(t, 1)(p.next())
		p.stop()
		if kept(2) { // like iter.Pull: it may be the rest of a loop
			t.Error("a yield after stop returns true")
		}
	})
}

// A panic of the sequence goes on in the next or stop that runs it, with its
// very value, once.
func TestPullPanics(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		everywhere(t, func(t *testing.T) {
			for _, v := range []any{"ouch", errBoom, &struct{ n int }{1}} {
				over := func(p intPuller) {
					t.Helper()
					for range 2 {
						ends[int](t)(p.next())
						p.stop()
					}
				}
				p := pull(func(func(int) bool) { panic(v) })
				if got := panicValue(func() { p.next() }); got != v {
					t.Errorf("before the first value: got %v, want %v", got, v)
				}
				over(p)

				p = pull(func(yield func(int) bool) { yield(1); panic(v) })
				yields(t, 1)(p.next())
				if got := panicValue(func() { p.next() }); got != v {
					t.Errorf("after a value: got %v, want %v", got, v)
				}
				over(p)

				p = pull(func(yield func(int) bool) {
					defer panic(v)
					yield(1)
				})
				yields(t, 1)(p.next())
				if got := panicValue(func() { p.stop() }); got != v {
					t.Errorf("in a clean-up: got %v, want %v", got, v)
				}
				over(p)
			}
			p := pull(func(func(int) bool) { panic(nil) })
			if _, ok := panicValue(func() { p.next() }).(*runtime.PanicNilError); !ok {
				t.Error("panic(nil) is lost")
			}
			p = pull(func(yield func(int) bool) { yield([]int{}[len(t.Name())]) })
			if _, ok := panicValue(func() { p.next() }).(runtime.Error); !ok {
				t.Error("a runtime error is lost")
			}
			// What the sequence recovers is its own matter.
			p = pull(func(yield func(int) bool) {
				defer func() { yield(recover().(int)) }()
				panic(5)
			})
			yields(t, 5)(p.next())
			ends[int](t)(p.next())
		})
	})
}

// A runtime.Goexit of the sequence ends the goroutine that runs it.
func TestPullGoexit(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		for where, seq := range map[string]iter.Seq[int]{
			"at once":       func(yield func(int) bool) { runtime.Goexit() },
			"after a value": func(yield func(int) bool) { yield(1); runtime.Goexit() },
			"in a clean-up": func(yield func(int) bool) { defer runtime.Goexit(); yield(1) },
		} {
			t.Run(where, func(t *testing.T) {
				var p intPuller
				var tr trail
				onGoroutine(func() {
					defer func() { tr.add("ended, %v", recover()) }()
					p = pull(func(yield func(int) bool) {
						defer tr.add("deferred")
						seq(yield)
					})
					if where != "at once" {
						yields(t, 1)(p.next())
					}
					if where == "in a clean-up" {
						p.stop()
					}
					p.next()
					tr.add("went on")
				})
				tr.is(t, "deferred; ended, <nil>")
				ends[int](t)(p.next())
				p.stop()
			})
		}
	})
}

// A panic in a deferred call of a sequence that leaves by runtime.Goexit goes on in its
// caller, as any of its panics, and not the Goexit.
func TestPullPanicsDuringGoexit(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		for _, first := range []bool{true, false} {
			onGoroutine(func() {
				p := pull(func(yield func(int) bool) {
					defer func() { panic("in a clean-up") }()
					if !first {
						yield(1)
					}
					runtime.Goexit()
				})
				defer func() {
					if e := recover(); e != "in a clean-up" {
						t.Errorf("first %v: %v", first, e)
					}
					ends[int](t)(p.next())
				}()
				if !first {
					yields(t, 1)(p.next())
				}
				p.next()
			})
		}
	})
}

// A sequence may be pulled by one goroutine after the other.
func TestPullFromManyGoroutines(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		n := 500
		if testing.Short() || raceOn {
			n = 100
		}
		var ended atomic.Int32
		p := pull(upTo(n, func(early bool) { ended.Add(1) }))
		for i := range n {
			done := make(chan bool)
			go func() { // with a tree that is never closed
				defer close(done)
				yields(t, i)(p.next())
			}()
			<-done
			if i%100 == 50 {
				runtime.GC()
			}
		}
		onGoroutine(func() { ends[int](t)(p.next()) })
		onGoroutine(p.stop)
		if ended.Load() != 1 {
			t.Errorf("the sequence has ended %d times", ended.Load())
		}

		// The first one starts it, another stops it.
		p = pull(upTo(n, func(early bool) {
			if !early {
				t.Error("not stopped")
			}
			ended.Add(1)
		}))
		onGoroutine(func() { yields(t, 0)(p.next()) })
		onGoroutine(func() { p.stop() })
		ends[int](t)(p.next())
		if ended.Load() != 2 {
			t.Error("it was not stopped")
		}
	})
}

// And by greenlets of different trees, which live on: each tree has pulls of its
// own besides, and greenlets that were made inside the sequences.
func TestPullFromManyTrees(t *testing.T) {
	const trees, rounds = 5, 100
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for i := 0; ; i++ {
			v, err := greenlet.New(func(v any) (any, error) { return v, nil }).Switch(i)
			if err != nil || !yield(v.(int)) {
				return
			}
		}
	})
	defer stop()
	var turns [trees]chan int
	for i := range turns {
		turns[i] = make(chan int)
	}
	var all sync.WaitGroup
	for tree := range trees {
		all.Go(func() {
			defer greenlet.Close()
			main := greenlet.Current()
			mine, stopMine := greenlet.Pull(upTo(1<<30, func(bool) {}))
			defer stopMine()
			step := 0
			work := func(want int) {
				yields(t, want)(next())
				yields(t, step)(mine())
				step++
			}
			child := greenlet.New(func(v any) (any, error) {
				for {
					work(v.(int))
					v, _ = main.Switch(nil)
				}
			})
			for n := range turns[tree] {
				if n%3 == 0 {
					work(n)
				} else {
					child.Switch(n)
				}
				if n%50 == 0 {
					runtime.GC()
				}
				if n++; n == trees*rounds {
					for _, c := range turns {
						close(c)
					}
					return
				}
				go func() { turns[n*7%trees] <- n }()
			}
		})
	}
	turns[0] <- 0
	all.Wait()
}

// A greenlet that was made inside the sequence belongs to the tree where that
// was. If its parent, the sequence's greenlet, has moved on, it ends into the
// main greenlet.
func TestPullLeavesItsChildrenBehind(t *testing.T) {
	main := ownTree(t)
	for range 20 {
		var child *greenlet.Greenlet
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			me := greenlet.Current()
			child = greenlet.New(func(any) (any, error) { return me.Switch("child waits") })
			gives(t, "child waits")(child.Switch(nil))
			for i := 0; yield(i); i++ {
			}
			unstarted := greenlet.New(returning("unstarted ran"))
			gives(t, "unstarted ran")(unstarted.Switch(nil))
			_, err := child.Switch(nil)
			isForeign(t, err, "switch to", child)
		})
		yields(t, 0)(next())
		there, back := make(chan bool), make(chan bool)
		go func() {
			defer close(back)
			defer greenlet.Close()
			yields(t, 1)(next())
			back <- true
			<-there
			yields(t, 2)(next())
			stop()
		}()
		<-back
		gives(t, "child ends")(child.Switch("child ends"))
		if greenlet.Current() != main || !child.Dead() {
			t.Errorf("child is %v", child)
		}
		close(there)
		<-back
	}
}

// Two goroutines at once: the one that comes while the sequence runs is refused
// by a panic, and the other goes on.
func TestPullTwoAtOnce(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		running, resume := make(chan bool), make(chan bool)
		p := pull(func(yield func(int) bool) {
			for i := range 3 {
				running <- true
				<-resume
				yield(i)
			}
		})
		for i := range 3 {
			done := make(chan bool)
			go func() {
				defer close(done)
				yields(t, i)(p.next())
			}()
			<-running
			panicsAs(t, "next", greenlet.ErrReentrant, func() { p.next() })
			panicsAs(t, "stop", greenlet.ErrReentrant, func() { p.stop() })
			resume <- true
			<-done
		}
		ends[int](t)(p.next())
	})
}

// Without any order among them goroutines get values, or panics, but do no harm.
func TestPullManyAtOnce(t *testing.T) {
	if raceOn {
		t.Skip("the race detector reports this misuse, as it should")
	}
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	for range rounds {
		var ran, values, refused atomic.Int64
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			defer ran.Add(1)
			for i := 0; yield(i); i++ {
			}
		})
		var all sync.WaitGroup
		for range 4 {
			all.Go(func() {
				defer greenlet.Close()
				for range 200 {
					v := panicValue(func() {
						if _, ok := next(); ok {
							values.Add(1)
						}
					})
					if v == nil {
						continue
					}
					refused.Add(1)
					if err, ok := v.(error); !ok || !errors.Is(err, greenlet.ErrReentrant) {
						t.Errorf("panic %v", v)
					}
				}
			})
		}
		all.Wait()
		stop()
		ends[int](t)(next())
		if ran.Load() != 1 || values.Load() == 0 || values.Load()+refused.Load() != 800 {
			t.Fatalf("%d runs, %d values, %d refused", ran.Load(), values.Load(), refused.Load())
		}
	}
}

// Pulls nest.
func TestPullNested(t *testing.T) {
	bothPulls(t, func(t *testing.T, pull func(iter.Seq[int]) intPuller) {
		everywhere(t, func(t *testing.T) {
			var tr trail
			var layer func(depth int) iter.Seq[int]
			layer = func(depth int) iter.Seq[int] {
				return func(yield func(int) bool) {
					defer tr.add("%d", depth)
					if depth == 0 {
						for i := 0; yield(i); i++ {
						}
						return
					}
					p := pull(layer(depth - 1))
					defer p.stop()
					for v, ok := p.next(); ok && yield(v+1); v, ok = p.next() {
					}
				}
			}
			p := pull(layer(3))
			for i := range 50 {
				yields(t, i+3)(p.next())
			}
			p.stop()
			tr.is(t, "0; 1; 2; 3")
		})
	})
}

// The two kinds of pulled sequences mix.
func TestPullAndIterPull(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		const n = 20
		ended := 0
		seq := upTo(n, func(bool) { ended++ })
		via := map[string]func(iter.Seq[int]) (func() (int, bool), func()){
			"iter.Pull": iter.Pull[int], "greenlet.Pull": greenlet.Pull[int],
		}
		for outerName, outer := range via {
			for innerName, inner := range via {
				for _, taken := range []int{0, 1, n, n + 1} {
					next, stop := outer(func(yield func(int) bool) {
						next, stop := inner(seq)
						defer stop()
						for v, ok := next(); ok && yield(v); v, ok = next() {
						}
					})
					ended = 0
					for i := range min(taken, n) {
						yields(t, i)(next())
					}
					if taken > n {
						ends[int](t)(next())
					}
					stop()
					if taken > 0 && ended != 1 {
						t.Errorf("%s of %s, %d values: ended %d times", outerName, innerName, taken, ended)
					}
				}
			}
		}
	})
}

// The sequence may switch to other greenlets while its caller waits, and it may
// use what has a tree of its own.
func TestPullSwitchesInside(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var seq *greenlet.Greenlet
		echo := greenlet.New(func(v any) (any, error) {
			for {
				v, _ = seq.Switch(v)
			}
		})
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			seq = greenlet.Current()
			for i := 0; ; i++ {
				v, err := echo.Switch(i)
				if err != nil || !yield(v.(int)) {
					return
				}
			}
		})
		for i := range 20 {
			yields(t, i)(next())
		}
		stop()
		echo.Kill()
	})
}

// A caller that waits in next should not be switched to: its next panics then,
// and the sequence can go on later.
func TestPullCallerIsSwitchedTo(t *testing.T) {
	main := ownTree(t)
	var seq *greenlet.Greenlet
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		seq = greenlet.Current()
		gives(t, "go on")(main.Switch("not for next"))
		yield(1)
	})
	panicsAs(t, "next", greenlet.ErrReentrant, func() { next() })
	panicsAs(t, "next", greenlet.ErrReentrant, func() { next() })
	seq.Switch("go on")
	stop()
	ends[int](t)(next())
}

// The consumer of a pull may be ended while it waits; the pull goes on with the
// next one.
func TestPullOutlivesItsConsumers(t *testing.T) {
	ownTree(t)
	next, stop := greenlet.Pull(upTo(100, func(bool) {}))
	defer stop()
	for i := range 10 {
		gives(t, nil)(greenlet.New(func(any) (any, error) {
			yields(t, i)(next())
			return nil, nil
		}).Switch(nil))
		if i == 5 {
			greenlet.Close()
			greenlet.Collect()
		}
	}
}

// Nothing is left of sequences that were read to the end or stopped.
func TestPullLeavesNothing(t *testing.T) {
	ownTree(t)
	defer stack.SetLimit(stack.SetLimit(0))
	greenlet.Close()
	stack.Trim()
	before := steady(t)
	goroutines := runtime.NumGoroutine()
	use := func() {
		for taken := range 7 {
			next, stop := greenlet.Pull(upTo(5, func(bool) {}))
			for range taken {
				next()
			}
			stop()
			g := hearing(5)
			for range taken {
				g.Next()
			}
			g.Close()
		}
	}
	for range 10 {
		use()
		greenlet.New(func(any) (any, error) { use(); return nil, nil }).Switch(nil)
		onGoroutine(use)
	}
	if s := greenlet.Stats(); s.Live > before.Live {
		t.Errorf("greenlets are left: before %+v, after %+v", before, s)
	}
	greenlet.Close()
	eventually(t, "all goroutines have ended", func() bool {
		return runtime.NumGoroutine() <= goroutines && greenlet.Stats().Goroutines <= before.Goroutines
	}, runtime.Gosched)
}

// A sequence that nobody can pull any more is ended: its deferred calls run, on
// a tree of their own.
func TestPullAbandoned(t *testing.T) {
	ownTree(t)
	before := greenlet.Stats()
	ended := make(chan string, 100)
	for i := range 10 {
		abandonPull(i, ended)
	}
	eventually(t, "the abandoned sequences are ended", func() bool { return len(ended) == 10 }, runtime.GC)
	seen := map[string]bool{}
	for range 10 {
		seen[<-ended] = true
	}
	if len(seen) != 10 {
		t.Errorf("ended: %v", seen)
	}
	eventually(t, "they are counted", func() bool { return greenlet.Stats().Collected-before.Collected >= 10 }, runtime.Gosched)
}

//go:noinline
func abandonPull(i int, ended chan<- string) {
	next, _ := greenlet.Pull(func(yield func(int) bool) {
		defer func() {
			// Deferred calls may use what they like.
			inner, stop := greenlet.Pull(upTo(3, func(bool) {}))
			inner()
			stop()
			v, _ := greenlet.New(returning(fmt.Sprint(i))).Switch(nil)
			ended <- v.(string)
		}()
		for n := 0; yield(n); n++ {
		}
	})
	for range i + 1 {
		next()
	}
	greenlet.Pull(func(func(int) bool) { ended <- "never started" })
}

// An abandoned greenlet that holds a pulled sequence does not keep it, nor is it
// kept by it.
func TestPullOfAnAbandonedConsumer(t *testing.T) {
	ownTree(t)
	ended := make(chan string, 2)
	abandon(func(wait func()) error {
		defer func() { ended <- "consumer" }()
		next, stop := greenlet.Pull(func(yield func(int) bool) {
			defer func() { ended <- "sequence" }()
			for i := 0; yield(i); i++ {
			}
		})
		next()
		wait()
		stop()
		return nil
	})
	eventually(t, "both are ended", func() bool { return len(ended) == 2 }, greenlet.Collect)
}

// A panic in a deferred call of an abandoned sequence is reported.
func TestPullAbandonedPanics(t *testing.T) {
	reported := make(chan any, 1)
	defer greenlet.SetUnraisable(greenlet.SetUnraisable(func(_ *greenlet.Greenlet, err error) {
		var p *greenlet.PanicError
		if errors.As(err, &p) {
			reported <- p.Value
		}
	}))
	func() {
		next, _ := greenlet.Pull(func(yield func(int) bool) {
			defer panic("too late")
			yield(1)
		})
		next()
	}()
	eventually(t, "the panic is reported", func() bool { return len(reported) == 1 }, runtime.GC)
	if v := <-reported; v != "too late" {
		t.Errorf("reported: %v", v)
	}
}

// A sequence that is still referred to is not ended, however long nobody pulls;
// nor is one in the middle of a next.
func TestPullIsNotAbandoned(t *testing.T) {
	ownTree(t)
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for i := range 10 {
			runtime.GC()
			runtime.GC()
			if !yield(i) {
				return
			}
		}
	})
	for i := range 10 {
		yields(t, i)(next())
		for range 3 {
			runtime.GC()
		}
	}
	ends[int](t)(next())
	stop()
}

// The last use of next and stop is a call that is under way.
func TestPullInItsLastCall(t *testing.T) {
	ownTree(t)
	for range 3 {
		func() {
			next, _ := greenlet.Pull(func(yield func(int) bool) {
				for range 5 {
					runtime.GC()
					runtime.Gosched()
				}
				yield(1)
			})
			yields(t, 1)(next())
		}()
		func() {
			_, stop := func() (func() (int, bool), func()) {
				next, stop := greenlet.Pull(func(yield func(int) bool) {
					yield(1)
					for range 5 {
						runtime.GC()
						runtime.Gosched()
					}
				})
				next()
				return next, stop
			}()
			stop()
		}()
	}
}

// Values of every kind that Go's calling convention knows, in registers and not:
// each arrives whole, and is not collected on the way.
func TestValuesOfEveryClass(t *testing.T) {
	type floats struct {
		a float64
		p *int
		b float32
		c complex64
	}
	type deep struct {
		a [1]struct{ s string }
		b struct{ f func() int }
		c bool
	}
	everywhere(t, func(t *testing.T) {
		ptr := func(i int) *int { return &[]int{i}[0] }
		class(t, func(i int) int { return i }, nil)
		class(t, func(i int) int8 { return int8(i) }, nil)
		class(t, func(i int) bool { return i%2 == 0 }, nil)
		class(t, func(i int) float64 { return float64(i) / 3 }, nil)
		class(t, func(i int) float32 { return float32(i) / 3 }, nil)
		class(t, func(i int) complex128 { return complex(float64(i), -float64(i)) }, nil)
		class(t, func(i int) complex64 { return complex(float32(i), 1) }, nil)
		class(t, func(i int) string { return strings.Repeat("x", i%9) + fmt.Sprint(i) }, nil)
		class(t, func(i int) any { return fmt.Sprint(i) }, nil)
		class(t, func(i int) error { return fmt.Errorf("%d", i) }, func(a, b error) bool { return a.Error() == b.Error() })
		class(t, ptr, func(a, b *int) bool { return *a == *b })
		class(t, func(i int) []int { return []int{i, -i} }, func(a, b []int) bool { return a[0] == b[0] && a[1] == b[1] && cap(a) == cap(b) })
		class(t, func(i int) map[int]int { return map[int]int{i: i} }, func(a, b map[int]int) bool { return fmt.Sprint(a) == fmt.Sprint(b) })
		class(t, func(i int) chan int { return make(chan int, i%7) }, func(a, b chan int) bool { return cap(a) == cap(b) })
		class(t, func(i int) func() int { return func() int { return i } }, func(a, b func() int) bool { return a() == b() })
		class(t, func(i int) struct{} { return struct{}{} }, nil)
		class(t, func(i int) [0]int { return [0]int{} }, nil)
		class(t, func(i int) [1]string { return [1]string{fmt.Sprint(i)} }, nil)
		class(t, func(i int) [2]int { return [2]int{i, -i} }, nil)
		class(t, func(i int) [1][1]*int { return [1][1]*int{{ptr(i)}} }, func(a, b [1][1]*int) bool { return *a[0][0] == *b[0][0] })
		class(t, func(i int) struct{ a, b, c, d, e, f, g int } {
			return struct{ a, b, c, d, e, f, g int }{i, 1, 2, 3, 4, 5, -i}
		}, nil)
		class(t, func(i int) struct{ a, b, c, d, e, f, g, h int } {
			return struct{ a, b, c, d, e, f, g, h int }{i, 1, 2, 3, 4, 5, 6, -i}
		}, nil)
		class(t, func(i int) struct{ a, b, c, d, e, f, g, h, i int } {
			return struct{ a, b, c, d, e, f, g, h, i int }{i, 1, 2, 3, 4, 5, 6, 7, -i}
		}, nil)
		class(t, func(i int) struct{ a, b, c, d, e, f, g, h, i, j int } {
			return struct{ a, b, c, d, e, f, g, h, i, j int }{i, 1, 2, 3, 4, 5, 6, 7, 8, -i}
		}, nil)
		class(t, func(i int) struct{ a, b, c, d string } {
			return struct{ a, b, c, d string }{fmt.Sprint(i), "", "c", fmt.Sprint(-i)}
		}, nil)
		class(t, func(i int) struct {
			a, b, c, d string
			e          byte
		} {
			return struct {
				a, b, c, d string
				e          byte
			}{fmt.Sprint(i), "", "c", fmt.Sprint(-i), byte(i)}
		}, nil)
		class(t, func(i int) [16]float64 { return [16]float64{float64(i), 15: 1} }, nil)
		class(t, func(i int) struct{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o float64 } {
			return struct{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o float64 }{a: float64(i), o: -1}
		}, nil)
		class(t, func(i int) struct{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p float64 } {
			return struct{ a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p float64 }{a: float64(i), p: -1}
		}, nil)
		class(t, func(i int) floats { return floats{float64(i), ptr(i), 3, complex(1, float32(i))} },
			func(a, b floats) bool { return a.a == b.a && *a.p == *b.p && a.b == b.b && a.c == b.c })
		class(t, func(i int) deep {
			var d deep
			d.a[0].s, d.b.f, d.c = fmt.Sprint(i), func() int { return i }, i%2 == 0
			return d
		}, func(a, b deep) bool { return a.a == b.a && a.b.f() == b.b.f() && a.c == b.c })
		class(t, func(i int) struct {
			_ int
			a int
			_ string
			b string
			_ struct{}
		} {
			return struct {
				_ int
				a int
				_ string
				b string
				_ struct{}
			}{a: i, b: fmt.Sprint(i)}
		}, nil)
		class(t, func(i int) struct {
			a [0]func()
			b int
			c [2]struct{}
		} {
			return struct {
				a [0]func()
				b int
				c [2]struct{}
			}{b: i}
		}, func(a, b struct {
			a [0]func()
			b int
			c [2]struct{}
		}) bool {
			return a.b == b.b
		})
	})
}

// Two values of different kinds: one in the registers that the other leaves, or
// beside it in memory.
func TestPull2OfTwoClasses(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		two(t, func(i int) string { return fmt.Sprint(i) }, func(i int) float64 { return float64(i) / 3 })
		two(t, func(i int) any { return i }, func(i int) [9]int { return [9]int{i, 8: -i} })
		two(t, func(i int) [16]float64 { return [16]float64{float64(i), 15: 1} }, func(i int) int8 { return int8(i) })
		two(t, func(i int) struct{} { return struct{}{} }, func(i int) error { return context.DeadlineExceeded })
	})
}

func two[V, W comparable](t *testing.T, first func(i int) V, second func(i int) W) {
	t.Helper()
	next, stop := greenlet.Pull2(func(yield func(V, W) bool) {
		for i := 0; yield(first(i), second(i)); i++ {
		}
	})
	defer stop()
	for i := range 20 {
		if v, w, ok := next(); v != first(i) || w != second(i) || !ok {
			t.Errorf("pair %d arrives as %v, %v, %v", i, v, w, ok)
		}
	}
}

// class passes values of one type through all faces. A nil same is ==.
func class[V any](t *testing.T, value func(i int) V, same func(a, b V) bool) {
	t.Helper()
	if same == nil {
		same = func(a, b V) bool { return any(a) == any(b) }
	}
	n := 30
	if testing.Short() || raceOn {
		n = 8
	}
	check := func(face string, i int, v V, ok bool) {
		if !ok || !same(v, value(i)) {
			t.Errorf("%s of %T: value %d arrives as %v, %v", face, v, i, v, ok)
		}
	}
	seq := func(yield func(V) bool) {
		for i := 0; yield(value(i)); i++ {
		}
	}
	next, stop := greenlet.Pull(seq)
	next2, stop2 := greenlet.Pull2(func(yield func(V, V) bool) {
		for i := 0; yield(value(i), value(i+1)); i++ {
		}
	})
	received := 0
	push, stopPush := greenlet.Push(func(seq iter.Seq[V]) {
		for v := range seq {
			check("Push", received, v, true)
			received++
		}
	})
	coro := greenlet.NewCoro(func(c *greenlet.Coro[V, V], v V) error {
		for i := 0; ; i++ {
			check("Resume", i, v, true)
			v = c.Yield(value(i))
		}
	})
	gen := greenlet.NewGenerator(func(y *greenlet.Yielder[V, V]) (V, error) {
		for i := 0; ; i++ {
			v, err := y.Yield(value(i))
			if err != nil {
				return value(i), nil
			}
			check("Send", i, v, true)
		}
	})
	v, err := gen.Next()
	for i := range n {
		check("Next", i, v, err == nil)
		v, err = gen.Send(value(i))
		p, ok := next()
		check("Pull", i, p, ok)
		a, b, ok := next2()
		check("Pull2, first", i, a, ok)
		check("Pull2, second", i+1, b, ok)
		push(value(i))
		w, ok := coro.Resume(value(i))
		check("Yield", i, w, ok)
	}
	stop()
	stop2()
	stopPush()
	coro.Close()
	gen.Close()
	r, ok := gen.Result()
	check("Result", n, r, ok)
	var none V
	for range 2 {
		v, ok := next()
		if ok || fmt.Sprint(v) != fmt.Sprint(none) {
			t.Errorf("Pull of %T: after the end %v, %v", v, v, ok)
		}
	}
	if received != n {
		t.Errorf("Push of %T: %d of %d have arrived", v, received, n)
	}
}

func TestPullAllocations(t *testing.T) {
	if raceOn || unoptimised() {
		t.Skip("the race detector allocates, and so does code that is not optimised")
	}
	ownTree(t)
	next, stop := greenlet.Pull(upTo(1<<30, func(bool) {}))
	defer stop()
	next2, stop2 := greenlet.Pull2(cubes(1 << 20))
	defer stop2()
	push, stopPush := greenlet.Push(func(seq iter.Seq[[4]string]) {
		for range seq {
		}
	})
	defer stopPush()
	allocates(t, "next", 0, func() { next() })
	allocates(t, "next of Pull2", 0, func() { next2() })
	allocates(t, "push", 0, func() { push([4]string{"a"}) })
	greenlet.New(func(any) (any, error) {
		allocates(t, "next in a child", 0, func() { next() })
		return nil, nil
	}).Switch(nil)
}

// A sequence counts from its first next to its end, on whatever goroutine it runs: those
// that are kept for the next one do not.
func TestPullIsCountedWhileItRuns(t *testing.T) {
	ownTree(t)
	before := steady(t).Live
	for range 2 { // the second on the goroutine of the first
		next, stop := greenlet.Pull(func(yield func(int) bool) { yield(1) })
		assert.Equal(t, before, greenlet.Stats().Live)
		next()
		assert.Equal(t, before+1, greenlet.Stats().Live)
		stop()
		assert.Equal(t, before, greenlet.Stats().Live)
	}
}

// A coroutine that was called last by a goroutine which has ended is abandoned as any
// other: the tree of that one does not keep it.
func TestPullAbandonedAfterItsLastCaller(t *testing.T) {
	collected := greenlet.Stats().Collected
	var ended atomic.Bool
	next, _ := greenlet.Pull(func(yield func(int) bool) {
		defer ended.Store(true)
		for yield(1) {
			greenlet.Current()
		}
	})
	next()
	for range 3 {
		runtime.GC() // it is old: the tree looks for its handle
		var wg sync.WaitGroup
		wg.Go(func() { next() }) // without Close
		wg.Wait()
	}
	runtime.KeepAlive(&next)
	next = nil
	eventually(t, "it is ended", ended.Load, runtime.GC)
	if greenlet.Stats().Collected == collected {
		t.Error("not by the collector")
	}
}
