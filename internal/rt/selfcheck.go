package rt

import (
	"fmt"
	"runtime"
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
	switch {
	case !Known:
		Reason = "no layout table for " + runtime.Version() + " on " + runtime.GOARCH + " in this build"
	default:
		if err := check(); err != nil {
			Reason = "self-check failed on " + runtime.Version() + ": " + err.Error()
			return
		}
		Fast = true
	}
}

// check compares what the table says of two goroutines, this one and a fresh
// one, with facts known otherwise. It takes some microseconds.
func check() error {
	if err := checkRunning(); err != nil {
		return err
	}
	here := make(chan G)
	result := make(chan error)
	go func() {
		if err := checkRunning(); err != nil {
			result <- err
			return
		}
		result <- checkParked(<-here)
	}()
	// This goroutine parks in the second receive, where the other looks at it.
	select {
	case here <- getg():
	case err := <-result:
		return err
	}
	return <-result
}

// checkRunning compares the fields of the running goroutine with what is known
// of it.
func checkRunning() error {
	g := getg()
	if g.IsNil() {
		return fmt.Errorf("no g")
	}
	var local byte
	sp := uintptr(unsafe.Pointer(&local))
	lo, hi := g.Bounds()
	switch {
	case !inStack(sp, lo, hi):
		return fmt.Errorf("stack bounds [%#x, %#x) do not hold %#x", lo, hi, sp)
	case g.ID() != printedID():
		return fmt.Errorf("goid is %d, runtime.Stack prints %d", g.ID(), printedID())
	case g.Status() != StatusRunning:
		return fmt.Errorf("status of a running goroutine is %d", g.Status())
	case *(*uint8)(g.field(GGCScanDone)) > 1:
		return fmt.Errorf("gcscandone is not a bool")
	}
	// Only the switch reads a thread's fields, and the table's hold only where
	// it is built.
	if SwitchBuilt {
		return checkThread(g)
	}
	return nil
}

// checkThread compares the fields of the running goroutine's thread with the
// goroutine's.
func checkThread(g G) error {
	m := G{*(*unsafe.Pointer)(g.field(GM))}
	if m.IsNil() || *(*unsafe.Pointer)(m.field(MCurg)) != g.p {
		return fmt.Errorf("m.curg is not the running goroutine")
	}
	// A package is initialised on a goroutine that the runtime has locked to
	// its thread, so one of the two goroutines checked shows the first case.
	lockedm, lockedg := *(*unsafe.Pointer)(g.field(GLockedM)), *(*unsafe.Pointer)(m.field(MLockedG))
	locks := *(*uint32)(m.field(MLockedInt)) + *(*uint32)(m.field(MLockedExt))
	if lockedm != nil && (lockedm != m.p || lockedg != g.p || locks == 0 || locks > 1<<16) {
		return fmt.Errorf("a locked goroutine and its thread disagree")
	}
	if lockedm == nil && (lockedg != nil || locks != 0) {
		return fmt.Errorf("an unlocked goroutine and its thread disagree")
	}
	return nil
}

// checkParked looks at a goroutine that is about to park or has parked. The
// runtime changes the status first and lets go of the thread a moment later: it
// may be seen in between.
func checkParked(g G) error {
	thread := (*unsafe.Pointer)(g.field(GM))
	for range 1_000_000 {
		if g.Status() == StatusWaiting && atomic.LoadPointer(thread) == nil {
			break
		}
		runtime.Gosched()
	}
	lo, hi := g.Bounds()
	switch {
	case g.Status() != StatusWaiting:
		return fmt.Errorf("status of a parked goroutine is %d", g.Status())
	case !inStack(g.SP(), lo, hi):
		return fmt.Errorf("stack bounds [%#x, %#x) do not hold the parked %#x", lo, hi, g.SP())
	case atomic.LoadPointer(thread) != nil:
		return fmt.Errorf("a parked goroutine has a thread")
	case runtime.FuncForPC(*(*uintptr)(g.field(GSchedPC))) == nil:
		return fmt.Errorf("a parked goroutine's pc is in no function")
	}
	return nil
}

func inStack(sp, lo, hi uintptr) bool {
	size := hi - lo
	return lo < sp && sp < hi && size <= 1<<30 && size&(size-1) == 0
}
