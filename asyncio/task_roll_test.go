package asyncio

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// A roll does what a plain slice does, whoever comes and goes, also past the end of
// its numbers; and it holds little more than who is in it.
func TestRollIsAList(t *testing.T) {
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 1))
		var roll roll[int]
		roll.last = ^uint32(0) - uint32(r.IntN(300))
		type place struct {
			e      int
			number uint32
		}
		var want []place
		check := func() {
			t.Helper()
			var got, all []int
			roll.each(func(e int) { got = append(got, e) })
			for _, p := range want {
				all = append(all, p.e)
			}
			if !slices.Equal(got, all) || roll.len() != len(want) {
				t.Fatalf("seed %d: it has %v (%d), want %v", seed, got, roll.len(), all)
			}
			if n := cap(roll.entries); n > 4*len(want)+4*rollMin {
				t.Fatalf("seed %d: memory for %d, of %d", seed, n, len(want))
			}
		}
		next := 0
		for step := range 2000 {
			grows := step/500%2 == 0
			if n := r.IntN(10); len(want) == 0 || (n < 7) == grows {
				next++
				want = append(want, place{next, roll.add(next)})
			} else {
				i := len(want) - 1 // the last to come
				switch r.IntN(3) {
				case 0:
					i = 0
				case 1:
					i = r.IntN(len(want))
				}
				p := want[i]
				want = slices.Delete(want, i, i+1)
				if !roll.leave(p.e, p.number) || roll.leave(p.e, p.number) {
					t.Fatalf("seed %d: %d leaves not once", seed, p.e)
				}
			}
			check()
		}
	}
}

// One that stays while its number comes again is found all the same.
func TestRollNumbersComeAgain(t *testing.T) {
	var roll roll[string]
	old := roll.add("old")
	roll.last = old - 3
	before := roll.add("before")
	roll.last = old - 1
	same := roll.add("same")
	after := roll.add("after")
	roll.again = true // as add says where they do
	if old != same {
		t.Fatal("the numbers are not as the test wants them")
	}
	for _, p := range []struct {
		name   string
		number uint32
	}{{"old", old}, {"after", after}, {"before", before}, {"same", same}} {
		if !roll.leave(p.name, p.number) {
			t.Errorf("%s is not found", p.name)
		}
	}
	if roll.len() != 0 {
		t.Errorf("%d are left", roll.len())
	}
}

// Who has left, and leaves again, is not looked for among all who are there: that
// would take time for each of them. Slices cannot be compared.
func TestRollLooksOnce(t *testing.T) {
	var roll roll[any]
	gone := roll.add([]int{1})
	for n := range 3 {
		roll.add([]int{n})
	}
	roll.entries[0].of = nil
	roll.gone++
	for _, number := range []uint32{gone, roll.last + 1} {
		if roll.leave([]int{1}, number) {
			t.Errorf("%d was in", number)
		}
	}
}

// After 2^32 numbers they come again.
func TestRollSaysThatNumbersComeAgain(t *testing.T) {
	var roll roll[int]
	roll.last = ^uint32(0) - 1
	for i, want := range []bool{false, true, true} {
		if roll.add(1); roll.again != want {
			t.Errorf("after %d: %v", i, roll.again)
		}
	}
}
