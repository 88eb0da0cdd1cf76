package sched

import (
	"sync"

	"github.com/go-greenlet/greenlet"
)

// A registry knows which loop, an L, runs on which goroutine: by the main greenlet of
// the tree, of which there is one for each.
type registry[L any] struct {
	mu    sync.Mutex
	loops map[*greenlet.Greenlet]*L
	first *L // of all of them, for those who look from outside
	place func(l *L) *links[L]
}

// links are the place of an L in the list.
type links[L any] struct{ prev, next *L }

// claim notes that l runs on g's goroutine. It reports false if another does.
func (r *registry[L]) claim(g *greenlet.Greenlet, l *L) bool {
	root := rootOf(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loops[root] != nil {
		return false
	}
	r.loops[root] = l
	*r.place(l) = links[L]{next: r.first}
	if r.first != nil {
		r.place(r.first).prev = l
	}
	r.first = l
	return true
}

func (r *registry[L]) release(g *greenlet.Greenlet) {
	root := rootOf(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.loops[root]
	if l == nil {
		return
	}
	delete(r.loops, root)
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

// here returns the loop that runs on the calling goroutine, or nil.
func (r *registry[L]) here() *L {
	root := rootOf(greenlet.Current())
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.loops[root]
}

func rootOf(g *greenlet.Greenlet) *greenlet.Greenlet {
	for p := g.Parent(); p != nil; p = g.Parent() {
		g = p
	}
	return g
}
