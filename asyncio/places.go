package asyncio

import (
	"fmt"
	"log/slog"
)

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

// An openThing is what a loop knows to hold something of the system: a socket,
// its transport, a server.
type openThing interface {
	// abandon gives it back, and tells nobody: the loop has been closed.
	abandon()
}

// abandonOpen gives back what is open when the loop is closed.
func (l *Loop) abandonOpen() {
	for at := l.open.first; at != nil; at = l.open.first {
		thing := at.of
		at.leave()
		thing.abandon()
	}
}

// unclosed reports, in debug mode, what its user has not closed.
// Python: ResourceWarning.
func (l *Loop) unclosed(thing fmt.Stringer) {
	if l.debug {
		slog.Warn("asyncio: unclosed: " + thing.String())
	}
}
