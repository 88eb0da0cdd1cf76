//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"unsafe"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// For a tracer, which looks at the process from outside: addresses.

// AddressOfG is where the g of the goroutine is that g runs on.
func AddressOfG(g *Greenlet) uintptr { return addressOfG(g.c.g) }

func addressOfG(g rt.G) uintptr { return uintptr(*(*unsafe.Pointer)(unsafe.Pointer(&g))) }

// WordOfCoro is where the word of a coroutine is that says whether it is paused, and
// AddressOfCoro where the g of its goroutine is.
func WordOfCoro[In, Out any](c *Coro[In, Out]) uintptr {
	return uintptr(unsafe.Pointer(&c.k.paused))
}

func AddressOfCoro[In, Out any](c *Coro[In, Out]) uintptr { return addressOfG(c.k.c.g) }

// WordOfGenerator are the two addresses of a generator's.
func WordOfGenerator[Y, S, R any](g *Generator[Y, S, R]) (word, its uintptr) {
	return uintptr(unsafe.Pointer(&g.p.paused)), addressOfG(g.p.c.g)
}

// PullForTracer is Pull that tells the two addresses, once the sequence has begun.
func PullForTracer[V any](seq func(yield func(V) bool)) (next func() (V, bool), stop func(), addresses func() (word, g uintptr)) {
	p := newPuller[V, struct{}](seq)
	next = func() (v V, ok bool) {
		call(&p.face)
		return p.state().value, p.state().yielded
	}
	return next, p.stop, func() (uintptr, uintptr) {
		return uintptr(unsafe.Pointer(&p.state().paused)), addressOfG(p.state().c.g)
	}
}

// PlacesOfParks are the pcs of goroutines that the switch has parked.
func PlacesOfParks() (parked, paused uintptr) { return parkedPC, pausedPC }

// SwitchByLetter is g.Switch with the value in a letter.
func SwitchByLetter(g *Greenlet) (any, error) {
	c := self()
	c.short(g, nil)
	return byLetter(g, 1, nil)
}
