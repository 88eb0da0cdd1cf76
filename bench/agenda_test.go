package bench_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// An event is the end of a wait: its time, and in the low bits the process
// that waits. So one comparison of integers says which of two comes first, and
// of those at one time the process with the lowest number does.
type event int64

const whoBits = 20

func at(time int64, who int) event { return event(time)<<whoBits | event(who) }
func (e event) time() int64        { return int64(e >> whoBits) }
func (e event) who() int           { return int(e & (1<<whoBits - 1)) }

// An agenda is the events to come: a heap of four branches, the next one on
// top. Each process has one event in it, so there is nothing to push and pop:
// the event that has come about makes room for the next of the same process.
// At the end are some that never come, so that all who have a child have four.
type agenda []event

const never = event(math.MaxInt64)

// newAgenda is the agenda of n processes that all begin at once.
func newAgenda(n int) agenda {
	a := make(agenda, n, n+3)
	for i := range a {
		a[i] = at(0, i)
	}
	return append(a, never, never, never)
}

func (a agenda) next() event { return a[0] }

// afterNext is what comes after the next, unless something earlier is put in.
// There must be two.
func (a agenda) afterNext() event { return min(a[1], a[2], a[3], a[4]) }

// replace puts e in place of the event on top. Which of four children comes
// first cannot be predicted, so no branch depends on it.
func (a agenda) replace(e event) {
	i := 0
	for c := 1; c+4 <= len(a); c = 4*i + 1 {
		four := a[c : c+4 : c+4]
		low, left := min(four[0], four[1]), before(four[1], four[0])
		high, right := min(four[2], four[3]), 2+before(four[3], four[2])
		first := min(low, high)
		if e < first {
			break
		}
		a[i] = first
		i = c + left + (right-left)*before(high, low)
	}
	a[i] = e
}

// before is 1 if e comes before f, else 0.
func before(e, f event) int { return int(uint64(e-f) >> 63) }

func TestAgenda(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := 1; n < 100; n++ {
		a := newAgenda(n)
		want := slices.Clone(a[:n])
		for range 10 * n {
			slices.Sort(want)
			if a.next() != want[0] {
				t.Fatalf("of %d the next is %#x, want %#x", n, a.next(), want[0])
			}
			e := at(a.next().time()+rng.Int64N(20), a.next().who())
			a.replace(e)
			want[0] = e
		}
	}
}
