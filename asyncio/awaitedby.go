package asyncio

import "slices"

// Who waits for a future is in the future: those that it tells of its end. So it
// costs nothing to know, until somebody asks.

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
	for _, w := range *ws {
		if a, ok := w.(awaiter); ok {
			a.awaiters(add)
		}
	}
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

func (d *doneFunc) awaiters(add func(*task)) {
	if d.of != nil {
		d.of.eachAwaiter(add)
	}
}
