// Package seqs combines sequences (iter.Seq) in the ways that need more than
// one of them at a time, or a plain loop with a name.
//
// A range loop can run one sequence. Who wants values of several in turn, to
// merge them or to compare them, has to have the others stand still meanwhile:
// those are pulled (greenlet.Pull), each on a greenlet of its own, and
// everything here stays a loop.
//
// All functions may be called by any goroutine, and so may the sequences that
// they return, as often as those that they are given. Nothing runs before the
// loop over a sequence begins. The body of that loop, and the functions that
// are passed in, run on the greenlet of whoever loops, so they may switch. A
// loop that ends early, by break, by a panic or by runtime.Goexit, ends all
// sequences below it first: their yields return false and their deferred calls
// run. A panic of one of the sequences goes on in the loop.
package seqs

import (
	"iter"

	"github.com/go-greenlet/greenlet"
)

// Zip pairs the values of a with those of b: the first with the first, and so
// on until either ends. If b is the shorter one, a has then yielded one value
// that nobody gets.
//
// Only b is pulled. Cost: that of one next for each pair.
func Zip[A, B any](a iter.Seq[A], b iter.Seq[B]) iter.Seq2[A, B] {
	return func(yield func(A, B) bool) {
		next, stop := greenlet.Pull(b)
		defer stop()
		for x := range a {
			y, ok := next()
			if !ok || !yield(x, y) {
				return
			}
		}
	}
}

// Equal reports whether a and b yield the same values in the same order. It
// ends both at the first difference. So it tells whether two trees of different
// shapes have the same leaves, without a list of either.
//
// Only b is pulled. Cost: that of one next for each pair.
func Equal[V comparable](a, b iter.Seq[V]) bool {
	next, stop := greenlet.Pull(b)
	defer stop()
	for x := range a {
		if y, ok := next(); !ok || x != y {
			return false
		}
	}
	_, more := next()
	return !more
}

// Map is the sequence of f(v) for the values v of seq. It is a plain loop and
// makes no switch.
func Map[V, W any](seq iter.Seq[V], f func(V) W) iter.Seq[W] {
	return func(yield func(W) bool) {
		for v := range seq {
			if !yield(f(v)) {
				return
			}
		}
	}
}

// Filter is the sequence of those values of seq for which keep is true. It is a
// plain loop and makes no switch. With Map it makes what Python calls a
// generator expression.
func Filter[V any](seq iter.Seq[V], keep func(V) bool) iter.Seq[V] {
	return func(yield func(V) bool) {
		for v := range seq {
			if keep(v) && !yield(v) {
				return
			}
		}
	}
}

// Chunk collects the values of seq in slices of n; the last may be shorter, and
// none is empty. Each slice is a new one, which the loop may keep. Chunk panics
// if n is less than 1. It is a plain loop and makes no switch; it costs an
// allocation for each slice.
func Chunk[V any](seq iter.Seq[V], n int) iter.Seq[[]V] {
	if n < 1 {
		panic("seqs: Chunk of less than one value")
	}
	return func(yield func([]V) bool) {
		var chunk []V
		for v := range seq {
			if chunk == nil {
				chunk = make([]V, 0, n)
			}
			chunk = append(chunk, v)
			if len(chunk) == n {
				if !yield(chunk) {
					return
				}
				chunk = nil
			}
		}
		if chunk != nil {
			yield(chunk)
		}
	}
}
