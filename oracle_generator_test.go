package greenlet_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// Random programs of generators are played twice: with generators, and by a
// model that has no coroutines but keeps for each generator where it is. Both
// log what they see.

// A genOp is a step of a generator's body or, some of them, of the main program.
type genOp struct {
	id     int // also the value that is yielded, sent, returned or panicked with
	kind   genKind
	g      int // whom it is about
	err    int // what is thrown or returned, an index of genErrors
	policy int // what is done with an error that a yield returns
	child  bool
}

type genKind int

const (
	genNext genKind = iota
	genSend
	genThrow
	genClose
	genMainKinds // only those above are for the main program

	genYield = iota - 1
	genFrom
	genReturn
	genFail
	genPanic
	genKinds
)

var genNames = [...]string{"next", "send", "throw", "close", "yield", "yield from", "return", "fail", "panic"}

// genWeights say how often a body takes each kind of step.
var genWeights = [genKinds]int{8, 6, 5, 3, 30, 14, 3, 2, 2}

// What a body does with an error that a yield or a delegation returns.
const (
	genEnd     = iota // ends with it
	genIgnore         // goes on
	genReplace        // ends with another one
	genReturns        // ends without
	genPolicies
)

var (
	genErrors     = []error{errors.New("e0"), errors.New("e1"), greenlet.Exit, fmt.Errorf("%w: wrapped", greenlet.Exit), greenlet.ErrStop}
	genErrorNames = []string{"e0", "e1", "exit", "exit", "stop"}
)

// genName names an error as the model does.
func genName(err error) string {
	for _, e := range []struct {
		is   error
		name string
	}{
		{greenlet.ErrReentrant, "reentrant"},
		{greenlet.ErrJustStarted, "just started"},
		{greenlet.ErrIgnoredExit, "ignored"},
		{greenlet.ErrStopEscaped, "escaped"},
		{greenlet.ErrStop, "stop"},
		{greenlet.Exit, "exit"},
		{genErrors[0], "e0"},
		{genErrors[1], "e1"},
	} {
		if errors.Is(err, e.is) {
			return e.name
		}
	}
	if err == nil {
		return "ok"
	}
	return "cut"
}

type genProgram struct {
	bodies [][]genOp
	main   []genOp
}

func (p *genProgram) String() string {
	var b strings.Builder
	list := func(name string, ops []genOp) {
		fmt.Fprintf(&b, "%s:\n", name)
		for _, o := range ops {
			fmt.Fprintf(&b, "  %3d %s g=%d err=%s policy=%d child=%v\n", o.id, genNames[o.kind], o.g, genErrorNames[o.err], o.policy, o.child)
		}
	}
	for i, ops := range p.bodies {
		list(fmt.Sprint("generator ", i), ops)
	}
	list("main", p.main)
	return b.String()
}

// makeGenProgram makes a program out of choices: choose(n) is one of 0 to n-1.
func makeGenProgram(choose func(n int) int) *genProgram {
	p := &genProgram{bodies: make([][]genOp, 1+choose(6))}
	id := 0
	op := func(kind genKind) genOp {
		id++
		return genOp{id, kind, choose(len(p.bodies)), choose(len(genErrors)), choose(genPolicies), choose(4) == 0}
	}
	total := 0
	for _, w := range genWeights {
		total += w
	}
	for i := range p.bodies {
		for range choose(8) {
			kind, at := genKind(0), choose(total)
			for ; at >= genWeights[kind]; kind++ {
				at -= genWeights[kind]
			}
			p.bodies[i] = append(p.bodies[i], op(kind))
		}
	}
	for range 5 + choose(40) {
		p.main = append(p.main, op(genKind(choose(int(genMainKinds)))))
	}
	return p
}

// The log of a program, in the words of both.

type genLog []string

func (l *genLog) say(format string, args ...any) { *l = append(*l, fmt.Sprintf(format, args...)) }

func (l *genLog) call(who string, o genOp, v int, err string) {
	l.say("%s: %s %d gives %d, %s", who, genNames[o.kind], o.g, v, err)
}

func (l *genLog) state(i, result int, returned bool, err string) {
	l.say("  %d has %d, %v, %s", i, result, returned, err)
}

