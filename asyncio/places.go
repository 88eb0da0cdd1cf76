package asyncio

// places is a list from which each thing can take itself out at any time. The
// zero list is empty. Its place is part of the thing, so being in a list
// allocates nothing.
type places[T any] struct {
	first, last *inList[T]
	n           int
}

// An inList is the place of a thing in a list. The zero one is in no list.
type inList[T any] struct {
	list       *places[T]
	prev, next *inList[T]
	of         T
}

// add puts v, whose place is at, at the end.
func (l *places[T]) add(at *inList[T], v T) {
	*at = inList[T]{list: l, prev: l.last, of: v}
	if l.last == nil {
		l.first = at
	} else {
		l.last.next = at
	}
	l.last = at
	l.n++
}

// leave takes the thing out, if it is in a list.
func (at *inList[T]) leave() {
	l := at.list
	if l == nil {
		return
	}
	if at.prev == nil {
		l.first = at.next
	} else {
		at.prev.next = at.next
	}
	if at.next == nil {
		l.last = at.prev
	} else {
		at.next.prev = at.prev
	}
	l.n--
	*at = inList[T]{}
}

// all returns what is in the list, in order: a copy, for a loop in which things
// leave.
func (l *places[T]) all() []T {
	all := make([]T, 0, l.n)
	for at := l.first; at != nil; at = at.next {
		all = append(all, at.of)
	}
	return all
}
