package greenlet_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/go-greenlet/greenlet"
)

// A cast is a tree with a greenlet in every state, to provoke refusals with.
type cast struct {
	t *testing.T

	main, fresh, suspended, dead, bodiless, zero, foreign *greenlet.Greenlet
}

func newCast(t *testing.T) *cast {
	c := &cast{
		t:         t,
		main:      ownTree(t),
		fresh:     greenlet.New(returning("fresh ran")),
		suspended: waiting(t),
		bodiless:  greenlet.New(nil),
		zero:      new(greenlet.Greenlet),
	}
	c.dead = ended(t, greenlet.WithParent(c.suspended))
	onGoroutine(func() { c.foreign = greenlet.New(unwanted(t)) })
	return c
}

// state is all that can be seen of a cast from outside.
func (c *cast) state() string {
	var b strings.Builder
	for _, g := range []*greenlet.Greenlet{c.main, c.fresh, c.suspended, c.dead, c.bodiless, c.zero, c.foreign} {
		fmt.Fprintf(&b, "%v, parent %v; ", g, g.Parent())
	}
	s := greenlet.Stats()
	fmt.Fprintf(&b, "%d alive, current %v", s.Live, greenlet.Current())
	return b.String()
}

func second(_ any, err error) error { return err }

// refusals are all sentences with which something is refused, and how to get
// them. Numbers differ from run to run.
var refusals = []struct {
	name    string
	provoke func(c *cast) error
	is      error
	text    string // a regular expression for the whole sentence
}{
	{"Switch to nil", func(*cast) error { return second((*greenlet.Greenlet)(nil).Switch(1)) },
		greenlet.ErrNil, `greenlet: cannot switch to a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"Throw to nil", func(*cast) error { return second((*greenlet.Greenlet)(nil).Throw(errBoom)) },
		greenlet.ErrNil, `greenlet: cannot switch to a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"Switch to Greenlet{}", func(c *cast) error { return second(c.zero.Switch(1)) },
		greenlet.ErrNil, `greenlet: cannot switch to a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"Throw to Greenlet{}", func(c *cast) error { return second(c.zero.Throw(nil)) },
		greenlet.ErrNil, `greenlet: cannot switch to a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"Kill nil", func(*cast) error { return (*greenlet.Greenlet)(nil).Kill() },
		greenlet.ErrNil, `greenlet: cannot kill a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"Kill Greenlet{}", func(c *cast) error { return c.zero.Kill() },
		greenlet.ErrNil, `greenlet: cannot kill a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"SetParent of nil", func(c *cast) error { return (*greenlet.Greenlet)(nil).SetParent(c.main) },
		greenlet.ErrNil, `greenlet: cannot set the parent of a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"SetParent of Greenlet{}", func(c *cast) error { return c.zero.SetParent(c.main) },
		greenlet.ErrNil, `greenlet: cannot set the parent of a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"SetParent to nil", func(c *cast) error { return c.suspended.SetParent(nil) },
		greenlet.ErrNil, `greenlet: cannot make a parent of a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},
	{"SetParent to Greenlet{}", func(c *cast) error { return c.suspended.SetParent(c.zero) },
		greenlet.ErrNil, `greenlet: cannot make a parent of a nil greenlet, or one that New did not make \(greenlet: nil greenlet\)`},

	{"Switch to one without a body", func(c *cast) error { return second(c.bodiless.Switch(1)) },
		greenlet.ErrNoBody, `greenlet: cannot start a greenlet without a body \(greenlet \d+ \(not started\)\)`},
	{"Throw to one without a body", func(c *cast) error { return second(c.bodiless.Throw(errBoom)) },
		greenlet.ErrNoBody, `greenlet: cannot start a greenlet without a body \(greenlet \d+ \(not started\)\)`},

	{"Switch to a foreign one", func(c *cast) error { return second(c.foreign.Switch(1)) },
		greenlet.ErrForeign, `greenlet: cannot switch to a greenlet of another goroutine \(caller: goroutine \d+; target: greenlet \d+ \(not started\) of the tree of goroutine \d+\)`},
	{"Throw to a foreign one", func(c *cast) error { return second(c.foreign.Throw(nil)) },
		greenlet.ErrForeign, `greenlet: cannot switch to a greenlet of another goroutine \(caller: goroutine \d+; target: greenlet \d+ \(not started\) of the tree of goroutine \d+\)`},
	{"Kill a foreign one", func(c *cast) error { return c.foreign.Kill() },
		greenlet.ErrForeign, `greenlet: cannot kill a greenlet of another goroutine \(caller: goroutine \d+; target: greenlet \d+ \(not started\) of the tree of goroutine \d+\)`},
	{"SetParent of a foreign one", func(c *cast) error { return c.foreign.SetParent(c.main) },
		greenlet.ErrForeign, `greenlet: cannot set the parent of a greenlet of another goroutine \(caller: goroutine \d+; target: greenlet \d+ \(not started\) of the tree of goroutine \d+\)`},
	{"SetParent to a foreign one", func(c *cast) error { return c.suspended.SetParent(c.foreign) },
		greenlet.ErrForeign, `greenlet: cannot make a parent of a greenlet of another goroutine \(caller: goroutine \d+; target: greenlet \d+ \(not started\) of the tree of goroutine \d+\)`},

	{"SetParent to itself", func(c *cast) error { return c.fresh.SetParent(c.fresh) },
		greenlet.ErrCycle, `greenlet: cyclic parent chain: greenlet \d+ \(not started\) cannot be a descendant of itself`},
	{"SetParent to a child", func(c *cast) error { return c.suspended.SetParent(c.dead) },
		greenlet.ErrCycle, `greenlet: cyclic parent chain: greenlet \d+ \(suspended\) cannot be a descendant of itself`},

	{"Kill main", func(c *cast) error { return c.main.Kill() },
		greenlet.ErrMain, `greenlet: cannot kill the main greenlet \(greenlet: a main greenlet has no parent and cannot be killed\)`},
	{"SetParent of main", func(c *cast) error { return c.main.SetParent(c.fresh) },
		greenlet.ErrMain, `greenlet: cannot set the parent of the main greenlet \(greenlet: a main greenlet has no parent and cannot be killed\)`},

	{"next inside of its sequence", func(*cast) (err error) {
		defer func() {
			if e, ok := recover().(error); ok {
				err = e
			}
		}()
		var next func() (int, bool)
		next, stop := greenlet.Pull(func(func(int) bool) { next() })
		defer stop()
		next()
		return nil
	}, greenlet.ErrReentrant, `greenlet: resumed while it runs \(.*\)`},
	{"a Pull of outside in a synctest bubble", func(c *cast) (err error) {
		next, stop := greenlet.Pull(func(yield func(int) bool) { yield(1) })
		defer stop()
		next()
		synctest.Test(c.t, func(*testing.T) {
			defer greenlet.Close()
			defer func() { err, _ = recover().(error) }()
			next()
		})
		return err
	}, greenlet.ErrForeign, `greenlet: cannot resume a coroutine that was started in another testing/synctest bubble, or outside of all \(greenlet: cannot switch to a greenlet of another goroutine; target: greenlet \d+ \(.*\)\)`},

	// Not a refusal: what Throw(nil) throws.
	{"Exit", func(c *cast) error { return second(c.main.Throw(nil)) }, greenlet.Exit, `greenlet: exit`},
}

// Every refusal has its sentence, is one of the errors that callers test for,
// and only that one, and changes nothing; in main and in a child.
func TestRefusals(t *testing.T) {
	sentinels := []error{greenlet.Exit, greenlet.ErrForeign, greenlet.ErrCycle, greenlet.ErrNil, greenlet.ErrNoBody, greenlet.ErrMain, greenlet.ErrReentrant}
	for _, r := range refusals {
		t.Run(r.name, func(t *testing.T) {
			c := newCast(t)
			check := func() {
				before := c.state()
				err := r.provoke(c)
				if err == nil || !regexp.MustCompile(`^`+r.text+`$`).MatchString(err.Error()) {
					t.Errorf("the sentence is\n%v\nwant\n%s", err, r.text)
				}
				for _, s := range sentinels {
					if errors.Is(err, s) != (s == r.is) {
						t.Errorf("errors.Is(%v, %v) is %v", err, s, s != r.is)
					}
				}
				if after := c.state(); after != before {
					t.Errorf("something changed\nbefore %s\n after %s", before, after)
				}
			}
			check()
			if r.is != greenlet.Exit { // thrown at main, it arrives there
				gives(t, "checked")(greenlet.New(func(any) (any, error) {
					check()
					return "checked", nil
				}).Switch(nil))
			}
			// Nothing was delivered, and everything works.
			gives(t, "fresh ran")(c.fresh.Switch(nil))
			gives(t, "a value of its own")(c.suspended.Switch("a value of its own"))
		})
	}
}

// A refused switch in the middle of others leaves their values alone.
func TestRefusedSwitchesDeliverNothing(t *testing.T) {
	c := newCast(t)
	g := greenlet.New(func(v any) (any, error) {
		for {
			second(c.foreign.Switch("lost"))
			second(c.bodiless.Switch("lost"))
			second(c.zero.Switch("lost"))
			var err error
			if v, err = c.main.Switch(v); err != nil {
				return nil, err
			}
		}
	})
	for i := range 100 {
		second(c.foreign.Switch("lost"))
		gives(t, i)(g.Switch(i))
	}
	isIn(t, c.foreign, "not started")
	isIn(t, c.bodiless, "not started")
}

// All sentences of errors.go are in the table: its texts are read from the
// source, so that a new one cannot be forgotten.
func TestRefusalsAreComplete(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	verb := regexp.MustCompile(`%[a-z]`)
	sentences := 0
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || len(call.Args) == 0 {
			return true
		}
		literal, ok := call.Args[0].(*ast.BasicLit)
		if !ok || literal.Kind != token.STRING {
			return true
		}
		text, _ := strconv.Unquote(literal.Value)
		sentences++
		parts := verb.Split(text, -1)
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		want := regexp.MustCompile(strings.Join(parts, ".*"))
		for _, r := range refusals {
			// As it is written in the table, without the escapes.
			if want.MatchString(strings.ReplaceAll(r.text, `\`, ``)) {
				return true
			}
		}
		t.Errorf("no test provokes %q", text)
		return true
	})
	if sentences < 12 {
		t.Errorf("found only %d sentences in errors.go", sentences)
	}
}

// What is nil where nil has a meaning.
func TestNilThatIsAllowed(t *testing.T) {
	main := ownTree(t)
	if g := greenlet.New(nil, greenlet.WithParent(nil)); g.Parent() != main {
		t.Errorf("WithParent(nil): the parent is %v", g.Parent())
	}
	gives(t, nil)(main.Switch(nil))
	if g := greenlet.New(nil); g.Kill() != nil || !g.Dead() {
		t.Error("one without a body cannot be killed")
	}
	// A tree cannot be joined by way of a greenlet that New did not make.
	g := greenlet.New(unwanted(t), greenlet.WithParent(new(greenlet.Greenlet)))
	if _, err := g.Switch(nil); !errors.Is(err, greenlet.ErrNil) {
		t.Errorf("got %v", err)
	}
	if err := g.SetParent(main); !errors.Is(err, greenlet.ErrNil) {
		t.Errorf("got %v", err)
	}
}
