package greenlet_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
)

// The rules of Python's generators, numbers 104 to 122 of the project's list,
// as far as they have a form in Go.

type (
	intGenerator = greenlet.Generator[int, string, []string]
	intYielder   = greenlet.Yielder[int, string]
)

// hearing is a generator that yields 0 to n-1 and returns all that it was sent.
// An error that is thrown into it ends it.
func hearing(n int) *intGenerator {
	return greenlet.NewGenerator(func(y *intYielder) (heard []string, err error) {
		for i := range n {
			word, err := y.Yield(i)
			if err != nil {
				return nil, err
			}
			heard = append(heard, word)
		}
		return heard, nil
	})
}

// gave returns a check of what Next, Send or Throw returns: want, and no error.
func gave[Y comparable](t testing.TB, want Y) func(Y, error) {
	return func(v Y, err error) {
		t.Helper()
		if v != want || err != nil {
			t.Errorf("got %v, %v, want %v, nil", v, err, want)
		}
	}
}

// gaveUp returns a check of what they return: an error that is want.
func gaveUp[Y comparable](t testing.TB, want error) func(Y, error) {
	return func(v Y, err error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("got %v, %v, want error %v", v, err, want)
		}
	}
}

// resultIs checks Result.
func resultIs[Y, S, R any](t testing.TB, g *greenlet.Generator[Y, S, R], want string) {
	t.Helper()
	r, ok := g.Result()
	if got := fmt.Sprintf("%v %v", r, ok); got != want {
		t.Errorf("Result is %s, want %s", got, want)
	}
}

// Rule 104: nothing runs before the first Next.
func TestGeneratorRunsAtTheFirstNext(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		ran := false
		g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
			ran = true
			_, err := y.Yield(1)
			return "end", err
		})
		resultIs(t, g, " false")
		if ran {
			t.Error("the body ran before the first Next")
		}
		gave(t, 1)(g.Next())
		if !ran {
			t.Error("the body did not run")
		}
		resultIs(t, g, " false")
	})
}

// Rule 105: Send is Next with a value for the Yield that waits; Next is Send of
// the zero value.
func TestGeneratorSend(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		g := hearing(100)
		gave(t, 0)(g.Next())
		for i := 1; i < 100; i++ {
			switch i % 3 {
			case 0:
				gave(t, i)(g.Next())
			default:
				gave(t, i)(g.Send(fmt.Sprint(i)))
			}
		}
		gaveUp[int](t, greenlet.ErrStop)(g.Send("last"))
		heard, ok := g.Result()
		if !ok || len(heard) != 100 || !slices.Equal(heard[:5], []string{"1", "2", "", "4", "5"}) || heard[99] != "last" {
			t.Errorf("it has heard %q, %v", heard, ok)
		}
	})
}

// Rule 106: nothing can be sent to a generator that waits in no Yield yet. That
// does no harm.
func TestGeneratorJustStarted(t *testing.T) {
	ownTree(t)
	g := hearing(2)
	for range 3 {
		gaveUp[int](t, greenlet.ErrJustStarted)(g.Send("too early"))
		failsAs(t, "Err", g.Err(), nil)
	}
	gave(t, 0)(g.Next())
	gave(t, 1)(g.Send("in time"))
	gaveUp[int](t, greenlet.ErrStop)(g.Next())
	resultIs(t, g, "[in time ] true")
	gaveUp[int](t, greenlet.ErrStop)(g.Send("too late"))
}

// Rule 107: what the body returns is in Result, and the end is ErrStop from
// then on. A loop drops the result.
func TestGeneratorResult(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		g := hearing(1)
		gave(t, 0)(g.Next())
		for range 3 {
			v, err := g.Next()
			if v != 0 || err != greenlet.ErrStop {
				t.Errorf("got %v, %v, want 0 and ErrStop itself", v, err)
			}
			resultIs(t, g, "[] true")
			failsAs(t, "Err", g.Err(), nil)
		}
		g = hearing(3)
		if got := slices.Collect(g.All()); !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("got %v", got)
		}
		resultIs(t, g, "[  ] true")
	})
}

// A body that never yields has a result, or an error, all the same.
func TestGeneratorThatNeverYields(t *testing.T) {
	ownTree(t)
	g := hearing(0)
	gaveUp[int](t, greenlet.ErrStop)(g.Next())
	resultIs(t, g, "[] true")
	for _, want := range []error{io.EOF, greenlet.Exit, errBoom} {
		g = greenlet.NewGenerator(func(*intYielder) ([]string, error) { return []string{"lost"}, want })
		if _, err := g.Next(); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
		resultIs(t, g, "[] false")
		if g.Err() != want {
			t.Errorf("Err is %v, want %v", g.Err(), want)
		}
		gaveUp[int](t, greenlet.ErrStop)(g.Next())
		if g.Err() != want {
			t.Errorf("after another Next Err is %v, want %v", g.Err(), want)
		}
	}
}

