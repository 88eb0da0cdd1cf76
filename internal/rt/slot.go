//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package rt

import (
	"sync/atomic"
	"unsafe"
)

// Slot is a goroutine's own word at the base of its stack. It lies in the
// frame of the goroutine's first function, so its distance from the stack's
// upper end is the same for all goroutines that begin with that function, and
// stays the same when a stack is moved. That makes it a goroutine-local
// variable which costs two loads to find.
//
// A goroutine without a Slot has something else at that place. The key tells:
// it is made from a secret and from the goroutine's number, which is never
// given twice, so that neither chance nor an old stack can imitate it.
type Slot struct {
	owner unsafe.Pointer
	key   uint64
}

var (
	slotDepth  atomic.Uintptr // distance from the upper end; set by the first Set
	slotSecret uint64
)

func init() {
	// Any odd number will do that is not written in the program.
	slotDepth.Store(maxSlotDepth)
	slotSecret = uint64(uintptr(unsafe.Pointer(getg().p)))*0x9E3779B97F4A7C15 | 1<<63 | 1
}

// maxSlotDepth keeps the look-up inside the smallest stack the runtime makes.
const maxSlotDepth = 1024

// Set fills in the slot of the running goroutine; s is a local variable of the
// goroutine's first function. Set reports false if the slot cannot be found
// again, because the distance differs from the first one's.
//
// Without the second directive s would be in the heap if a program is built with
// checkptr=2.
//
//go:noinline
//go:nocheckptr
func (s *Slot) Set(owner unsafe.Pointer) bool {
	g := getg()
	_, hi := g.Bounds()
	depth := hi - uintptr(unsafe.Pointer(s))
	if depth >= maxSlotDepth || !slotDepth.CompareAndSwap(maxSlotDepth, depth) && slotDepth.Load() != depth {
		return false
	}
	s.owner = owner
	s.key = slotSecret ^ g.ID()
	return true
}

// Keep marks the end of the slot's life.
//
//go:noinline
func (s *Slot) Keep() { s.key = 0 }

// Owner returns what the running goroutine g put into its slot, or nil.
//
// SAFETY: the slot's place is inside g's stack (maxSlotDepth). A stack moves in
// calls only, and while its place is a mere number none is made; nosplit keeps
// it so without optimisation.
//
//go:nosplit
func Owner(g G) unsafe.Pointer {
	depth := slotDepth.Load()
	at := *(*uintptr)(unsafe.Add(g.p, GStackHi)) - depth
	s := *(**Slot)(unsafe.Pointer(&at))
	if s.key != slotSecret^g.ID() {
		return nil
	}
	return s.owner
}
