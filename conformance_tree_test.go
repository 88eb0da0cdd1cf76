package greenlet_test

import (
	"reflect"

	"github.com/go-greenlet/greenlet"
)

// playCreatorIsParent: the parent is the greenlet that created it, not the one
// that first switched to it.
func playCreatorIsParent(s *scene) {
	var a, b, c *greenlet.Greenlet
	a = greenlet.New(func(any) (any, error) {
		c = greenlet.New(func(word any) (any, error) {
			s.log("C runs with", word, "and its parent is A", greenlet.Current().Parent() == a)
			return "C result", nil
		})
		s.log("A created C")
		got, err := s.main.Switch("A waits")
		if err != nil {
			return nil, err
		}
		s.log("A got", got)
		return "A result", nil
	})
	b = greenlet.New(func(any) (any, error) {
		s.log("B starts C")
		got, err := c.Switch("hello")
		if err != nil {
			return nil, err
		}
		s.log("B got", got)
		return "B result", nil
	})
	s.log("main got", s.got(a.Switch(nothing)))
	s.log("main got", s.got(b.Switch(nothing))) // B to C, C dies into A, A dies into main
	s.log("A dead", a.Dead(), "B dead", b.Dead(), "C dead", c.Dead())
	s.log("main got", s.got(b.Switch("wake up")))
	s.log("B dead", b.Dead())
}

// playReparent: the parent can be given at creation or changed later; death
// goes to the parent of that moment.
func playReparent(s *scene) {
	hub := greenlet.New(func(any) (any, error) {
		got, err := s.main.Switch("hub ready")
		for err == nil {
			s.log("hub got", got)
			got, err = s.main.Switch("hub idle")
			if is[valueError](err) {
				s.log("hub caught", err)
				got, err = s.main.Switch("hub shaken")
			}
		}
		return nil, err
	})
	quick := func(x any) (any, error) {
		s.log("quick", x)
		return "quick " + x.(string), nil
	}
	slow := func(x any) (any, error) {
		s.log("slow", x, "parent is hub", greenlet.Current().Parent() == hub)
		if _, err := s.main.Switch("slow waits"); err != nil {
			return nil, err
		}
		s.log("slow", x, "parent is hub", greenlet.Current().Parent() == hub)
		return "slow " + x.(string), nil
	}
	failing := func(any) (any, error) { return nil, valueError("failing failed") }

	s.log("main got", s.got(hub.Switch(nothing)))
	s.log("main got", s.got(greenlet.New(quick, greenlet.WithParent(hub)).Switch("one"))) // dies into hub
	s.log("main got", s.got(greenlet.New(quick).Switch("two")))                           // dies into main

	g := greenlet.New(slow)
	s.log("main got", s.got(g.Switch("three")))
	s.adopt(hub, g) // while suspended
	s.log("main got", s.got(g.Switch(nothing)))
	s.log("parent of the dead is hub", g.Parent() == hub)

	g = greenlet.New(slow, greenlet.WithParent(hub))
	s.log("main got", s.got(g.Switch("four")))
	s.adopt(s.main, g)
	s.log("main got", s.got(g.Switch(nothing)))

	s.log("main got", s.got(greenlet.New(failing, greenlet.WithParent(hub)).Switch(nothing))) // errors follow it too
	s.log("main got", s.got(hub.Switch("still alive")))
	s.log("main got", s.got(hub.Throw(nil)))
}

// playStates: Active, Dead, Current and Parent through a greenlet's life.
func playStates(s *scene) {
	report := func(where string, g *greenlet.Greenlet) {
		s.log(where+": active", g.Active(), "dead", g.Dead(), "current", greenlet.Current() == g)
	}
	var g *greenlet.Greenlet
	body := func(any) (any, error) {
		report("inside, child", g)
		report("inside, main", s.main)
		s.log("inside: parent is main", g.Parent() == s.main)
		inner := greenlet.New(func(any) (any, error) {
			report("grandchild, child", g)
			return nil, nil
		})
		s.log("inside: parent of a new one is child", inner.Parent() == g)
		if _, err := inner.Switch(nothing); err != nil {
			return nil, err
		}
		if _, err := s.main.Switch(nothing); err != nil {
			return nil, err
		}
		report("inside again, child", g)
		return nil, nil
	}

	report("at first, main", s.main)
	s.log("main has a parent", s.main.Parent() != nil)
	g = greenlet.New(body)
	report("unstarted, child", g)
	s.log("parent is main", g.Parent() == s.main)
	s.got(g.Switch(nothing))
	report("suspended, child", g)
	report("suspended, main", s.main)
	s.got(g.Switch(nothing))
	report("finished, child", g)
	s.log("parent is main", g.Parent() == s.main)
	killed := greenlet.New(body)
	s.got(killed.Throw(nil))
	report("killed before its start", killed)
}

