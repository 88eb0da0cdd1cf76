package greenlet_test

import (
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet"
)

// playChildException: an error that a body returns ends its greenlet and comes
// out of its parent's Switch.
func playChildException(s *scene) {
	g := greenlet.New(func(x any) (any, error) {
		defer s.log("child cleanup")
		s.log("child starts with", x)
		got, err := s.main.Switch("child waits")
		if err != nil {
			return nil, err
		}
		s.log("child got", got)
		return nil, boom(fmt.Sprint("number ", got))
	})
	s.log("main got", s.got(g.Switch("a")))
	if _, err := g.Switch(42); is[boom](err) {
		s.log("main caught", err)
	} else {
		s.log("not reached")
	}
	s.log("child dead", g.Dead())

	h := greenlet.New(func(any) (any, error) { return nil, boom("at once") })
	if _, err := h.Switch(nothing); is[boom](err) {
		s.log("main caught", err)
	}
	s.log("early dead", h.Dead())
	// Both are dead now: switching to them just hands the values back.
	s.log("main got", s.got(g.Switch("echo")))
	s.log("main got", s.got(h.Switch(nothing)))
}

// playThrowSuspended: an error thrown into a greenlet comes out of the Switch
// in which it waits.
func playThrowSuspended(s *scene) {
	g := greenlet.New(func(any) (any, error) {
		s.log("worker starts")
		for {
			got, err := s.main.Switch("waiting")
			switch {
			case err == nil:
				s.log("worker got", got)
			case is[valueError](err):
				s.log("worker caught", err)
				got, err = s.main.Switch("recovering")
				if err != nil {
					return nil, err
				}
				s.log("worker recovered with", got)
			default:
				return nil, err
			}
		}
	})
	s.log("main got", s.got(g.Switch(nothing)))
	s.log("main got", s.got(g.Switch("job 1")))
	s.log("main got", s.got(g.Throw(valueError("bad job")))) // Throw returns like Switch
	s.log("main got", s.got(g.Switch("help")))
	s.log("main got", s.got(g.Switch("job 2")))
	if _, err := g.Throw(lookupError("fatal")); is[lookupError](err) {
		s.log("main caught", err)
	} else {
		s.log("not reached")
	}
	s.log("worker dead", g.Dead())
}

// playKillReturnsExit: Throw(nil) kills with Exit, which arrives at the parent
// as a value and not as an error.
func playKillReturnsExit(s *scene) {
	worker := func(name any) (any, error) {
		defer s.log(name, "cleanup")
		s.log(name, "waits")
		got, err := s.main.Switch(nothing)
		if err != nil {
			return nil, err
		}
		s.log(name, "got", got)
		return nil, nil
	}
	isExit := func(v any) bool {
		err, ok := v.(error)
		return ok && errors.Is(err, greenlet.Exit)
	}

	g := greenlet.New(worker)
	s.got(g.Switch("w1"))
	got := s.got(g.Throw(nil))
	s.log("main got", got, "which is an exit", isExit(got))
	s.log("w1 dead", g.Dead())
	s.log("main got", s.got(g.Throw(nil))) // killing the dead is harmless
	s.log("main got", s.got(g.Switch("echo")))

	g = greenlet.New(worker)
	s.got(g.Switch("w2"))
	s.log("main got", s.got(g.Throw(fmt.Errorf("%w: reason", greenlet.Exit))))
	s.log("w2 dead", g.Dead())

	g = greenlet.New(func(any) (any, error) {
		_, err := s.main.Switch(nothing)
		if errors.Is(err, greenlet.Exit) {
			s.log("polite caught the exit")
			return "polite result", nil
		}
		return nil, err
	})
	s.got(g.Switch(nothing))
	s.log("main got", s.got(g.Throw(nil)))
	s.log("polite dead", g.Dead())
}

// playAbandonedGetsExit: a suspended greenlet that nobody can reach any more
// is ended. It is killed, so its deferred calls log what the Python program
// logs in its except and finally clauses.
func playAbandonedGetsExit(s *scene) {
	worker := func(name any) (any, error) {
		defer s.log(name, "cleanup")
		defer func() {
			s.log(name, "told to exit, its parent is now main", greenlet.Current().Parent() == s.main)
		}()
		s.log(name, "waits")
		_, err := s.main.Switch(nothing)
		s.log("not reached")
		return nil, err
	}
	startAndForget(s, worker, "w1")
	s.log("main forgets w1")
	greenlet.Collect()
	s.log("main goes on")

	makeAndForget(worker)
	s.log("main forgets an unstarted one")
	greenlet.Collect()
	s.log("main goes on")

	// Forgotten inside another greenlet: the exit happens there, and control
	// comes back there.
	var owner *greenlet.Greenlet
	worker = func(name any) (any, error) {
		defer func() {
			s.log(name, "cleanup, its parent is now owner", greenlet.Current().Parent() == owner)
		}()
		s.log(name, "waits")
		_, err := greenlet.Current().Parent().Switch("switched out")
		s.log("not reached")
		return nil, err
	}
	owner = greenlet.New(func(any) (any, error) {
		startAndForget(s, worker, "w2")
		s.log("owner forgets w2")
		greenlet.Collect()
		s.log("owner goes on")
		return "owner result", nil
	})
	s.log("main got", s.got(owner.Switch(nothing)))
	s.log("main got", s.got(owner.Switch(nothing)))
}

// startAndForget runs body in a child of main until the caller is switched to
// again. Not inlined: on return no frame refers to the greenlet any more.
//
//go:noinline
func startAndForget(s *scene, body func(any) (any, error), name string) {
	g := greenlet.New(body)
	s.adopt(s.main, g)
	s.got(g.Switch(name))
}

//go:noinline
func makeAndForget(body func(any) (any, error)) {
	greenlet.New(body)
}
