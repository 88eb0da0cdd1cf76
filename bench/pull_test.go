package bench_test

import (
	"iter"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/seqs"
)

// What the typed faces cost beside iter.Pull (by=pull) and beside the code that
// one writes if one has neither.

// A block is a value of 64 bytes that travels in registers.
type block struct{ a, b, c, d, e, f, g, h int }

const perStep = "ns/step"

// BenchmarkNext is one next of Pull.
func BenchmarkNext(b *testing.B) {
	b.Run("value=int/by=greenlet", func(b *testing.B) { nextInt(b, greenlet.Pull[int]) })
	b.Run("value=int/by=pull", func(b *testing.B) { nextInt(b, iter.Pull[int]) })
	b.Run("value=int/by=range", rangeInt)
	b.Run("value=64B/by=greenlet", func(b *testing.B) { nextBlock(b, greenlet.Pull[block]) })
	b.Run("value=64B/by=pull", func(b *testing.B) { nextBlock(b, iter.Pull[block]) })
	b.Run("value=pair/by=greenlet", func(b *testing.B) { nextPair(b, greenlet.Pull2[int, string]) })
	b.Run("value=pair/by=pull", func(b *testing.B) { nextPair(b, iter.Pull2[int, string]) })
}

func nextInt(b *testing.B, pull func(iter.Seq[int]) (func() (int, bool), func())) {
	next, stop := pull(func(yield func(int) bool) {
		for i := 0; yield(i); i++ {
		}
	})
	defer stop()
	next()
	b.ReportAllocs()
	b.ResetTimer()
	last := 0
	for range b.N {
		last, _ = next()
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

func nextBlock(b *testing.B, pull func(iter.Seq[block]) (func() (block, bool), func())) {
	next, stop := pull(func(yield func(block) bool) {
		for i := 0; yield(block{i, 0, 0, 0, 0, 0, 0, i}); i++ {
		}
	})
	defer stop()
	next()
	b.ReportAllocs()
	b.ResetTimer()
	var last block
	for range b.N {
		last, _ = next()
	}
	per(b, b.N, perStep)
	arrived(b, last, block{b.N, 0, 0, 0, 0, 0, 0, b.N})
}

func nextPair(b *testing.B, pull func(iter.Seq2[int, string]) (func() (int, string, bool), func())) {
	next, stop := pull(func(yield func(int, string) bool) {
		for i := 0; yield(i, "value"); i++ {
		}
	})
	defer stop()
	next()
	b.ReportAllocs()
	b.ResetTimer()
	last := 0
	for range b.N {
		last, _, _ = next()
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

// rangeInt is the loop that needs no next.
func rangeInt(b *testing.B) {
	last := 0
	for i := range numbers {
		if last = i; i == b.N {
			break
		}
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

// The compiler does not look into a variable, so it cannot put the loop's body
// into the sequence.
var numbers iter.Seq[int] = func(yield func(int) bool) {
	for i := 0; yield(i); i++ {
	}
}

// BenchmarkStep is one step of each face: to the coroutine and back.
func BenchmarkStep(b *testing.B) {
	b.Run("face=Resume/by=greenlet", resumeSteps)
	b.Run("face=Next/by=greenlet", nextSteps)
	b.Run("face=Send/by=greenlet", sendSteps)
	b.Run("face=push/by=greenlet", pushSteps)
	b.Run("face=push/by=chan0", channelSteps)
	b.Run("face=push/by=callback", callbackSteps)
	b.Run("face=next/by=pull", func(b *testing.B) { nextInt(b, iter.Pull[int]) })
}

func resumeSteps(b *testing.B) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], v int) error {
		for {
			v = c.Yield(v + 1)
		}
	})
	defer c.Close()
	c.Resume(0)
	b.ReportAllocs()
	b.ResetTimer()
	last := 0
	for i := range b.N {
		last, _ = c.Resume(i)
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

// counter is not inlined: in the function that calls it, the generator's body would not
// be compiled as it is in a program, with Yield inlined.
//
//go:noinline
func counter() *greenlet.Generator[int, int, int] {
	return greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		for i := 0; ; i++ {
			if _, err := y.Yield(i); err != nil {
				return i, err
			}
		}
	})
}

func nextSteps(b *testing.B) {
	g := counter()
	defer g.Close()
	g.Next()
	b.ReportAllocs()
	b.ResetTimer()
	last := 0
	for range b.N {
		last, _ = g.Next()
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

func sendSteps(b *testing.B) {
	g := counter()
	defer g.Close()
	g.Next()
	b.ReportAllocs()
	b.ResetTimer()
	last := 0
	for range b.N {
		last, _ = g.Send(7)
	}
	per(b, b.N, perStep)
	arrived(b, last, b.N)
}

func pushSteps(b *testing.B) {
	sum := 0
	push, stop := greenlet.Push(func(seq iter.Seq[int]) {
		for v := range seq {
			sum += v
		}
	})
	push(0)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		push(1)
	}
	per(b, b.N, perStep)
	stop()
	arrived(b, sum, b.N)
}

func channelSteps(b *testing.B) {
	in, out := make(chan int), make(chan int)
	go func() {
		sum := 0
		for v := range in {
			sum += v
		}
		out <- sum
	}()
	in <- 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		in <- 1
	}
	per(b, b.N, perStep)
	close(in)
	arrived(b, <-out, b.N)
}

func callbackSteps(b *testing.B) {
	total = 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		add(1)
	}
	per(b, b.N, perStep)
	arrived(b, total, b.N)
}

var (
	total int
	add   = func(v int) bool { total += v; return true }
)

// BenchmarkThree makes one, takes three values and goes on to its end, on a
// carrier that the one before has left.
func BenchmarkThree(b *testing.B) {
	b.Run("face=Coro/by=greenlet", three(threeByCoro))
	b.Run("face=Generator/by=greenlet", three(threeByGenerator))
	b.Run("face=Pull/by=greenlet", three(func() int { return threeByPull(greenlet.Pull[int]) }))
	b.Run("face=Pull/by=pull", three(func() int { return threeByPull(iter.Pull[int]) }))
	b.Run("face=range/by=range", three(threeByRange))
}

func three(sum func() int) func(b *testing.B) {
	return func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if sum() != 1+2+3 {
				b.Fatal("the values are not 1, 2 and 3")
			}
		}
		per(b, b.N, perLife)
	}
}

