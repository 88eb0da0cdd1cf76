package main

import (
	"math/rand/v2"
	"time"
)

// A shop has machines that work, break down and wait for one of a few who can
// repair them. Every machine is a process, alive from the first day to the last.
type shop struct {
	machines, fitters int

	breakdowns int
	down       int     // machines that do not work
	lost       float64 // hours in which a machine did not work, all together
	busy       float64 // hours of work, of all fitters together
	history    []point // of down, hour by hour
}

const (
	timeToFailure = 100 * time.Hour
	repairTime    = 2 * time.Hour
)

// simulate runs n machines, new on the first day, with the least number of
// fitters that could keep up with their breakdowns.
func (s *shop) simulate(e *Env, rng *rand.Rand, n int, days int) {
	const both = timeToFailure + repairTime
	s.machines, s.fitters = n, int((time.Duration(n)*repairTime+both-1)/both)
	fitters := &Resource{free: s.fitters}

	for range n {
		e.Go(func(p *Process) {
			for {
				p.Wait(chance(rng, timeToFailure))
				broke := p.Now()
				s.breakdowns++
				s.down++
				fitters.Acquire(p, Forever)
				repair := chance(rng, repairTime)
				p.Wait(repair)
				fitters.Release()
				s.busy += repair.Hours()
				s.down--
				s.lost += (p.Now() - broke).Hours()
			}
		})
	}
	e.Go(func(p *Process) {
		for ; ; p.Wait(time.Hour) {
			s.history = append(s.history, point{p.Now(), s.down})
		}
	})
	e.Run(time.Duration(days) * 24 * time.Hour)
}