// tough yields 1, 2, ... and, for every error that is thrown at it but io.EOF,
// its negative.
func tough(tr *trail) *intGenerator {
	return greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		defer tr.add("ended")
		for n := 1; ; n++ {
			_, err := y.Yield(n)
			for err != nil {
				tr.add("%v", err)
				if err == io.EOF {
					return nil, err
				}
				_, err = y.Yield(-n)
			}
		}
	})
}

// Rule 108: a thrown error comes out of the Yield that waits, the result is what
// is yielded next. If nobody handles it, it comes out again and is the end.
func TestGeneratorThrow(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var tr trail
		g := tough(&tr)
		gave(t, 1)(g.Next())
		gave(t, -1)(g.Throw(errBoom))
		gave(t, -1)(g.Throw(errBoom))
		gave(t, 2)(g.Next())
		gave(t, -2)(g.Throw(greenlet.Exit))
		gave(t, -2)(g.Throw(nil)) // is Exit
		gave(t, 3)(g.Send("nothing was thrown"))
		if _, err := g.Throw(io.EOF); err != io.EOF {
			t.Errorf("got %v, want the error that was thrown", err)
		}
		tr.is(t, "boom; boom; greenlet: exit; greenlet: exit; EOF; ended")
		gaveUp[int](t, greenlet.ErrStop)(g.Next())
		if g.Err() != io.EOF {
			t.Errorf("Err is %v", g.Err())
		}
	})
}

// Rule 109: an error thrown before the start or after the end comes out at once.
// The body does not run; it has ended then.
func TestGeneratorThrowWithoutBody(t *testing.T) {
	ownTree(t)
	unstarted := greenlet.NewGenerator(func(*intYielder) (string, error) {
		t.Error("the body ran")
		return "", nil
	})
	for _, want := range []error{errBoom, io.EOF, greenlet.Exit, greenlet.ErrStop} {
		if _, err := unstarted.Throw(want); err != want {
			t.Errorf("got %v, want %v", err, want)
		}
		gaveUp[int](t, greenlet.ErrStop)(unstarted.Next())
		gaveUp[int](t, greenlet.ErrStop)(unstarted.Send("x"))
		if unstarted.Err() != errBoom {
			t.Errorf("Err is %v, want that of the first Throw", unstarted.Err())
		}
	}
	exhausted := hearing(0)
	exhausted.Next()
	if _, err := exhausted.Throw(errBoom); err != errBoom {
		t.Errorf("got %v", err)
	}
	gaveUp[int](t, greenlet.Exit)(exhausted.Throw(nil))
	failsAs(t, "Err", exhausted.Err(), nil)
	resultIs(t, exhausted, "[] true")
}

// Rule 110: Close throws Exit. To return, with it or without an error, is fine;
// other errors come out. Rule 113: what the body returns then is its result.
func TestGeneratorClose(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, c := range []struct{ ends, want error }{
			{nil, nil},
			{greenlet.Exit, nil},
			{fmt.Errorf("wrapped: %w", greenlet.Exit), nil},
			{greenlet.ErrStop, nil},
			{errBoom, errBoom},
		} {
			told := false
			g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
				_, err := y.Yield(1)
				told = err == greenlet.Exit
				return "closed", c.ends
			})
			gave(t, 1)(g.Next())
			if err := g.Close(); err != c.want {
				t.Errorf("a body that ends with %v: Close returns %v", c.ends, err)
			}
			if !told {
				t.Error("Yield did not return Exit")
			}
			if r, ok := g.Result(); ok != (c.ends == nil) || ok && r != "closed" {
				t.Errorf("a body that ends with %v: Result is %v, %v", c.ends, r, ok)
			}
			failsAs(t, "the second Close", g.Close(), nil)
			gaveUp[int](t, greenlet.ErrStop)(g.Next())
		}
	})
}

// Rule 111: Close before the start, after the end, and twice, does nothing.
func TestGeneratorCloseDoesNothing(t *testing.T) {
	ownTree(t)
	g := greenlet.NewGenerator(func(*intYielder) (string, error) {
		t.Error("the body ran")
		return "", nil
	})
	failsAs(t, "Close", g.Close(), nil)
	failsAs(t, "Close", g.Close(), nil)
	gaveUp[int](t, greenlet.ErrStop)(g.Next())
	failsAs(t, "Err", g.Err(), nil)
	h := hearing(1)
	for range h.All() {
	}
	failsAs(t, "Close", h.Close(), nil)
	resultIs(t, h, "[] true")
}

// Rule 112: a generator that yields when it is closed stays alive; the value is
// lost.
func TestGeneratorIgnoresExit(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var tr trail
		g := tough(&tr)
		gave(t, 1)(g.Next())
		for range 3 {
			failsAs(t, "Close", g.Close(), greenlet.ErrIgnoredExit)
			failsAs(t, "Err", g.Err(), nil)
		}
		gave(t, 2)(g.Next())
		failsAs(t, "Close", g.Close(), greenlet.ErrIgnoredExit)
		gave(t, 3)(g.Send("x"))
		gaveUp[int](t, io.EOF)(g.Throw(io.EOF))
		failsAs(t, "Close", g.Close(), nil)
	})
}