func threeByCoro() (sum int) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], v int) error {
		for i := range 3 {
			c.Yield(i + v)
		}
		return nil
	})
	for {
		v, ok := c.Resume(1)
		if !ok {
			return sum
		}
		sum += v
	}
}

func threeByGenerator() (sum int) {
	g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
		for i := range 3 {
			if _, err := y.Yield(i + 1); err != nil {
				return 0, err
			}
		}
		return 0, nil
	})
	for {
		v, err := g.Next()
		if err != nil {
			return sum
		}
		sum += v
	}
}

func toThree(yield func(int) bool) {
	_ = yield(1) && yield(2) && yield(3)
}

func threeByPull(pull func(iter.Seq[int]) (func() (int, bool), func())) (sum int) {
	next, stop := pull(toThree)
	defer stop()
	for {
		v, ok := next()
		if !ok {
			return sum
		}
		sum += v
	}
}

func threeByRange() (sum int) {
	for v := range iter.Seq[int](toThree) {
		sum += v
	}
	return sum
}

// BenchmarkFringe compares the leaves of two trees of different shapes. The
// loop by hand keeps a stack of its own for each tree.
func BenchmarkFringe(b *testing.B) {
	b.Run("by=greenlet", fringe(func(x, y *tree) bool { return sameFringe(x, y, greenlet.Pull[int]) }))
	b.Run("by=greenlet-seqs", fringe(func(x, y *tree) bool { return seqs.Equal(x.leaves, y.leaves) }))
	b.Run("by=pull", fringe(func(x, y *tree) bool { return sameFringe(x, y, iter.Pull[int]) }))
	b.Run("by=loop", fringe(sameFringeByLoop))
}

type tree struct {
	left, right *tree
	leaf        int
}

// leaning makes a tree of the leaves from..to-1, of which share of 16 are on
// the left of each node.
func leaning(from, to, share int) *tree {
	if to-from == 1 {
		return &tree{leaf: from}
	}
	middle := from + min(to-from-1, max(1, (to-from)*share/16))
	return &tree{left: leaning(from, middle, share), right: leaning(middle, to, share)}
}

func (t *tree) leaves(yield func(int) bool) { t.walk(yield) }

func (t *tree) walk(yield func(int) bool) bool {
	if t.left == nil {
		return yield(t.leaf)
	}
	return t.left.walk(yield) && t.right.walk(yield)
}

func fringe(same func(x, y *tree) bool) func(b *testing.B) {
	const leaves = 1000
	return func(b *testing.B) {
		x, y := leaning(0, leaves, 5), leaning(0, leaves, 11)
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if !same(x, y) {
				b.Fatal("they are the same")
			}
		}
		per(b, b.N*leaves, "ns/leaf")
	}
}