// playTraceEvents: the trace function sees every transfer, after it happened,
// as a switch or a throw.
func playTraceEvents(s *scene) {
	names := map[*greenlet.Greenlet]string{s.main: "main"}
	tracer := func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
		s.log("  trace", ev, names[from], "->", names[to], "target is current", greenlet.Current() == to)
	}
	isTracer := func(f greenlet.TraceFunc) bool {
		return reflect.ValueOf(f).Pointer() == reflect.ValueOf(tracer).Pointer()
	}
	// orNone makes a missing function the nil that shows as none.
	orNone := func(f greenlet.TraceFunc) any {
		if f == nil {
			return nil
		}
		return f
	}

	var a, b *greenlet.Greenlet
	a = greenlet.New(func(x any) (any, error) {
		s.log("A runs with", x)
		got, err := b.Switch("from A")
		if err != nil {
			return nil, err
		}
		s.log("A got", got)
		return "A result", nil
	})
	b = greenlet.New(func(x any) (any, error) {
		s.log("B runs with", x)
		_, err := s.main.Switch("from B")
		if is[valueError](err) {
			s.log("B caught", err)
		} else if err != nil {
			return nil, err
		}
		_, err = a.Switch("B again")
		return nil, err
	})
	names[a], names[b] = "A", "B"
	s.log("tracer before", orNone(greenlet.GetTrace()))
	s.log("previous tracer", orNone(greenlet.SetTrace(tracer)))
	s.log("tracer installed", isTracer(greenlet.GetTrace()))
	s.log("main got", s.got(a.Switch("start")))
	s.log("main got", s.got(b.Throw(valueError("wake up"))))
	s.log("A dead", a.Dead(), "B dead", b.Dead())

	f := greenlet.New(func(any) (any, error) { return nil, lookupError("failed") })
	names[f] = "F"
	if _, err := f.Switch(nothing); is[lookupError](err) {
		s.log("main caught", err)
	}
	s.log("main got", s.got(b.Throw(nil))) // a kill: thrown into B, comes back as a switch
	s.log("removed the tracer", isTracer(greenlet.SetTrace(nil)))
	s.got(a.Switch(nothing))
	s.log("tracer after", orNone(greenlet.GetTrace()))
}

// playThreadsOwnMain: every goroutine has its own main greenlet and its own
// current greenlet.
func playThreadsOwnMain(s *scene) {
	// join runs f in a new goroutine and waits for its end.
	join := func(f func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			defer greenlet.Close()
			f()
		}()
		<-done
	}
	var seen *greenlet.Greenlet
	inThread := func() {
		mine := greenlet.Current()
		seen = mine
		s.log("thread: has its own main", mine != s.main)
		s.log("thread: its main has a parent", mine.Parent() != nil)
		child := greenlet.New(func(x any) (any, error) {
			s.log("child runs with", x, "parent is the thread's main", greenlet.Current().Parent() == mine)
			got, err := mine.Switch(x.(int) + 1)
			if err != nil {
				return nil, err
			}
			s.log("child got", got)
			return "child result", nil
		})
		s.log("thread got", s.got(child.Switch(1)))
		s.log("thread: current is its main again", greenlet.Current() == mine)
		s.log("thread got", s.got(child.Switch("go on")))
	}

	var g *greenlet.Greenlet
	g = greenlet.New(func(any) (any, error) {
		s.log("body runs; parent is main", greenlet.Current().Parent() == s.main)
		join(inThread)
		s.log("body: still current", greenlet.Current() == g)
		return "body result", nil
	})
	s.log("main got", s.got(g.Switch(nothing)))
	s.log("main is current", greenlet.Current() == s.main)
	join(func() {
		mine := greenlet.Current()
		s.log("second thread: another main", mine != s.main, mine != seen)
	})
}
