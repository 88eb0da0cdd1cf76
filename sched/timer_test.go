package sched

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// A timerList is what timers should be, done simply: a sorted list.
type timerList []*Timer

func (l *timerList) add(t *Timer) {
	*l = append(*l, t)
	slices.SortStableFunc(*l, func(a, b *Timer) int { return cmp.Compare(a.when, b.when) })
}

func (l *timerList) drop(t *Timer) {
	if i := slices.Index(*l, t); i >= 0 {
		*l = slices.Delete(*l, i, i+1)
	}
}

func (l *timerList) due(now time.Duration) *Timer {
	if len(*l) == 0 || (*l)[0].when > now {
		return nil
	}
	t := (*l)[0]
	*l = slices.Delete(*l, 0, 1)
	return t
}

// is reports whether a is the alarm of x.
func (a *alarm) is(x *Timer) bool {
	if a == nil || x == nil {
		return a == nil && x == nil
	}
	return a == &x.alarm
}

// playTimers does what the bytes say to both, and compares them.
func playTimers(t *testing.T, program []byte) {
	var heap timers
	var list timerList
	var all []*Timer
	now := time.Duration(0)
	for i := 0; i+1 < len(program); i += 2 {
		op, n := program[i]%8, int(program[i+1])
		switch {
		case op < 4: // a new one; many have the same time
			x := new(Timer)
			x.when = now + time.Duration(n/8)
			heap.add(&x.alarm, x.when)
			list.add(x)
			all = append(all, x)
		case op < 6 && len(all) > 0: // cancel one, due already or not
			x := all[n%len(all)]
			if x.seq != 0 {
				heap.drop(&x.alarm)
			}
			list.drop(x)
		case op == 6 && len(all) > 0: // set one again
			x := all[n%len(all)]
			if x.seq != 0 {
				heap.drop(&x.alarm)
			}
			list.drop(x)
			x.when = now + time.Duration(n/16)
			heap.add(&x.alarm, x.when)
			list.add(x)
		default:
			now += time.Duration(n / 32)
			for {
				got, want := heap.due(now), list.due(now)
				if !got.is(want) {
					t.Fatalf("step %d: %v is due, want %v", i/2, got, want)
				}
				if got == nil {
					break
				}
			}
		}
		if got := len(heap.heap) - heap.gone; got != len(list) {
			t.Fatalf("step %d: %d timers, want %d", i/2, got, len(list))
		}
	}
	for want := list.due(Never); want != nil; want = list.due(Never) {
		if got := heap.due(Never); !got.is(want) {
			t.Fatalf("at the end: %v is due, want %v", got, want)
		}
	}
	if heap.skip() {
		t.Fatal("something is left")
	}
}

func TestTimersAgainstAList(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		program := make([]byte, 2*r.IntN(3000))
		for i := range program {
			program[i] = byte(r.Uint32())
		}
		playTimers(t, program)
	}
}

func FuzzTimers(f *testing.F) {
	f.Add([]byte{0, 80, 0, 16, 0, 16, 4, 1, 6, 0, 7, 255})
	f.Fuzz(func(t *testing.T, program []byte) { playTimers(t, program) })
}

// Where most timers were cancelled they go at once, all of them if need be.
func TestTimerSweep(t *testing.T) {
	for _, kept := range []int{0, 1, 2, 5, 100} {
		var ts timers
		var left []*Timer
		for i := range 10_000 {
			x := new(Timer)
			x.when = time.Duration(i * 7919 % 10_000)
			ts.add(&x.alarm, x.when)
			if i < kept {
				left = append(left, x)
			} else {
				ts.drop(&x.alarm)
			}
		}
		if n := len(ts.heap); n > 2*kept+300 {
			t.Errorf("%d entries are kept for %d timers", n, kept)
		}
		if c := cap(ts.heap); c > 4096 {
			t.Errorf("room for %d entries is kept for %d timers", c, kept)
		}
		slices.SortStableFunc(left, func(a, b *Timer) int { return cmp.Compare(a.when, b.when) })
		for _, want := range left {
			if got := ts.due(Never); !got.is(want) {
				t.Fatalf("%v is due, want %v", got, want)
			}
		}
	}
}

// A timer that is cancelled when its loop is closed is not missed.
func TestCancelAfterClose(t *testing.T) {
	l := New()
	var all []*Timer
	for range 1000 {
		all = append(all, l.After(time.Hour, func() {}))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	for _, x := range all {
		x.Cancel()
		x.Cancel()
	}
	if ready, timers := l.Pending(); ready != 0 || timers != 0 {
		t.Errorf("a closed loop holds %d and %d", ready, timers)
	}
}

func TestMillionTimers(t *testing.T) {
	n := 1_000_000
	if testing.Short() || RaceOn {
		n = 50_000
	}
	var ts timers
	block := make([]Timer, n)
	for i := range block {
		block[i].when = time.Duration(i * 7919 % n)
		ts.add(&block[i].alarm, block[i].when)
	}
	for i := range block {
		if i%3 == 0 {
			ts.drop(&block[i].alarm)
		}
	}
	last, count := time.Duration(-1), 0
	for ts.skip() {
		when := ts.heap[0].when
		if when <= last || ts.due(when-1) != nil || ts.due(when) == nil {
			t.Fatalf("%d after %d", when, last)
		}
		last = when
		count++
	}
	if want := n - (n+2)/3; count != want {
		t.Errorf("%d were due, want %d", count, want)
	}
}

func TestDeadline(t *testing.T) {
	l := New(WithClock(&fixedClock{5}))
	defer l.Close()
	for _, c := range []struct{ d, want time.Duration }{
		{-1, 5}, {0, 5}, {1, 6}, {Never, Never}, {Never - 5, Never}, {Never - 6, Never - 1},
	} {
		if got := l.After(c.d, func() {}).When(); got != c.want {
			t.Errorf("After(%d) at 5 is due at %d, want %d", c.d, got, c.want)
		}
	}
	if got := l.At(-3, func() {}).When(); got != -3 {
		t.Errorf("a time in the past becomes %v", got)
	}
}

type fixedClock struct{ now time.Duration }

func (c *fixedClock) Now() time.Duration { return c.now }
func (c *fixedClock) Until(when time.Duration, _ bool) time.Duration {
	return when - c.now
}
