package greenlet

// Prefetch asks the processor to fetch from memory what a switch to g will
// need, while the caller goes on. It has no other effect and does nothing for a
// g that is not suspended. It is for schedulers that know who comes after the
// next: among thousands of greenlets in no regular order a switch waits for
// memory most of the time, and can be twice as fast if that has been asked for
// one or two switches before. Among a few it is of no use.
//
// Any goroutine may call it; it does not switch. It costs less than a switch,
// and nothing is done where the switch is not made by assembly.
func (g *Greenlet) Prefetch() { prefetch(g) }

// prefetch is assembly, or nothing.
var prefetch = func(*Greenlet) {}
