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
		k := p.state()
		call(&p.face)
		if !k.yielded {
			if k.never {
				go nothing()
			}
			k.ended()
			return p.leave(v, false)
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

// Where the eight words are integers, they travel like eight arguments of 8 bytes: in the
// same registers, and with as much room where the callee may spill them. So next and
// yield are written for those, and the value is stored once and loaded once. Fields
// shorter than 8 bytes have no say in what the rest of their register holds, so that
// may go along.
//
// SAFETY: as above, and areIntegers has counted the registers.

// eight is the registers. They are of one type whatever the value's is, so that there is
// one next and one yield in the program.
type eight [8]uint64

// nextOfEight makes next.
func nextOfEight[V any](p *puller[V, func(V, bool) (V, bool)]) func() (V, bool) {
	next := stepperOfEight((*puller[eight, func(eight, bool) (eight, bool)])(unsafe.Pointer(p)))
	return *(*func() (V, bool))(unsafe.Pointer(&next))
}

//go:noinline
func stepperOfEight(p *puller[eight, func(eight, bool) (eight, bool)]) func() (_, _, _, _, _, _, _, _ uint64, _ bool) {
	return within(&p.next, func() (_, _, _, _, _, _, _, _ uint64, _ bool) {
		k := p.state()
		call(&p.face)
		if !k.yielded {
			if k.never {
				go nothing()
			}
			k.ended()
			return leaveEight(0, 0, 0, 0, 0, 0, 0, 0, false)
		}
		v := &k.value
		a, b, c, d, e, f, g, h := v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7]
		runtime.KeepAlive(p)
		return leaveEight(a, b, c, d, e, f, g, h, true)
	})
}

// yieldEight makes yield.
func (k *pulled[V]) yieldEight() func(V) bool {
	yield := yielderOfEight((*pulled[eight])(unsafe.Pointer(k)))
	return *(*func(V) bool)(unsafe.Pointer(&yield))
}

//go:noinline
func yielderOfEight(k *pulled[eight]) func(a, b, c, d, e, f, g, h uint64) bool {
	return within(&k.yields, func(a, b, c, d, e, f, g, h uint64) bool {
		if k.stopped {
			if k.never {
				go nothing()
			}
			return false
		}
		v := &k.value
		v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7] = a, b, c, d, e, f, g, h
		back(&k.pair)
		return leaveYield(!k.stopped)
	})
}

// leaveEight is how next returns. The assembly backend makes it a jump.
var leaveEight = func(a, b, c, d, e, f, g, h uint64, ok bool) (_, _, _, _, _, _, _, _ uint64, _ bool) {
	return a, b, c, d, e, f, g, h, ok
}
