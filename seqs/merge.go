package seqs

import (
	"iter"

	"github.com/go-greenlet/greenlet"
)

// Merge is the sorted sequence of all values of several sorted sequences. It
// goes by compare, which is negative if a comes before b and positive if after,
// as cmp.Compare is. Equal values come in the order of their sequences. Of each
// sequence no more than one value is held; if one is not sorted, neither is the
// result.
//
// All sequences are pulled. Cost: that of one next for each value, and about
// log2(n) comparisons for n sequences, twice that at worst.
func Merge[V any](compare func(a, b V) int, sorted ...iter.Seq[V]) iter.Seq[V] {
	return func(yield func(V) bool) {
		heads := heads[V]{compare: compare}
		for i, seq := range sorted {
			next, stop := greenlet.Pull(seq)
			defer stop()
			if v, ok := next(); ok {
				heads.heap = append(heads.heap, head[V]{v, next, i})
			}
		}
		for i := len(heads.heap)/2 - 1; i >= 0; i-- {
			heads.down(i)
		}
		for len(heads.heap) > 0 {
			first := &heads.heap[0]
			if !yield(first.value) {
				return
			}
			v, ok := first.next()
			if !ok {
				last := len(heads.heap) - 1
				*first = heads.heap[last]
				heads.heap[last] = head[V]{}
				heads.heap = heads.heap[:last]
			} else {
				first.value = v
			}
			heads.down(0)
		}
	}
}

// A head is a sequence's next value.
type head[V any] struct {
	value V
	next  func() (V, bool)
	rank  int // decides between equal values
}

// heads is a heap, the first head on top.
type heads[V any] struct {
	heap    []head[V]
	compare func(a, b V) int
}

func (h *heads[V]) less(i, j int) bool {
	a, b := &h.heap[i], &h.heap[j]
	if c := h.compare(a.value, b.value); c != 0 {
		return c < 0
	}
	return a.rank < b.rank
}

// down moves the head at i to where it belongs, if everything below is a heap.
func (h *heads[V]) down(i int) {
	for {
		child := 2*i + 1
		if child >= len(h.heap) {
			return
		}
		if right := child + 1; right < len(h.heap) && h.less(right, child) {
			child = right
		}
		if !h.less(child, i) {
			return
		}
		h.heap[i], h.heap[child] = h.heap[child], h.heap[i]
		i = child
	}
}
