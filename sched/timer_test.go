package sched

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A setAlarm is a timer or a task that timers are to fire.
type setAlarm struct {
	timer *Timer
	task  *Task
	when  time.Duration
}

// An alarmList is what timers should be, done simply: a sorted list.
type alarmList []*setAlarm

func (l *alarmList) add(x *setAlarm) {
	*l = append(*l, x)
	slices.SortStableFunc(*l, func(a, b *setAlarm) int { return cmp.Compare(a.when, b.when) })
}

// drop takes x out and reports whether it was in.
func (l *alarmList) drop(x *setAlarm) bool {
	i := slices.Index(*l, x)
	if i >= 0 {
		*l = slices.Delete(*l, i, i+1)
	}
	return i >= 0
}

func (l *alarmList) due(now time.Duration) *setAlarm {
	if len(*l) == 0 || (*l)[0].when > now {
		return nil
	}
	x := (*l)[0]
	*l = slices.Delete(*l, 0, 1)
	return x
}

// is reports whether e, which is due if ok, is x.
func (e entry) is(x *setAlarm, ok bool) bool {
	switch {
	case x == nil || !ok:
		return x == nil && !ok
	case x.task != nil:
		return e == entry{x.task, &sleepOver}
	}
	return e == entry{handle: &x.timer.Handle}
}

// playTimers does what the bytes say to both, and compares them.
func playTimers(t *testing.T, program []byte) {
	var heap timers
	var list alarmList
	var all []*setAlarm
	now := time.Duration(0)
	wake := func(x *setAlarm, n int) {
		x.when = now + time.Duration(n/16)
		heap.wake(x.task, x.when)
		list.add(x)
	}
	cancel := func(x *setAlarm) {
		set := list.drop(x)
		switch {
		case x.task == nil:
			x.timer.Cancel()
		case set:
			heap.unset(x.task)
		}
	}
	for i := 0; i+1 < len(program); i += 2 {
		op, n := program[i]%8, int(program[i+1])
		switch {
		case op < 3: // a new timer; many have the same time
			x := &setAlarm{when: now + time.Duration(n/8)}
			if op == 2 { // far away
				x.when += time.Duration(4 * n)
			}
			x.timer = heap.add(x.when, func() {})
			list.add(x)
			all = append(all, x)
		case op == 3: // a new task
			x := &setAlarm{task: new(Task)}
			wake(x, n)
			all = append(all, x)
		case op < 6 && len(all) > 0: // cancel one, due already or not
			cancel(all[n%len(all)])
		case op == 6 && len(all) > 0: // set one again, if it is a task's
			x := all[n%len(all)]
			cancel(x)
			if x.task != nil {
				wake(x, n)
			}
		default:
			now += time.Duration(n / 32)
			for {
				got, ok := heap.due(now)
				if want := list.due(now); !got.is(want, ok) {
					t.Fatalf("step %d: %v is due, want %v", i/2, got, want)
				} else if !ok {
					break
				}
			}
		}
		if heap.set != len(list) {
			t.Fatalf("step %d: %d are set, want %d", i/2, heap.set, len(list))
		}
		if n := heap.empty(); n != heap.gone {
			t.Fatalf("step %d: %d entries have nothing to fire, %d are counted", i/2, n, heap.gone)
		}
	}
	for want := list.due(Never); want != nil; want = list.due(Never) {
		if got, ok := heap.due(Never); !got.is(want, ok) {
			t.Fatalf("at the end: %v is due, want %v", got, want)
		}
	}
	if heap.next() != nil || heap.set != 0 {
		t.Fatal("something is left")
	}
}

