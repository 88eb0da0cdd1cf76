package greenlet_test

import (
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/logtest"
)

// TestConformance runs the Go form of the Python programs in
// testdata/conformance and compares what it logs, line by line, with what
// CPython printed.
func TestConformance(t *testing.T) {
	playAll(t, "greenlet", []port{
		{"01_ping_pong", playPingPong},
		{"02_switch_values", playSwitchValues},
		{"03_start_args_and_return", playStartArgsAndReturn},
		{"04_child_exception", playChildException},
		{"05_throw_suspended", playThrowSuspended},
		{"06_kill_returns_exit", playKillReturnsExit},
		{"07_dead_goes_to_parent", playDeadGoesToParent},
		{"08_creator_is_parent", playCreatorIsParent},
		{"09_reparent", playReparent},
		{"10_states", playStates},
		{"11_keyword_values", playKeywordValues},
		{"12_trace_events", playTraceEvents},
		{"13_abandoned_gets_exit", playAbandonedGetsExit},
		{"14_threads_own_main", playThreadsOwnMain},
		{"15_gen_send_and_return", playGenSendAndReturn},
		{"16_gen_throw", playGenThrow},
		{"17_gen_close", playGenClose},
		{"18_yield_from", playYieldFrom},
	})
}

// TestConformanceSeeds does the same for the tutorial programs that yield. Those
// that use greenlets are in examples.
func TestConformanceSeeds(t *testing.T) {
	playAll(t, "seeds", []port{
		{"d001_02_yield_from_simple", playSimpleYieldFrom},
		{"d001_04_generator_expression", playGeneratorExpression},
		{"d001_05_iterator_class", playIteratorClass},
		{"d001_06_generator_steps", playGeneratorSteps},
		{"d001_07_generator_send", playGeneratorSend},
		{"d001_08_generator_exhausted", playGeneratorExhausted},
		{"d001_09_yield_from_delegation", playYieldFromDelegation},
		{"d002_01_generator_consumer", playGeneratorConsumer},
		{"d003_02_producer_consumer", playProducerConsumer},
	})
}

// A port is a program's Go form, with the name of its files.
type port struct {
	name string
	run  func(s *scene)
}

func playAll(t *testing.T, folder string, ports []port) {
	for _, p := range ports {
		t.Run(p.name, func(t *testing.T) {
			defer greenlet.Close()
			s := &scene{t: t, main: greenlet.Current()}
			p.run(s)
			logtest.Same(t, filepath.Join("testdata", "conformance", folder, p.name+".out"), s.lines)
		})
	}
}

// A scene is one program at work: its main greenlet and what it has logged.
type scene struct {
	t     *testing.T
	main  *greenlet.Greenlet
	lines []string
}

// log adds a line of the parts, shown as the Python programs show them.
func (s *scene) log(parts ...any) {
	words := make([]string, len(parts))
	for i, p := range parts {
		words[i] = show(p)
	}
	s.lines = append(s.lines, strings.Join(words, " "))
}

// got unwraps the result of a Switch or a Throw that must not fail. It may be
// called on any goroutine.
func (s *scene) got(v any, err error) any {
	s.t.Helper()
	if err != nil {
		s.t.Errorf("after line %d: unexpected error: %v", len(s.lines), err)
	}
	return v
}

// adopt makes parent the parent of g.
func (s *scene) adopt(parent, g *greenlet.Greenlet) {
	s.t.Helper()
	if err := g.SetParent(parent); err != nil {
		s.t.Errorf("after line %d: SetParent: %v", len(s.lines), err)
	}
}

// nothing is what Python's switch() without an argument sends.
var nothing = greenlet.Args{}

// positional returns the arguments that a body was started with: v is what
// the first Switch sent.
func positional(v any) []any {
	if args, ok := v.(greenlet.Args); ok {
		return args
	}
	return []any{v}
}

// show renders a value as the Python programs' function of the same name does.
func show(v any) string {
	switch v := v.(type) {
	case nil:
		return "none"
	case error:
		return showError(v)
	case greenlet.Args:
		return showList(v)
	case []any:
		return showList(v)
	case map[string]any:
		items := make([]string, 0, len(v))
		for _, k := range slices.Sorted(maps.Keys(v)) {
			items = append(items, k+": "+show(v[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	}
	return fmt.Sprint(v)
}

func showList(list []any) string {
	items := make([]string, len(list))
	for i, v := range list {
		items[i] = show(v)
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// showError shows an exit under its Python name: what wraps greenlet.Exit as
// "%w: reason" is "GreenletExit: reason". Other errors carry their class name.
func showError(err error) string {
	if errors.Is(err, greenlet.Exit) {
		return "GreenletExit" + strings.TrimPrefix(err.Error(), greenlet.Exit.Error())
	}
	return err.Error()
}

// Python's exceptions, as far as the programs raise them.
type (
	boom        string
	lookupError string
	valueError  string
)

func (e boom) Error() string        { return "Boom: " + string(e) }
func (e lookupError) Error() string { return "LookupError: " + string(e) }
func (e valueError) Error() string  { return "ValueError: " + string(e) }

// is tells whether err is, or wraps, an error of type E: Python's except E.
func is[E error](err error) bool {
	var e E
	return errors.As(err, &e)
}

func TestShow(t *testing.T) {
	for _, c := range []struct {
		v    any
		want string
	}{
		{nil, "none"},
		{true, "true"},
		{7, "7"},
		{"a b", "a b"},
		{nothing, "[]"},
		{greenlet.Args{1, nil}, "[1, none]"},
		{[]any{[]any{5}, false}, "[[5], false]"},
		{map[string]any{"b": nil, "a": 1}, "{a: 1, b: none}"},
		{greenlet.Exit, "GreenletExit"},
		{fmt.Errorf("%w: reason", greenlet.Exit), "GreenletExit: reason"},
		{valueError("bad job"), "ValueError: bad job"},
	} {
		if got := show(c.v); got != c.want {
			t.Errorf("show(%#v) = %q, want %q", c.v, got, c.want)
		}
	}
}
