package sched

import "github.com/go-greenlet/greenlet/internal/rt"

// Body is what a task runs.
type Body interface {
	// Run is called on a greenlet of the loop. If it panics, so does Loop.Run.
	Run()
}

type bodyFunc func()

func (f bodyFunc) Run() { f() }

// A task begins with the profiler labels of who has made it, as a go statement
// gives them, and leaves none to the next task of its worker. Where package rt does
// not know the layout of a goroutine it keeps those that are there.

// A labelled is the body of a task that was made by somebody with labels, until it
// begins. Few are, and few leave labels behind, so others pay two looks for it.
type labelled struct {
	Body
	labels rt.Labels
}

// takeLabels gives the running goroutine, which begins what b is the body of, the
// labels of that, and leaves the body without them. If neither has any, there is no
// need to call it.
func takeLabels(b *Body) {
	var labels rt.Labels
	if of, ok := (*b).(*labelled); ok {
		*b, labels = of.Body, of.labels
	}
	rt.SetOwnLabels(labels)
}
