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
