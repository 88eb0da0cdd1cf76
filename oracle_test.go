package greenlet_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// Random programs are played by greenlets and by a model that knows no
// goroutines (oracle_model_test.go), and must leave the same log.
//
// A program is a set of scripts, one for each greenlet it may make; script 0 is
// main's. A script is a list of operations, and lists for its deferred calls.
// There are no loops, so every program ends.

type opKind int

const (
	opSwitch    opKind = iota // to g
	opThrow                   // to g, what err says
	opKill                    // g
	opSetParent               // of g to p
	opNew                     // g, with parent p if that exists
	opCheck                   // log the state of all
	opReturn                  // end the list, with a value
	opFail                    // end the list, with the error that err says
	opPanic
	opGoexit
	opCollect
	opForeign // switch to a greenlet of another goroutine
	opKinds
)

// What an operation throws or fails with.
const (
	errOwn    = iota // an error that is the operation's own
	errExit          // Exit; Throw writes nil for it
	errPolite        // an error that wraps Exit
	errKinds
)

type op struct {
	kind  opKind
	id    int // given once in a program: the value that is sent
	g, p  int
	err   int
	catch bool // recover panics
	pass  bool // end the list with an error that is received
	locks bool // lock the goroutine to its thread meanwhile
}

func (o op) error() error {
	switch o.err {
	case errExit:
		return greenlet.Exit
	case errPolite:
		return fmt.Errorf("%w %d", greenlet.Exit, o.id)
	}
	return fmt.Errorf("e%d", o.id)
}

type script struct {
	bodiless bool
	lists    [][]op // the body, then the deferred calls in the order they run
}

type program struct {
	traced  bool
	scripts []script
}

func (p *program) String() string {
	var b strings.Builder
	names := [opKinds]string{"Switch", "Throw", "Kill", "SetParent", "New", "Check", "Return", "Fail", "Panic", "Goexit", "Collect", "Foreign"}
	fmt.Fprintf(&b, "traced: %v\n", p.traced)
	for i, s := range p.scripts {
		for j, list := range s.lists {
			fmt.Fprintf(&b, "script %d, list %d:\n", i, j)
			for _, o := range list {
				fmt.Fprintf(&b, "  %3d %s g=%d p=%d err=%d catch=%v pass=%v locks=%v\n", o.id, names[o.kind], o.g, o.p, o.err, o.catch, o.pass, o.locks)
			}
		}
	}
	return b.String()
}

// A generator makes a program out of choices: choose(n) is one of 0 to n-1.
type generator struct {
	program
	choose func(n int) int
	ids    int
}

const maxScripts = 10

// weights say how often each kind of operation is chosen, in the order of the
// kinds.
var weights = [opKinds]int{30, 8, 7, 8, 16, 8, 3, 3, 3, 2, 1, 1}

func generate(choose func(n int) int) *program {
	g := &generator{choose: choose}
	g.traced = choose(3) == 0
	g.scripts = []script{{}}
	for i := 0; i < len(g.scripts); i++ {
		size := 8
		if i == 0 {
			size = 30
		}
		lists := [][]op{g.list(2 + choose(size))}
		for range choose(3) {
			lists = append(lists, g.list(choose(4)))
		}
		g.scripts[i].lists = lists
		g.scripts[i].bodiless = i > 0 && choose(20) == 0
	}
	return &g.program
}

func (g *generator) list(n int) []op {
	list := make([]op, 0, n)
	for range n {
		list = append(list, g.op())
	}
	return list
}

func (g *generator) op() op {
	g.ids++
	o := op{id: g.ids, err: g.choose(errKinds), catch: g.choose(3) == 0, pass: g.choose(4) == 0, locks: g.ids%6 == 0}
	total := 0
	for _, w := range weights {
		total += w
	}
	for at := g.choose(total); at >= weights[o.kind]; o.kind++ {
		at -= weights[o.kind]
	}
	o.g, o.p = g.choose(len(g.scripts)), g.choose(len(g.scripts)+2)
	if o.kind == opNew {
		if len(g.scripts) == maxScripts {
			o.kind = opCheck
		} else {
			o.g = len(g.scripts)
			g.scripts = append(g.scripts, script{})
		}
	}
	return o
}

