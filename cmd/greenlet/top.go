package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/gdamore/tcell/v2"

	"github.com/go-greenlet/greenlet/cmd/greenlet/internal/look"
)

// top shows a process on the whole terminal, until q is pressed or it has ended.
func top(from source, _ io.Writer, o options) error {
	screen, err := tcell.NewScreen()
	if err == nil {
		err = screen.Init()
	}
	if err != nil {
		return fmt.Errorf("top needs a terminal, ps does not: %w", err)
	}
	defer screen.Fini()
	return watch(from, screen, o.every)
}

// leastEvery is how often it may be looked at.
const leastEvery = 50 * time.Millisecond

// watch looks and draws, again and again.
func watch(from source, screen tcell.Screen, every time.Duration) error {
	events, quit := make(chan tcell.Event), make(chan struct{})
	defer close(quit)
	go screen.ChannelEvents(events, quit)
	tick := time.NewTicker(max(every, leastEvery))
	defer tick.Stop()
	m := newMonitor()
	for {
		s, err := again(from)
		if err != nil {
			return err
		}
		m.see(s, s.Time)
		draw(screen, m)
		for waits := true; waits; {
			select {
			case <-tick.C:
				waits = false
			case e, open := <-events:
				switch e := e.(type) {
				case *tcell.EventKey:
					if e.Rune() == 'q' || e.Key() == tcell.KeyEscape || e.Key() == tcell.KeyCtrlC {
						return nil
					}
				case *tcell.EventResize:
					screen.Sync()
					draw(screen, m)
				}
				if !open {
					return nil
				}
			}
		}
	}
}

func draw(screen tcell.Screen, m *monitor) {
	screen.Clear()
	width, height := screen.Size()
	for y, line := range m.lines(height) {
		style := tcell.StyleDefault
		switch {
		case y == 0:
			style = style.Reverse(true)
		case strings.HasPrefix(line, "  !"):
			style = style.Foreground(tcell.ColorRed)
		case !strings.HasPrefix(line, " "):
			style = style.Bold(true)
		}
		x := 0
		for _, r := range line {
			if x == width {
				break
			}
			screen.SetContent(x, y, r, nil, style)
			x++
		}
		for ; y == 0 && x < width; x++ {
			screen.SetContent(x, y, ' ', nil, style)
		}
	}
	screen.Show()
}

// A monitor knows what has changed from one snapshot to the next.
type monitor struct {
	v       *view
	at      time.Time
	loops   map[uint64]*loopRates
	waits   map[taskKey]*wait
	started time.Time
}

type taskKey struct{ loop, task uint64 }

// A wait is a task that was seen in the same calls each time.
type wait struct {
	where string
	since time.Time
	seen  time.Time
}

type loopRates struct {
	turns, steps, newest uint64
	turnRate, stepRate   float64 // each second
	newRate              float64 // tasks that were made
	blocked              time.Time
}

func newMonitor() *monitor {
	return &monitor{loops: make(map[uint64]*loopRates), waits: make(map[taskKey]*wait)}
}

// see takes the next snapshot, of the time now.
func (m *monitor) see(s *look.Snapshot, now time.Time) {
	v := newView(s)
	passed := now.Sub(m.at).Seconds()
	first := m.v == nil
	if first {
		m.started = now
	}
	m.v, m.at = v, now
	for _, l := range s.Loops {
		r := m.loops[l.ID]
		known := r != nil
		if !known {
			r = new(loopRates)
			m.loops[l.ID] = r
		}
		newest := r.newest
		for _, t := range l.Tasks {
			newest = max(newest, t.ID)
		}
		if known && passed > 0 {
			r.turnRate = rate(r.turns, l.Turns, passed)
			r.stepRate = rate(r.steps, l.Steps, passed)
			r.newRate = rate(r.newest, newest, passed)
		}
		still := known && r.turns == l.Turns
		r.turns, r.steps, r.newest = l.Turns, l.Steps, newest
		switch {
		case l.Blocked == nil:
			r.blocked = time.Time{}
		case r.blocked.IsZero() || !still:
			r.blocked = now
		default:
			l.Blocked.For = max(l.Blocked.For, now.Sub(r.blocked).Microseconds())
		}
		groups := make(map[int]string)
		for _, g := range l.Groups {
			groups[g.ID] = v.where(g.Stack)
		}
		for _, t := range l.Tasks {
			if t.State != look.Waiting {
				continue
			}
			key := taskKey{l.ID, t.ID}
			w := m.waits[key]
			if w == nil || w.where != groups[t.Group] {
				w = &wait{where: groups[t.Group], since: now}
				m.waits[key] = w
			}
			w.seen = now
		}
	}
	for key, w := range m.waits {
		if !w.seen.Equal(now) {
			delete(m.waits, key)
		}
	}
}

func rate(before, after uint64, seconds float64) float64 {
	if after < before {
		return 0
	}
	return float64(after-before) / seconds
}

// Of how many there is room in the lists.
const (
	groupsShown = 8
	waitsShown  = 8
)

// lines returns what is shown, n lines at most.
func (m *monitor) lines(n int) (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	add("process %d  %s  %s switch  %s  %s   q quits", m.v.PID, clean(m.v.Go), clean(m.v.Backend),
		count(len(m.v.Loops), "loop"), count(m.v.Greenlets.Live, "greenlet"))
	for _, l := range m.v.Loops {
		r := m.loops[l.ID]
		lag := ""
		if l.Lag > 0 {
			lag = ", lag " + since(time.Duration(l.Lag)*time.Microsecond)
		}
		add("%s: %s, %s, %.0f new a second, %.0f turns a second%s", title(l), clean(l.State), count(l.Count, "task"), r.newRate, r.turnRate, lag)
		for _, x := range l.Warnings {
			add("  ! %s %s", clean(x.ID), clean(x.Text))
		}
		if b := l.Blocked; b != nil {
			add("  ! blocked for %s at least", since(time.Duration(b.For)*time.Microsecond))
			for i, id := range b.Stack {
				if i == groupsShown {
					break
				}
				add("      %s %s", m.v.call(id), m.v.place(id))
			}
		}
		groups := m.v.groupLines(l.Groups, "task")
		for i, line := range groups {
			if i == groupsShown {
				add("  ... and %s", count(len(groups)-i, "other group"))
				break
			}
			add("  %s", line)
		}
	}
	if len(m.waits) > 0 {
		add("the longest waits, of the %s since the first look", since(m.at.Sub(m.started)))
		all = append(all, m.longest()...)
	}
	if len(all) > n {
		all = all[:max(n, 0)]
	}
	return all
}

// longest returns the tasks that have waited longest in the same calls.
func (m *monitor) longest() (lines []string) {
	type entry struct {
		key taskKey
		*wait
	}
	var list []entry
	for key, w := range m.waits {
		list = append(list, entry{key, w})
	}
	slices.SortFunc(list, func(a, b entry) int {
		return cmp.Or(a.since.Compare(b.since), cmp.Compare(a.key.loop, b.key.loop), cmp.Compare(a.key.task, b.key.task))
	})
	for _, l := range m.v.Loops {
		named := names(l)
		for _, e := range list[:min(len(list), waitsShown)] {
			if e.key.loop == l.ID {
				lines = append(lines, fmt.Sprintf("  %8s  %s: %s", since(m.at.Sub(e.since)), named[e.key.task], e.where))
			}
		}
	}
	return lines
}
