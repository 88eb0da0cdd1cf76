package rt

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"
	"sync/atomic"
	"unsafe"
)

// Fast tells that the layout table fits the running program, so that the
// fields of a G may be read. Reason says why it is false.
var (
	Fast   bool
	Reason string
)

func init() {
	if checkTable(); !Fast {
		lookForNumber()
	}
}

func checkTable() {
	if !Known {
		Reason = "no layout table for " + runtime.Version() + " on " + runtime.GOARCH + " in this build"
		return
	}
	initialising.Store(true)
	defer initialising.Store(false)
	if err := check(known); err != nil {
		Reason = "self-check failed on " + runtime.Version() + ": " + err.Error()
		return
	}
	Fast = true
}

// A table is what the check holds against facts: all that is borrowed from the
// runtime's layout and that a program can see of itself at its start.
type table struct {
	// in a goroutine's g
	stackLo, stackHi, stackGuard, m                 uintptr
	schedSP, schedPC, schedCtxt, schedLR, schedBP   uintptr
	status, goid, waitSince, waitReason, scanDone   uintptr
	lockedM, profiled, bubble, trace, traceSeq, dit uintptr
	labels                                          uintptr

	// in a thread's m
	g0, curg, locks, lockedG, lockedExt, lockedInt uintptr

	running, waiting, dead uintptr // statuses
}

var known = table{
	GStackLo, GStackHi, GStackGuard, GM,
	GSchedSP, GSchedPC, GSchedCtxt, GSchedLR, GSchedBP,
	GStatus, GGoid, GWaitSince, GWaitReason, GGCScanDone,
	GLockedM, GProfiled, GBubble, GTrace, GTraceSeq, GDIT,
	GLabels,
	MG0, MCurg, MLocks, MLockedG, MLockedExt, MLockedInt,
	StatusRunning, StatusWaiting, StatusDead,
}

// check compares what the table says of two goroutines, this one and a fresh
// one, with facts known otherwise. It takes some microseconds. What the table
// calls an address is not followed before it has been found in one place more;
// if it is none for all that, the fault is a panic here and means no.
func check(t table) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("an address is none: %v", fault)
		}
	}()
	here := t.of(getg())
	if err := t.checkRunning(here); err != nil {
		return err
	}
	// This goroutine parks in a receive, where the other looks at it. Then the
	// other parks, where the scheduler parks those of the switch, and ends.
	looked := make(chan error)
	labels := here.word(t.labels)
	go func() {
		mine := t.of(getg())
		err := t.checkRunning(mine)
		if err == nil && mine.word(t.labels) != labels {
			err = fmt.Errorf("a new goroutine has not inherited the profiler labels")
		}
		if err == nil {
			err = t.checkParked(here)
		}
		looked <- err
	}()
	if err := <-looked; err != nil {
		return err
	}
	if SwitchBuilt {
		return t.checkCoroutine()
	}
	return nil
}

// memory is a structure of the runtime's, by its address. It is a number: what a
// wrong table takes for a pointer must not be one for the collector.
type memory uintptr

func (t *table) of(g G) memory { return memory(uintptr(g.p)) }

//go:nocheckptr
func (s memory) at(off uintptr) unsafe.Pointer {
	address := uintptr(s) + off
	return *(*unsafe.Pointer)(unsafe.Pointer(&address))
}

func (s memory) word(off uintptr) uintptr { return atomic.LoadUintptr((*uintptr)(s.at(off))) }
func (s memory) half(off uintptr) uint32  { return atomic.LoadUint32((*uint32)(s.at(off))) }
func (s memory) byte(off uintptr) uint8   { return *(*uint8)(s.at(off)) }

func (t *table) statusOf(g memory) uintptr { return uintptr(g.half(t.status) &^ StatusScan) }

// checkRunning compares the fields of the running goroutine with what is known
// of it.
func (t *table) checkRunning(g memory) error {
	sp := StackPointer()
	lo, hi := g.word(t.stackLo), g.word(t.stackHi)
	guard := g.word(t.stackGuard)
	const poisoned = ^uintptr(0) - 1<<12 // asked to yield, or to make room: above every stack
	switch {
	case g == 0:
		return fmt.Errorf("no g")
	case !inStack(sp, lo, hi):
		return fmt.Errorf("stack bounds [%#x, %#x) do not hold %#x", lo, hi, sp)
	case guard < poisoned && (guard <= lo || guard > sp || guard-lo > 1<<14):
		return fmt.Errorf("stack guard %#x is not at the end of [%#x, %#x)", guard, lo, hi)
	case uint64(g.word(t.goid)) != printedID():
		return fmt.Errorf("goid is %d, runtime.Stack prints %d", g.word(t.goid), printedID())
	case t.statusOf(g) != t.running:
		return fmt.Errorf("status of a running goroutine is %d", t.statusOf(g))
	case g.word(t.waitSince) != 0:
		return fmt.Errorf("a running goroutine waits since %#x", g.word(t.waitSince))
	}
	if err := t.checkQuiet(g); err != nil {
		return err
	}
	// Only the switch reads a thread's fields, and the table's hold only where
	// it is built.
	if !SwitchBuilt {
		return nil
	}
	var err error
	for range 5 { // it may be preempted meanwhile, and go on on another thread
		if err = t.checkThread(g); err == nil {
			break
		}
	}
	return err
}

// What the words for the tracer hold, besides 0.
const (
	traced = 1      // what the tracer writes
	stale  = 0x0100 // not 0, with a low byte of 0
)

