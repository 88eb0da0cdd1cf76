package greenlet_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-greenlet/greenlet"
)

// The model: what greenlets do, in plain data. Each is a place in its script
// and what it waits for; one interpreter steps them all.

type modelled struct {
	state  string // "", "started", "dead"
	parent int
	list   int // which list it is in: 0 is the body
	at     int // which operation is next; when it waits, the one it waits in
	victim int // of the Kill in which it waits, or -1

	v        any // how the body ended
	err      error
	panicked any
	exiting  bool // by Goexit
	killed   bool
}

type model struct {
	*program
	gs      [maxScripts]*modelled
	current int
	kills   [][2]int // victim and killer
	log     []string
	over    bool
}

// A message is what control brings along.
type message struct {
	kind   string // "", "panic", "goexit", "kill"
	v      any
	err    error
	from   int // for the trace
	events []string
}

// deepest is the most levels that a tree has had.
var deepest int

// predict returns the log that a program must leave.
func predict(prog *program) []string {
	m := &model{program: prog}
	m.gs[0] = &modelled{state: "started", parent: -1, victim: -1}
	m.say("g0 starts with <nil>")
	for !m.over {
		m.step()
	}
	return m.log
}

func (m *model) say(format string, args ...any) { m.log = append(m.log, fmt.Sprintf(format, args...)) }

func (m *model) name(g int) string {
	if g == 0 {
		return "main"
	}
	return fmt.Sprintf("g%d", g)
}

func (m *model) show(v any) string { return (*player)(nil).show(v) }

// step does the next operation of the current greenlet.
func (m *model) step() {
	me, g := m.current, m.gs[m.current]
	list := m.scripts[me].lists[g.list]
	if g.at == len(list) {
		m.endList(-me, nil)
		return
	}
	o := list[g.at]
	switch o.kind {
	case opReturn:
		m.endList(o.id, nil)
	case opFail:
		m.endList(nil, o.error())
	case opSwitch:
		m.send(o, message{v: o.id})
	case opThrow:
		m.send(o, message{err: o.error()})
	case opKill:
		m.kill(o)
	case opSetParent:
		m.got(nil, m.setParent(o.g, o.p))
	case opNew:
		parent := me
		if m.exists(o.p) {
			parent = o.p
		}
		m.gs[o.g] = &modelled{parent: parent, victim: -1}
		levels := 0
		for p := o.g; p >= 0; p = m.gs[p].parent {
			levels++
		}
		deepest = max(deepest, levels)
		m.got(nil, nil)
	case opCheck:
		m.got(m.stateOfAll(), nil)
	case opPanic:
		m.raise(fmt.Sprintf("p%d", o.id), false)
	case opGoexit:
		m.unwind(func(g *modelled) { g.panicked, g.exiting = nil, true })
	case opCollect:
		m.got(nil, nil)
	case opForeign:
		m.got(nil, greenlet.ErrForeign)
	}
}

func (m *model) exists(i int) bool { return i < len(m.gs) && m.gs[i] != nil }

// got ends the operation in which the current greenlet is, with what it gets.
func (m *model) got(v any, err error) {
	g := m.gs[m.current]
	o := m.scripts[m.current].lists[g.list][g.at]
	m.say("g%d %d got %s, %s", m.current, o.id, m.show(v), m.show(err))
	g.at++
	if err != nil && o.pass {
		m.endList(nil, err)
	}
}

// raise panics in the operation in which the current greenlet is.
func (m *model) raise(v any, ofGreenlet bool) {
	g := m.gs[m.current]
	o := m.scripts[m.current].lists[g.list][g.at]
	if o.catch {
		if ofGreenlet {
			v = "panic of a greenlet: " + fmt.Sprint(v)
		}
		m.say("g%d %d caught %s", m.current, o.id, v)
		g.at++
		return
	}
	m.unwind(func(g *modelled) {
		g.panicked = v
		if m.current == 0 && ofGreenlet {
			g.panicked = "panic of a greenlet: " + fmt.Sprint(v)
		}
	})
}

// endList ends the list in which the current greenlet is, by a return.
func (m *model) endList(v any, err error) {
	m.unwind(func(g *modelled) {
		if g.list == 0 {
			g.v, g.err = v, err
		}
	})
}

// unwind goes on with the next deferred call of the current greenlet, or ends
// it.
func (m *model) unwind(because func(*modelled)) {
	g := m.gs[m.current]
	because(g)
	g.list, g.at = g.list+1, 0
	if g.list < len(m.scripts[m.current].lists) {
		m.say("g%d deferred", m.current)
		return
	}
	m.finish()
}

// finish ends the current greenlet.
func (m *model) finish() {
	me, g := m.current, m.gs[m.current]
	if me == 0 {
		switch {
		case g.panicked != nil:
			m.say("main panics: %v", g.panicked)
		case g.exiting:
			m.say("main exits")
		default:
			m.say("main returns %s, %s", m.show(g.v), m.show(g.err))
		}
		m.over = true
		return
	}
	to := g.parent
	if g.killed {
		to = m.heir(me)
	}
	g.state = "dead"
	msg := message{v: g.v, err: g.err, from: me}
	switch {
	case g.panicked != nil:
		msg = message{kind: "panic", v: g.panicked, from: me}
	case g.killed:
		msg = message{v: greenlet.Exit, from: me}
	case g.exiting:
		msg = message{kind: "goexit", from: me}
	}
	m.route(to, exitIsAValue(msg))
}

