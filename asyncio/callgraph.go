package asyncio

import (
	"fmt"
	"io"
	"path"
	"runtime"
	"slices"
	"strings"
)

// A FutureCallGraph is why a future is waited for: who waits, and who waits for
// those. Python: asyncio.FutureCallGraph.
type FutureCallGraph struct {
	// Future is the future or task.
	Future AnyFuture

	// CallStack is the calls in which a task is, the innermost first: from the call of
	// this package in which it waits, whose own calls only Stack shows. It is empty
	// before the task has begun, after its end, and for a future that is no task.
	CallStack []runtime.Frame

	// AwaitedBy is the tasks that wait for it, in the order in which they came.
	// Whoever waits for a Gather, Wait, AsCompleted or Shield waits for all that are
	// in it, and the parent of a TaskGroup for its tasks. If tasks wait for each
	// other in a circle, that is cut where it would begin again.
	AwaitedBy []*FutureCallGraph
}

// CaptureCallGraph returns the call graph of f as it is now. Callbacks are not in
// it, nor are other goroutines and tasks of other loops: they do not wait by f
// itself.
//
// It costs nothing before it is called. Owner only; it does not switch. Python:
// asyncio.capture_call_graph.
func CaptureCallGraph(f AnyFuture) *FutureCallGraph {
	return capture(f, make(map[*core]*FutureCallGraph))
}

// capture returns the graph of f, unless it is being made, which makes a circle.
func capture(f AnyFuture, made map[*core]*FutureCallGraph) *FutureCallGraph {
	of := f.base()
	if g, seen := made[of]; seen {
		return g
	}
	made[of] = nil
	g := &FutureCallGraph{Future: f}
	if t, ok := f.(AnyTask); ok {
		g.CallStack = t.self().calls()
	}
	for _, t := range of.awaitedBy() {
		if by := capture(anyTask(&t.st), made); by != nil {
			g.AwaitedBy = append(g.AwaitedBy, by)
		}
	}
	made[of] = g
	return g
}

// calls is Stack from the call of this package in which the task waits on, to the
// first one of the task's own. It is there also of the task that asks.
func (t *task) calls() []runtime.Frame {
	asks := t.loop.s.Current() == &t.st
	frames := t.Stack()
	if asks {
		frames = callersFrames()
	}
	if asks && len(frames) > 0 {
		frames = usersFrames(frames)
		frames = frames[max(0, slices.IndexFunc(frames, func(f runtime.Frame) bool { return !inPackage(f) })):]
	}
	return ownCalls(frames)
}

// callersFrames returns the calls in which the caller is.
func callersFrames() (frames []runtime.Frame) {
	pcs := make([]uintptr, 64)
	n := runtime.Callers(1, pcs)
	for ; n == len(pcs); n = runtime.Callers(1, pcs) {
		pcs = make([]uintptr, 2*n)
	}
	iter := runtime.CallersFrames(pcs[:n])
	for {
		f, more := iter.Next()
		frames = append(frames, f)
		if !more {
			return frames
		}
	}
}

// inPackage reports whether f is a function of this package or of those below.
func inPackage(f runtime.Frame) bool {
	for _, p := range []string{"runtime.", modulePath + "/asyncio.", modulePath + "/sched.", modulePath + "."} {
		if strings.HasPrefix(f.Function, p) {
			return true
		}
	}
	return false
}

// String describes the graph in several lines: of each task what it does, and who
// waits for it.
func (g *FutureCallGraph) String() string {
	var b strings.Builder
	g.describe(&b, "", make(map[*FutureCallGraph]bool))
	return b.String()
}

func (g *FutureCallGraph) describe(b *strings.Builder, indent string, done map[*FutureCallGraph]bool) {
	what := fmt.Sprintf("a %T", g.Future)
	if t, ok := g.Future.(AnyTask); ok {
		what = t.self().called()
	} else if i := strings.IndexByte(what, '['); i > 0 { // its type parameters
		what = what[:i]
	}
	if done[g] {
		fmt.Fprintf(b, "%s* %s: see above\n", indent, what)
		return
	}
	done[g] = true
	fmt.Fprintf(b, "%s* %s\n", indent, what)
	for _, f := range g.CallStack {
		fmt.Fprintf(b, "%s  | %s %s:%d\n", indent, shortName(f), path.Base(f.File), f.Line)
	}
	if len(g.AwaitedBy) > 0 {
		fmt.Fprintf(b, "%s  + awaited by\n", indent)
	}
	for _, by := range g.AwaitedBy {
		by.describe(b, indent+"    ", done)
	}
}

// shortName is the name of a function with the last part of its package's path.
func shortName(f runtime.Frame) string {
	name := strings.TrimSuffix(f.Function, "-fm")  // of a method that is used as a function
	if i := strings.IndexByte(name, '['); i >= 0 { // its types may have paths of their own
		return path.Base(name[:i]) + name[i:]
	}
	return path.Base(name)
}

// FormatCallGraph returns the call graph of f as text: CaptureCallGraph(f).String().
// Owner only; it does not switch. Python: asyncio.format_call_graph.
func FormatCallGraph(f AnyFuture) string { return CaptureCallGraph(f).String() }

// PrintCallGraph writes the call graph of f to w. The error is that of w. Owner
// only; it does not switch. Python: asyncio.print_call_graph.
func PrintCallGraph(w io.Writer, f AnyFuture) error {
	_, err := io.WriteString(w, FormatCallGraph(f))
	return err
}
