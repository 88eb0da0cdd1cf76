package asyncio

// A loop has parts that it knows nothing of: its executors, generators, signals,
// connections. The file that needs one declares it with newPart, and says there how
// the loop ends it. So the loop, its tasks and futures can be read without them.

// parts are those of one loop: of each kind one, made with the loop.
type parts []any

// A loopPart[T] is a kind of part: each loop has a T.
type loopPart[T any] struct{ index int }

// A stage says when, in Close of the loop, a part is ended: in this order, and those
// of one stage in the order in which they were declared.
type stage int

const (
	endStacks  stage = iota // what has a stack of its own is killed
	endOpen                 // what is the system's is given back
	endWrites               // what was taken is written; then the loop reports what has failed
	endThreads              // other goroutines are let go
	endOutside              // and told that nobody will come
)

type partKind struct {
	stage stage
	make  func() any
	end   func(of any)
}

var partKinds []partKind

// newPart declares a part, which begins as what make returns, or if make is nil as a
// zero T. The loop ends it by end, if that is not nil.
func newPart[T any](at stage, make func() *T, end func(*T)) loopPart[T] {
	kind := partKind{stage: at, make: func() any { return new(T) }}
	if make != nil {
		kind.make = func() any { return make() }
	}
	if end != nil {
		kind.end = func(of any) { end(of.(*T)) }
	}
	partKinds = append(partKinds, kind)
	return loopPart[T]{len(partKinds) - 1}
}

// in returns the part among those of a loop. Any goroutine may call it.
func (p loopPart[T]) in(all parts) *T { return all[p.index].(*T) }

// newParts makes those of a loop.
func newParts() parts {
	all := make(parts, len(partKinds))
	for i, kind := range partKinds {
		all[i] = kind.make()
	}
	return all
}

// end ends those of the stages from first to last.
func (all parts) end(first, last stage) {
	for at := first; at <= last; at++ {
		for i, kind := range partKinds {
			if kind.stage == at && kind.end != nil {
				kind.end(all[i])
			}
		}
	}
}
