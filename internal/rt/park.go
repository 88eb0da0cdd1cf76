//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

import (
	"sync/atomic"
	"unsafe"
)

// The slow way from goroutine to goroutine: the scheduler's own park and ready.
// It keeps every book the runtime keeps (traces, profiles, locked threads,
// synctest bubbles), at 100 to 200 ns.

// Hand parks the running goroutine and makes next, which is parked, runnable.
// It returns when somebody makes the caller runnable again.
//
// A caller that is locked to its thread by LockOSThread gives the lock to
// next, so that the thread stays with the tree.
//
// If parked is not nil it is set to 1 when the caller is parked and let go of:
// then any thread may resume it.
func Hand(next G, parked *uint32) {
	if g := getg(); g.Traced() || parked != nil {
		p := &passage{next: next, parked: parked, traced: g.Traced()}
		gopark(pass, unsafe.Pointer(p), WaitCoroutine, traceBlockCoroutine, 3)
		p.arrived(g)
		return
	}
	gopark(hand, next.p, WaitCoroutine, traceBlockCoroutine, 3)
}

// traceBlockCoroutine is the trace's reason for a block; 0 is "generic", which
// every release has.
const traceBlockCoroutine = 0

// hand runs on the scheduler's stack once gp is parked.
func hand(gp G, lock unsafe.Pointer) bool {
	next := G{lock}
	donate(gp, next)
	goready(next, 1)
	return true
}

// donate gives gp's lock on this thread to next.
//
// SAFETY: it runs on the scheduler's stack of the thread that gp was locked
// to: nobody else changes the three fields then. A lock of the runtime's own
// or of a cgo callback (lockedInt) stays where it is.
func donate(gp, next G) {
	held := (*unsafe.Pointer)(gp.field(GLockedM))
	if *held == nil {
		return
	}
	m := G{*held}
	if *(*uint32)(m.field(MLockedInt)) != 0 || *(*unsafe.Pointer)(next.field(GLockedM)) != nil {
		return
	}
	// Plain words, not pointers, as in the runtime (muintptr, guintptr).
	*(*uintptr)(m.field(MLockedG)) = uintptr(next.p)
	*(*uintptr)(next.field(GLockedM)) = uintptr(m.p)
	*(*uintptr)(gp.field(GLockedM)) = 0
}

// Ready makes a parked goroutine runnable. The caller goes on.
func Ready(g G) { goready(g, 1) }

// Meet lets one goroutine start another and park, in whichever order the two
// arrive, without a channel and without a waiting loop. The zero Meet is ready
// for use, once, and again after Reset.
type Meet struct {
	state    atomic.Uint32
	newcomer G
	creator  G
}

const (
	meetNobody  = iota
	meetCreator // the creator has parked and wants the newcomer to run on
	meetParked  // the newcomer has parked
	meetAwaits  // the creator waits until the newcomer has parked
)

// Reset makes m ready for use. Of those who met before, the newcomer has
// returned from Arrive: then neither looks at m any more.
func (m *Meet) Reset() {
	m.state.Store(meetNobody)
	m.newcomer, m.creator = G{}, G{}
}

// Start parks the creator, which has just started the newcomer by a go
// statement, and lets the newcomer run on. It returns when the creator is
// made runnable again.
func (m *Meet) Start() { gopark(meetStart, unsafe.Pointer(m), WaitCoroutine, traceBlockCoroutine, 3) }

func meetStart(_ G, lock unsafe.Pointer) bool {
	m := (*Meet)(lock)
	if !m.state.CompareAndSwap(meetNobody, meetCreator) {
		goready(m.newcomer, 1)
	}
	return true
}

// StartAndReturn waits until the newcomer has parked and leaves it parked.
func (m *Meet) StartAndReturn() {
	m.creator = getg()
	gopark(meetAwait, unsafe.Pointer(m), WaitCoroutine, traceBlockCoroutine, 3)
}

func meetAwait(_ G, lock unsafe.Pointer) bool {
	m := (*Meet)(lock)
	return m.state.CompareAndSwap(meetNobody, meetAwaits)
}

// Arrive is the newcomer's first act: it returns once the newcomer may run.
func (m *Meet) Arrive() {
	if m.state.Load() == meetCreator {
		return
	}
	m.newcomer = getg()
	gopark(meetArrive, unsafe.Pointer(m), WaitCoroutine, traceBlockCoroutine, 3)
}

func meetArrive(_ G, lock unsafe.Pointer) bool {
	m := (*Meet)(lock)
	if m.state.CompareAndSwap(meetNobody, meetParked) {
		return true
	}
	if m.state.Load() == meetAwaits {
		goready(m.creator, 1)
		return true
	}
	return false
}

// Muster is where goroutines park that are started ahead of need.
type Muster struct{ missing atomic.Int32 }

// Expect says how many there will be.
func (m *Muster) Expect(n int) { m.missing.Store(int32(n)) }

// Arrive parks the caller until somebody makes it runnable.
func (m *Muster) Arrive() {
	gopark(musterArrive, unsafe.Pointer(m), WaitCoroutine, traceBlockCoroutine, 3)
}

// musterArrive counts a goroutine that waits, and that no thread holds any more.
func musterArrive(_ G, lock unsafe.Pointer) bool {
	(*Muster)(lock).missing.Add(-1)
	return true
}

// Complete reports whether all have parked.
func (m *Muster) Complete() bool { return m.missing.Load() == 0 }
