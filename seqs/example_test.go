package seqs_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/seqs"
)

func ExampleMerge() {
	defer greenlet.Close()

	evens := slices.Values([]int{0, 2, 4, 6})
	odds := slices.Values([]int{1, 3, 5})
	tens := slices.Values([]int{0, 10})

	for v := range seqs.Merge(cmp.Compare, evens, odds, tens) {
		fmt.Print(v, " ")
	}
	// Output: 0 0 1 2 3 4 5 6 10
}

func ExampleZip() {
	defer greenlet.Close()

	names := slices.Values([]string{"one", "two", "three"})
	numbers := func(yield func(int) bool) {
		defer fmt.Println("and the numbers are told to end")
		for i := 1; yield(i); i++ {
		}
	}

	for name, n := range seqs.Zip(names, numbers) {
		fmt.Println(name, n)
	}
	// Output:
	// one 1
	// two 2
	// three 3
	// and the numbers are told to end
}

// A tree with values at its leaves.
type tree struct {
	left, right *tree
	leaf        string
}

func leaf(s string) *tree          { return &tree{leaf: s} }
func node(left, right *tree) *tree { return &tree{left, right, ""} }

// walk yields the leaves under t: the recursion stays a recursion.
func (t *tree) walk(yield func(string) bool) bool {
	if t.left == nil {
		return yield(t.leaf)
	}
	return t.left.walk(yield) && t.right.walk(yield)
}

func (t *tree) leaves() iter.Seq[string] {
	return func(yield func(string) bool) { t.walk(yield) }
}

// The same fringe: do two trees of different shapes have the same leaves?
func ExampleEqual() {
	defer greenlet.Close()

	a := node(node(leaf("x"), leaf("y")), leaf("z"))
	b := node(leaf("x"), node(leaf("y"), leaf("z")))
	c := node(leaf("x"), node(leaf("z"), leaf("y")))

	fmt.Println(seqs.Equal(a.leaves(), b.leaves()))
	fmt.Println(seqs.Equal(a.leaves(), c.leaves()))
	// Output:
	// true
	// false
}

func ExampleChunk() {
	for line := range seqs.Chunk(strings.SplitSeq("a b c d e f g", " "), 3) {
		fmt.Println(line)
	}
	// Output:
	// [a b c]
	// [d e f]
	// [g]
}

// In Python: (n*n for n in numbers if n % 2 == 1).
func ExampleMap() {
	numbers := slices.Values([]int{1, 2, 3, 4, 5})
	odd := func(n int) bool { return n%2 == 1 }
	square := func(n int) int { return n * n }

	for n := range seqs.Map(seqs.Filter(numbers, odd), square) {
		fmt.Println(n)
	}
	// Output:
	// 1
	// 9
	// 25
}

func ExampleFilter() {
	words := slices.Values([]string{"generator", "", "coroutine", ""})

	for word := range seqs.Filter(words, func(s string) bool { return s != "" }) {
		fmt.Println(word)
	}
	// Output:
	// generator
	// coroutine
}
