package seqs_test

import (
	"cmp"
	"iter"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/seqs"
)

// A source is a sequence of the numbers from 0 to below n that notes how it
// ends.
type source struct {
	n     int
	asked int  // values that it has yielded
	told  bool // its yield has returned false
	ended int  // how often its deferred call has run
}

func (s *source) all(yield func(int) bool) {
	defer func() { s.ended++ }()
	for i := range s.n {
		s.asked++
		if !yield(i) {
			s.told = true
			return
		}
	}
}

// combined are the combinators, each as a sequence that begins with some values
// and is made of two sources.
var combined = map[string]func(a, b iter.Seq[int]) iter.Seq[int]{
	"Zip":   both,
	"Merge": func(a, b iter.Seq[int]) iter.Seq[int] { return seqs.Merge(cmp.Compare, a, b) },
	"Equal": func(a, b iter.Seq[int]) iter.Seq[int] {
		return func(yield func(int) bool) {
			// The loop's body takes the place of a's values.
			seqs.Equal(func(more func(int) bool) {
				for x := range a {
					if !yield(x) || !more(x) {
						return
					}
				}
			}, b)
		}
	},
	"Map":    func(a, b iter.Seq[int]) iter.Seq[int] { return seqs.Map(both(a, b), func(x int) int { return x }) },
	"Filter": func(a, b iter.Seq[int]) iter.Seq[int] { return seqs.Filter(both(a, b), func(int) bool { return true }) },
	"Chunk": func(a, b iter.Seq[int]) iter.Seq[int] {
		one := func(chunk []int) int { return chunk[0] }
		return seqs.Map(seqs.Chunk(both(a, b), 2), one)
	},
}

// both yields the first of every pair. It makes two sequences one for the
// combinators that take one.
func both(a, b iter.Seq[int]) iter.Seq[int] {
	return func(yield func(int) bool) {
		for x := range seqs.Zip(a, b) {
			if !yield(x) {
				return
			}
		}
	}
}

func eachCombined(t *testing.T, test func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int])) {
	for _, name := range slices.Sorted(maps.Keys(combined)) {
		t.Run(name, func(t *testing.T) {
			before := greenlet.Stats().Live
			test(t, combined[name])
			if live := greenlet.Stats().Live; live != before {
				t.Errorf("%d greenlets are left", live-before)
			}
		})
	}
}

const million = 1_000_000

func TestBreak(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		a, b := &source{n: million}, &source{n: million}
		for x := range combine(a.all, b.all) {
			if x == 4 {
				break
			}
		}
		for _, s := range []*source{a, b} {
			if !s.told || s.ended != 1 || s.asked > 7 {
				t.Errorf("a loop that breaks leaves a sequence so: %+v", *s)
			}
		}
	})
}

// A loop that breaks at the first value.
func TestBreakAtOnce(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		a, b := &source{n: 3}, &source{n: 3}
		for range combine(a.all, b.all) {
			break
		}
		if a.ended != 1 || !a.told {
			t.Errorf("the first sequence: %+v", *a)
		}
		if b.ended != min(1, b.asked) {
			t.Errorf("the second sequence: %+v", *b)
		}
	})
}

// What the loop returns from, by panic or by runtime.Goexit, ends the sequences.
func TestPanicInLoop(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		a, b := &source{n: million}, &source{n: million}
		p := recovered(func() {
			for x := range combine(a.all, b.all) {
				if x == 4 {
					panic("enough")
				}
			}
		})
		if p != "enough" {
			t.Errorf("the loop panics with %v", p)
		}
		if a.ended != 1 || b.ended != 1 {
			t.Errorf("not ended: %+v, %+v", *a, *b)
		}
	})
}

func TestGoexitInLoop(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		a, b := &source{n: million}, &source{n: million}
		if !exits(func() {
			for x := range combine(a.all, b.all) {
				if x == 4 {
					runtime.Goexit()
				}
			}
		}) {
			t.Error("the goroutine goes on")
		}
		if a.ended != 1 || b.ended != 1 {
			t.Errorf("not ended: %+v, %+v", *a, *b)
		}
	})
}

// failing yields 0 to 4 and then fails.
func failing(fail func()) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := range 5 {
			if !yield(i) {
				return
			}
		}
		fail()
	}
}

// A panic of either sequence arrives with its value, and ends the other one.
func TestPanicInSequence(t *testing.T) {
	fails := failing(func() { panic("broken") })
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		s := &source{n: million}
		for i, seq := range []iter.Seq[int]{combine(s.all, fails), combine(fails, s.all)} {
			if p := recovered(func() {
				for range seq {
				}
			}); p != "broken" {
				t.Errorf("the loop panics with %v", p)
			}
			if s.ended != i+1 {
				t.Errorf("the other sequence is not ended: %+v", *s)
			}
		}
	})
}

func TestGoexitInSequence(t *testing.T) {
	fails := failing(runtime.Goexit)
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		s := &source{n: million}
		for i, seq := range []iter.Seq[int]{combine(s.all, fails), combine(fails, s.all)} {
			if !exits(func() {
				for range seq {
				}
			}) {
				t.Error("the goroutine goes on")
			}
			if s.ended != i+1 {
				t.Errorf("the other sequence is not ended: %+v", *s)
			}
		}
	})
}