// Rule 114: whoever runs cannot be resumed: not by itself, not by one that it
// has resumed, not by a greenlet that it waits for. That changes nothing.
func TestGeneratorFromInside(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var g *intGenerator
		refused := func() {
			t.Helper()
			for range 2 {
				gaveUp[int](t, greenlet.ErrReentrant)(g.Next())
				gaveUp[int](t, greenlet.ErrReentrant)(g.Send("x"))
				gaveUp[int](t, greenlet.ErrReentrant)(g.Throw(errBoom))
				failsAs(t, "Close", g.Close(), greenlet.ErrReentrant)
				failsAs(t, "Err", g.Err(), greenlet.ErrReentrant)
				for range g.All() {
					t.Error("All yielded")
				}
			}
		}
		g = greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			for i := range 3 {
				refused()
				inner := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
					refused()
					return nil, nil
				})
				gaveUp[int](t, greenlet.ErrStop)(inner.Next())
				greenlet.New(func(any) (any, error) { refused(); return nil, nil }).Switch(nil)
				word, err := y.Yield(i)
				if want := fmt.Sprint(i); word != want || err != nil {
					t.Errorf("Yield returned %q, %v, want %q", word, err, want)
				}
			}
			return nil, nil
		})
		gave(t, 0)(g.Next())
		gave(t, 1)(g.Send("0"))
		gave(t, 2)(g.Send("1"))
		gaveUp[int](t, greenlet.ErrStop)(g.Send("2"))
		failsAs(t, "Err", g.Err(), nil)
	})
}

// And not through a delegation: the error comes out of the YieldFrom. What a
// generator delegates to is paused when it is, and may be resumed by others.
func TestGeneratorFromInsideADelegation(t *testing.T) {
	ownTree(t)
	var a, b *intGenerator
	a = greenlet.NewGenerator(func(y *intYielder) ([]string, error) { return greenlet.YieldFrom(y, b) })
	b = greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		if _, err := greenlet.YieldFrom(y, a); !errors.Is(err, greenlet.ErrReentrant) {
			t.Errorf("delegation in a ring: got %v", err)
		}
		if _, err := greenlet.YieldFrom(y, b); !errors.Is(err, greenlet.ErrReentrant) {
			t.Errorf("delegation to itself: got %v", err)
		}
		_, err := y.Yield(7)
		return []string{"b"}, err
	})
	gave(t, 7)(a.Next())
	gaveUp[int](t, greenlet.ErrStop)(a.Next())
	resultIs(t, a, "[b] true")

	inner := hearing(5)
	outer := delegating(inner)
	gave(t, 0)(outer.Next())
	gave(t, 1)(inner.Next())
	gave(t, 2)(outer.Next())
	failsAs(t, "Close", inner.Close(), nil)
	gaveUp[int](t, greenlet.ErrStop)(outer.Next())
	resultIs(t, outer, "[] true") // who closed it has had the result
}

// Rule 115: a body that ends with ErrStop, its own or another generator's, has
// not come to an ordinary end.
func TestGeneratorStopEscapes(t *testing.T) {
	ownTree(t)
	bodies := map[string]func(y *intYielder) (string, error){
		"returned": func(*intYielder) (string, error) { return "", greenlet.ErrStop },
		"wrapped":  func(*intYielder) (string, error) { return "", fmt.Errorf("because: %w", greenlet.ErrStop) },
		"of another one": func(*intYielder) (string, error) {
			v, err := hearing(0).Next()
			return fmt.Sprint(v), err
		},
		"of a delegation": func(y *intYielder) (string, error) {
			_, err := greenlet.YieldFrom(y, greenlet.NewGenerator(func(*intYielder) (string, error) {
				return "", greenlet.ErrStop
			}))
			return "", err
		},
	}
	for name, body := range bodies {
		g := greenlet.NewGenerator(body)
		_, err := g.Next()
		if !errors.Is(err, greenlet.ErrStopEscaped) || errors.Is(err, greenlet.ErrStop) {
			t.Errorf("%s: got %v", name, err)
		}
		if name == "wrapped" && !strings.Contains(err.Error(), "because") {
			t.Errorf("the cause is not in %q", err)
		}
		failsAs(t, name+": Err", g.Err(), greenlet.ErrStopEscaped)
		resultIs(t, g, " false")
		gaveUp[int](t, greenlet.ErrStop)(g.Next())
	}
	// Also if it was thrown in, and nobody handled it.
	g := hearing(1)
	gave(t, 0)(g.Next())
	gaveUp[int](t, greenlet.ErrStopEscaped)(g.Throw(greenlet.ErrStop))
}

// delegating yields from the others, one after the other, and returns all of
// their results.
func delegating(subs ...*intGenerator) *intGenerator {
	return greenlet.NewGenerator(func(y *intYielder) (all []string, err error) {
		for _, sub := range subs {
			heard, err := greenlet.YieldFrom(y, sub)
			if err != nil {
				return nil, err
			}
			all = append(all, heard...)
		}
		return all, nil
	})
}

