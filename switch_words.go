package greenlet

import (
	"runtime"
	"unsafe"
)

// Values of 64 bytes, which are nine registers with the bool of next. A large value is
// copied 16 bytes at a time, and the registers that it came in have just been stored 8
// at a time: the processor cannot hand these on to wider loads, and waits until they
// are in the cache. Without pointers such a value may be copied word by word. That is
// written out twice: calls in a function literal are not inlined where the function that
// makes it is.
//
// SAFETY: the value has 64 bytes, and no pointers, which would need a write barrier.

// areWords reports whether a V may be.
func areWords[V any]() bool {
	var v V
	return unsafe.Sizeof(v) == 64 && hasNoPointers[V]()
}

// stepperOfWords is stepper for these.
func stepperOfWords[V any](p *puller[V, func(V, bool) (V, bool)]) func() (V, bool) {
	return func() (v V, ok bool) {
		k := p.k
		call(&p.face)
		if !k.yielded {
			if k.never {
				go nothing()
			}
			k.ended()
			return v, false
		}
		to, from := (*[8]uint64)(unsafe.Pointer(&v)), (*[8]uint64)(unsafe.Pointer(&k.value))
		to[0], to[1], to[2], to[3] = from[0], from[1], from[2], from[3]
		to[4], to[5], to[6], to[7] = from[4], from[5], from[6], from[7]
		runtime.KeepAlive(p)
		return p.leave(v, true)
	}
}

// yieldWords is yield for these.
func (k *pulled[V]) yieldWords() func(V) bool {
	return func(v V) bool {
		if k.stopped {
			if k.never {
				go nothing()
			}
			return false
		}
		to, from := (*[8]uint64)(unsafe.Pointer(&k.value)), (*[8]uint64)(unsafe.Pointer(&v))
		to[0], to[1], to[2], to[3] = from[0], from[1], from[2], from[3]
		to[4], to[5], to[6], to[7] = from[4], from[5], from[6], from[7]
		back(&k.pair)
		return leaveYield(!k.stopped)
	}
}
