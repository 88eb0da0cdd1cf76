package asyncio

import (
	"fmt"
	"log/slog"
)

// An openThing is what a loop knows to hold something of the system: a socket,
// its transport, a server.
type openThing interface {
	// abandon gives it back, and tells nobody: the loop has been closed.
	abandon()
}

// openThings are those of a loop.
type openThings struct{ places[openThing] }

var openPart = newPart(endOpen, nil, (*openThings).abandon)

// abandon gives them back.
func (all *openThings) abandon() {
	for at := all.first; at != nil; at = all.first {
		thing := at.of
		at.leave()
		thing.abandon()
	}
}

// holds notes that l has thing, whose place is at.
func (l *Loop) holds(at *inList[openThing], thing openThing) { openPart.in(l.parts).add(at, thing) }

// unclosed reports, in debug mode, what its user has not closed.
// Python: ResourceWarning.
func (l *Loop) unclosed(thing fmt.Stringer) {
	if l.debug {
		slog.Warn("asyncio: unclosed: " + thing.String())
	}
}
