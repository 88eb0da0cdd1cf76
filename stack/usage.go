package stack

import (
	"runtime"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// Usage describes a goroutine's stack. Sizes are in bytes. All are 0 where the
// runtime's layout is not known (see greenlet.Backend).
type Usage struct {
	Lo, Hi    uintptr // the stack's bounds: Lo is the lowest address in it, Hi the first one above
	Size      int     // Hi - Lo: what the stack occupies
	InUse     int     // bytes between the stack pointer and Hi
	HighWater int     // the largest Size seen: the goroutine never had more than this in use
}

// Of describes the stack of g, which is parked, or which runs and calls Of.
func Of(g rt.G, running bool) Usage {
	if !rt.Fast || g.IsNil() {
		return Usage{}
	}
	// On the generic switch it has been told to park, and may still be about to.
	for i := 0; !running && g.Status() != rt.StatusWaiting && i < 1<<20; i++ {
		runtime.Gosched()
	}
	lo, hi := g.Bounds()
	u := Usage{Lo: lo, Hi: hi, Size: int(hi - lo)}
	sp := rt.StackPointer()
	if !running {
		sp = g.SP()
	}
	if lo < sp && sp < hi {
		u.InUse = int(hi - sp)
	}
	u.HighWater = u.Size
	return u
}

// Reserve makes the calling goroutine's stack large enough for calls that need
// n more bytes, so that none of them has to grow it. The collector may take
// the reserve back while it is unused: it halves a stack of which less than a
// quarter is in use. Any goroutine may call it, for its own stack; it does not
// switch. It costs a copy of the stack for each doubling, and nothing if the
// stack is large enough.
func Reserve(n int) {
	if n > 0 {
		touch(n)
	}
}

// touch calls itself until n bytes of frames lie on the stack.
//
//go:noinline
func touch(n int) byte {
	var frame [1 << 10]byte
	if n > len(frame) {
		return frame[n&1023] + touch(n-len(frame))
	}
	return frame[n&1023]
}