// A player plays a program with greenlets.
type player struct {
	*program
	gs      [maxScripts]*greenlet.Greenlet
	foreign *greenlet.Greenlet
	log     []string
	over    bool // the end has come: nothing more is done
}

func (p *player) say(format string, args ...any) {
	if !p.over {
		p.log = append(p.log, fmt.Sprintf(format, args...))
	}
}

// play returns the log of a program.
func play(prog *program) []string {
	p := &player{program: prog}
	onGoroutine(func() { p.foreign = greenlet.New(nil) })
	onGoroutine(func() {
		p.gs[0] = greenlet.Current()
		if p.traced {
			greenlet.SetTrace(func(ev greenlet.TraceEvent, from, to *greenlet.Greenlet) {
				p.say("%v %s>%s", ev, from.Name(), to.Name())
			})
		}
		ended := false
		defer func() {
			if r := recover(); r != nil {
				p.say("main panics: %s", p.show(r))
			} else if !ended {
				p.say("main exits")
			}
			p.over = true
			greenlet.SetTrace(nil)
		}()
		v, err := p.body(0)(nil)
		p.say("main returns %s, %s", p.show(v), p.show(err))
		ended = true
	})
	for i, g := range p.gs {
		if g != nil && g.Active() && i > 0 {
			p.log = append(p.log, fmt.Sprintf("g%d has survived Close", i))
		}
	}
	return p.log
}

func (p *player) show(v any) string {
	switch v := v.(type) {
	case *greenlet.PanicError:
		return "panic of a greenlet: " + p.show(v.Value)
	case error:
		for _, s := range []error{greenlet.ErrForeign, greenlet.ErrCycle, greenlet.ErrNil, greenlet.ErrNoBody, greenlet.ErrMain} {
			if errors.Is(v, s) {
				return s.Error()
			}
		}
		return v.Error()
	}
	return fmt.Sprint(v)
}

func (p *player) body(me int) func(any) (any, error) {
	if p.scripts[me].bodiless {
		return nil
	}
	return func(v any) (any, error) {
		p.say("g%d starts with %s", me, p.show(v))
		lists := p.scripts[me].lists
		for i := len(lists) - 1; i > 0; i-- {
			defer func() {
				p.say("g%d deferred", me)
				p.run(me, lists[i])
			}()
		}
		return p.run(me, lists[0])
	}
}

// run does the operations of a list up to its end.
func (p *player) run(me int, list []op) (any, error) {
	for _, o := range list {
		if p.over {
			return nil, nil
		}
		switch o.kind {
		case opReturn:
			return o.id, nil
		case opFail:
			return nil, o.error()
		}
		if err := p.do(me, o); err != nil && o.pass {
			return nil, err
		}
	}
	return -me, nil
}

// do does one operation and returns the error that it receives.
func (p *player) do(me int, o op) (err error) {
	if o.catch {
		defer func() {
			if r := recover(); r != nil {
				p.say("g%d %d caught %s", me, o.id, p.show(r))
			}
		}()
	}
	if o.locks {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
	}
	var v any
	g := p.gs[o.g]
	switch o.kind {
	case opSwitch:
		v, err = g.Switch(o.id)
	case opThrow:
		thrown := o.error()
		if o.err == errExit {
			thrown = nil
		}
		v, err = g.Throw(thrown)
	case opKill:
		err = g.Kill()
	case opSetParent:
		err = g.SetParent(p.at(o.p))
	case opNew:
		p.gs[o.g] = greenlet.New(p.body(o.g), greenlet.WithName(fmt.Sprintf("g%d", o.g)), greenlet.WithParent(p.at(o.p)))
	case opCheck:
		v = p.state()
	case opPanic:
		panic(fmt.Sprintf("p%d", o.id))
	case opGoexit:
		runtime.Goexit()
	case opCollect:
		greenlet.Collect()
	case opForeign:
		v, err = p.foreign.Switch(o.id)
	}
	p.say("g%d %d got %s, %s", me, o.id, p.show(v), p.show(err))
	return err
}

