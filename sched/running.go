package sched

import (
	"sync"

	"github.com/go-greenlet/greenlet"
)

// running knows which loop runs on which goroutine: by the main greenlet of the
// tree, of which there is one for each.
var running = registry{loops: make(map[*greenlet.Greenlet]*Loop)}

type registry struct {
	mu    sync.Mutex
	loops map[*greenlet.Greenlet]*Loop
	first *Loop // of all of them, for those who look from outside
}

// claim notes that l runs on g's goroutine. It reports false if another does.
func (r *registry) claim(g *greenlet.Greenlet, l *Loop) bool {
	root := rootOf(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.loops[root] != nil {
		return false
	}
	r.loops[root] = l
	l.prevRunning, l.nextRunning = nil, r.first
	if r.first != nil {
		r.first.prevRunning = l
	}
	r.first = l
	return true
}

func (r *registry) release(g *greenlet.Greenlet) {
	root := rootOf(g)
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.loops[root]
	if l == nil {
		return
	}
	delete(r.loops, root)
	if l.nextRunning != nil {
		l.nextRunning.prevRunning = l.prevRunning
	}
	if l.prevRunning != nil {
		l.prevRunning.nextRunning = l.nextRunning
	} else {
		r.first = l.nextRunning
	}
}

func rootOf(g *greenlet.Greenlet) *greenlet.Greenlet {
	for p := g.Parent(); p != nil; p = g.Parent() {
		g = p
	}
	return g
}

// Running returns the loop that runs on the calling goroutine, or nil. Any
// goroutine may call it; it does not switch. It costs a lock and a walk to the
// root of the tree of greenlets.
//
// Python: asyncio.get_running_loop.
func Running() *Loop {
	root := rootOf(greenlet.Current())
	running.mu.Lock()
	defer running.mu.Unlock()
	return running.loops[root]
}