// empty counts the entries of the heap with nothing to fire.
func (ts *timers) empty() (n int) {
	for i := range ts.heap {
		if e := ts.heap[i]; e.stale() && !e.renew() {
			n++
		}
	}
	return n
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

// Where most were cancelled they go at once, all of them if need be.
func TestTimerSweep(t *testing.T) {
	for _, kept := range []int{0, 1, 2, 5, 100} {
		for _, tasks := range []bool{false, true} {
			const many = 50_000
			var ts timers
			var left alarmList
			for i := range many {
				x := &setAlarm{when: time.Duration(i * 7919 % many)}
				if tasks {
					x.task = new(Task)
					ts.wake(x.task, x.when)
				} else {
					x.timer = ts.add(x.when, func() {})
				}
				if i%batchSize == 0 && len(left) < kept {
					left.add(x)
				} else if tasks {
					ts.unset(x.task)
				} else {
					x.timer.Cancel()
				}
			}
			if n := len(ts.heap); n > 2*kept+300 {
				t.Errorf("%d entries are kept for %d", n, kept)
			}
			if c := cap(ts.heap); c > 4096 {
				t.Errorf("room for %d entries is kept for %d", c, kept)
			}
			for want := left.due(Never); want != nil; want = left.due(Never) {
				if got, ok := ts.due(Never); !got.is(want, ok) {
					t.Fatalf("%v is due, want %v", got, want)
				}
			}
		}
	}
}

// Batches that wait in the heap go, too, when all their timers are cancelled.
func TestTimerSweepOfBatches(t *testing.T) {
	var ts timers
	var all []*Timer
	for i := range 1000 * batchSize {
		all = append(all, ts.add(time.Duration(i), func() {}))
	}
	if n := len(ts.heap); n != 999 {
		t.Fatalf("%d entries for 1000 batches, the last of which is beside the heap", n)
	}
	for _, x := range all[batchSize:] {
		x.Cancel()
	}
	if n := len(ts.heap); n > 300 {
		t.Errorf("%d entries are kept for one batch", n)
	}
	for _, x := range all[:batchSize] {
		if got, ok := ts.due(Never); !ok || got.handle != &x.Handle {
			t.Fatalf("%v is due, want %v", got.handle, x)
		}
	}
	if ts.next() != nil {
		t.Error("something is left")
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

// A Timer is a Handle. As one it can be cancelled without the heap's knowledge.
func TestTimerCancelledAsHandle(t *testing.T) {
	var ts timers
	x, y := ts.add(1, func() {}), ts.add(2, func() {})
	x.Handle.Cancel()
	for _, want := range []*Timer{x, y} { // x does nothing when it is called
		if got, ok := ts.due(2); !ok || got.handle != &want.Handle {
			t.Fatalf("%v is due, want %v", got.handle, want)
		}
	}
	if x.fn != nil || ts.next() != nil || ts.set != 0 {
		t.Error("something is left")
	}
}

func TestMillionTimers(t *testing.T) {
	n := 1_000_000
	if testing.Short() || RaceOn {
		n = 50_000
	}
	var ts timers
	all := make([]*Timer, n)
	for i := range all {
		all[i] = ts.add(time.Duration(i)*7919%time.Duration(n), func() {})
	}
	for i, x := range all {
		if i%3 == 0 {
			x.Cancel()
		}
	}
	last, count := time.Duration(-1), 0
	for e := ts.next(); e != nil; e = ts.next() {
		when := e.when
		if when <= last {
			t.Fatalf("%d after %d", when, last)
		}
		if _, ok := ts.due(when - 1); ok {
			t.Fatalf("%d is due too early", when)
		}
		if _, ok := ts.due(when); !ok {
			t.Fatalf("%d is not due", when)
		}
		last = when
		count++
	}
	if want := n - (n+2)/3; count != want {
		t.Errorf("%d were due, want %d", count, want)
	}
}

// TestTimersShrink: the place of many timers that were stopped is given back.
func TestTimersShrink(t *testing.T) {
	l := New(WithClock(&fixedClock{}))
	defer l.Close()
	var all []*Timer
	for i := range 20_000 {
		all = append(all, l.At(time.Duration(20_000-i), func() {}))
	}
	most := cap(l.timers.heap)
	for _, timer := range all[10:] {
		timer.Cancel()
	}
	require.Less(t, cap(l.timers.heap), most/4)
	require.Equal(t, 10, l.timers.set)
}

func TestDeadline(t *testing.T) {
	l := New(WithClock(&fixedClock{5}))
	defer l.Close()
	for _, c := range []struct{ d, want time.Duration }{
		{-1, 4}, {0, 5}, {1, 6}, {Never, Never}, {Never - 5, Never}, {Never - 6, Never - 1},
	} {
		if got := l.After(c.d, func() {}).When(); got != c.want {
			t.Errorf("After(%d) at 5 is due at %d, want %d", c.d, got, c.want)
		}
	}
	early := New(WithClock(&fixedClock{-5}))
	defer early.Close()
	if got := early.After(math.MinInt64, func() {}).When(); got != math.MinInt64 {
		t.Errorf("the longest time ago becomes %v", got)
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