// Rule 116: Next and Send go to the inner generator, whose result is
// YieldFrom's.
func TestYieldFrom(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		g := delegating(hearing(2), hearing(0), delegating(hearing(1), delegating()), hearing(1))
		gave(t, 0)(g.Next())
		gave(t, 1)(g.Send("a"))
		gave(t, 0)(g.Send("b"))
		gave(t, 0)(g.Next())
		gaveUp[int](t, greenlet.ErrStop)(g.Send("d"))
		resultIs(t, g, "[a b  d] true")

		// Who is paused already goes on; who has ended has no result any more.
		started, ended := hearing(3), hearing(1)
		gave(t, 0)(started.Next())
		for range ended.All() {
		}
		resultIs(t, ended, "[] true")
		g = delegating(ended, started)
		gave(t, 1)(g.Next())
		gave(t, 2)(g.Send("x"))
		gaveUp[int](t, greenlet.ErrStop)(g.Send("y"))
		resultIs(t, g, "[ x y] true")
	})
}

// Rule 117: Throw goes to the innermost; if that ends, the outer one goes on.
func TestYieldFromThrow(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var tr trail
		g := delegating(delegating(tough(&tr)))
		gave(t, 1)(g.Next())
		gave(t, -1)(g.Throw(errBoom))
		gave(t, 2)(g.Next())
		gaveUp[int](t, io.EOF)(g.Throw(io.EOF))
		tr.is(t, "boom; EOF; ended")
		if g.Err() != io.EOF {
			t.Errorf("Err is %v", g.Err())
		}

		mild := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			_, err := y.Yield(1)
			return []string{fmt.Sprint(err)}, nil
		})
		g = delegating(mild, hearing(1))
		gave(t, 1)(g.Next())
		gave(t, 0)(g.Throw(errBoom))
		gaveUp[int](t, greenlet.ErrStop)(g.Send("last"))
		resultIs(t, g, "[boom last] true")
	})
}

// Rule 118: Close and a thrown Exit close the inner one first, and then come out
// of the YieldFrom, whatever the inner one made of it; its own error, or its
// refusal, comes out instead.
func TestYieldFromClose(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		reason := fmt.Errorf("%w: for a reason", greenlet.Exit)
		for _, c := range []struct {
			name  string
			inner func(err error) error // what Yield returned, how it ends
			want  error                 // what comes out of YieldFrom
		}{
			{"returns it", func(err error) error { return err }, reason},
			{"swallows it", func(error) error { return nil }, reason},
			{"fails", func(error) error { return errBoom }, errBoom},
		} {
			var tr trail
			make := func() *intGenerator {
				tr = nil
				inner := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
					defer tr.add("inner")
					_, err := y.Yield(1)
					return []string{"inner's"}, c.inner(err)
				})
				return greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
					defer tr.add("outer")
					_, err := greenlet.YieldFrom(y, delegating(inner))
					tr.add("%v", err)
					return nil, err
				})
			}
			g := make()
			gave(t, 1)(g.Next())
			gaveUp[int](t, c.want)(g.Throw(reason))
			tr.is(t, fmt.Sprintf("inner; %v; outer", c.want))

			g = make()
			gave(t, 1)(g.Next())
			want := c.want
			if want == reason {
				want = nil
			}
			failsAs(t, "Close of one whose inner one "+c.name, g.Close(), want)
			if len(tr) != 3 || tr[0] != "inner" || tr[2] != "outer" {
				t.Errorf("the inner one %s: %v", c.name, tr)
			}
		}

		var tr trail
		stubborn := tough(&tr)
		var seen error
		g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			_, seen = greenlet.YieldFrom(y, stubborn)
			return nil, seen
		})
		gave(t, 1)(g.Next())
		failsAs(t, "Close", g.Close(), greenlet.ErrIgnoredExit)
		failsAs(t, "what came out of YieldFrom", seen, greenlet.ErrIgnoredExit)
		gaveUp[int](t, greenlet.ErrStop)(g.Next()) // the outer one did end
		gave(t, 2)(stubborn.Next())                // the inner one did not
		stubborn.Throw(io.EOF)
	})
}

// Rule 119, sending to something that is not a generator, cannot be written in
// Go: YieldFrom takes generators of the same types.

// Delegation goes through a hundred layers, and so do an error and a panic.
func TestYieldFromNested(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		before := greenlet.Stats().Live
		const depth = 100
		wrap := func(g *intGenerator) *intGenerator {
			for range depth {
				g = delegating(g)
			}
			return g
		}
		g := wrap(hearing(50))
		gave(t, 0)(g.Next())
		for i := 1; i < 50; i++ {
			gave(t, i)(g.Send(fmt.Sprint(i)))
		}
		gaveUp[int](t, greenlet.ErrStop)(g.Send("50"))
		if heard, _ := g.Result(); len(heard) != 50 || heard[49] != "50" {
			t.Errorf("heard %v", heard)
		}

		var tr trail
		g = wrap(tough(&tr))
		gave(t, 1)(g.Next())
		gave(t, -1)(g.Throw(errBoom))
		gaveUp[int](t, io.EOF)(g.Throw(io.EOF))

		g = wrap(greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
			y.Yield(1)
			panic("deep down")
		}))
		gave(t, 1)(g.Next())
		if p := panicOf(func() { g.Next() }); p == nil || p.Value != "deep down" {
			t.Errorf("got %v", p)
		}
		if live := greenlet.Stats().Live; live > before && !strings.Contains(t.Name(), "child") {
			t.Errorf("%d greenlets are left of %d", live, before)
		}
	})
}

