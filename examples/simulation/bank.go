package main

import (
	"math/rand/v2"
	"time"
)

// A bank is open for a day. Its customers come by chance, most of them about
// noon, take the first counter that is free, and leave if that takes too long.
type bank struct {
	opens, closes time.Duration // by the clock on the wall
	counters      int

	came, gaveUp int
	waits        []time.Duration // of those who were served
	busy         float64         // hours of work at all counters together
	lengths      []point         // of the queue, minute by minute
}

// A point is a value at a time.
type point struct {
	at    time.Duration
	value int
}

const (
	serviceTime = 5 * time.Minute // on average
	patience    = 9 * time.Minute // of the least patient; twice that of the most
)

// simulate lets about n customers come, for whom there is the least number of
// counters that would do if they came at regular intervals.
func (b *bank) simulate(e *Env, rng *rand.Rand, n int) {
	open := b.closes - b.opens
	b.counters = int((time.Duration(n)*serviceTime + open - 1) / open)
	counters := &Resource{free: b.counters}

	e.Go(func(p *Process) {
		p.Wait(b.opens)
		gap := open / time.Duration(n)
		for {
			p.Wait(chance(rng, time.Duration(float64(gap)/b.rush(p.Now()))))
			if p.Now() >= b.closes {
				return
			}
			e.Go(func(p *Process) { b.customer(p, rng, counters) })
		}
	})
	e.Go(func(p *Process) {
		for p.Wait(b.opens); p.Now() < b.closes || counters.Len > 0; p.Wait(time.Minute) {
			b.lengths = append(b.lengths, point{p.Now(), counters.Len})
		}
		b.lengths = append(b.lengths, point{p.Now(), 0})
	})
	e.Run(24 * time.Hour)
}

// rush is how many customers come at a time of day, compared with the average:
// 0.7, and three times that at noon.
func (b *bank) rush(now time.Duration) float64 {
	noon, width := 12.5*60, 90.0 // minutes
	distance := (now.Minutes() - noon) / width
	return 0.7 * (1 + 2*max(0, 1-float64(distance*distance)))
}

func (b *bank) customer(p *Process, rng *rand.Rand, counters *Resource) {
	b.came++
	arrived := p.Now()
	if !counters.Acquire(p, patience+time.Duration(rng.Int64N(int64(patience)))) {
		b.gaveUp++
		return
	}
	b.waits = append(b.waits, p.Now()-arrived)
	service := chance(rng, serviceTime)
	p.Wait(service)
	b.busy += service.Hours()
	counters.Release()
}

// chance is a time that on average is mean and depends on nothing before it.
func chance(rng *rand.Rand, mean time.Duration) time.Duration {
	return time.Duration(rng.ExpFloat64() * float64(mean))
}
