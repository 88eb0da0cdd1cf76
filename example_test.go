package greenlet_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/go-greenlet/greenlet"
)

func ExampleNew() {
	defer greenlet.Close()

	main := greenlet.Current()
	g := greenlet.New(func(v any) (any, error) {
		fmt.Println("child got", v)
		v, err := main.Switch("a question")
		if err != nil {
			return nil, err
		}
		fmt.Println("child got", v)
		return "goodbye", nil
	})

	v, _ := g.Switch("hello") // starts it
	fmt.Println("main got", v)
	v, _ = g.Switch("an answer") // resumes it where it waits
	fmt.Println("main got", v, "- child is dead:", g.Dead())
	// Output:
	// child got hello
	// main got a question
	// child got an answer
	// main got goodbye - child is dead: true
}

// Any greenlet of a goroutine may switch to any other: here to a sibling, which
// is neither its parent nor its child.
func ExampleGreenlet_Switch() {
	defer greenlet.Close()

	var ping, pong *greenlet.Greenlet
	ping = greenlet.New(func(any) (any, error) {
		for i := range 3 {
			v, _ := pong.Switch(i)
			fmt.Println("pong made", v)
		}
		return nil, nil
	})
	pong = greenlet.New(func(v any) (any, error) {
		for {
			v, _ = ping.Switch(v.(int) * 10)
		}
	})

	ping.Switch(nil)
	// Output:
	// pong made 0
	// pong made 10
	// pong made 20
}

// An error thrown into a waiting greenlet is the error of the Switch in which
// it waits. What it does not handle, it returns to its parent.
func ExampleGreenlet_Throw() {
	defer greenlet.Close()

	errRetry, errBroken := errors.New("try again"), errors.New("broken")
	main := greenlet.Current()
	worker := greenlet.New(func(any) (any, error) {
		_, err := main.Switch("working")
		for errors.Is(err, errRetry) {
			_, err = main.Switch("retrying")
		}
		return nil, err
	})

	fmt.Println(worker.Switch(nil))
	fmt.Println(worker.Throw(errRetry))
	fmt.Println(worker.Throw(errBroken))
	// Output:
	// working <nil>
	// retrying <nil>
	// <nil> broken
}

// Throw(nil) throws Exit: a request, which a greenlet may refuse. A body that
// returns it ends quietly, and the parent gets Exit as a value.
func ExampleExit() {
	defer greenlet.Close()

	main := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		_, err := main.Switch(nil)
		fmt.Println("told to exit:", errors.Is(err, greenlet.Exit))
		_, err = main.Switch("not yet")
		return nil, err
	})
	g.Switch(nil)

	v, err := g.Throw(nil)
	fmt.Println(v, err, g.Dead())
	v, err = g.Throw(nil)
	fmt.Println(v == greenlet.Exit, err, g.Dead())
	// Output:
	// told to exit: true
	// not yet <nil> false
	// true <nil> true
}

// A greenlet that ends passes control to its parent, whoever switched to it.
func ExampleGreenlet_SetParent() {
	defer greenlet.Close()

	hub := greenlet.New(func(v any) (any, error) {
		return fmt.Sprint("hub heard of ", v), nil
	})
	g := greenlet.New(func(any) (any, error) { return "the end", nil })

	fmt.Println(g.Parent() == greenlet.Current())
	fmt.Println(g.SetParent(hub))
	fmt.Println(g.Switch(nil))

	err := hub.SetParent(g)
	fmt.Println(errors.Is(err, greenlet.ErrCycle))
	// Output:
	// true
	// <nil>
	// hub heard of the end <nil>
	// true
}

// WithParent gives the parent at creation; without it, that is the greenlet
// which calls New.
func ExampleWithParent() {
	defer greenlet.Close()

	log := greenlet.New(func(v any) (any, error) {
		fmt.Println("log:", v)
		return nil, nil
	})
	job := greenlet.New(func(any) (any, error) { return "job done", nil }, greenlet.WithParent(log))

	job.Switch(nil)
	fmt.Println(job.Dead(), log.Dead())
	// Output:
	// log: job done
	// true true
}