func sameFringe(x, y *tree, pull func(iter.Seq[int]) (func() (int, bool), func())) bool {
	nextX, stopX := pull(x.leaves)
	defer stopX()
	nextY, stopY := pull(y.leaves)
	defer stopY()
	for {
		v, okX := nextX()
		w, okY := nextY()
		if v != w || okX != okY {
			return false
		}
		if !okX {
			return true
		}
	}
}

// A path is a tree's nodes that are still to be visited.
type path []*tree

func (p *path) next() (int, bool) {
	if len(*p) > 0 {
		last := len(*p) - 1
		t := (*p)[last]
		*p = (*p)[:last]
		for t.left != nil {
			*p = append(*p, t.right)
			t = t.left
		}
		return t.leaf, true
	}
	return 0, false
}

func sameFringeByLoop(x, y *tree) bool {
	p, q := path{x}, path{y}
	for {
		v, okX := p.next()
		w, okY := q.next()
		if v != w || okX != okY {
			return false
		}
		if !okX {
			return true
		}
	}
}

// BenchmarkTokenizer reads an expression. A recursive reader asks for one token
// after the other, and the scanner pushes them out of its own recursion; by
// hand, the scanner keeps what it has to remember in a struct; with the scanner
// in charge, by callback, it is the reader that has to.
func BenchmarkTokenizer(b *testing.B) {
	b.Run("by=greenlet", tokenizer(func(text string) int { return evalPulled(text, greenlet.Pull[token]) }))
	b.Run("by=pull", tokenizer(func(text string) int { return evalPulled(text, iter.Pull[token]) }))
	b.Run("by=loop", tokenizer(evalByLoop))
	b.Run("by=callback", tokenizer(evalByCallback))
}

// A token is a bracket or a number.
type token struct {
	kind byte // '(', ')' or '0'
	n    int
}

// brackets makes a text of n numbers in nested brackets, whose sum they are.
func brackets(n int) string {
	text := []byte{}
	depth := 0
	for i := range n {
		if i%3 == 0 {
			text = append(text, '(')
			depth++
		}
		text = append(text, '1', ' ')
		if i%6 == 5 {
			text = append(text, ')')
			depth--
		}
	}
	for range depth {
		text = append(text, ')')
	}
	return string(text)
}

func tokenizer(eval func(text string) int) func(b *testing.B) {
	const numbers = 1000
	return func(b *testing.B) {
		text := brackets(numbers)
		tokens := 0
		for range scanned(text) {
			tokens++
		}
		b.ReportAllocs()
		b.ResetTimer()
		for range b.N {
			if sum := eval(text); sum != numbers {
				b.Fatalf("the sum is %d", sum)
			}
		}
		per(b, b.N*tokens, "ns/token")
	}
}

// scanned is the scanner that pushes.
func scanned(text string) iter.Seq[token] {
	return func(yield func(token) bool) {
		for i := 0; i < len(text); {
			switch c := text[i]; c {
			case ' ':
				i++
			case '(', ')':
				i++
				if !yield(token{kind: c}) {
					return
				}
			default:
				n := 0
				for ; i < len(text) && '0' <= text[i] && text[i] <= '9'; i++ {
					n = 10*n + int(text[i]-'0')
				}
				if !yield(token{'0', n}) {
					return
				}
			}
		}
	}
}

func evalPulled(text string, pull func(iter.Seq[token]) (func() (token, bool), func())) int {
	next, stop := pull(scanned(text))
	defer stop()
	return eval(next)
}

// eval is the recursive reader.
func eval(next func() (token, bool)) (sum int) {
	for {
		t, ok := next()
		if !ok || t.kind == ')' {
			return sum
		}
		if t.kind == '(' {
			sum += eval(next)
		} else {
			sum += t.n
		}
	}
}

// A scanner is the one that is asked.
type scanner struct {
	text string
	i    int
}

func (s *scanner) next() (token, bool) {
	for s.i < len(s.text) {
		switch c := s.text[s.i]; c {
		case ' ':
			s.i++
		case '(', ')':
			s.i++
			return token{kind: c}, true
		default:
			n := 0
			for ; s.i < len(s.text) && '0' <= s.text[s.i] && s.text[s.i] <= '9'; s.i++ {
				n = 10*n + int(s.text[s.i]-'0')
			}
			return token{'0', n}, true
		}
	}
	return token{}, false
}

func evalByLoop(text string) int {
	s := scanner{text: text}
	return eval(s.next)
}

// evalByCallback is the reader that is told: its recursion is a slice.
func evalByCallback(text string) int {
	sums := []int{0}
	for t := range scanned(text) {
		last := len(sums) - 1
		switch t.kind {
		case '(':
			sums = append(sums, 0)
		case ')':
			sums[last-1] += sums[last]
			sums = sums[:last]
		default:
			sums[last] += t.n
		}
	}
	return sums[0]
}
