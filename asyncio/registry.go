package asyncio

import (
	"sync"

	"github.com/go-greenlet/greenlet/sched"
)

// A registry finds what a loop of package sched is part of, an L, while it runs.
type registry[L any] struct {
	loops sync.Map

	mu    sync.Mutex
	first *L // of all of them, for those who look from outside
	place func(l *L) *links[L]
}

// links are the place of an L in the list.
type links[L any] struct{ prev, next *L }

func (r *registry[L]) add(s *sched.Loop, l *L) {
	r.loops.Store(s, l)
	r.mu.Lock()
	defer r.mu.Unlock()
	*r.place(l) = links[L]{next: r.first}
	if r.first != nil {
		r.place(r.first).prev = l
	}
	r.first = l
}

func (r *registry[L]) remove(s *sched.Loop, l *L) {
	r.loops.Delete(s)
	r.mu.Lock()
	defer r.mu.Unlock()
	at := r.place(l)
	if at.next != nil {
		r.place(at.next).prev = at.prev
	}
	if at.prev != nil {
		r.place(at.prev).next = at.next
	} else {
		r.first = at.next
	}
}

func (r *registry[L]) of(s *sched.Loop) *L {
	if l, ok := r.loops.Load(s); ok {
		return l.(*L)
	}
	return nil
}

// here returns that of the loop that runs on the calling goroutine, or nil.
func (r *registry[L]) here() *L { return r.of(sched.Running()) }

// all returns them, in no order.
func (r *registry[L]) all() (all []*L) {
	for _, l := range r.loops.Range {
		all = append(all, l.(*L))
	}
	return all
}
