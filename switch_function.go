//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet

import "unsafe"

// A function is the memory of a func value inside a larger object. What Pull returns,
// and the sequence's yield, are three functions; each by itself would be an object,
// that is made and looked at by the collector, and a third of what making one costs.
type function struct {
	code   uintptr
	refers unsafe.Pointer // to the only variable of the function literal
	types  uintptr        // what a function with type parameters knows of them; static, if it is there
}

// within copies f, a function literal that refers to one pointer only, to at, which is
// part of that pointer's object, and returns it as a func value. f itself stays on the
// stack then.
//
// SAFETY: a func value is a pointer to its code's address, after which comes what the
// literal refers to; the runtime takes such a pointer for any other, also into the
// middle of an object. A literal is followed by more of the stack, so three words can
// be read if it has two. functionsFit has looked whether the second is the pointer.
func within[F any](at *function, f F) F {
	*at = **(**function)(unsafe.Pointer(&f))
	return *(*F)(unsafe.Pointer(&at))
}

// functionsFit tells whether within may be used.
var functionsFit = functionHolds(new(holder[int])) && functionHolds(new(holder[any]))

// A holder is as what Pull makes is.
type holder[V any] struct {
	value V
	at    function
}

func functionHolds[V any](h *holder[V]) bool {
	within(&h.at, func() V { return h.value })
	return h.at.refers == unsafe.Pointer(h)
}