// playGenerators plays a program with generators.
func playGenerators(p *genProgram) (log genLog) {
	gs := make([]*greenlet.Generator[int, int, int], len(p.bodies))
	call := func(who string, o genOp) {
		g := gs[o.g]
		var v int
		var err error
		switch o.kind {
		case genNext:
			v, err = g.Next()
		case genSend:
			v, err = g.Send(o.id)
		case genThrow:
			v, err = g.Throw(genErrors[o.err])
		case genClose:
			err = g.Close()
		}
		if err != nil {
			v = 0
		}
		log.call(who, o, v, genName(err))
	}
	body := func(i int) func(y *greenlet.Yielder[int, int]) (int, error) {
		who := fmt.Sprint(i)
		return func(y *greenlet.Yielder[int, int]) (int, error) {
			log.say("%d starts", i)
			defer log.say("%d ends", i)
			for _, o := range p.bodies[i] {
				var v int
				var err error
				switch o.kind {
				case genYield:
					v, err = y.Yield(o.id)
				case genFrom:
					v, err = greenlet.YieldFrom(y, gs[o.g])
				case genReturn:
					return o.id, nil
				case genFail:
					return 0, genErrors[o.err]
				case genPanic:
					panic(o.id)
				default:
					call(who, o)
					continue
				}
				log.call(who, o, v, genName(err))
				if err != nil {
					switch o.policy {
					case genEnd:
						return 0, err
					case genReplace:
						return 0, genErrors[o.err]
					case genReturns:
						return o.id, nil
					}
				}
			}
			return -1, nil
		}
	}
	for i := range gs {
		gs[i] = greenlet.NewGenerator(body(i))
	}
	for n, o := range p.main {
		step := func() {
			defer func() {
				if r := recover(); r != nil {
					log.say("main: panic %v", r.(*greenlet.PanicError).Value)
				}
			}()
			call("main", o)
		}
		if o.child {
			greenlet.New(func(any) (any, error) { step(); return nil, nil }).Switch(nil)
		} else {
			step()
		}
		if n == 10 && len(p.main)%8 == 0 {
			runtime.GC()
		}
		for i, g := range gs {
			result, returned := g.Result()
			log.state(i, result, returned, genName(g.Err()))
		}
	}
	return log
}

// A modelGen is a generator of the model.
type modelGen struct {
	ops      []genOp
	pc       int
	state    modelState
	ended    bool // delegates to one that has ended before
	result   int
	returned bool
	failure  string
}

type modelState int

const (
	modelFresh modelState = iota
	modelRunning
	modelPaused
	modelDone
)

type genModel struct {
	gs []*modelGen
	genLog
	panics any // on its way up
}

// predict says what the log of a program is.
func predictGenerators(p *genProgram) genLog {
	m := &genModel{}
	for _, ops := range p.bodies {
		m.gs = append(m.gs, &modelGen{ops: ops, failure: "ok"})
	}
	for _, o := range p.main {
		m.call("main", o)
		if m.panics != nil {
			m.say("main: panic %v", m.panics)
			m.panics = nil
		}
		for i, g := range m.gs {
			m.genLog.state(i, g.result, g.returned, g.failure)
		}
	}
	return m.genLog
}

// call does a step that is a call of a generator, and logs what it gives.
func (m *genModel) call(who string, o genOp) {
	if v, err := m.resume(o.g, o.kind, o.id, genErrorNames[o.err]); m.panics == nil {
		m.genLog.call(who, o, v, err)
	}
}

// resume is Next, Send, Throw or Close.
func (m *genModel) resume(i int, kind genKind, v int, thrown string) (int, string) {
	g := m.gs[i]
	if kind == genClose {
		thrown = "exit"
	}
	throws := kind == genThrow || kind == genClose
	switch {
	case g.state == modelRunning:
		return 0, "reentrant"
	case kind == genClose && g.state == modelDone:
		return 0, "ok"
	case kind == genClose && g.state == modelFresh:
		g.state = modelDone
		return 0, "ok"
	case kind == genThrow && g.state == modelDone:
		return 0, thrown
	case kind == genThrow && g.state == modelFresh:
		g.state, g.failure = modelDone, thrown
		return 0, thrown
	case g.state == modelDone:
		return 0, "stop"
	case kind == genSend && g.state == modelFresh:
		return 0, "just started"
	}
	if kind == genNext || throws {
		v = 0
	}
	if !throws {
		thrown = "ok"
	}
	v, err := m.run(i, v, thrown)
	if kind == genClose && m.panics == nil {
		switch err {
		case "ok":
			return 0, "ignored"
		case "exit", "stop", "escaped":
			return 0, "ok"
		}
	}
	return v, err
}

