package bench_test

import (
	"fmt"
	"iter"
	"slices"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// BenchmarkSimulation is a discrete-event simulation of n processes, each of
// which waits for some time, again and again. All have the same agenda and the
// same processes, and take the same course, which is checked. They differ in how
// a process waits:
//
//	greenlet            it looks who is next and switches there; and it looks who
//	                    comes after that, for Prefetch
//	greenlet-unfetched  the same without Prefetch
//	greenlet-coro       it yields to a loop that resumes whoever is next (Coro)
//	greenlet-pull       the same (Pull)
//	pull                the same (iter.Pull), which cannot do otherwise
//	chan0               the same, by channels
//	chan0-direct        it looks who is next, wakes that one by a channel and waits
//	callback            it returns; its state is in a closure
func BenchmarkSimulation(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		for _, v := range []struct {
			by    string
			start func(n int) simulation
		}{
			{"greenlet", func(n int) simulation { return greenlets(n, true) }},
			{"greenlet-unfetched", func(n int) simulation { return greenlets(n, false) }},
			{"greenlet-coro", resumed(coroProcess)},
			{"greenlet-pull", resumed(func(id int) (func() int64, func()) { return pullProcess(id, greenlet.Pull[int64]) })},
			{"pull", resumed(func(id int) (func() int64, func()) { return pullProcess(id, iter.Pull[int64]) })},
			{"chan0", resumed(channelProcess)},
			{"chan0-direct", channels},
			{"callback", resumed(callbackProcess)},
		} {
			b.Run(fmt.Sprintf("n=%d/by=%s", n, v.by), func(b *testing.B) { simulate(b, n, v.start) })
		}
	}
}

// A simulation is carried on by run for so many events. The agenda is seen
// between two runs.
type simulation struct {
	agenda agenda
	run    func(events int)
	end    func()
}

// simulate carries out b.N events, after those at which the processes begin.
func simulate(b *testing.B, n int, start func(n int) simulation) {
	s := start(n)
	defer s.end()
	s.run(3 * n)
	b.ReportAllocs()
	b.ResetTimer()
	s.run(b.N)
	per(b, b.N, "ns/event")
	same := resumed(callbackProcess)(n)
	same.run(3*n + b.N)
	if !slices.Equal(s.agenda, same.agenda) {
		b.Fatalf("after %d events of %d processes it is %d o'clock, and should be %d",
			b.N, n, s.agenda.next().time(), same.agenda.next().time())
	}
}

// chances are a process's numbers.
type chances uint64

func (c *chances) wait() int64 {
	*c = *c*6364136223846793005 + 1442695040888963407
	return int64(*c >> 33 % 1000)
}

// A world is what processes share that pass on the turn themselves.
type world struct {
	agenda
	left int // events until the present run ends
}

// wait puts off the process whose event is on top, for d. If then another one is
// next, or the run ends, the process must pass on the turn.
func (w *world) wait(id int, d int64) (passOn bool) {
	w.replace(at(w.next().time()+d, id))
	w.left--
	return w.left == 0 || w.next().who() != id
}

func greenlets(n int, fetch bool) simulation {
	root := greenlet.Current()
	w := &world{agenda: newAgenda(n)}
	processes := make([]*greenlet.Greenlet, n)
	for id := range processes {
		processes[id] = greenlet.New(func(any) (any, error) {
			for own := chances(id); ; {
				if !w.wait(id, own.wait()) {
					continue
				}
				if w.left == 0 {
					root.Switch(nil)
					continue
				}
				if fetch {
					processes[w.afterNext().who()].Prefetch()
				}
				processes[w.next().who()].Switch(nil)
			}
		})
	}
	return simulation{
		agenda: w.agenda,
		run: func(events int) {
			w.left = events
			processes[w.next().who()].Switch(nil)
		},
		end: func() { killAll(processes) },
	}
}

// channels is greenlets with goroutines: one hand-over for each event.
func channels(n int) simulation {
	w := &world{agenda: newAgenda(n)}
	stopped := make(chan struct{})
	turns := make([]chan struct{}, n)
	for id := range turns {
		turns[id] = make(chan struct{})
		go func() {
			own := chances(id)
			for range turns[id] {
				for !w.wait(id, own.wait()) {
				}
				if w.left == 0 {
					stopped <- struct{}{}
				} else {
					turns[w.next().who()] <- struct{}{}
				}
			}
		}()
	}
	return simulation{
		agenda: w.agenda,
		run: func(events int) {
			w.left = events
			turns[w.next().who()] <- struct{}{}
			<-stopped
		},
		end: func() {
			for _, turn := range turns {
				close(turn)
			}
		},
	}
}

// resumed is the simulation whose loop resumes one process after the other.
// What resume returns is how long the process waits.
func resumed(start func(id int) (resume func() int64, end func())) func(n int) simulation {
	return func(n int) simulation {
		a := newAgenda(n)
		resumes, ends := make([]func() int64, n), make([]func(), n)
		for id := range resumes {
			resumes[id], ends[id] = start(id)
		}
		return simulation{
			agenda: a,
			run: func(events int) {
				for range events {
					e := a.next()
					a.replace(at(e.time()+resumes[e.who()](), e.who()))
				}
			},
			end: func() {
				for _, end := range ends {
					end()
				}
			},
		}
	}
}

func coroProcess(id int) (resume func() int64, end func()) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[struct{}, int64], _ struct{}) error {
		for own := chances(id); ; {
			c.Yield(own.wait())
		}
	})
	return func() int64 { d, _ := c.Resume(struct{}{}); return d }, func() { c.Close() }
}

func pullProcess(id int, pull func(iter.Seq[int64]) (func() (int64, bool), func())) (resume func() int64, end func()) {
	next, stop := pull(func(yield func(int64) bool) {
		for own := chances(id); yield(own.wait()); {
		}
	})
	return func() int64 { d, _ := next(); return d }, stop
}

func channelProcess(id int) (resume func() int64, end func()) {
	ask, answer := make(chan struct{}), make(chan int64)
	go func() {
		own := chances(id)
		for range ask {
			answer <- own.wait()
		}
	}()
	return func() int64 { ask <- struct{}{}; return <-answer }, func() { close(ask) }
}

func callbackProcess(id int) (resume func() int64, end func()) {
	own := chances(id)
	return func() int64 { return own.wait() }, func() {}
}
