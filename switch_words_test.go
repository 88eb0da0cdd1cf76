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
	short       struct {
		a int32
		b int
		c bool
		d uint64
		e uint8
		_ int
		f [1]struct{ a int16 }
		g int
	}
)

// Values of 64 bytes are passed whole, by word or not.
func TestPullOf64Bytes(t *testing.T) {
	defer Close()
	passes(t, func(n int) eightInts {
		m := int64(n)
		return eightInts{m, -m, 2 * m, m + 3, m + 4, m + 5, m + 6, ^m}
	})
	passes(t, func(n int) short {
		s := short{a: int32(-n), b: n, c: n%2 == 0, d: uint64(n), e: uint8(n), g: ^n}
		s.f[0].a = int16(-n)
		return s
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

// Only integers are in the registers in which eight arguments of 8 bytes are.
func TestAreIntegers(t *testing.T) {
	if !areIntegers[eightInts]() {
		t.Skip("values have no registers here")
	}
	assert.True(t, areIntegers[short]())
	assert.True(t, areIntegers[struct {
		a [1]eightInts
		_ struct{}
	}]())
	assert.False(t, areIntegers[eightFloats]())
	assert.False(t, areIntegers[mixed]())
	assert.False(t, areIntegers[[8]int]())
}

// Where the stack grows in the first instructions of yield, the registers are stored in its
// caller's frame, which has room for as many as there are.
func TestPullOfEightWhileTheStackGrows(t *testing.T) {
	defer Close()
	next, stop := Pull(func(yield func(eightInts) bool) { descends(yield, 1, 2, 3, 4, 2000) })
	defer stop()
	a, b, c, d := int64(1), int64(2), int64(3), int64(4)
	for n := int64(2000); n > 0; n-- {
		v, ok := next()
		if want := (eightInts{a, b, c, d, n, -a, -b, -c}); v != want || !ok {
			t.Fatal(v, ok, "in place of", want)
		}
		a, b, c, d = b, c, d, a
	}
	_, ok := next()
	assert.False(t, ok)
}

// descends yields n values, each one call further down, and looks whether what its frame
// holds is as it was.
func descends(yield func(eightInts) bool, a, b, c, d int64, n int) bool {
	sum, product, most, least := a+b+c+d, a*b*c*d, max(a, b, c, d), min(a, b, c, d)
	more := yield(eightInts{a, b, c, d, int64(n), -a, -b, -c})
	if sum != 10 || product != 24 || most != 4 || least != 1 {
		panic(fmt.Sprint("the frame has changed: ", sum, product, most, least))
	}
	if n > 1 && more {
		return descends(yield, b, c, d, a, n-1)
	}
	return more
}
