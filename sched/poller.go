package sched

import "time"

// A Poller is where a loop waits when nothing is ready: for events from outside,
// such as descriptors that can be read, or for Wake. What it learns it makes
// ready by Loop.Soon, Task.Ready and the like, from inside Wait.
//
// Of its methods the loop's owner calls all but Wake. None switches.
type Poller interface {
	// Wait returns when something has happened, when Wake was called since the
	// last Wait began, or after d; it may return sooner, and the loop then waits
	// again. It does not wait if d is zero or less; Never is for ever.
	Wait(d time.Duration)

	// Wake makes Wait return, the present one or the next. Any goroutine may
	// call it, also after Close.
	Wake()

	// Busy reports whether there is something to ask about also while the loop
	// has other things to do: the loop then calls Wait(0) once in each turn.
	Busy() bool

	// Close gives back what the poller holds.
	Close() error
}

// systemPoller makes the poller of a loop that was given none: it is set by the file
// of a system whose descriptors can be watched.
var systemPoller = func() Poller { return newIdler() }

// idler is the poller of a loop that waits for no descriptors. It waits on a
// channel and a timer, so a testing/synctest bubble with such a loop can be
// idle, and the runtime's deadlock detector sees it.
type idler struct {
	woken chan struct{}
	timer *time.Timer
}

func newIdler() *idler { return &idler{woken: make(chan struct{}, 1)} }

func (p *idler) Wait(d time.Duration) {
	switch {
	case d <= 0:
		select {
		case <-p.woken:
		default:
		}
	case d == Never:
		<-p.woken
	default:
		if p.timer == nil {
			p.timer = time.NewTimer(d)
		} else {
			p.timer.Reset(d)
		}
		select {
		case <-p.woken:
			p.timer.Stop()
		case <-p.timer.C:
		}
	}
}

func (p *idler) Wake() {
	select {
	case p.woken <- struct{}{}:
	default:
	}
}

func (p *idler) Busy() bool   { return false }
func (p *idler) Close() error { return nil }
