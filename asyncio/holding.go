package asyncio

import (
	"strconv"
	"strings"
)

// A holding is what a Lock knows of the task that has acquired it last, and a
// Semaphore of one: for those who look at the loop. Nothing is decided by it, because
// another task or a callback may release it.
//
// It is a number, not a pointer: the write barrier of a pointer would cost a third of
// a free Acquire.
type holding struct {
	by     uint32 // the number of the task in its loop; 0: it is not known
	id     uint32 // given by who looks; 0: nobody has yet
	passes uint32 // how often somebody who had waited has come, or gone
	kind   holdingKind
	own    bool // of a Semaphore: who had acquired it has released it, and nobody else ever has
	handed bool // another than who had acquired it has released it, so nothing is said of a holder
}

// holder returns the number of the task that has acquired it last, or 0 if that is not known,
// or says nothing because others release it.
func (h *holding) holder() uint32 {
	if h.handed {
		return 0
	}
	return h.by
}

type holdingKind uint8

const (
	holdsNothing   holdingKind = iota // a Semaphore of more than one, or one that others release
	holdsLock                         // a Lock for which somebody has waited
	holdsSemaphore                    // a Semaphore of one
	holdsSome                         // a Semaphore of more, in debug mode: see units
)

func (k holdingKind) String() string {
	if k != holdsLock {
		return "Semaphore"
	}
	return "Lock"
}

// waitedFor says for what a task waits, one of whose holders, so many in all, has that name.
func (k holdingKind) waitedFor(holder string, of int) string {
	said := " waits for the " + strings.ToLower(k.String()) + " held by " + holder
	switch {
	case of == 2:
		said += " (and by another, which waits, too)"
	case of > 2:
		said += " (and by " + strconv.Itoa(of-1) + " others, which wait, too)"
	}
	return said
}

// formerHolders is the names of tasks that have acquired a lock and have ended: of the
// last ones, so that a lock which they have not released can be told with a name.
type formerHolders struct {
	names []formerHolder // a ring
	next  int
}

type formerHolder struct {
	task   uint32
	number uint64
	name   *string
}

const formerHoldersMax = 256

func (f *formerHolders) add(h formerHolder) {
	if len(f.names) < formerHoldersMax {
		f.names = append(f.names, formerHolder{})
		f.next = len(f.names) - 1
	}
	f.names[f.next] = h
	f.next = (f.next + 1) % formerHoldersMax
}

// find returns what the task was called, or "".
func (f *formerHolders) find(task uint32) string {
	for i := range f.names {
		if h := &f.names[i]; h.task == task {
			return taskName(h.name, h.number)
		}
	}
	return ""
}
