package asyncio

import (
	"log/slog"
	"slices"
	"strings"
)

// lockCircleMost is how many tasks of a circle are looked for.
const lockCircleMost = 100

// tellLockCircle reports, in debug mode, that t closes a circle by the lock or semaphore that
// it begins to wait for: its holder waits for one whose holder waits, and so on, for one that
// t holds. Of a semaphore of more than one all holders must wait so. Only a task that has
// acquired one can close a circle. A cancel or a time that is over may still end such a wait,
// so it is a report and no error.
func (t *task) tellLockCircle() {
	before := map[*task]*task{t: nil} // who waits for each
	var last *task                    // who waits for t
	for todo := []*task{t}; len(todo) > 0; todo = todo[1:] {
		at := todo[0]
		holders := at.holders()
		if len(holders) == 0 || len(before) > lockCircleMost {
			return
		}
		for _, h := range holders {
			if h == t && last == nil {
				last = at
			}
			if _, seen := before[h]; !seen {
				before[h] = at
				todo = append(todo, h)
			}
		}
	}
	if last == nil {
		return
	}
	circle := []*task{}
	for at := last; at != nil; at = before[at] {
		circle = append(circle, at)
	}
	slices.Reverse(circle)
	var said strings.Builder
	for i, at := range circle {
		if i == 0 {
			said.WriteString(at.called())
		} else {
			said.WriteString(", which")
		}
		next := circle[(i+1)%len(circle)]
		said.WriteString(at.at.kind.waitedFor(next.called(), len(at.holders())))
	}
	slog.Warn("asyncio: a circle: "+said.String(), "task", t.called())
}

// holders returns the tasks of which one must go on before t can, as far as the lock or
// semaphore tells for which t waits. It is empty if t waits for none, if they are not known,
// or if one of them waits for none.
func (t *task) holders() (all []*task) {
	h := t.at
	if h == nil || h.handed {
		return nil
	}
	numbers := []uint32{h.by}
	if h.kind == holdsSome {
		numbers = t.loop.someHolders(h)
	}
	for _, number := range numbers {
		holder := t.loop.numbered(number)
		if holder == nil || holder.at == nil || holder.at == h && !h.mayBeOwn() {
			return nil
		}
		all = append(all, holder)
	}
	return all
}

// mayBeOwn reports whether a task may wait for good because it holds h itself. One that
// waits for a semaphore which it has acquired waits for another to release it, as long as
// nobody has used the semaphore as a lock.
func (h *holding) mayBeOwn() bool { return h.kind == holdsLock || h.own }

// numbered returns the task of the loop that has the number and has not ended, or nil.
func (l *Loop) numbered(number uint32) *task {
	if number != 0 {
		for st := range l.s.Tasks() {
			if st.Number() == number {
				return taskIn(st)
			}
		}
	}
	return nil
}
