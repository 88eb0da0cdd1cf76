package greenlet

import (
	"runtime"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// The generic switch: every greenlet has its goroutine, and a goroutine that is
// not its tree's turn waits for a token in a channel. It is in every build,
// because the assembly may turn out at start not to fit the runtime.

// An engine is what a goroutine needs to wait for its turn.
type engine struct {
	turn   chan struct{} // holds the token
	labels rt.Labels     // the profiler's, of who has started the greenlet: see inherit

	number uint64 // the goroutine's; with the assembly its g tells
}

func newEngine() *engine {
	if assembly {
		return nil
	}
	return &engine{turn: make(chan struct{}, 1)}
}

// handOver parks c and lets next run. It returns when c is resumed. The word of a
// coroutine that pauses is set when c touches nothing more but its token.
func (c *carrier) handOver(next *carrier, parked *uint32) {
	if assembly {
		c.park(next, parked)
		return
	}
	if next.cold {
		next.cold = false
		go carryGeneric(next)
	}
	if parked != nil {
		atomic.StoreUint32(parked, paused)
	}
	next.turn <- struct{}{}
	<-c.turn
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
	for failed := false; c.serve(failed); failed = true {
	}
	runtime.KeepAlive(c) // it is found as long as there is the stack: see hub.lingers
}