// Rule 120: a paused generator that is abandoned is ended when it is collected,
// and its deferred calls run; what goes wrong in them is reported. One that has
// not started goes silently.
func TestGeneratorAbandoned(t *testing.T) {
	ownTree(t)
	before := steady(t)
	var tr trail
	defer greenlet.SetUnraisable(greenlet.SetUnraisable(func(_ *greenlet.Greenlet, err error) {
		var p *greenlet.PanicError
		if errors.As(err, &p) {
			tr.add("reported: %v", p.Value)
		}
	}))
	abandonGenerators(&tr)
	tr.add("abandoned")
	greenlet.Collect()
	slices.Sort(tr[1:])
	tr.is(t, "abandoned; ended; ended; reported: too late")
	// The inner one has ended with the outer one.
	if after := greenlet.Stats(); after.Live != before.Live || after.Collected != before.Collected+2 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

//go:noinline
func abandonGenerators(tr *trail) {
	g := delegating(tough(tr)) // two of them
	g.Next()
	g.Send("x")
	g.Throw(errBoom)
	*tr = nil
	h := greenlet.NewGenerator(func(y *intYielder) (string, error) {
		defer theCulprit("too late")
		defer tr.add("ended")
		y.Yield(1)
		tr.add("went on")
		return "", nil
	})
	h.Next()
	tough(tr) // never started
}

// A loop that breaks abandons its generator; one that is held is paused.
func TestGeneratorOfABrokenLoopIsCollected(t *testing.T) {
	ownTree(t)
	var tr trail
	before := steady(t)
	for range 10 {
		breakLoop(&tr)
	}
	greenlet.Collect()
	tr.is(t, strings.TrimSuffix(strings.Repeat("ended; ", 10), "; "))
	if after := greenlet.Stats(); after.Live != before.Live {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

//go:noinline
func breakLoop(tr *trail) {
	for v := range tough(tr).All() {
		if v == 3 {
			break
		}
	}
}

// Rule 121: a panic that is being handled belongs to the greenlet where it
// happened. A generator that is resumed meanwhile does not see it, nor does the
// consumer see the generator's.
func TestGeneratorDuringAPanic(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
			for i := 0; ; i++ {
				func() {
					defer func() {
						if r := recover(); r != fmt.Sprint("inside ", i) {
							t.Errorf("the generator recovered %v", r)
						}
						y.Yield(i)
						if r := recover(); r != nil {
							t.Errorf("the generator recovered %v", r)
						}
					}()
					panic(fmt.Sprint("inside ", i))
				}()
			}
		})
		n := 0
		for range 3 {
			func() {
				defer func() {
					gave(t, n)(g.Next())
					if r := recover(); r != "outside" {
						t.Errorf("the consumer recovered %v", r)
					}
					gave(t, n+1)(g.Next())
					if r := recover(); r != nil {
						t.Errorf("the consumer recovered %v", r)
					}
					n += 2
				}()
				panic("outside")
			}()
		}
		failsAs(t, "Close", g.Close(), greenlet.ErrIgnoredExit)
	})
}

// Rule 122 is about coroutine objects: they are generators without a name. One
// that has ended cannot be used again (ErrStop), one that runs not twice
// (ErrReentrant), one that refuses to be closed says so (ErrIgnoredExit).

// A panic of the body goes on in the call that waits, whichever it is.
func TestGeneratorPanics(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		steps := map[string]func(g *intGenerator){
			"Next":  func(g *intGenerator) { g.Next() },
			"Send":  func(g *intGenerator) { g.Send("x") },
			"Throw": func(g *intGenerator) { g.Throw(errBoom) },
			"Close": func(g *intGenerator) { g.Close() },
			"All": func(g *intGenerator) {
				for range g.All() {
				}
			},
		}
		for name, step := range steps {
			g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
				y.Yield(1)
				theCulprit(name)
				return nil, nil
			})
			gave(t, 1)(g.Next())
			p := panicOf(func() { step(g) })
			if p == nil || p.Value != name || !strings.Contains(string(p.Stack), "theCulprit") {
				t.Errorf("%s: got %v", name, p)
			}
			gaveUp[int](t, greenlet.ErrStop)(g.Next())
			gaveUp[int](t, greenlet.ErrStop)(g.Send("x"))
			failsAs(t, "Close", g.Close(), nil)
			resultIs(t, g, "[] false")
			if g.Err() == nil {
				t.Error("Err says nothing of the panic")
			}
		}
		atOnce := greenlet.NewGenerator(func(*intYielder) (int, error) { panic(nil) })
		if p := panicOf(func() { atOnce.Next() }); !errors.As(p, new(*runtime.PanicNilError)) {
			t.Errorf("panic(nil) arrives as %v", p)
		}
		fault := greenlet.NewGenerator(func(*intYielder) (int, error) { return []int{}[len(t.Name())], nil })
		if p := panicOf(func() { fault.Next() }); !errors.As(p, new(runtime.Error)) {
			t.Errorf("a runtime error arrives as %v", p)
		}
	})
}