func (p *player) at(i int) *greenlet.Greenlet {
	if i < len(p.gs) {
		return p.gs[i]
	}
	return nil
}

// state tells all that can be asked of all greenlets.
func (p *player) state() string {
	var b strings.Builder
	for i, g := range p.gs {
		if g == nil {
			continue
		}
		fmt.Fprintf(&b, "g%d", i)
		for _, f := range []struct {
			is   bool
			name string
		}{{g.Started(), "started"}, {g.Active(), "active"}, {g.Dead(), "dead"}, {g == greenlet.Current(), "current"}} {
			if f.is {
				b.WriteString(" " + f.name)
			}
		}
		if p := g.Parent(); p != nil {
			b.WriteString(" under " + p.Name())
		}
		b.WriteString("; ")
	}
	return b.String()
}

// agree checks that greenlets and model leave the same log.
func agree(t *testing.T, prog *program, again string) {
	t.Helper()
	want := predict(prog)
	got := play(prog)
	for i := range max(len(want), len(got)) {
		line := func(log []string) string {
			if i < len(log) {
				return log[i]
			}
			return "(the log ends)"
		}
		if line(got) != line(want) {
			t.Fatalf("%s\n%safter\n  %s\nthe model says\n  %s\nthe greenlets\n  %s", again, prog,
				strings.Join(want[:i], "\n  "), line(want), line(got))
		}
	}
}

var (
	oracleSeed = flag.Uint64("oracle.seed", 0, "play only the program of this seed in TestOracle")
	oracleRuns = flag.Int("oracle.runs", 2000, "how many programs TestOracle plays")
)

func TestOracle(t *testing.T) {
	first, runs := rand.Uint64(), *oracleRuns
	if testing.Short() || raceOn {
		runs = min(runs, 300)
	}
	if *oracleSeed != 0 {
		first, runs = *oracleSeed, 1
	}
	for i := range runs {
		seed := first + uint64(i)
		// The name shows in case of a hang.
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			prog := generate(rand.New(rand.NewPCG(seed, 0)).IntN)
			agree(t, prog, fmt.Sprintf("go test -run TestOracle -oracle.seed %d", seed))
		})
		if t.Failed() {
			return
		}
	}
}

// FuzzOracle is TestOracle with the choices made by the fuzzer.
func FuzzOracle(f *testing.F) {
	f.Fuzz(func(t *testing.T, choices []byte) {
		prog := generate(func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0])
			choices = choices[1:]
			return c % n
		})
		agree(t, prog, "see the fuzzer's file")
	})
}

// The model and the generator reach what they are for: over many programs every
// kind of line is logged. It fails if, say, no greenlet is ever killed in a
// deferred call.
func TestOracleReachesEverything(t *testing.T) {
	var all strings.Builder
	for seed := range uint64(500) {
		for _, line := range predict(generate(rand.New(rand.NewPCG(seed, 1)).IntN)) {
			all.WriteString(line + "\n")
		}
	}
	log := all.String()
	for _, want := range []string{
		"starts with", "deferred", "caught panic of a greenlet: p", "caught p", "main returns", "main panics", "main exits",
		"throw g", "switch g", "switch main>main", "greenlet: exit\n", "greenlet: exit, <nil>", "got <nil>, e",
		greenlet.ErrForeign.Error(), greenlet.ErrCycle.Error(), greenlet.ErrNil.Error(), greenlet.ErrNoBody.Error(), greenlet.ErrMain.Error(),
		" dead under g", " active current under g",
	} {
		if !strings.Contains(log, want) {
			t.Errorf("no program logs %q", want)
		}
	}
	// Six levels of greenlets, one under the other.
	if deepest < 6 {
		t.Errorf("the deepest tree has %d levels", deepest)
	}
}
