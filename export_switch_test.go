//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"sync/atomic"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// turned counts the switches that a gate has turned away, while CountTurned is
// on: to slow, and in the end to the scheduler.
var turned struct{ slow, scheduler atomic.Int64 }

// The assembly jumps to these as to the functions that they call: with nothing
// but the arguments in registers, so they are no closures.

func countedSlow(g *Greenlet, v any, err error) (any, error) {
	turned.slow.Add(1)
	return slow(g, v, err)
}

func countedScheduler(next rt.G, parked *uint32) (any, error) {
	turned.scheduler.Add(1)
	return byScheduler(next, parked)
}

func countedCall(f *face) (any, error) {
	turned.slow.Add(1)
	return callInGo(f)
}

func countedProceed(f *face) (any, error) {
	turned.slow.Add(1)
	return proceedInGo(f)
}

func countedBack(p *pair) (any, error) {
	turned.slow.Add(1)
	return backSlow(p)
}

// CountTurned counts the switches of all trees that do not stay in assembly,
// until stop is called: those that Go finds a way for, and those which are left
// to the scheduler. No tree may switch when it is called.
func CountTurned() (stop func() (slow, scheduler int)) {
	turned.slow.Store(0)
	turned.scheduler.Store(0)
	slowPC, schedulerPC = standIn(enter, countedSlow), standIn(swap, countedScheduler)
	callSlowPC, backSlowPC = standIn(call, countedCall), standIn(back, countedBack)
	proceedSlowPC = standIn(proceed, countedProceed)
	return func() (int, int) {
		slowPC, schedulerPC = standIn(enter, slow), standIn(swap, byScheduler)
		callSlowPC, backSlowPC = standIn(call, callInGo), standIn(back, backSlow)
		proceedSlowPC = standIn(proceed, proceedInGo)
		return int(turned.slow.Load()), int(turned.scheduler.Load())
	}
}

// Traced reports whether the running goroutine takes the slow path because an
// execution trace has seen it.
func Traced() bool { return rt.Self().Traced() }

// WaitSince returns since when the running goroutine waits: 0, if all is well.
func WaitSince() int64 { return rt.Self().WaitSince() }

// WaitsSince returns since when g does, which is suspended.
func WaitsSince(g *Greenlet) int64 { return g.c.g.WaitSince() }