// A Goexit of the body ends the goroutine that resumes.
func TestGeneratorGoexit(t *testing.T) {
	for _, deep := range []bool{false, true} {
		var tr trail
		onGoroutine(func() {
			defer tr.add("main")
			g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
				defer tr.add("body")
				y.Yield(1)
				runtime.Goexit()
				return nil, nil
			})
			if deep {
				g = delegating(g)
			}
			defer func() {
				gaveUp[int](t, greenlet.ErrStop)(g.Next())
				if g.Err() == nil {
					t.Error("Err says nothing of the Goexit")
				}
			}()
			gave(t, 1)(g.Next())
			g.Send("x")
			tr.add("went on")
		})
		tr.is(t, "body; main")
	}
}

// A Yielder is for its body alone, on the body's own greenlet, while it runs.
func TestYielderElsewhere(t *testing.T) {
	ownTree(t)
	var own *intYielder
	wrong := func(where string) {
		t.Helper()
		panicsAs(t, "Yield "+where, greenlet.ErrReentrant, func() { own.Yield(99) })
	}
	g := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		own = y
		greenlet.New(func(any) (any, error) { wrong("in another greenlet"); return nil, nil }).Switch(nil)
		inner := greenlet.NewGenerator(func(mine *intYielder) ([]string, error) {
			wrong("in another generator")
			_, err := mine.Yield(5)
			wrong("in another generator, later")
			return nil, err
		})
		gave(t, 5)(inner.Next())
		gaveUp[int](t, greenlet.ErrStop)(inner.Next())
		_, err := y.Yield(1)
		return nil, err
	})
	gave(t, 1)(g.Next())
	wrong("while it is paused")
	onGoroutine(func() { wrong("on another goroutine") })
	gaveUp[int](t, greenlet.ErrStop)(g.Next())
	wrong("after the end")
	onGoroutine(func() { wrong("after the end, on another goroutine") })

	closed := greenlet.NewGenerator(func(y *intYielder) ([]string, error) {
		own = y
		_, err := y.Yield(1)
		return nil, err
	})
	gave(t, 1)(closed.Next())
	failsAs(t, "Close", closed.Close(), nil)
	wrong("after Close")
}

// A loop over All may be left and taken up again. Two loops share the values.
func TestGeneratorAll(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		g := hearing(10)
		var tr trail
		for v := range g.All() {
			tr.add("%d", v)
			if v == 2 {
				break
			}
		}
		gave(t, 3)(g.Send("between the loops"))
		for v := range g.All() {
			tr.add("%d", v)
			for w := range g.All() {
				tr.add("inner %d", w)
				if w%2 == 1 {
					break
				}
			}
		}
		tr.is(t, "0; 1; 2; 4; inner 5; 6; inner 7; 8; inner 9")
		for range g.All() {
			t.Error("it yields after its end")
		}
		resultIs(t, g, "[  between the loops       ] true")

		// What goes on in the loop's body goes on around the loop.
		g = hearing(10)
		if v := panicValue(func() {
			for range g.All() {
				panic("in the loop")
			}
		}); v != "in the loop" {
			t.Errorf("got %v", v)
		}
		gave(t, 1)(g.Next())
		if v := func() int {
			for v := range g.All() {
				if v == 4 {
					return v
				}
			}
			return -1
		}(); v != 4 {
			t.Errorf("got %v", v)
		}
		failsAs(t, "Close", g.Close(), nil)
	})
}

// A loop cannot return the generator's error: Err does.
func TestGeneratorErr(t *testing.T) {
	ownTree(t)
	g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
		y.Yield(1)
		return "lost", io.ErrUnexpectedEOF
	})
	for range g.All() {
		failsAs(t, "Err in the loop", g.Err(), nil)
	}
	failsAs(t, "Err after the loop", g.Err(), io.ErrUnexpectedEOF)
	resultIs(t, g, " false")
}

// The three types are any; values are passed whole.
func TestGeneratorTypes(t *testing.T) {
	ownTree(t)
	type parcel struct {
		name  string
		words [6]int
		next  *parcel
	}
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[parcel, []parcel]) (map[string]parcel, error) {
		all := map[string]parcel{}
		p := parcel{name: "first"}
		for {
			got, err := y.Yield(p)
			if err != nil {
				return all, nil
			}
			for _, p := range got {
				all[p.name] = p
			}
			p = parcel{name: fmt.Sprint(len(all)), next: &parcel{name: p.name}}
			runtime.GC()
		}
	})
	p, err := g.Next()
	for i := range 20 {
		if err != nil || i > 0 && (p.name != fmt.Sprint(i) || p.next == nil) {
			t.Fatalf("step %d: %v, %v", i, p, err)
		}
		p, err = g.Send([]parcel{{name: fmt.Sprint("p", i), words: [6]int{5: i}}})
	}
	failsAs(t, "Close", g.Close(), nil)
	all, ok := g.Result()
	if !ok || len(all) != 20 || all["p19"].words[5] != 19 {
		t.Errorf("got %v", all)
	}
	empty := greenlet.NewGenerator(func(y *greenlet.Yielder[struct{}, struct{}]) (struct{}, error) {
		return y.Yield(struct{}{})
	})
	gave(t, struct{}{})(empty.Next())
	gaveUp[struct{}](t, greenlet.ErrStop)(empty.Send(struct{}{}))
}

