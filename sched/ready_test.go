package sched

import "testing"

// The queue against the numbers that went in: it wraps around, grows while it
// is wrapped, and gives back a large ring when it is empty.
func TestReadyQueue(t *testing.T) {
	var q ready
	next, first := uint64(0), uint64(0) // the next to go in, and to come out
	push := func(n int) {
		for range n {
			q.push(entry{handle: &Handle{fn: nil}, task: &Task{alarm: alarm(next)}})
			next++
		}
	}
	pop := func(n int) {
		for range n {
			if e := q.pop(); e.task.alarm != alarm(first) {
				t.Fatalf("number %d comes out as number %d", e.task.alarm, first)
			}
			first++
		}
		if q.len() != int(next-first) {
			t.Fatalf("length is %d, want %d", q.len(), next-first)
		}
	}
	for round := range 300 {
		push(round % 70)
		pop(q.len() / 2)
	}
	if i := q.len() / 2; q.at(i).task.alarm != alarm(first)+alarm(i) {
		t.Error("at counts wrongly")
	}
	pop(q.len())
	small := len(q.ring)
	if q.shrink(); len(q.ring) != small {
		t.Error("a small ring is not kept")
	}
	push(1 << 15)
	if q.shrink(); len(q.ring) < 1<<15 {
		t.Error("shrink takes what is in use")
	}
	pop(1 << 15)
	if q.shrink(); q.ring != nil {
		t.Error("a large ring is kept")
	}
	push(3)
	pop(3)
	for i := range q.ring {
		if q.ring[i] != (entry{}) {
			t.Fatal("an entry that has come out is still referred to")
		}
	}
}
