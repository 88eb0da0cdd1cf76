package main

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
)

// report writes all tables, as Markdown.
func (m *measurements) report(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %s, %s; %s.\n", m.config["cpu"], m.config["system"], m.config["toolchain"], "rounds: "+m.config["rounds"])
	if backend := m.config["backend"]; backend != "" {
		fmt.Fprintf(&b, "Switch: %s.\n", backend)
	}
	if python := m.config["python"]; python != "" && python != "none" {
		fmt.Fprintf(&b, "Peers: %s.\n", python)
	}
	if busy, ok := m.of(foreign); ok {
		fmt.Fprintf(&b, "Other programs kept %.2f processors busy meanwhile.\n", busy.Center)
	}
	if !m.quiet() {
		b.WriteString("\n**The machine was not quiet: trust none of these figures.**\n")
	}
	b.WriteString("\n## What was asked\n\n")
	m.asked(&b)
	b.WriteString("\n## What was measured\n\n" +
		"Medians; ± is the 95 % confidence interval of the median; in brackets, how many\n" +
		"times better (above 1) or worse greenlets are than the rival, in the same round.\n")
	m.measured(&b)
	_, err := io.WriteString(w, b.String())
	return err
}

// asked writes the figures that the project has set itself.
func (m *measurements) asked(w io.Writer) {
	fmt.Fprint(w, "| what | asked | got | |\n| --- | ---: | ---: | --- |\n")
	for _, f := range figures {
		bound, unit := "≥ ", "×"
		if f.most {
			bound = "≤ "
		}
		if f.over == (key{}) {
			unit = ""
		}
		asked := bound + plain(f.asked) + unit
		if f.aim != 0 {
			asked += fmt.Sprintf(" (aim %s%s)", plain(f.aim), unit)
		}
		s, met, ok := f.got(m)
		got, verdict := "not measured", ""
		if ok {
			got, verdict = number(s.Center)+unit+s.spread(), "yes"
			if !met {
				verdict = "**no**"
			}
		}
		fmt.Fprintf(w, "| %s | %s | %s | %s |\n", f.what, asked, got, verdict)
	}
}

// A title says what a benchmark measures.
type title struct{ what, unit, text string }

// titles are in the order of the tables. A benchmark that is not here gets a
// table all the same, at the end.
var titles = []title{
	{"Switch", "ns/switch", "One switch to and fro between two, ns"},
	{"Wrapped", "ns/switch", "Through a method that is not inlined, ns"},
	{"SameWrapper", "ns/switch", "Through methods that are not inlined, the same on both sides, ns"},
	{"Throw", "ns/switch", "With an error in place of a value, ns"},
	{"Ring", "ns/switch", "Round a ring of n, ns a switch"},
	{"Round", "ns/switch", "To each of n in turn and back, ns a switch"},
	{"Locked", "ns/switch", "With the root locked to its thread, ns"},
	{"Marking", "ns/switch", "While the collector marks, ns"},
	{"Current", "ns/call", "Current, ns a call"},
	{"Current", "ns/switch", "Current and a switch, in turns, ns"},
	{"Start", "ns/life", "Start, run, finish, ns"},
	{"Wave", "ns/life", "Make, run until suspended, finish; 10,000 alive; ns"},
	{"Producer", "items/s", "A million ints from a producer to a consumer, items a second"},
	{"Memory", "B/each", "Resident memory of a suspended one, stack included, bytes"},
	{"Next", "ns/step", "Pull: one next, to the sequence and back, ns"},
	{"Step", "ns/step", "The other faces: one step, to the coroutine and back, ns"},
	{"Three", "ns/life", "Make, take three values, finish, ns"},
	{"Fringe", "ns/leaf", "The same-fringe problem, ns a leaf"},
	{"Tokenizer", "ns/token", "A tokenizer and a recursive reader, ns a token"},
	{"Simulation", "ns/event", "A simulation of n processes, ns an event"},
	{"Hop", "ns/hop", "A hop among n ready tasks, ns"},
	{"Spawn", "ns/task", "A task made and awaited, ns"},
	{"Gather", "ns/task", "10,000 tasks gathered, ns a task"},
	{"CallSoon", "ns/callback", "A callback, 1,000 in a turn, ns"},
	{"Timers", "ns/timer", "A timer set and cancelled, a million outstanding, ns"},
	{"Outstanding", "ns/set", "A timer set, up to n, ns"},
	{"Outstanding", "ns/cancelled", "A timer cancelled, n outstanding, ns"},
	{"Outstanding", "ns/fired", "A timer fired, n outstanding, ns"},
	{"Alive", "ns/task", "A task made and awaited while n wait, ns"},
	{"Idle", "ns/trip", "A round trip over TCP while n connections are idle, ns"},
	{"Cycle", "ns/cycle", "A cycle of the collector while n wait, ns"},
	{"Queue", "ns/item", "A value through a queue of 128, ns"},
	{"PingPong", "ns/trip", "Two tasks wake each other, ns a round trip"},
}

