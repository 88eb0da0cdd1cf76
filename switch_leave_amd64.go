//go:build linux && !android && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

//lint:file-ignore U1000 the assembly uses what looks unused

package greenlet

import (
	"reflect"
	"sync"
	"unsafe"
)

// leaveText is assembly: see switch_amd64.s.
func leaveText()

var (
	leavePC  uintptr
	leavePtr = &leavePC
)

// returns makes a function that a hot function ends in: return leave(results).
// It returns its arguments, not to its caller but to its caller's caller, by a
// jump. A return instruction after a switch would be mispredicted, which costs
// as much as the switch. If fits is false, or without the assembly, it is plain.
//
// SAFETY: F is a function type whose results are its parameters and travel in
// registers, so that each is where it belongs already. The function that ends
// in it must not be inlined, or another one's frame would be left; it makes
// sure of that by a go statement that is never reached. It must have no
// deferred calls.
func returns[F any](fits bool, plain F) F {
	if !fits || !assembly {
		return plain
	}
	return *(*F)(unsafe.Pointer(&leavePtr))
}

// fitsRegisters reports whether a V and a bool are returned in registers.
func fitsRegisters[V any]() bool {
	switch any((*V)(nil)).(type) {
	case *bool, *int, *uint, *int8, *uint8, *int16, *uint16, *int32, *uint32, *int64, *uint64, *uintptr,
		*float32, *float64, *string, *error, *any: // most are these, and it takes less time
		return true
	}
	t := reflect.TypeFor[V]()
	switch t.Kind() {
	case reflect.Struct, reflect.Array:
	default:
		return true
	}
	if fits, known := registers.Load(t); known {
		return fits.(bool)
	}
	ints, floats := 1, 0 // the bool
	fits := countRegisters(t, &ints, &floats) && ints <= 9 && floats <= 15
	registers.Store(t, fits)
	return fits
}

// areIntegers reports whether a V of 64 bytes is returned in eight registers of integers.
func areIntegers[V any]() bool {
	ints, floats := 0, 0
	return countRegisters(reflect.TypeFor[V](), &ints, &floats) && ints == 8 && floats == 0
}

// hasNoPointers reports whether there is nothing in a V that the collector looks at.
func hasNoPointers[V any]() bool {
	t := reflect.TypeFor[V]()
	if has, known := pointers.Load(t); known {
		return !has.(bool)
	}
	has := holdsPointers(t)
	pointers.Store(t, has)
	return !has
}

// pointers remembers what hasNoPointers found out: reflect.Type -> bool.
var pointers sync.Map

func holdsPointers(t reflect.Type) bool {
	switch k := t.Kind(); k {
	case reflect.Array:
		return holdsPointers(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if holdsPointers(t.Field(i).Type) {
				return true
			}
		}
		return false
	default:
		return k == reflect.Invalid || k > reflect.Complex128
	}
}

// registers remembers what fitsRegisters found out: reflect.Type -> bool.
var registers sync.Map

// countRegisters adds up what t takes, as Go's internal calling convention
// assigns it. It reports false if t goes on the stack.
func countRegisters(t reflect.Type, ints, floats *int) bool {
	switch t.Kind() {
	case reflect.Float32, reflect.Float64:
		*floats++
	case reflect.Complex64, reflect.Complex128:
		*floats += 2
	case reflect.String, reflect.Interface:
		*ints += 2
	case reflect.Slice:
		*ints += 3
	case reflect.Array:
		switch t.Len() {
		case 0:
		case 1:
			return countRegisters(t.Elem(), ints, floats)
		default:
			return false
		}
	case reflect.Struct:
		for i := range t.NumField() {
			if !countRegisters(t.Field(i).Type, ints, floats) {
				return false
			}
		}
	default:
		*ints++
	}
	return true
}
