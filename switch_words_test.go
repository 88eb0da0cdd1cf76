package greenlet

import (
	"fmt"
	"runtime"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/assert"
)

type (
	eightInts   struct{ a, b, c, d, e, f, g, h int64 }
	eightFloats struct{ a, b, c, d, e, f, g, h float64 }
	mixed       struct {
		a    int32
		b, c float32
		d    bool
		e    uint16
		f, g int64
		h    float64
		i    complex128
		j    int64
	}
	fourStrings struct{ a, b, c, d string }
)

// Values of 64 bytes are passed whole, by word or not.
func TestPullOf64Bytes(t *testing.T) {
	defer Close()
	passes(t, func(n int) eightInts {
		m := int64(n)
		return eightInts{m, -m, 2 * m, m + 3, m + 4, m + 5, m + 6, ^m}
	})
	passes(t, func(n int) eightFloats {
		m := float64(n)
		return eightFloats{m, -m, 2 * m, m / 3, m / 4, m / 5, m / 6, 1 / (m + 1)}
	})
	passes(t, func(n int) mixed {
		m := int64(n)
		return mixed{int32(n), float32(n) / 3, -float32(n), n%2 == 0, uint16(n), m, -m, float64(n) / 7, complex(float64(n), 1), ^m}
	})
	passes(t, func(n int) fourStrings {
		s := func(k int) string { return fmt.Sprint("of ", n, k) }
		return fourStrings{s(1), s(2), s(3), s(4)}
	})
}

func passes[V comparable](t *testing.T, value func(n int) V) {
	t.Helper()
	if unsafe.Sizeof(uintptr(0)) == 8 { // elsewhere a string is shorter, and nothing is copied by word
		assert.Equal(t, 64, int(unsafe.Sizeof(value(0))))
	}
	next, stop := Pull(func(yield func(V) bool) {
		for i := 0; i < 100 && yield(value(i)); i++ {
		}
	})
	defer stop()
	for i := range 100 {
		v, ok := next()
		if i%40 == 9 {
			runtime.GC()
		}
		if v != value(i) || !ok {
			t.Fatalf("value %d is %v, %t", i, v, ok)
		}
	}
	if v, ok := next(); ok || v != *new(V) {
		t.Errorf("after the end: %v, %t", v, ok)
	}
}

// Only what holds no pointers may be copied without a write barrier.
func TestHasNoPointers(t *testing.T) {
	if !hasNoPointers[int]() {
		t.Skip("nothing is copied by word here")
	}
	assert.True(t, hasNoPointers[eightInts]())
	assert.True(t, hasNoPointers[mixed]())
	assert.True(t, hasNoPointers[[3]struct{ a, b uintptr }]())
	assert.False(t, hasNoPointers[fourStrings]())
	assert.False(t, hasNoPointers[*int]())
	assert.False(t, hasNoPointers[unsafe.Pointer]())
	assert.False(t, hasNoPointers[struct {
		a int
		b [1]struct{ m map[int]int }
	}]())
	for _, no := range []bool{hasNoPointers[any](), hasNoPointers[error](), hasNoPointers[[]int](), hasNoPointers[func()](), hasNoPointers[chan int]()} {
		assert.False(t, no)
	}
}
