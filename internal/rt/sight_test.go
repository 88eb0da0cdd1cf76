package rt

import (
	"testing"
	"unsafe"
	"weak"

	"github.com/stretchr/testify/assert"
)

// The command greenlet goes from a tree's weak pointer to the tree: it holds the
// address of a word, which holds the address of the object while that is there.
func TestWeakPointerIsAHandle(t *testing.T) {
	p := new([4]uint64)
	w := weak.Make(p)
	assert.Equal(t, unsafe.Sizeof(uintptr(0)), unsafe.Sizeof(w))
	assert.Equal(t, uintptr(unsafe.Pointer(p)), **(**uintptr)(unsafe.Pointer(&w)))
	assert.NotNil(t, w.Value())
}

func TestOffset(t *testing.T) {
	var s struct {
		a uint32
		b uint64
	}
	assert.Equal(t, unsafe.Offsetof(s.b), Offset(&s, &s.b))
}

func TestSightTableHasRoom(t *testing.T) {
	if Known {
		assert.NotZero(t, sight.count)
	}
	names := make(map[string]bool)
	for _, e := range sight.entries[:sight.count] {
		assert.False(t, names[e.name], e.name)
		names[e.name] = true
	}
}
