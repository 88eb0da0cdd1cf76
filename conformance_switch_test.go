package greenlet_test

import "github.com/go-greenlet/greenlet"

// playPingPong: two greenlets pass values back and forth; neither is the
// other's parent.
func playPingPong(s *scene) {
	var ping, pong *greenlet.Greenlet
	ping = greenlet.New(func(any) (any, error) {
		s.log("ping starts")
		for i := range 3 {
			got, err := pong.Switch(i)
			if err != nil {
				return nil, err
			}
			s.log("ping got", got)
		}
		return "ping result", nil
	})
	pong = greenlet.New(func(first any) (any, error) {
		s.log("pong starts with", first)
		got := first
		for {
			var err error
			got, err = ping.Switch(got.(int) * 10)
			if err != nil {
				return nil, err
			}
			s.log("pong got", got)
		}
	})
	s.log("main got", s.got(ping.Switch(nothing)))
	s.log("ping dead", ping.Dead(), "pong dead", pong.Dead())
	s.log("main kills pong, got", s.got(pong.Throw(nil)))
	s.log("ping dead", ping.Dead(), "pong dead", pong.Dead())
}

// playSwitchValues: what a suspended Switch returns for zero, one or many
// values sent to it.
func playSwitchValues(s *scene) {
	g := greenlet.New(func(any) (any, error) {
		got, err := s.main.Switch("ready")
		for err == nil && got != "stop" {
			s.log("sink got", got)
			got, err = s.main.Switch(nothing)
		}
		return "sink stopped", err
	})
	s.log("main got", s.got(g.Switch(nothing)))
	s.log("main got", s.got(g.Switch(nothing)))
	s.log("main got", s.got(g.Switch(nil)))
	s.log("main got", s.got(g.Switch(1)))
	s.log("main got", s.got(g.Switch(greenlet.Args{1, 2})))
	s.log("main got", s.got(g.Switch([]any{1, 2})))
	s.log("main got", s.got(g.Switch([]any{7})))
	s.log("main got", s.got(g.Switch([]any{})))
	s.log("main got", s.got(g.Switch("stop")))

	g = greenlet.New(func(any) (any, error) {
		for _, v := range []any{nothing, nil, "one", greenlet.Args{"a", "b", "c"}} {
			got, err := s.main.Switch(v)
			if err != nil {
				return nil, err
			}
			s.log("back got", got)
		}
		return "end", nil
	})
	s.log("main got", s.got(g.Switch(nothing)))
	for i := range 4 {
		s.log("main got", s.got(g.Switch(i)))
	}
}

// playStartArgsAndReturn: the first Switch passes the body its arguments; what
// the body returns goes to the parent.
func playStartArgsAndReturn(s *scene) {
	add := func(v any) (any, error) {
		args := positional(v)
		s.log("add runs with", args[0], args[1])
		return args[0].(int) + args[1].(int), nil
	}
	idle := func(any) (any, error) {
		s.log("nothing runs")
		return nil, nil
	}
	spread := func(v any) (any, error) {
		args := positional(v)
		s.log("spread runs with", len(args), "arguments:", args)
		return args, nil
	}
	s.log("main got", s.got(greenlet.New(add).Switch(greenlet.Args{2, 3})))
	s.log("main got", s.got(greenlet.New(idle).Switch(nothing)))
	for _, v := range []any{nothing, nil, []any{1, 2}, greenlet.Args{1, 2}} {
		s.log("main got", s.got(greenlet.New(spread).Switch(v)))
	}

	// A returned collection is one value, whatever its length.
	for _, v := range []any{[]any{}, []any{5}, []any{5, 6}, []any{[]any{5}}} {
		g := greenlet.New(func(any) (any, error) { return v, nil })
		s.log("main got", s.got(g.Switch(nothing)))
	}
}

// playDeadGoesToParent: a switch to a dead greenlet goes to its parent,
// wherever the caller is.
func playDeadGoesToParent(s *scene) {
	dead := greenlet.New(func(any) (any, error) {
		s.log("short runs")
		return "short result", nil
	})
	s.log("main got", s.got(dead.Switch(nothing)))
	s.log("main switches to the dead, got", s.got(dead.Switch(greenlet.Args{"x", "y"})))
	s.log("main switches to the dead, got", s.got(dead.Switch(nothing)))

	other := greenlet.New(func(any) (any, error) {
		s.log("other switches to the dead")
		got, err := dead.Switch("from other") // its parent is main
		if err != nil {
			return nil, err
		}
		s.log("other resumed with", got)
		return "other result", nil
	})
	s.log("main got", s.got(other.Switch(nothing)))
	s.log("other dead", other.Dead())
	s.log("main got", s.got(other.Switch("wake up")))
	s.log("other dead", other.Dead())
}

// playKeywordValues: named values reach the body at its start, later they are
// one mapping. Go has no named arguments: a map stands for them, alone or as
// the last of several values, and it is for the receiver to tell them apart.
func playKeywordValues(s *scene) {
	type named = map[string]any

	// split parts what was sent into positional and named values.
	split := func(v any) ([]any, named) {
		args := positional(v)
		if n := len(args) - 1; n >= 0 {
			if names, ok := args[n].(named); ok {
				return args[:n], names
			}
		}
		return args, nil
	}
	// whole is v in the form in which Python delivers it to a waiting switch:
	// a mapping that comes with other values stands beside the list of them.
	whole := func(v any) any {
		if args, names := split(v); names != nil && len(args) > 0 {
			return []any{args, names}
		}
		return v
	}

	area := func(v any) (any, error) {
		args, names := split(v)
		for _, name := range []string{"width", "height"}[len(args):] {
			args = append(args, names[name])
		}
		s.log("area runs with", args[0], args[1])
		return args[0].(int) * args[1].(int), nil
	}
	s.log("main got", s.got(greenlet.New(area).Switch(named{"width": 4, "height": 2})))
	s.log("main got", s.got(greenlet.New(area).Switch(greenlet.Args{4, named{"height": 3}})))

	g := greenlet.New(func(any) (any, error) {
		got, err := s.main.Switch(nothing)
		for err == nil && got != "stop" {
			s.log("sink got", whole(got))
			got, err = s.main.Switch(nothing)
		}
		return nil, err
	})
	s.got(g.Switch(nothing))
	s.got(g.Switch(named{"a": 1}))
	s.got(g.Switch(named{"b": 2, "a": 1}))
	s.got(g.Switch(greenlet.Args{7, named{"a": 1}}))
	s.got(g.Switch(greenlet.Args{7, 8, named{"a": 1, "b": 2}}))
	s.got(g.Switch(greenlet.Args{nil, named{"a": nil}}))
	s.got(g.Switch(map[string]any{"a": 1})) // one value that is a mapping: the same thing
	s.got(g.Switch("stop"))

	g = greenlet.New(func(any) (any, error) {
		for _, v := range []any{named{"x": 1}, greenlet.Args{2, named{"x": 3}}} {
			if _, err := s.main.Switch(v); err != nil {
				return nil, err
			}
		}
		return named{"x": 4}, nil
	})
	for range 3 {
		s.log("main got", whole(s.got(g.Switch(nothing))))
	}
	s.log("main got", whole(s.got(g.Switch(named{"y": 5})))) // dead: the same rules for what comes back
	s.log("main got", whole(s.got(g.Switch(greenlet.Args{6, named{"y": 7}}))))
}