// What was sent, yielded and thrown is not kept alive by the generator that
// waits or has ended.
func TestGeneratorKeepsNothing(t *testing.T) {
	ownTree(t)
	gone := make(chan string, 10)
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[*[32]int, *[32]int]) (int, error) {
		for {
			if _, err := y.Yield(watched("yielded", gone)); err == io.EOF {
				return 0, nil
			}
		}
	})
	deeper(10, func() {
		g.Next()
		g.Send(watched("sent", gone))
		g.Throw(&watchedError{watched("thrown", gone)})
		g.Next()
	})
	awaitGone := func(n int) {
		t.Helper()
		eventually(t, fmt.Sprintf("%d values are gone", n), func() bool { return len(gone) >= n }, func() {
			deeper(10, func() {})
			runtime.GC()
			runtime.Gosched()
		})
	}
	awaitGone(5) // all but the last that was yielded
	deeper(10, func() { g.Throw(io.EOF) })
	awaitGone(6)
	runtime.KeepAlive(g)
}

// On another goroutine a generator is foreign, in every state; the owner does
// not notice.
func TestGeneratorForeign(t *testing.T) {
	ownTree(t)
	states := map[string]*intGenerator{"not started": hearing(3), "paused": hearing(3), "ended": hearing(0)}
	gave(t, 0)(states["paused"].Next())
	gaveUp[int](t, greenlet.ErrStop)(states["ended"].Next())
	for state, g := range states {
		onGoroutine(func() {
			for range 3 {
				gaveUp[int](t, greenlet.ErrForeign)(g.Next())
				gaveUp[int](t, greenlet.ErrForeign)(g.Send("x"))
				gaveUp[int](t, greenlet.ErrForeign)(g.Throw(errBoom))
				failsAs(t, state+": Close", g.Close(), greenlet.ErrForeign)
				for range g.All() {
					t.Errorf("%s: All yielded", state)
				}
				failsAs(t, state+": Err", g.Err(), greenlet.ErrForeign)
			}
			_, err := g.Next()
			if text := err.Error(); !strings.Contains(text, "caller: goroutine "+goroutineNumber()+";") || !strings.Contains(text, "resume") {
				t.Errorf("%s: the text is %q", state, text)
			}
			mine := delegating(g)
			gaveUp[int](t, greenlet.ErrForeign)(mine.Next())
		})
	}
	gave(t, 0)(states["not started"].Next())
	gave(t, 1)(states["paused"].Send("mine"))
	gave(t, 2)(states["paused"].Next())
	gaveUp[int](t, greenlet.ErrStop)(states["paused"].Next())
	resultIs(t, states["paused"], "[mine  ] true")
	failsAs(t, "Close", states["not started"].Close(), nil)
}

// Goroutines that call at the same time as the owner are all refused, and the
// owner does not notice.
func TestGeneratorForeignersAtOnce(t *testing.T) {
	ownTree(t)
	g := hearing(1 << 30)
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
				gaveUp[int](t, greenlet.ErrForeign)(g.Next())
				gaveUp[int](t, greenlet.ErrForeign)(g.Send("x"))
				gaveUp[int](t, greenlet.ErrForeign)(g.Throw(errBoom))
				failsAs(t, "Close", g.Close(), greenlet.ErrForeign)
				failsAs(t, "Err", g.Err(), greenlet.ErrForeign)
				runtime.Gosched()
			}
		}()
	}
	gave(t, 0)(g.Next())
	for i := 1; i < 20000; i++ {
		if i%2 == 0 {
			gave(t, i)(g.Next())
		} else {
			gave(t, i)(g.Send("mine"))
		}
	}
	close(stop)
	for range intruders {
		<-stopped
	}
	failsAs(t, "Close", g.Close(), nil)
}

// Any greenlet of the tree may resume a generator, which goes back to it.
func TestGeneratorConsumers(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		main := greenlet.Current()
		g := hearing(100)
		n := 0
		step := func() {
			gave(t, n)(g.Next())
			n++
		}
		other := greenlet.New(func(any) (any, error) {
			for {
				step()
				main.Switch(nil)
			}
		})
		for n < 100 {
			step()
			other.Switch(nil)
		}
		other.Kill()
		gaveUp[int](t, greenlet.ErrStop)(g.Next())
	})
}

