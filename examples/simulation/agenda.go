package main

import "time"

// An event makes a process go on.
type event struct {
	at   time.Duration
	seq  uint64 // of those at the same time the first made comes first
	who  *Process
	turn uint32
	why  signal
}

func (e *event) before(f *event) bool {
	return e.at < f.at || e.at == f.at && e.seq < f.seq
}

// An agenda is a heap of events, the next one on top. Each has up to four
// below it: half as many levels as with two, and the four lie side by side.
type agenda []event

func (a *agenda) push(e event) {
	*a = append(*a, e)
	h := *a
	i := len(h) - 1
	for i > 0 {
		above := (i - 1) / 4
		if !e.before(&h[above]) {
			break
		}
		h[i] = h[above]
		i = above
	}
	h[i] = e
}

func (a *agenda) pop() event {
	h := *a
	top, last := h[0], len(h)-1
	e := h[last]
	h[last] = event{} // lets go of the process
	h = h[:last]
	*a = h
	if last == 0 {
		return top
	}
	i := 0
	for {
		first, least := i, &e
		for c := 4*i + 1; c < min(4*i+5, last); c++ {
			if h[c].before(least) {
				first, least = c, &h[c]
			}
		}
		if first == i {
			break
		}
		h[i] = *least
		i = first
	}
	h[i] = e
	return top
}
