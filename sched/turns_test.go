package sched_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

// What runs in which turn. A turn is what was ready when it began.

// turnLog notes what happens, with the turn in which it does, counted from the
// first.
type turnLog struct {
	l     *sched.Loop
	lines []string
}

func (g *turnLog) note(what string) {
	g.lines = append(g.lines, fmt.Sprint(g.l.Turns(), " ", what))
}

func TestTurns(t *testing.T) {
	l := newLoop(t)
	g := &turnLog{l: l}
	l.Go(func() {
		g.note("a begins")
		l.Soon(func() { g.note("callback of a") })
		l.Go(func() { g.note("child of a") })
		l.Yield()
		g.note("a goes on")
	})
	l.Soon(func() {
		g.note("callback")
		l.Soon(func() { g.note("callback of the callback") })
	})
	l.Go(func() {
		g.note("b begins")
		l.Yield()
		g.note("b goes on")
	})
	run(t, l)
	same(t, g.lines,
		"1 a begins", "1 callback", "1 b begins",
		"2 callback of a", "2 child of a", "2 a goes on", "2 callback of the callback", "2 b goes on")
}

// What is posted and the timers that are due come behind what is ready, in this
// order; a sleeper goes on one turn after a timer of the same time.
func TestOrderOfSources(t *testing.T) {
	clock := &jumpClock{}
	l := newLoop(t, sched.WithClock(clock))
	g := &turnLog{l: l}
	l.Go(func() {
		l.Sleep(1)
		g.note("sleeper")
	})
	l.Go(func() {
		l.At(1, func() { g.note("timer") })
		l.Yield()
		clock.now = 1
		l.Post(func() { g.note("posted") })
		l.Soon(func() { g.note("ready") })
		l.Yield()
		g.note("yielded")
	})
	run(t, l)
	same(t, g.lines, "3 ready", "3 yielded", "3 posted", "3 timer", "4 sleeper")
}

func TestCancelHandles(t *testing.T) {
	l := newLoop(t)
	var log []string
	note := func(s string) func() { return func() { log = append(log, s) } }
	var later, now *sched.Handle
	l.Soon(func() {
		now.Cancel() // due in this turn
		log = append(log, fmt.Sprint(now.Cancelled(), later.Cancelled()))
	})
	now = l.Soon(note("now"))
	later = l.Soon(note("later"))
	timer := l.After(time.Hour, note("timer"))
	timer.Cancel()
	timer.Cancel()
	due := l.After(0, note("due"))
	l.Soon(func() { due.Cancel() }) // in the ready queue, behind this
	posted, err := l.Post(note("posted"))
	fails(t, err, nil)
	posted.Cancel()
	quiet := l.WhenQuiet(note("quiet"))
	quiet.Cancel()
	run(t, l)
	same(t, log, "true false", "later")
}

// WhenQuiet waits for everything that is ready or due, and for nothing else.
func TestWhenQuiet(t *testing.T) {
	l := newLoop(t)
	g := &turnLog{l: l}
	l.Go(func() {
		l.WhenQuiet(func() {
			g.note("quiet")
			l.WhenQuiet(func() { g.note("quiet again") })
			l.Soon(func() { g.note("callback of quiet") })
		})
		l.After(0, func() { g.note("due") })
		l.After(1, func() { g.note("later") })
		l.Post(func() { g.note("posted") })
		for range 3 {
			l.Yield()
		}
		g.note("yielded")
		l.Sleep(2)
		g.note("slept")
	})
	run(t, l)
	same(t, g.lines, "2 posted", "2 due", "4 yielded", "5 quiet", "6 callback of quiet", "7 quiet again", "8 later", "10 slept")
}

// A timer that has become due in the meantime comes first.
func TestWhenQuietAndDue(t *testing.T) {
	clock := &jumpClock{}
	l := newLoop(t, sched.WithClock(clock))
	var log []string
	l.Soon(func() {
		l.WhenQuiet(func() { log = append(log, "quiet") })
		l.At(5, func() { log = append(log, "timer") })
		clock.now = 5
	})
	run(t, l)
	same(t, log, "timer", "quiet")
}

// Run makes what is quiet run also when no task is left.
func TestRunEndsQuiet(t *testing.T) {
	l := newLoop(t)
	var log []string
	l.Go(func() {
		l.WhenQuiet(func() {
			log = append(log, "quiet")
			l.Soon(func() { l.Go(func() { log = append(log, "task") }) })
		})
		l.After(time.Hour, func() { log = append(log, "timer") })
	})
	run(t, l)
	same(t, log, "quiet", "task")
	if _, timers := l.Pending(); timers != 1 {
		t.Errorf("%d timers are left, want 1", timers)
	}
}

// A handOver is a program that does random things, each of which may decide
// which task comes next.
type handOver struct {
	turnLog
	r      *rand.Rand
	tasks  []*sched.Task
	timers []*sched.Timer
	budget int
}

func (p *handOver) task(name string) func() {
	return func() {
		for step := 0; p.budget > 0; step++ {
			p.budget--
			p.note(fmt.Sprint(name, ".", step))
			p.act(fmt.Sprint(name, ".", step))
			if p.r.IntN(12) == 0 {
				break
			}
		}
		p.note(name + " ends")
	}
}