// A greenlet that waits in Next should not be switched to. If it is, there is
// an error in place of a value, and the generator goes on later.
func TestGeneratorConsumerIsSwitchedTo(t *testing.T) {
	main := ownTree(t)
	var self *greenlet.Greenlet
	g := greenlet.NewGenerator(func(y *intYielder) (string, error) {
		self = greenlet.Current()
		y.Yield(1)
		main.Switch("a value of somebody else")
		y.Yield(2)
		main.Throw(errBoom)
		return "end", nil
	})
	gave(t, 1)(g.Next())
	gaveUp[int](t, greenlet.ErrReentrant)(g.Next())
	gaveUp[int](t, greenlet.ErrReentrant)(g.Next())
	self.Switch(nil) // it yields, to whoever waited in Next last
	gaveUp[int](t, errBoom)(g.Next())
	self.Switch(nil)
	gaveUp[int](t, greenlet.ErrStop)(g.Next())
	resultIs(t, g, "end true")
}

func TestGeneratorAllocations(t *testing.T) {
	if raceOn || unoptimised() {
		t.Skip("the race detector allocates, and so does code that is not optimised")
	}
	ownTree(t)
	g := hearing(1 << 30)
	quiet := greenlet.NewGenerator(func(y *intYielder) (string, error) {
		for i := 0; ; i++ {
			y.Yield(i)
		}
	})
	deep := greenlet.NewGenerator(func(y *intYielder) (string, error) { return greenlet.YieldFrom(y, quiet) })
	allocates(t, "Next and Yield", 0, func() { quiet.Next() })
	allocates(t, "Send and Yield", 0, func() { quiet.Send("x") })
	allocates(t, "Throw and Yield", 0, func() { quiet.Throw(errBoom) })
	allocates(t, "a loop over All", 0, func() {
		n := 0
		for range quiet.All() {
			if n++; n == 10 {
				break
			}
		}
	})
	allocates(t, "Next through YieldFrom", 0, func() { deep.Next() })
	allocates(t, "Result and Err", 0, func() { g.Result(); g.Err() })
}

// A body that joins another error to the end is not taken for one that has ended in
// peace: what only is the end, or alone wraps it, is.
func TestGeneratorEndJoined(t *testing.T) {
	disk := &os.PathError{Op: "close", Path: "f", Err: errors.New("the disk is full")}
	for _, c := range []struct {
		end   func(err error) error
		quiet bool
	}{
		{func(err error) error { return err }, true},
		{func(err error) error { return fmt.Errorf("closed: %w", err) }, true},
		{func(err error) error { return errors.Join(err, nil) }, true},
		{func(err error) error { return errors.Join(err, greenlet.ErrStop) }, true},
		{func(error) error { return greenlet.ErrStop }, true},
		{func(err error) error { return errors.Join(err, disk) }, false},
		{func(err error) error { return fmt.Errorf("%w, and %w", disk, err) }, false},
		{func(error) error { return errors.Join(greenlet.ErrStop, disk) }, false},
		{func(error) error { return disk }, false},
	} {
		body := func(y *greenlet.Yielder[int, any]) (any, error) {
			_, err := y.Yield(1)
			return nil, c.end(err)
		}
		what := fmt.Sprint(c.end(greenlet.Exit))
		check := func(err error) {
			t.Helper()
			if c.quiet {
				require.NoError(t, err, what)
			} else {
				require.ErrorAs(t, err, new(*os.PathError), what)
			}
		}
		g := greenlet.NewGenerator(body)
		g.Next()
		check(g.Close())

		outer := greenlet.NewGenerator(func(y *greenlet.Yielder[int, any]) (any, error) {
			return greenlet.YieldFrom(y, greenlet.NewGenerator(body))
		})
		outer.Next()
		check(outer.Close())
	}
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, any]) (any, error) {
		return nil, errors.Join(greenlet.ErrStop, disk)
	})
	_, err := g.Next()
	require.ErrorIs(t, err, greenlet.ErrStopEscaped)
	require.NotErrorIs(t, err, greenlet.ErrStop)
	require.ErrorIs(t, err, disk)
	require.ErrorAs(t, err, new(*os.PathError))

	// What is thrown is an exit, or it is not.
	inner := hearing(3)
	thrown := errors.Join(greenlet.Exit, disk)
	outer := greenlet.NewGenerator(func(y *intYielder) ([]string, error) { return greenlet.YieldFrom(y, inner) })
	outer.Next()
	_, err = outer.Throw(thrown)
	require.Equal(t, thrown, err)
	require.Equal(t, thrown, inner.Err())
}

// A greenlet that joins another error to Exit has failed.
func TestExitJoined(t *testing.T) {
	main, disk := greenlet.Current(), errors.New("the disk is full")
	for _, c := range []struct {
		end   func(err error) error
		quiet bool
	}{
		{func(err error) error { return errors.Join(err, nil) }, true},
		{func(err error) error { return errors.Join(err, disk) }, false},
	} {
		g := greenlet.New(func(any) (any, error) {
			_, err := main.Switch(nil)
			return nil, c.end(err)
		})
		g.Switch(nil)
		v, err := g.Throw(nil)
		if c.quiet {
			require.NoError(t, err)
			require.ErrorIs(t, v.(error), greenlet.Exit)
		} else {
			require.ErrorIs(t, err, disk)
		}
		dead := greenlet.New(func(any) (any, error) { return nil, nil })
		dead.Switch(nil)
		_, err = dead.Throw(c.end(greenlet.Exit))
		require.Equal(t, c.quiet, err == nil)
	}
}
