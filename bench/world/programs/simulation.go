//go:build linux

package main

import (
	"iter"
	"slices"

	"github.com/go-greenlet/greenlet"
)

// simulation has entities that wait, go to a place, see who has been there, and wait
// again. What one sees depends on who was faster, so all ways must take the same
// course.
var simulation = program{
	name: "simulation", title: "A simulation of 100,000 entities", unit: "event", n: 100_000 * visits, short: 50 * visits,
	ways: []way{
		{name: "greenlets", run: simulateGreenlets},
		{name: "goroutines, channels", run: simulateGoroutines},
		{name: "iter.Pull", run: simulatePull(iter.Pull[int64])},
		{name: "greenlet.Pull", run: simulatePull(greenlet.Pull[int64])},
		{name: "by hand, as state machines", run: simulateByHand},
		{name: "SimPy, Python", script: "simulation.py", needs: "SimPy.Simulation", slow: true},
	},
}

const visits = 10

// An entity's numbers.
type numbers uint64

// wait is a time long enough that no two events are at one time.
func (n *numbers) wait() int64 {
	*n = *n*6364136223846793005 + 1442695040888963407
	return int64(*n >> 24)
}

func (n numbers) place() int { return int(n>>20) % places }

const places = 1000

// A world has the time, the agenda, and what the entities have in common.
type world struct {
	agenda agenda
	been   [places]uint64
	sum    uint64
}

// visit has an entity see a place.
func (w *world) visit(place int, wealth *uint64) {
	w.been[place]++
	*wealth = *wealth*31 + w.been[place]
}

// end is the end of an entity. The sum has what a float of Python can have.
func (w *world) end(wealth uint64) { w.sum += wealth & (1<<32 - 1) }

// live is an entity's life; sleep waits.
func (w *world) live(who int, sleep func(d int64)) {
	own, wealth := numbers(who), uint64(0)
	for range visits {
		sleep(own.wait())
		w.visit(own.place(), &wealth)
	}
	w.end(wealth)
}

// simulateGreenlets needs no loop: an entity that waits looks who is next and switches
// there. Only one that ends goes back.
func simulateGreenlets(r run) (result, error) {
	return timed(r.n, func() (uint64, error) {
		w := new(world)
		root := greenlet.Current()
		all := make([]*greenlet.Greenlet, r.n/visits)
		now := int64(0)
		for who := range all {
			all[who] = greenlet.New(func(any) (any, error) {
				w.live(who, func(d int64) {
					if now == 0 { // it begins
						w.agenda.push(at(d, who))
						root.Switch(nil)
						return
					}
					next := w.agenda.replace(at(now+d, who))
					now = next.time()
					if next.who() != who {
						all[w.agenda.afterNext().who()].Prefetch()
						all[next.who()].Switch(nil)
					}
				})
				w.agenda.pop()
				return nil, nil
			})
			all[who].Switch(nil)
		}
		for len(w.agenda) > 0 {
			next := w.agenda[0]
			now = next.time()
			all[next.who()].Switch(nil)
		}
		return w.sum, nil
	})
}

// simulateGoroutines is the same by channels: who waits wakes the next one.
func simulateGoroutines(r run) (result, error) {
	return timed(r.n, func() (uint64, error) {
		w := new(world)
		root := make(chan struct{})
		all := make([]chan struct{}, r.n/visits)
		now := int64(0)
		for who := range all {
			all[who] = make(chan struct{})
			go func() {
				w.live(who, func(d int64) {
					if now == 0 {
						w.agenda.push(at(d, who))
						root <- struct{}{}
						<-all[who]
						return
					}
					next := w.agenda.replace(at(now+d, who))
					now = next.time()
					if next.who() != who {
						all[next.who()] <- struct{}{}
						<-all[who]
					}
				})
				w.agenda.pop()
				root <- struct{}{}
			}()
			<-root
		}
		for len(w.agenda) > 0 {
			next := w.agenda[0]
			now = next.time()
			all[next.who()] <- struct{}{}
			<-root
		}
		return w.sum, nil
	})
}

// simulatePull has a loop that resumes whoever is next: an entity is a sequence of the
// times that it waits.
func simulatePull(pull func(iter.Seq[int64]) (func() (int64, bool), func())) func(r run) (result, error) {
	return func(r run) (result, error) {
		return timed(r.n, func() (uint64, error) {
			w := new(world)
			all := make([]func() (int64, bool), r.n/visits)
			for who := range all {
				all[who], _ = pull(func(yield func(int64) bool) {
					w.live(who, func(d int64) { yield(d) })
				})
				d, _ := all[who]()
				w.agenda.push(at(d, who))
			}
			for len(w.agenda) > 0 {
				next := w.agenda[0]
				if d, ok := all[next.who()](); ok {
					w.agenda.replace(at(next.time()+d, next.who()))
				} else {
					w.agenda.pop()
				}
			}
			return w.sum, nil
		})
	}
}

// simulateByHand has no lives, but their states in structs.
func simulateByHand(r run) (result, error) {
	return timed(r.n, func() (uint64, error) {
		w := new(world)
		type entity struct {
			own    numbers
			wealth uint64
			left   int
		}
		all := make([]entity, r.n/visits)
		for who := range all {
			e := &all[who]
			e.own, e.left = numbers(who), visits
			w.agenda.push(at(e.own.wait(), who))
		}
		for len(w.agenda) > 0 {
			next := w.agenda[0]
			e := &all[next.who()]
			w.visit(e.own.place(), &e.wealth)
			if e.left--; e.left > 0 {
				w.agenda.replace(at(next.time()+e.own.wait(), next.who()))
				continue
			}
			w.end(e.wealth)
			w.agenda.pop()
		}
		return w.sum, nil
	})
}

// An event is the end of a wait: its time, and in the low bits who waits.
type event int64

const whoBits = 18

func at(time int64, who int) event { return event(time)<<whoBits | event(who) }
func (e event) time() int64        { return int64(e >> whoBits) }
func (e event) who() int           { return int(e & (1<<whoBits - 1)) }

// An agenda is a heap of four branches, the next event on top.
type agenda []event

// afterNext is what comes after the next, or the next if there is no other.
func (a agenda) afterNext() event {
	if len(a) < 2 {
		return a[0]
	}
	return slices.Min(a[1:min(5, len(a))])
}

func (a *agenda) push(e event) {
	*a = append(*a, e)
	i := len(*a) - 1
	for ; i > 0 && (*a)[(i-1)/4] > e; i = (i - 1) / 4 {
		(*a)[i] = (*a)[(i-1)/4]
	}
	(*a)[i] = e
}

// pop removes the next event.
func (a *agenda) pop() {
	last := len(*a) - 1
	e := (*a)[last]
	*a = (*a)[:last]
	if last > 0 {
		a.replace(e)
	}
}

// replace puts e in place of the next event, and returns what is next then.
func (a agenda) replace(e event) event {
	i := 0
	for c := 1; c < len(a); c = 4*i + 1 {
		first := c
		for d := c + 1; d < min(c+4, len(a)); d++ {
			if a[d] < a[first] {
				first = d
			}
		}
		if e <= a[first] {
			break
		}
		a[i] = a[first]
		i = first
	}
	a[i] = e
	return a[0]
}