func ExampleWithName() {
	defer greenlet.Close()

	g := greenlet.New(func(any) (any, error) {
		return greenlet.Current().Name(), nil
	}, greenlet.WithName("reader"))

	fmt.Println(g.Name())
	fmt.Println(g.Switch(nil))
	// Output:
	// reader
	// reader <nil>
}

// Args carries several values, or none, in one switch; a slice of any other
// type is one value.
func ExampleArgs() {
	defer greenlet.Close()

	g := greenlet.New(func(v any) (any, error) {
		for {
			if args, ok := v.(greenlet.Args); ok {
				fmt.Println(len(args), "values:", args)
			} else {
				fmt.Println("one value:", v)
			}
			var err error
			if v, err = greenlet.Current().Parent().Switch(nil); err != nil {
				return nil, err
			}
		}
	})
	g.Switch(greenlet.Args{"a", 2, true})
	g.Switch(greenlet.Args{})
	g.Switch([]int{1, 2})
	// Output:
	// 3 values: [a 2 true]
	// 0 values: []
	// one value: [1 2]
}

// Every goroutine has a tree of greenlets of its own. At its root stands a main
// greenlet, made when it is first asked for.
func ExampleCurrent() {
	defer greenlet.Close()

	main := greenlet.Current()
	fmt.Println("main has a parent:", main.Parent() != nil)

	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		fmt.Println("in the child:", greenlet.Current() == g)
		return nil, nil
	})
	g.Switch(nil)
	fmt.Println("after it:", greenlet.Current() == main)
	// Output:
	// main has a parent: false
	// in the child: true
	// after it: true
}

// A greenlet belongs to the goroutine that made it.
func ExampleErrForeign() {
	defer greenlet.Close()

	g := greenlet.New(func(any) (any, error) { return "done", nil })
	refused := make(chan error)
	go func() {
		defer greenlet.Close()
		_, err := g.Switch(nil)
		refused <- err
	}()
	fmt.Println(errors.Is(<-refused, greenlet.ErrForeign))
	fmt.Println(g.Switch(nil)) // nothing has happened to it
	// Output:
	// true
	// done <nil>
}

// Kill cannot be refused: the stack is unwound and the deferred calls run.
func ExampleGreenlet_Kill() {
	defer greenlet.Close()

	main := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		defer fmt.Println("cleaned up")
		for {
			main.Switch(nil) // never looks at the error
		}
	})
	g.Switch(nil)

	fmt.Println(g.Kill(), g.Dead())
	// Output:
	// cleaned up
	// <nil> true
}

// Close ends all greenlets of the calling goroutine, children first.
func ExampleClose() {
	defer fmt.Println("closed")
	defer greenlet.Close()

	main := greenlet.Current()
	parent := greenlet.New(func(any) (any, error) {
		defer fmt.Println("parent ends")
		child := greenlet.New(func(any) (any, error) {
			defer fmt.Println("child ends")
			return main.Switch("both wait")
		})
		return child.Switch(nil)
	})
	fmt.Println(parent.Switch(nil))
	// Output:
	// both wait <nil>
	// child ends
	// parent ends
	// closed
}

// A waiting greenlet to which nobody holds a reference any more is killed. That
// happens after a garbage collection, at the latest in Collect.
func ExampleCollect() {
	defer greenlet.Close()

	func() {
		main := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			defer fmt.Println("cleaned up")
			return main.Switch("waiting")
		})
		fmt.Println(g.Switch(nil))
	}()
	fmt.Println("forgotten")
	greenlet.Collect()
	fmt.Println("collected")
	// Output:
	// waiting <nil>
	// forgotten
	// cleaned up
	// collected
}