// run lets a generator run, with what its yield returns, to its next yield.
func (m *genModel) run(i, sent int, thrown string) (int, string) {
	g := m.gs[i]
	who := fmt.Sprint(i)
	resumed := g.state == modelPaused
	if !resumed {
		m.say("%d starts", i)
	}
	g.state = modelRunning
	end := func(result int, err string) (int, string) {
		m.say("%d ends", i)
		g.state, g.failure = modelDone, err
		if err == "stop" {
			g.failure = "escaped"
		}
		if err == "ok" {
			g.result, g.returned = result, true
			return 0, "stop"
		}
		return 0, g.failure
	}
	for ; g.pc < len(g.ops); g.pc++ {
		o := g.ops[g.pc]
		v, err := sent, thrown
		switch o.kind {
		case genYield:
			if !resumed {
				g.state = modelPaused
				return o.id, "ok"
			}
		case genFrom:
			var yields bool
			if v, err, yields = m.delegate(g, o.g, resumed, sent, thrown); yields {
				g.state = modelPaused
				return v, "ok"
			}
		case genReturn:
			return end(o.id, "ok")
		case genFail:
			return end(0, genErrorNames[o.err])
		case genPanic:
			m.panics = o.id
		default:
			m.call(who, o)
		}
		resumed = false
		if m.panics != nil {
			return end(0, "cut")
		}
		if o.kind != genYield && o.kind != genFrom {
			continue
		}
		m.genLog.call(who, o, v, err)
		if err != "ok" {
			switch o.policy {
			case genEnd:
				return end(0, err)
			case genReplace:
				return end(0, genErrorNames[o.err])
			case genReturns:
				return end(o.id, "ok")
			}
		}
	}
	return end(-1, "ok")
}

// delegate is a YieldFrom of g, either its begin or where it goes on.
func (m *genModel) delegate(g *modelGen, sub int, resumed bool, sent int, thrown string) (v int, err string, yields bool) {
	g.ended = m.gs[sub].state == modelDone
	switch {
	case !resumed:
		v, err = m.resume(sub, genNext, 0, "")
	case thrown == "ok":
		v, err = m.resume(sub, genSend, sent, "")
	case thrown == "exit":
		if _, err = m.resume(sub, genClose, 0, ""); err == "ok" {
			err = "exit"
		}
		return 0, err, false
	default:
		v, err = m.resume(sub, genThrow, 0, thrown)
	}
	switch {
	case m.panics != nil:
		return 0, "", false
	case err == "ok":
		return v, err, true
	case err != "stop":
		return 0, err, false
	case g.ended:
		return 0, "ok", false
	}
	return m.gs[sub].result, "ok", false
}

// agreeOnGenerators checks that generators and model leave the same log.
func agreeOnGenerators(t *testing.T, p *genProgram, again string) {
	t.Helper()
	want := predictGenerators(p)
	var got genLog
	onGoroutine(func() { got = playGenerators(p) })
	for i := range max(len(want), len(got)) {
		line := func(log genLog) string {
			if i < len(log) {
				return log[i]
			}
			return "(the log ends)"
		}
		if line(got) != line(want) {
			t.Fatalf("%s\n%safter\n  %s\nthe model says\n  %s\nthe generators\n  %s", again, p,
				strings.Join(want[:i], "\n  "), line(want), line(got))
		}
	}
}

func TestOracleOfGenerators(t *testing.T) {
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
			p := makeGenProgram(rand.New(rand.NewPCG(seed, 0)).IntN)
			agreeOnGenerators(t, p, fmt.Sprintf("go test -run TestOracleOfGenerators -oracle.seed %d", seed))
		})
		if t.Failed() {
			return
		}
	}
}

// FuzzOracleOfGenerators is the same with the choices made by the fuzzer.
func FuzzOracleOfGenerators(f *testing.F) {
	f.Fuzz(func(t *testing.T, choices []byte) {
		p := makeGenProgram(func(n int) int {
			if len(choices) == 0 {
				return 0
			}
			c := int(choices[0])
			choices = choices[1:]
			return c % n
		})
		agreeOnGenerators(t, p, "see the fuzzer's file")
	})
}

// The programs reach what they are for: every kind of line is logged.
func TestOracleOfGeneratorsReachesEverything(t *testing.T) {
	var all strings.Builder
	for seed := range uint64(3000) {
		all.WriteString(strings.Join(predictGenerators(makeGenProgram(rand.New(rand.NewPCG(seed, 1)).IntN)), "\n") + "\n")
	}
	log := all.String()
	for call, outcomes := range map[string]string{
		"next":       "e0, exit, ok, reentrant, stop, escaped",
		"send":       "e0, exit, ok, reentrant, stop, escaped, just started",
		"throw":      "e0, exit, ok, reentrant, stop, escaped",
		"close":      "e0, ok, reentrant, ignored",
		"yield":      "e0, exit, ok, stop",
		"yield from": "e0, exit, ok, reentrant, escaped, ignored",
	} {
		for outcome := range strings.SplitSeq(outcomes, ", ") {
			if !regexp.MustCompile(`(?m): ` + call + ` \d+ gives -?\d+, ` + outcome + `$`).MatchString(log) {
				t.Errorf("no program logs that %s gives %s", call, outcome)
			}
		}
	}
	for _, want := range []string{"main: panic", "0: next 0 gives 0, reentrant", ", false, cut"} {
		if !strings.Contains(log, want) {
			t.Errorf("no program logs %q", want)
		}
	}
}
