//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

import (
	"runtime"
	"sync/atomic"
	"unsafe"
)

// ParkedPC is where a goroutine that the switch parked is resumed by the
// scheduler; the package of the assembly fills it in. Such a goroutine waits
// in no frame of its own.
//
// PausedPC is the same for a coroutine that has gone back to its consumer.
var ParkedPC, PausedPC uintptr

func tellParked() {
	Tell("rt.ParkedPC", Address(&ParkedPC))
	Tell("rt.PausedPC", Address(&PausedPC))
}

// ParkedInSwitch reports whether g, which waits, was parked by the assembly. Owner
// only: g is parked and ours.
func (g G) ParkedInSwitch() bool {
	pc := *(*uintptr)(g.field(GSchedPC))
	return pc == ParkedPC || pc == PausedPC
}

// Callers writes the return addresses of a parked goroutine into pcs, the
// innermost first, and returns how many there are. It answers 0 for a
// goroutine that does not wait. If the collector scans that goroutine's stack
// it waits until that is done.
//
// The frames are found by their frame pointers. Meanwhile the goroutine is
// held as the collector holds one whose stack it scans: by the scan bit of its
// status, so that nobody resumes it and nobody moves its stack. The thread may
// not be taken away meanwhile, else the collector would spin for ever on the
// last processor; m.locks forbids it.
//
// SAFETY: bp and sp are only followed inside the stack's bounds and upwards.
func Callers(g G, pcs []uintptr) int {
	for {
		if n := callersNow(g, pcs); n >= 0 {
			return n
		}
		runtime.Gosched()
	}
}

// callersNow is Callers, or -1 if somebody else holds the goroutine.
//
//go:nosplit
func callersNow(g G, pcs []uintptr) int {
	// No call may come in between: on return it might be another thread's turn.
	m := *(*unsafe.Pointer)(unsafe.Add(getg().p, GM))
	locks := (*int32)(unsafe.Add(m, MLocks))
	*locks++
	n := callers(g, pcs)
	*locks--
	return n
}

//go:nosplit
func callers(g G, pcs []uintptr) int {
	status := (*uint32)(g.field(GStatus))
	if !atomic.CompareAndSwapUint32(status, StatusWaiting, StatusWaiting|StatusScan) {
		if now := atomic.LoadUint32(status); now&^StatusScan == StatusWaiting {
			return -1
		}
		return 0
	}
	lo, hi := g.Bounds()
	n := 0
	add := func(pc uintptr) {
		if n < len(pcs) && pc != 0 {
			pcs[n] = pc
			n++
		}
	}
	pc := *(*uintptr)(g.field(GSchedPC))
	add(pc)
	if pc == ParkedPC || pc == PausedPC {
		add(parkedReturn(g))
	}
	for bp := *(*uintptr)(g.field(GSchedBP)); bp >= lo && bp < hi-ptrSize && n < len(pcs); {
		add(load(bp + ptrSize))
		up := load(bp)
		if up <= bp {
			break
		}
		bp = up
	}
	atomic.StoreUint32(status, StatusWaiting)
	return n
}

const ptrSize = unsafe.Sizeof(uintptr(0))

// load reads a word of a stack.
func load(at uintptr) uintptr { return **(**uintptr)(unsafe.Pointer(&at)) }
