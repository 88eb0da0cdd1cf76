package asyncio

import (
	"slices"
	"sync/atomic"
)

// units is who has acquired a Semaphore of more than one. It is known in debug mode only,
// for those who look at the loop: without, a Semaphore only counts.
type units struct {
	s  *Semaphore
	of map[uint32]int // how many each task has, by its number
}

// unitsPart is those of a loop's semaphores of which some are out.
var unitsPart = newPart[map[*holding]*units](endStacks, nil, nil)

// debugging is set when a loop of the process has been in debug mode once.
var debugging atomic.Bool

// taken notes that t, or if that is nil somebody who is not known, has acquired one.
func (s *Semaphore) taken(t *task) {
	if t == nil || !t.loop.debug || s.held.handed || s.held.kind == holdsSemaphore {
		return
	}
	all := unitsPart.in(t.loop.parts)
	if *all == nil {
		*all = make(map[*holding]*units)
	}
	u := (*all)[&s.held]
	if u == nil {
		u = &units{s, make(map[uint32]int)}
		(*all)[&s.held] = u
	}
	u.of[t.st.Number()]++
	t.locks = true
	s.held.kind = holdsSome
}

// givenBack notes that one was released. If another task does it than one that has acquired
// one, the semaphore is a signal and not a lock: nothing is said of holders from then on.
func (s *Semaphore) givenBack() {
	if s.held.handed || s.held.kind == holdsSemaphore {
		return
	}
	l := s.owner.loop
	if l == nil {
		l = runningLoops.here()
	}
	if l == nil || !l.debug {
		return
	}
	all := *unitsPart.in(l.parts)
	t, u := l.currentTask(), all[&s.held]
	if t == nil || u == nil || u.of[t.st.Number()] == 0 {
		s.held.kind, s.held.handed = holdsNothing, true
		delete(all, &s.held)
		return
	}
	s.held.own = true
	if u.of[t.st.Number()]--; u.of[t.st.Number()] > 0 {
		return
	}
	if delete(u.of, t.st.Number()); len(u.of) == 0 {
		delete(all, &s.held)
	}
}

// someHolders returns the numbers of the tasks that have acquired the semaphore that h is of,
// in order. It is nil if somebody else may have one, too: a callback, or a task from before
// the debug mode was on.
func (l *Loop) someHolders(h *holding) (all []uint32) {
	u := (*unitsPart.in(l.parts))[h]
	if u == nil {
		return nil
	}
	out := int(u.s.first) - u.s.value
	for by, n := range u.of {
		all = append(all, by)
		out -= n
	}
	if out != 0 {
		return nil
	}
	slices.Sort(all)
	return all
}
