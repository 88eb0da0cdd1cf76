package rt

import (
	"bytes"
	"runtime"
	"sync"
	"sync/atomic"
	"unsafe"
)

// G is a goroutine as the runtime sees it: the address of its runtime.g. The
// runtime keeps every g it ever made, so a G stays readable for ever; but it
// speaks of one goroutine only while that goroutine lives, because a dead
// goroutine's g is given to a new one. The number, ID, is never given twice.
//
// All methods but IsNil need a verified layout table (see Fast).
type G struct{ p unsafe.Pointer }

// IsNil reports whether g is no goroutine at all.
func (g G) IsNil() bool { return g.p == nil }

// field returns the address of the field at offset off.
//
// SAFETY: g came from getg, off from a table that the self-check found right.
func (g G) field(off uintptr) unsafe.Pointer { return unsafe.Add(g.p, off) }

// ID returns the goroutine's number.
func (g G) ID() uint64 { return *(*uint64)(g.field(GGoid)) }

// Status returns the goroutine's status with the scan bit removed.
func (g G) Status() uint32 {
	return atomic.LoadUint32((*uint32)(g.field(GStatus))) &^ StatusScan
}

// Bounds returns the ends of the goroutine's stack, lo <= sp < hi.
func (g G) Bounds() (lo, hi uintptr) {
	return *(*uintptr)(g.field(GStackLo)), *(*uintptr)(g.field(GStackHi))
}

// SP returns the stack pointer of a parked goroutine.
func (g G) SP() uintptr { return *(*uintptr)(g.field(GSchedSP)) }

// bubble tells the goroutine's testing/synctest bubble from others that there
// are at the same time. It is 0 outside of all.
func (g G) bubble() uint64 { return *(*uint64)(g.field(GBubble)) }

// WaitSince returns when the collector first saw that the goroutine waits, by
// the runtime's clock: 0 if it has not, or if the goroutine runs.
func (g G) WaitSince() int64 { return atomic.LoadInt64((*int64)(g.field(GWaitSince))) }

// SetLabels gives g the profiler labels of the running goroutine from, as the
// go statement does for a new goroutine. Owner only: g is parked and ours.
func (g G) SetLabels(from G) {
	src := (*unsafe.Pointer)(from.field(GLabels))
	dst := (*unsafe.Pointer)(g.field(GLabels))
	if *dst != *src {
		*dst = *src
	}
}

// Self returns the running goroutine, or none where no assembly is built in.
func Self() G { return getg() }

// Gone reports whether the goroutine that had number id on g has ended. It
// answers false where that cannot be known.
func Gone(g G, id uint64) bool {
	if !Fast || g.IsNil() {
		return false
	}
	return g.ID() != id || g.Status() == StatusDead
}

// GoroutineID returns the running goroutine's number: read from the goroutine
// where the layout is known, or at least the place of the number, else from the first
// line that runtime.Stack prints, which takes microseconds and more on a deep stack.
func GoroutineID() uint64 {
	if Fast {
		return getg().ID()
	}
	if id := knownID(); id != 0 {
		return id
	}
	return printedID()
}

// Bubble tells the running goroutine's testing/synctest bubble from others that
// there are at the same time; 0 is outside of all. It is read from the goroutine
// where the layout is known, else from the first line that runtime.Stack prints.
func Bubble() uint64 {
	if Fast {
		return getg().bubble()
	}
	return printedBubble()
}

func printedBubble() uint64 {
	buf := lines.Get().(*line)
	defer lines.Put(buf)
	n := runtime.Stack(buf[:], false)
	state, _, _ := bytes.Cut(buf[:n], []byte("\n"))
	state, _, _ = bytes.Cut(state, []byte("{")) // labels, in which anything may be
	_, number, in := bytes.Cut(state, []byte(", synctest bubble "))
	if !in {
		return 0
	}
	return decimal(number)
}

// Locked reports whether the running goroutine is locked to its thread, by
// runtime.LockOSThread or because it is called by C. Where the layout is not known
// it reports false.
func Locked() bool { return Fast && *(*uintptr)(getg().field(GLockedM)) != 0 }

// InBubble reports whether the running goroutine belongs to a bubble.
func InBubble() bool { return Bubble() != 0 }

// A line is what runtime.Stack prints first, up to the labels: as
// "goroutine 42 [running, locked to thread, synctest bubble 7", with numbers of up to
// 20 digits.
type line [104]byte

// lines is for runtime.Stack, which lets its argument escape.
var lines = sync.Pool{New: func() any { return new(line) }}

// printedID reads the number in "goroutine 42 [running]:".
func printedID() uint64 {
	buf := lines.Get().(*line)
	defer lines.Put(buf)
	n := runtime.Stack(buf[:], false)
	return decimal(buf[len("goroutine "):n])
}

// decimal reads the number that text begins with.
func decimal(text []byte) (n uint64) {
	for _, c := range text {
		if c < '0' || c > '9' {
			break
		}
		n = n*10 + uint64(c-'0')
	}
	return n
}

// StackPointer returns an address in the caller's frame. Without the second
// directive "here" would be in the heap if a program is built with checkptr=2.
//
//go:noinline
//go:nocheckptr
func StackPointer() uintptr {
	var here byte
	return uintptr(unsafe.Pointer(&here))
}
