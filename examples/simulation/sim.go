package main

import (
	"math"
	"time"

	"github.com/go-greenlet/greenlet"
)

// An Env is a world with a clock of its own, which jumps from one event to the
// next. In it live processes: plain functions that wait in the middle of any
// call. Everything runs on the goroutine that calls Run, one process at a time,
// and the same world always takes the same course.
//
// No loop resumes the processes one after the other. Who waits looks who is
// next and switches there: one switch for an event, and none for a process that
// is next itself. Only a process that ends goes back to Run.
type Env struct {
	now    time.Duration
	until  time.Duration      // when Run returns
	runner *greenlet.Greenlet // who waits in Run
	events agenda
	made   uint64 // events so far
	Steps  int    // how often a process went on
}

// A Process is a life in the world.
type Process struct {
	env  *Env
	life *greenlet.Greenlet
	turn uint32 // how often it has gone on or been called; events for another turn are void
	why  signal // it goes on
}

// A signal tells a process why it goes on.
type signal bool

const (
	timeIsUp signal = false
	called   signal = true
)

// Go starts a process, which first runs when the present one waits. Its parent
// is who waits in Run, so that is where its panics go, too.
func (e *Env) Go(live func(p *Process)) {
	p := &Process{env: e}
	p.life = greenlet.New(func(any) (any, error) {
		live(p)
		return nil, nil
	}, greenlet.WithParent(e.runner))
	e.schedule(p, 0, called)
}

// Run lets time pass until there is nothing left to happen, or until the given
// time.
func (e *Env) Run(until time.Duration) {
	e.until, e.runner = until, greenlet.Current()
	for p := e.next(); p != nil; p = e.next() {
		p.life.Switch(nil) // until one of the processes ends, or none is next
	}
	e.now = max(e.now, until)
}

// Now is the time that has passed in the world.
func (e *Env) Now() time.Duration { return e.now }

// next goes on to the next event and returns whose it is: nil if there is none
// in this run.
func (e *Env) next() *Process {
	for len(e.events) > 0 && e.events[0].at <= e.until {
		ev := e.events.pop()
		if ev.turn != ev.who.turn {
			continue // something else came first
		}
		e.now = ev.at
		e.Steps++
		ev.who.turn++
		ev.who.why = ev.why
		return ev.who
	}
	return nil
}

// schedule makes p go on after d, unless something else wakes it before.
func (e *Env) schedule(p *Process, d time.Duration, why signal) {
	e.made++
	e.events.push(event{e.now + d, e.made, p, p.turn, why})
}

// pause passes on the turn until it is p's again, and returns why it is.
func (p *Process) pause() signal {
	switch next := p.env.next(); next {
	case p:
	case nil:
		p.env.runner.Switch(nil)
	default:
		next.life.Switch(nil)
	}
	return p.why
}

// Wait lets d pass: what SimPy calls a timeout.
func (p *Process) Wait(d time.Duration) {
	p.env.schedule(p, d, timeIsUp)
	p.pause()
}

// Now is the time that has passed in the world.
func (p *Process) Now() time.Duration { return p.env.now }

// call wakes p, which waits, before anything else can.
func (p *Process) call() {
	p.turn++
	p.env.schedule(p, 0, called)
}

// A Resource is what only so many processes can have at a time. The others
// queue.
type Resource struct {
	free  int
	queue []claim
	Len   int // how many wait
}

// A claim is void when its process has gone on for another reason.
type claim struct {
	who  *Process
	turn uint32
}

// Forever is the patience of those who have nowhere else to go.
const Forever time.Duration = math.MaxInt64

// Acquire waits until p can have r, for as long as p has patience, and reports
// whether it has got it.
func (r *Resource) Acquire(p *Process, patience time.Duration) bool {
	if r.free > 0 {
		r.free--
		return true
	}
	r.queue = append(r.queue, claim{p, p.turn})
	r.Len++
	if patience < Forever {
		p.env.schedule(p, patience, timeIsUp)
	}
	why := p.pause()
	r.Len--
	return why == called
}

// Release gives r to the first in the queue.
func (r *Resource) Release() {
	for len(r.queue) > 0 {
		first := r.queue[0]
		r.queue = r.queue[1:]
		if first.turn == first.who.turn {
			first.who.call()
			return
		}
	}
	r.free++
}
