package main

import "time"

// An event makes a process go on.
type event struct {
	at   time.Duration
	seq  uint64 // of those at the same time the first made comes first
	who  *Process
	turn uint64
	why  signal
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

// An agenda is a heap of events, the next one on top.
type agenda []event

func (a *agenda) push(e event) {
	*a = append(*a, e)
	h := *a
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !e.before(&h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (a *agenda) pop() event {
	h := *a
	top, last := h[0], len(h)-1
	e := h[last]
	h[last] = event{}
	h = h[:last]
	*a = h
	for i := 0; i < last; {
		child := 2*i + 1
		if child+1 < last && h[child+1].before(&h[child]) {
			child++
		}
		if child >= last || !h[child].before(&e) {
			h[i] = e
			break
		}
		h[i] = h[child]
		i = child
	}
	return top
}
