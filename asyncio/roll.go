package asyncio

import (
	"cmp"
	"slices"
)

// A roll is those who wait for something, in the order in which they came. Any of
// them may leave at any time, which takes the same time however many there are: by
// the number that it was given when it came. The zero roll is empty.
//
// Numbers rise, and so the entries are sorted by them. Who leaves is cleared, and
// when half of the entries are, the rest moves together. A number comes again after
// 2^32; then it only tells where to look first.
type roll[E comparable] struct {
	entries []rollEntry[E]
	last    uint32 // the number that was given last
	again   bool   // numbers have come again
	gone    int    // how many of the entries are cleared
}

type rollEntry[E comparable] struct {
	of     E // zero: it has left
	number uint32
}

// rollMin is how many entries are not worth moving.
const rollMin = 16

// add puts e at the end and returns its number.
func (r *roll[E]) add(e E) (number uint32) {
	if r.last++; r.last == 0 {
		r.again = true
	}
	r.entries = append(r.entries, rollEntry[E]{e, r.last})
	return r.last
}

// len returns how many there are.
func (r *roll[E]) len() int { return len(r.entries) - r.gone }

// leave takes out e, which was given number. It reports whether it was in.
func (r *roll[E]) leave(e E, number uint32) bool {
	i := r.find(e, number)
	if i < 0 {
		return false
	}
	r.entries[i] = rollEntry[E]{number: number}
	r.gone++
	for n := len(r.entries); n > 0 && r.left(n-1); n-- { // who came last often goes first
		r.entries = r.entries[:n-1]
		r.gone--
	}
	if n := len(r.entries); n > rollMin && r.gone > n/2 || cap(r.entries) > max(rollMin, 4*n) {
		r.pack()
	}
	return true
}

// left reports whether the entry at i has left.
func (r *roll[E]) left(i int) bool {
	var none E
	return r.entries[i].of == none
}

// find returns where e is, which was given number, or -1.
func (r *roll[E]) find(e E, number uint32) int {
	if len(r.entries) == 0 {
		return -1
	}
	first := r.entries[0].number
	i, found := slices.BinarySearchFunc(r.entries, number-first, func(at rollEntry[E], n uint32) int {
		return cmp.Compare(at.number-first, n)
	})
	switch {
	case found && r.entries[i].of == e:
		return i
	case !r.again:
		return -1
	}
	return slices.IndexFunc(r.entries, func(at rollEntry[E]) bool { return at.of == e && at.number == number })
}

// pack moves the entries together, into less memory.
func (r *roll[E]) pack() {
	kept := make([]rollEntry[E], 0, max(rollMin, 2*r.len()))
	for i, at := range r.entries {
		if !r.left(i) {
			kept = append(kept, at)
		}
	}
	r.entries, r.gone = kept, 0
}

// each calls f for all, in order.
func (r *roll[E]) each(f func(E)) {
	for i, at := range r.entries {
		if !r.left(i) {
			f(at.of)
		}
	}
}