// The trace function is called after each transfer of control in the calling
// goroutine's tree.
func ExampleSetTrace() {
	defer greenlet.Close()

	main := greenlet.Current()
	names := map[*greenlet.Greenlet]string{main: "main"}
	old := greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		fmt.Println(ev, names[from], "->", names[to])
	})
	defer greenlet.SetTrace(old)

	g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
	names[g] = "g"
	g.Switch(nil)
	g.Throw(errors.New("stop"))
	// Output:
	// switch main -> g
	// switch g -> main
	// throw main -> g
	// throw g -> main
}

// Stack tells where a suspended greenlet waits, innermost call first.
func ExampleGreenlet_Stack() {
	defer greenlet.Close()

	main := greenlet.Current()
	g := greenlet.New(func(any) (any, error) { return waitForReply(main) })
	g.Switch(nil)

	for _, frame := range g.Stack() {
		if strings.HasSuffix(frame.Function, ".waitForReply") {
			fmt.Println("waits in waitForReply, called by")
		}
		if strings.Contains(frame.Function, "ExampleGreenlet_Stack") {
			fmt.Println("a function of this example")
		}
	}
	// Output:
	// waits in waitForReply, called by
	// a function of this example
}

//go:noinline
func waitForReply(from *greenlet.Greenlet) (any, error) {
	return from.Switch("request")
}

// All lists the living greenlets of all goroutines, for tools.
func ExampleAll() {
	defer greenlet.Close()

	main := greenlet.Current()
	wait := func(any) (any, error) { return main.Switch(nil) }
	g := greenlet.New(wait, greenlet.WithName("worker"))
	g.Switch(nil)

	for g := range greenlet.All() {
		if g.Parent() == main {
			fmt.Println(g.Name(), "is suspended:", g.Active())
		}
	}
	// Output:
	// worker is suspended: true
}

// A panic in a body goes on in the parent, with the stack of its origin.
func ExamplePanicError() {
	defer greenlet.Close()

	g := greenlet.New(func(any) (any, error) {
		panic("out of cheese")
	}, greenlet.WithName("shop"))

	defer func() {
		var p *greenlet.PanicError
		if err, ok := recover().(error); ok && errors.As(err, &p) {
			fmt.Println("in the shop:", strings.Contains(p.Greenlet, "shop"))
			fmt.Println("panicked with:", p.Value)
			fmt.Println("stack of the panic:", strings.Contains(string(p.Stack), "ExamplePanicError"))
		}
	}()
	g.Switch(nil)
	// Output:
	// in the shop: true
	// panicked with: out of cheese
	// stack of the panic: true
}

// Backend tells which switch is in use, and why.
func ExampleBackend() {
	b := greenlet.Backend()
	fmt.Println(b.Name != "", b.Reason != "")
	// Output: true true
}

// Stats counts the greenlets of all goroutines, for tests and monitoring.
func ExampleStats() {
	defer greenlet.Close()

	main := greenlet.Current()
	before := greenlet.Stats()
	g := greenlet.New(func(any) (any, error) { return main.Switch(nil) })
	g.Switch(nil)

	fmt.Println("suspended:", greenlet.Stats().Suspended-before.Suspended)
	g.Kill()
	fmt.Println("suspended:", greenlet.Stats().Suspended-before.Suspended)
	// Output:
	// suspended: 1
	// suspended: 0
}

func ExampleGreenlet_IsCurrent() {
	defer greenlet.Close()
	main := greenlet.Current()
	fmt.Println(main.IsCurrent())
	greenlet.New(func(any) (any, error) {
		fmt.Println(main.IsCurrent())
		return nil, nil
	}).Switch(nil)
	// Output:
	// true
	// false
}

func ExampleGreenlet_Owned() {
	defer greenlet.Close()
	g := greenlet.New(func(any) (any, error) { return nil, nil })
	other := make(chan bool)
	go func() { other <- g.Owned() }()
	fmt.Println(g.Owned(), <-other)
	// Output:
	// true false
}
