// Treewalk shows a recursive walk that can stand still: two trees are walked
// side by side, to see whether they hold the same values and to merge them.
package main

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"os"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/seqs"
)

func main() {
	run(os.Stdout)
}

// A tree is a binary search tree.
type tree struct {
	left, right *tree
	value       string
}

func (t *tree) insert(value string) *tree {
	switch {
	case t == nil:
		return &tree{value: value}
	case value < t.value:
		t.left = t.left.insert(value)
	default:
		t.right = t.right.insert(value)
	}
	return t
}

func grow(values ...string) *tree {
	var t *tree
	for _, v := range values {
		t = t.insert(v)
	}
	return t
}

// walk yields the values in order, and reports whether yield wants more. A
// recursion that calls is all there is: nothing in it knows of stopping half
// way down.
func (t *tree) walk(yield func(string) bool) bool {
	return t == nil || t.left.walk(yield) && yield(t.value) && t.right.walk(yield)
}

func (t *tree) values() iter.Seq[string] {
	return func(yield func(string) bool) { t.walk(yield) }
}

// firstDifference walks two trees side by side and returns the first values in
// which they differ; an empty one is that of the tree which has ended.
func firstDifference(a, b *tree) (x, y string, differ bool) {
	nextX, stopX := greenlet.Pull(a.values())
	defer stopX()
	nextY, stopY := greenlet.Pull(b.values())
	defer stopY()
	for {
		x, okX := nextX()
		y, okY := nextY()
		if x != y || okX != okY {
			return x, y, true
		}
		if !okX {
			return "", "", false
		}
	}
}

func run(w io.Writer) {
	defer greenlet.Close()

	// Both hold the same values, in different shapes; a third has one more.
	bushy := grow("dog", "bat", "fox", "ant", "cat", "eel")
	listy := grow("ant", "bat", "cat", "dog", "eel", "fox")
	other := grow("dog", "bat", "fox", "ant", "cow", "cat", "eel")

	for v := range bushy.values() {
		fmt.Fprint(w, v, " ")
	}
	fmt.Fprintln(w)
	fmt.Fprintln(w, "same fringe:", seqs.Equal(bushy.values(), listy.values()))
	fmt.Fprintln(w, "same fringe:", seqs.Equal(bushy.values(), other.values()))
	if x, y, differ := firstDifference(bushy, other); differ {
		fmt.Fprintf(w, "where one has %q the other has %q\n", x, y)
	}

	more := grow("owl", "bee", "gnu")
	for v := range seqs.Merge(cmp.Compare, bushy.values(), more.values()) {
		fmt.Fprint(w, v, " ")
	}
	fmt.Fprintln(w)
}