func exitIsAValue(msg message) message {
	if errors.Is(msg.err, greenlet.Exit) {
		msg.v, msg.err = msg.err, nil
	}
	return msg
}

// heir is who gets control when g ends: its killer, or its parent.
func (m *model) heir(g int) int {
	for _, k := range slices.Backward(m.kills) {
		if k[0] == g {
			return k[1]
		}
	}
	return m.gs[g].parent
}

// send is Switch and Throw.
func (m *model) send(o op, msg message) {
	switch {
	case !m.exists(o.g):
		m.got(nil, greenlet.ErrNil)
		return
	case m.gs[o.g].state == "" && m.scripts[o.g].bodiless:
		m.got(nil, greenlet.ErrNoBody)
		return
	}
	msg.from = m.current
	m.route(o.g, msg)
}

// route finds who can receive msg, from to upwards, and gives it to them.
func (m *model) route(to int, msg message) {
	for {
		g := m.gs[to]
		switch g.state {
		case "started":
			m.passes(to, &msg)
			m.receive(to, msg)
			return
		case "dead":
			msg = exitIsAValue(msg)
		default:
			thrown := msg.kind != "" || msg.err != nil
			if !thrown && !m.scripts[to].bodiless {
				m.passes(to, &msg)
				g.state = "started"
				m.current = to
				m.tell(msg)
				m.say("g%d starts with %s", to, m.show(msg.v))
				return
			}
			if !thrown {
				msg.v, msg.err = nil, greenlet.ErrNoBody
			}
			m.passes(to, &msg)
			g.state = "dead"
			msg = exitIsAValue(msg)
		}
		to = g.parent
	}
}

// passes notes an event for the trace.
func (m *model) passes(to int, msg *message) {
	event := "switch"
	if msg.kind != "" || msg.err != nil {
		event = "throw"
	}
	msg.events = append(msg.events, fmt.Sprintf("%s %s>%s", event, m.name(msg.from), m.name(to)))
	msg.from = to
}

func (m *model) tell(msg message) {
	if m.traced {
		m.log = append(m.log, msg.events...)
	}
}

// receive resumes a greenlet that waits.
func (m *model) receive(to int, msg message) {
	m.current = to
	m.tell(msg)
	g := m.gs[to]
	victim := g.victim
	if victim >= 0 && msg.kind == "" {
		if m.gs[victim].state == "dead" {
			m.endKill()
			m.got(nil, nil)
			return
		}
		m.sendKill(victim)
		return
	}
	if victim >= 0 {
		m.endKill()
	}
	switch msg.kind {
	case "":
		m.got(msg.v, msg.err)
	case "panic":
		m.raise(msg.v, true)
	case "goexit":
		m.unwind(func(g *modelled) { g.panicked, g.exiting = nil, true })
	case "kill":
		m.unwind(func(g *modelled) { g.panicked, g.killed = nil, true })
	}
}

// kill is Kill.
func (m *model) kill(o op) {
	switch {
	case !m.exists(o.g):
		m.got(nil, greenlet.ErrNil)
	case o.g == 0:
		m.got(nil, greenlet.ErrMain)
	case o.g == m.current:
		m.unwind(func(g *modelled) { g.panicked, g.killed = nil, true })
	case m.gs[o.g].state == "started":
		m.gs[m.current].victim = o.g
		m.kills = append(m.kills, [2]int{o.g, m.current})
		m.sendKill(o.g)
	default:
		m.gs[o.g].state = "dead"
		m.got(nil, nil)
	}
}

func (m *model) sendKill(victim int) {
	msg := message{kind: "kill", from: m.current}
	m.passes(victim, &msg)
	m.receive(victim, msg)
}

// endKill ends the Kill in which the current greenlet waits.
func (m *model) endKill() {
	g := m.gs[m.current]
	i := slices.Index(m.kills, [2]int{g.victim, m.current})
	m.kills = slices.Delete(m.kills, i, i+1)
	g.victim = -1
}

func (m *model) setParent(g, p int) error {
	switch {
	case !m.exists(g) || !m.exists(p):
		return greenlet.ErrNil
	case g == 0:
		return greenlet.ErrMain
	}
	for a := p; a >= 0; a = m.gs[a].parent {
		if a == g {
			return greenlet.ErrCycle
		}
	}
	m.gs[g].parent = p
	return nil
}

func (m *model) stateOfAll() string {
	var b strings.Builder
	for i, g := range m.gs {
		if g == nil {
			continue
		}
		fmt.Fprintf(&b, "g%d%s", i, map[string]string{"": "", "started": " started active", "dead": " started dead"}[g.state])
		if i == m.current {
			b.WriteString(" current")
		}
		if p := m.heir(i); p >= 0 {
			b.WriteString(" under " + m.name(p))
		}
		b.WriteString("; ")
	}
	return b.String()
}
