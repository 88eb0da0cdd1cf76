package sched

// An entry is one thing that is ready: a step of a task, a callback, or, with
// both, a task whose sleep is over.
type entry struct {
	task   *Task
	handle *Handle
}

// A sleep that is over is one entry, the step that follows it another: so a
// task that slept comes after what became ready in the turn before, as if a
// callback had woken it.
var sleepOver Handle

// ready is a queue, first in first out, in a ring that grows. What is in it lies
// from head on, up to tail; both count on and on.
type ready struct {
	ring       []entry // its length is a power of two
	head, tail uint
	before     uint64 // how many were taken out before head counted from 0
}

const ringMin = 64

func (r *ready) len() int { return int(r.tail - r.head) }

func (r *ready) push(e entry) {
	if r.tail-r.head == uint(len(r.ring)) {
		r.grow()
	}
	r.ring[r.tail&uint(len(r.ring)-1)] = e
	r.tail++
}

// at is the entry with i before it.
func (r *ready) at(i int) *entry { return &r.ring[(r.head+uint(i))&uint(len(r.ring)-1)] }

func (r *ready) pop() entry {
	p := r.at(0)
	e := *p
	*p = entry{}
	r.head++
	return e
}

func (r *ready) grow() {
	ring := make([]entry, max(ringMin, 2*len(r.ring)))
	n := r.len()
	for i := range n {
		ring[i] = *r.at(i)
	}
	*r = ready{ring: ring, tail: uint(n), before: r.taken()}
}

// taken is how many were taken out.
func (r *ready) taken() uint64 { return r.before + uint64(r.head) }

// shrink gives back the ring of a burst that is over.
func (r *ready) shrink() {
	const keep = 1 << 14
	if r.head == r.tail && len(r.ring) > keep {
		*r = ready{before: r.taken()}
	}
}
