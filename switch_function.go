//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import (
	"runtime"
	"unsafe"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A function is the memory of a func value inside a larger object. The next and stop that
// Pull returns and the yield of its sequence lie so in what they refer to: as objects of
// their own they took a sixth of the time in which a Pull is made, read and ended.
type function struct {
	code   uintptr
	refers unsafe.Pointer // to the only variable of the function literal
	types  uintptr        // what a function with type parameters knows of them; static, if it is there
}

// within copies f, a function literal that refers to one pointer only, to at, which is
// part of that pointer's object, and returns it as a func value. f itself stays on the
// stack then. A literal that is an object all the same, in a build without inlining, is
// returned as it is.
//
// SAFETY: a func value is a pointer to a word, the address of its code, after which
// comes what the literal refers to. For the collector it is a pointer like any other,
// also if it points into the middle of an object. A literal of two words on the stack is
// followed by more of it, so three can be read; the third is no pointer for the collector.
// functionsFit has looked whether the second is the literal's pointer. The stack can move
// in a call, so the literal's address is read after those for the bounds.
func within[F any](at *function, f F) F {
	lo, hi := rt.Self().Bounds()
	if literal := *(*uintptr)(unsafe.Pointer(&f)); literal-lo >= hi-lo {
		object := *(*F)(unsafe.Pointer(&literal)) // as f would be an object always, if it were returned
		runtime.KeepAlive(f)
		return object
	}
	words, of := (*[3]uintptr)(unsafe.Pointer(at)), *(**[3]uintptr)(unsafe.Pointer(&f))
	words[0], words[1], words[2] = of[0], of[1], of[2] // without a write barrier: see switch_parts.go
	return *(*F)(unsafe.Pointer(&at))
}

// functionsFit tells whether within may be used.
var functionsFit = rt.Fast && functionHolds(new(holder[int])) && functionHolds(new(holder[any]))

// A holder is as what Pull makes is.
type holder[V any] struct {
	value V
	at    function
}

func functionHolds[V any](h *holder[V]) bool {
	within(&h.at, func() V { return h.value })
	return h.at.refers == unsafe.Pointer(h)
}