func (p *handOver) act(name string) {
	l := p.l
	me := l.Current()
	callback := func() { p.note("callback of " + name) }
	switch p.r.IntN(14) {
	case 0, 1, 2:
		l.Yield()
	case 3:
		l.Sleep(time.Duration(p.r.IntN(3)))
	case 4:
		p.tasks = append(p.tasks, l.Go(p.task(name)))
	case 5:
		x := new(sched.Task)
		p.tasks = append(p.tasks, x)
		l.StartNow(x, body(p.task(name+"!")))
	case 6: // until the alarm, or somebody calls Ready
		me.SetAlarm(time.Duration(1 + p.r.IntN(4)))
		l.Park()
		me.ClearAlarm()
	case 7:
		p.tasks[p.r.IntN(len(p.tasks))].Ready()
	case 8:
		l.Soon(callback)
	case 9:
		l.WhenQuiet(callback)
	case 10:
		p.timers = append(p.timers, l.After(time.Duration(p.r.IntN(4)), callback))
	case 11:
		if len(p.timers) > 0 {
			p.timers[p.r.IntN(len(p.timers))].Cancel()
		}
	case 12:
		l.Post(callback)
	case 13: // an older task, so that there is no circle
		for _, x := range p.tasks {
			if x == me {
				break
			}
			if !x.Ended() && p.r.IntN(3) == 0 {
				x.Join()
				break
			}
		}
	}
}

type body func()

func (b body) Run() { b() }

func playHandOver(t *testing.T, seed uint64, opts ...sched.Option) []string {
	l := sched.New(append(opts, sched.WithClock(&jumpClock{}))...)
	defer l.Close()
	return playHandOverOn(t, l, seed)
}

func playHandOverOn(t *testing.T, l *sched.Loop, seed uint64) []string {
	p := &handOver{turnLog: turnLog{l: l}, r: rand.New(rand.NewPCG(seed, 0)), budget: 400}
	for i := range 5 {
		p.tasks = append(p.tasks, l.Go(p.task(fmt.Sprint(i))))
	}
	run(t, l)
	return p.lines
}

// A task that hands over to the next by itself keeps exactly the order, and the
// turns, of a loop in which every turn begins in the hub, which a poller that is
// always busy brings about; and of one in which every step does, which is
// measured.
func TestDirectHandOverKeepsTheOrder(t *testing.T) {
	programs := uint64(400)
	if testing.Short() || sched.RaceOn || greenlet.Backend().Name != "assembly" {
		programs = 60
	}
	longest := 0
	for seed := range programs {
		direct := playHandOver(t, seed)
		poller := &fakePoller{busy: true}
		byHub := playHandOver(t, seed, sched.WithPoller(poller))
		if len(poller.waits) < 10 && len(direct) > 100 {
			t.Fatalf("seed %d: the poller was asked %d times", seed, len(poller.waits))
		}
		measured := sched.New(sched.WithClock(&jumpClock{}))
		steps := 0
		measured.Measure(func(*sched.Task, time.Duration) { steps++ })
		if byStep := playHandOverOn(t, measured, seed); steps < len(direct)/10 || !slices.Equal(byStep, direct) {
			t.Fatalf("seed %d: %d steps, and the order is\n%q\nwant\n%q", seed, steps, byStep, direct)
		}
		fails(t, measured.Close(), nil)
		for i := range max(len(direct), len(byHub)) {
			if i >= len(direct) || i >= len(byHub) || direct[i] != byHub[i] {
				t.Fatalf("seed %d, line %d: directly %q\nby the hub %q", seed, i,
					direct[max(0, i-5):min(len(direct), i+2)], byHub[max(0, i-5):min(len(byHub), i+2)])
			}
		}
		longest = max(longest, len(direct))
	}
	if longest < 300 {
		t.Errorf("the longest program has just %d lines", longest)
	}
}

// A seed repeats an order, and other seeds give others.
func TestSeedsRepeat(t *testing.T) {
	seen := make(map[string]bool)
	for seed := range uint64(20) {
		once := playHandOver(t, 7, sched.WithSeed(seed))
		again := playHandOver(t, 7, sched.WithSeed(seed))
		if !slices.Equal(once, again) {
			t.Fatalf("seed %d gives two orders", seed)
		}
		seen[fmt.Sprint(once)] = true
	}
	if len(seen) < 15 {
		t.Errorf("20 seeds give %d orders", len(seen))
	}
}

// A seed leaves alone in which turn something runs, and the places of callbacks.
func TestWhatASeedKeeps(t *testing.T) {
	orders := make(map[string]bool)
	for seed := range uint64(100) {
		l := sched.New(sched.WithSeed(seed), sched.WithClock(&jumpClock{}))
		var log []string
		for i := range 3 {
			l.Go(func() {
				log = append(log, fmt.Sprint("task ", l.Turns()))
				l.Yield()
				log = append(log, fmt.Sprint("task ", l.Turns()))
			})
			l.Soon(func() { log = append(log, fmt.Sprint("callback ", i)) })
		}
		first := ""
		for _, name := range []string{"a", "b"} {
			l.Go(func() {
				log = append(log, fmt.Sprint("task ", l.Turns()))
				first += name
			})
		}
		run(t, l)
		fails(t, l.Close(), nil)
		same(t, log, "task 1", "callback 0", "task 1", "callback 1", "task 1", "callback 2", "task 1", "task 1", "task 2", "task 2", "task 2")
		orders[first] = true
	}
	if len(orders) != 2 {
		t.Errorf("two tasks have run in the orders %v", orders)
	}
}