// rivals says who the columns are, in their order. Others follow.
var rivals = []struct{ by, text string }{
	{"greenlet", "greenlet"},
	{"greenlet-pointer", "greenlet, pointer"},
	{"greenlet-boxed", "greenlet, boxed int"},
	{"greenlet-unfetched", "greenlet, no `Prefetch`"},
	{"greenlet-coro", "greenlet, `Coro`"},
	{"greenlet-pull", "greenlet, `Pull`"},
	{"greenlet-seqs", "greenlet, `seqs`"},
	{"greenlet-sched", "greenlet, `sched`"},
	{"boost", "Boost `jump_fcontext`"},
	{"pull", "`iter.Pull`"},
	{"pull-int", "`iter.Pull`, int"},
	{"chan0", "channel"},
	{"chan0-direct", "channel, one hand-over"},
	{"chan128", "channel of 128"},
	{"gosched", "`Gosched`, no value"},
	{"cond", "`sync.Cond`"},
	{"go+chan", "`go` + channel"},
	{"goroutine", "goroutine"},
	{"goroutine-parked", "goroutine, parked only"},
	{"goroutine-handed", "goroutine, one by one"},
	{"asyncio", "CPython asyncio"},
	{"uvloop", "uvloop"},
	{"range", "range over func, no switch"},
	{"loop", "loop by hand, no switch"},
	{"callback", "callback, no switch"},
}

// measured writes a table for each title: a row for each way, a column for
// each rival.
func (m *measurements) measured(w io.Writer) {
	for _, t := range m.titles() {
		var hows, bys []string
		for _, k := range m.keys {
			if k.what == t.what && k.unit == t.unit {
				hows = with(hows, k.how)
				bys = with(bys, k.by)
			}
		}
		if len(hows) == 0 {
			continue
		}
		slices.SortStableFunc(bys, func(a, b string) int { return rank(a) - rank(b) })
		head, line := "|", "| ---"
		for _, by := range bys {
			text := by
			if i := rank(by); i < len(rivals) {
				text = rivals[i].text
			}
			head += " | " + text
			line += " | ---:"
		}
		fmt.Fprintf(w, "\n### %s\n\n%s |\n%s |\n", t.text, head, line)
		for _, how := range hows {
			fmt.Fprintf(w, "| %s", how)
			for _, by := range bys {
				fmt.Fprintf(w, " | %s", m.cell(key{t.what, how, by, t.unit}))
			}
			fmt.Fprint(w, " |\n")
		}
	}
}

// titles returns titles and what else there is.
func (m *measurements) titles() []title {
	all := slices.Clone(titles)
	for _, k := range m.keys {
		switch {
		case slices.Contains([]string{"B/op", "allocs/op", "cycles/s", foreign.unit}, k.unit):
		case !slices.ContainsFunc(all, func(t title) bool { return t.what == k.what && t.unit == k.unit }):
			all = append(all, title{k.what, k.unit, k.what + ", " + k.unit})
		}
	}
	return all
}

// rank is the place of by in rivals.
func rank(by string) int {
	for i, r := range rivals {
		if r.by == by {
			return i
		}
	}
	return len(rivals)
}

func with(list []string, s string) []string {
	if slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

func (m *measurements) cell(k key) string {
	s, ok := m.of(k)
	if !ok {
		return ""
	}
	text := number(s.Center) + s.spread()
	own := k
	own.by = "greenlet"
	more, less := k, own // of what there should be less
	if k.unit == "items/s" {
		more, less = own, k
	}
	if r, ok := m.ratio(more, less); ok && k != own && !strings.HasPrefix(k.by, "greenlet") {
		text += fmt.Sprintf(" (%s×)", number(r.Center))
	}
	return text
}

// spread is nothing for a single value.
func (s summary) spread() string {
	if s.n < 2 || s.Center == 0 {
		return ""
	}
	if half := (s.Hi - s.Lo) / 2 / s.Center; !math.IsInf(half, 0) && !math.IsNaN(half) {
		return fmt.Sprintf(" ±%.0f %%", 100*half)
	}
	return " ±?" // too few rounds to say
}

// plain writes a number that somebody has chosen.
func plain(v float64) string {
	if v >= 1000 {
		return number(v)
	}
	return strconv.FormatFloat(v, 'g', -1, 64)
}

// number writes v with three digits, or more if it has more before the point.
func number(v float64) string {
	switch size := math.Abs(v); {
	case size >= 1e6:
		return strconv.FormatFloat(v/1e6, 'f', 1, 64) + "M"
	case size >= 1000:
		s := strconv.FormatFloat(v, 'f', 0, 64)
		return s[:len(s)-3] + "," + s[len(s)-3:]
	case size >= 100 || v == math.Trunc(v):
		return strconv.FormatFloat(v, 'f', 0, 64)
	case size >= 10:
		return strconv.FormatFloat(v, 'f', 1, 64)
	}
	return strconv.FormatFloat(v, 'f', 2, 64)
}
