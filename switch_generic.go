package greenlet

import "sync/atomic"

// The generic switch: every greenlet has its goroutine, and a goroutine that is
// not its tree's turn waits for a token in a channel. It is in every build,
// because the assembly may turn out at start not to fit the runtime.

// An engine is what a goroutine needs to wait for its turn.
type engine struct {
	turn chan struct{} // holds the token
	rest atomic.Bool   // waits for the token, and has done what it does before

	number uint64 // the goroutine's; with the assembly its g tells
}

func newEngine() *engine {
	if assembly {
		return nil
	}
	return &engine{turn: make(chan struct{}, 1)}
}

// handOver parks c and lets next run. It returns when c is resumed.
func (c *carrier) handOver(next *carrier) {
	if assembly {
		c.park(next)
		return
	}
	if next.cold {
		next.cold = false
		go carryGeneric(next)
	}
	c.rest.Store(true)
	next.turn <- struct{}{}
	<-c.turn
	c.rest.Store(false)
}

// wake lets c's goroutine run on beside the caller's: to end.
func (c *carrier) wake() {
	if assembly {
		c.ready()
		return
	}
	c.turn <- struct{}{}
}

func carryGeneric(c *carrier) {
	<-c.turn
	c.register(false)
	defer c.depart()
	c.life()
}