// checkQuiet looks at the fields that are 0 unless something goes on that is
// rare while a program starts; and then they are small.
func (t *table) checkQuiet(g memory) error {
	switch {
	case g.byte(t.scanDone) > 1:
		return fmt.Errorf("gcscandone is not a bool")
	case g.half(t.profiled) > 2:
		return fmt.Errorf("goroutineProfiled is %#x", g.half(t.profiled))
	case g.word(t.bubble) != 0:
		return fmt.Errorf("there is a bubble")
	case g.byte(t.dit) > 1:
		return fmt.Errorf("ditWanted is not a bool")
	}
	for i := range uintptr(3) {
		if word := g.half(t.trace + 4*i); word > traced && word != stale {
			return fmt.Errorf("statusTraced[%d] is %#x", i, word)
		}
	}
	for i := range uintptr(2) {
		if seq := uint64(g.word(t.traceSeq + 8*i)); seq > 1<<32 {
			return fmt.Errorf("seq[%d] of a trace is %#x", i, seq)
		}
	}
	return nil
}

// checkThread compares the fields of the running goroutine's thread with the
// goroutine's.
func (t *table) checkThread(g memory) error {
	m := memory(g.word(t.m))
	if m == 0 || memory(m.word(t.curg)) != g {
		return fmt.Errorf("m.curg is not the running goroutine")
	}
	if g0 := memory(m.word(t.g0)); g0 == g || memory(g0.word(t.m)) != m {
		return fmt.Errorf("m.g0 is not the thread's goroutine")
	}
	if locks := m.half(t.locks); locks != 0 {
		return fmt.Errorf("m.locks of running code is %#x", locks)
	}
	// A package is initialised on a goroutine that the runtime has locked to
	// its thread, so one of the two goroutines checked shows the first case.
	lockedM, lockedG := memory(g.word(t.lockedM)), memory(m.word(t.lockedG))
	inside, outside := m.half(t.lockedInt), m.half(t.lockedExt)
	const many = 1 << 16
	switch {
	case lockedM != 0 && (lockedM != m || lockedG != g || inside+outside == 0 || inside > many || outside > many):
		return fmt.Errorf("a locked goroutine and its thread disagree")
	case lockedM == 0 && (lockedG != 0 || inside != 0 || outside != 0):
		return fmt.Errorf("an unlocked goroutine and its thread disagree")
	case initialising.Load() && g.word(t.goid) == 1 && inside != 1:
		return fmt.Errorf("the runtime has locked the main goroutine to its thread %d times", inside)
	}
	return nil
}

// initialising is true until this package is initialised.
var initialising atomic.Bool

// checkParked looks at a goroutine that is about to park or has parked.
func (t *table) checkParked(g memory) error {
	t.await(func() bool { return t.statusOf(g) == t.waiting && g.word(t.m) == 0 })
	lo, hi := g.word(t.stackLo), g.word(t.stackHi)
	sp, bp := g.word(t.schedSP), g.word(t.schedBP)
	switch {
	case t.statusOf(g) != t.waiting:
		return fmt.Errorf("status of a parked goroutine is %d", t.statusOf(g))
	case !inStack(sp, lo, hi):
		return fmt.Errorf("stack bounds [%#x, %#x) do not hold the parked %#x", lo, hi, sp)
	case g.word(t.m) != 0:
		return fmt.Errorf("a parked goroutine has a thread")
	case functionAt(g.word(t.schedPC)) != "runtime.gopark":
		return fmt.Errorf("a parked goroutine's pc is not in gopark")
	case !inStack(bp, lo, hi) || bp <= sp && bp+unsafe.Sizeof(bp) != sp || !strings.HasPrefix(functionAt(memory(bp).word(unsafe.Sizeof(bp))), "runtime."):
		return fmt.Errorf("a parked goroutine's frame pointer is %#x", bp)
	case g.word(t.schedCtxt) != 0 || g.word(t.schedLR) != 0:
		return fmt.Errorf("a parked goroutine has a closure or a return address: %#x, %#x", g.word(t.schedCtxt), g.word(t.schedLR))
	case uint64(g.word(t.waitSince))>>62 != 0:
		return fmt.Errorf("waitsince is %#x", g.word(t.waitSince))
	}
	return t.checkQuiet(g)
}

// checkCoroutine looks at a goroutine that has parked as those of the switch do
// in Hand, and then ends.
func (t *table) checkCoroutine() error {
	var m Muster
	m.Expect(1)
	var g G
	go func() {
		g = getg()
		m.Arrive()
	}()
	t.await(m.Complete)
	if !m.Complete() {
		return fmt.Errorf("a new goroutine does not park")
	}
	s := t.of(g)
	reason, status, id := s.byte(t.waitReason), t.statusOf(s), s.word(t.goid)
	Ready(g)
	t.await(func() bool { return t.statusOf(s) == t.dead || s.word(t.goid) != id })
	switch {
	case reason != WaitCoroutine:
		return fmt.Errorf("the reason of a wait is %d, not %d", reason, WaitCoroutine)
	case status != t.waiting:
		return fmt.Errorf("status of a parked goroutine is %d", status)
	case t.statusOf(s) != t.dead && s.word(t.goid) == id:
		return fmt.Errorf("status of a goroutine that has ended is %d", t.statusOf(s))
	}
	return nil
}

// await waits until what the runtime is about to do is done. It changes a
// status first and lets go of the thread a moment later, say.
func (t *table) await(done func() bool) {
	for range patience {
		if done() {
			return
		}
		runtime.Gosched()
	}
}

var patience = 1_000_000

func functionAt(pc uintptr) string {
	if f := runtime.FuncForPC(pc); f != nil {
		return f.Name()
	}
	return ""
}

func inStack(sp, lo, hi uintptr) bool {
	size := hi - lo
	return lo < sp && sp < hi && size <= 1<<30 && size&(size-1) == 0
}