// A sequence that is combined may be looped over again.
func TestAgain(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		a, b := &source{n: 6}, &source{n: 6}
		seq := combine(a.all, b.all)
		first := slices.Collect(seq)
		if second := slices.Collect(seq); !slices.Equal(first, second) || len(first) == 0 {
			t.Errorf("first %v, then %v", first, second)
		}
		if a.ended != 2 || b.ended != 2 {
			t.Errorf("not ended: %+v, %+v", *a, *b)
		}
	})
}

// The loop's body is on the caller's greenlet and may switch to others.
func TestSwitchInLoop(t *testing.T) {
	eachCombined(t, func(t *testing.T, combine func(a, b iter.Seq[int]) iter.Seq[int]) {
		me := greenlet.Current()
		other := greenlet.New(func(v any) (any, error) {
			for {
				v, _ = me.Switch(v)
			}
		})
		defer other.Kill()
		a, b := &source{n: 6}, &source{n: 6}
		for x := range combine(a.all, b.all) {
			if greenlet.Current() != me {
				t.Fatal("the body runs on another greenlet")
			}
			if v, err := other.Switch(x); v != x || err != nil {
				t.Fatalf("sent %v, got %v, %v", x, v, err)
			}
		}
	})
}

func TestZipLengths(t *testing.T) {
	for _, c := range []struct{ a, b, pairs, askedA, askedB int }{
		{0, 0, 0, 0, 0},
		{0, 3, 0, 0, 0},
		{3, 0, 0, 1, 0},
		{3, 5, 3, 3, 3},
		{5, 3, 3, 4, 3},
		{4, 4, 4, 4, 4},
	} {
		a, b := &source{n: c.a}, &source{n: c.b}
		pairs := 0
		for x, y := range seqs.Zip(a.all, b.all) {
			if x != pairs || y != pairs {
				t.Errorf("pair %d is %d, %d", pairs, x, y)
			}
			pairs++
		}
		if pairs != c.pairs || a.asked != c.askedA || b.asked != c.askedB {
			t.Errorf("%d and %d values give %d pairs, and %d and %d are asked for; want %+v", c.a, c.b, pairs, a.asked, b.asked, c)
		}
	}
}

func TestEqual(t *testing.T) {
	for _, c := range []struct {
		a, b []int
		want bool
	}{
		{nil, nil, true},
		{nil, []int{1}, false},
		{[]int{1}, nil, false},
		{[]int{1, 2}, []int{1, 2}, true},
		{[]int{1, 2}, []int{1, 2, 3}, false},
		{[]int{1, 2, 0}, []int{1, 2}, false},
		{[]int{1, 2, 3}, []int{1, 0, 3}, false},
	} {
		if got := seqs.Equal(slices.Values(c.a), slices.Values(c.b)); got != c.want {
			t.Errorf("Equal(%v, %v) = %v", c.a, c.b, got)
		}
	}
}

// Merge does what sorting does: by the keys, equal ones in the order of their
// sequences.
func TestMerge(t *testing.T) {
	type item struct{ key, from int }
	byKey := func(a, b item) int { return cmp.Compare(a.key, b.key) }
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 12 {
		var all []item
		var sorted []iter.Seq[item]
		for from := range n {
			items := make([]item, rng.IntN(20))
			for i := range items {
				items[i] = item{rng.IntN(15), from}
			}
			slices.SortStableFunc(items, byKey)
			sorted = append(sorted, slices.Values(items))
			all = append(all, items...)
		}
		slices.SortStableFunc(all, byKey)
		if got := slices.Collect(seqs.Merge(byKey, sorted...)); !slices.Equal(got, all) {
			t.Errorf("of %d sequences:\n%v\nwant\n%v", n, got, all)
		}
	}
}

func TestPanicInCompare(t *testing.T) {
	a, b := &source{n: 9}, &source{n: 9}
	if p := recovered(func() {
		for range seqs.Merge(func(a, b int) int { panic("incomparable") }, a.all, b.all) {
		}
	}); p != "incomparable" {
		t.Errorf("the loop panics with %v", p)
	}
	if !a.told || !b.told {
		t.Errorf("not ended: %+v, %+v", *a, *b)
	}
}

func TestChunk(t *testing.T) {
	for n := range 8 {
		s := &source{n: n}
		chunks := slices.Collect(seqs.Chunk(s.all, 3))
		var all []int
		for i, c := range chunks {
			if len(c) != 3 && (i < len(chunks)-1 || len(c) == 0) {
				t.Errorf("%d values come in %v", n, chunks)
			}
			all = append(all, c...)
			_ = append(c, -1) // is no other's memory
		}
		if want := slices.Collect((&source{n: n}).all); !slices.Equal(all, want) {
			t.Errorf("%d values come in %v", n, chunks)
		}
	}
	if recovered(func() { seqs.Chunk((&source{}).all, 0) }) == nil {
		t.Error("Chunk of 0 does not panic")
	}
}

func TestFilter(t *testing.T) {
	even := func(x int) bool { return x%2 == 0 }
	got := slices.Collect(seqs.Filter((&source{n: 7}).all, even))
	if want := []int{0, 2, 4, 6}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// recovered returns what f panics with.
func recovered(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

// exits reports whether f ends its goroutine.
func exits(f func()) bool {
	returned := make(chan bool, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer greenlet.Close()
		f()
		returned <- true
	}()
	<-done
	return len(returned) == 0
}
