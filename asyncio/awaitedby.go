package asyncio

import "slices"

// A future knows the tasks that wait for it, because it tells them of its end. The
// list of them costs nothing until somebody asks for it.

// An awaiter is a waiter by whose end tasks go on: a task, or something between a
// future and the tasks that wait for it, of which they know nothing. All others
// are callbacks.
type awaiter interface {
	// awaiters calls add with the tasks.
	awaiters(add func(*task))
}

// awaitedBy returns the tasks that wait for f, each once, in the order in which
// they came.
func (f *core) awaitedBy() (all []*task) {
	f.eachAwaiter(func(t *task) {
		if !slices.Contains(all, t) {
			all = append(all, t)
		}
	})
	return all
}

func (f *core) eachAwaiter(add func(*task)) {
	if a, ok := f.waiter.(awaiter); ok {
		a.awaiters(add)
	}
}

func (ws *waiters) awaiters(add func(*task)) {
	ws.each(func(w waiter) {
		if a, ok := w.(awaiter); ok {
			a.awaiters(add)
		}
	})
}

func (t *task) awaiters(add func(*task)) { add(t) }

func (g *GatherFuture[E]) awaiters(add func(*task)) { g.eachAwaiter(add) }

func (w *waitSet) awaiters(add func(*task)) { w.over.eachAwaiter(add) }

// awaiters adds the parent, which cannot end before m, wherever it is now.
func (m *member) awaiters(add func(*task)) {
	if m.tg.parent.state == pending {
		add(m.tg.parent)
	}
}

func (a *arrival[T]) awaiters(add func(*task)) {
	if t := a.c.waits; t != nil {
		add(t)
	}
}

func (s *shield[T]) awaiters(add func(*task)) { s.outer.eachAwaiter(add) }
