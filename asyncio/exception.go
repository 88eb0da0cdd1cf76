package asyncio

import (
	"cmp"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"sync"
)

// An ExceptionContext is what the exception handler is told: what went wrong
// where nobody waits for an error. Fields that do not apply are empty.
//
// Python: the context dict of loop.call_exception_handler.
type ExceptionContext struct {
	Message   string        // what has happened
	Exception error         // the error, if there is one
	Future    AnyFuture     // whose it is, if it is a future's
	Task      AnyTask       // whose it is, if it is a task's
	Handle    *Handle       // whose it is, if it is a callback's
	Transport BaseTransport // whose connection it is, if it is one's
	Protocol  BaseProtocol  // of that connection
	Name      string        // of the task, also where the task itself is gone

	// Source is the calls that have made the future or task, the innermost
	// first. It is known in debug mode only.
	Source []runtime.Frame
}

// SetExceptionHandler has h told of errors that nobody waits for; nil restores
// DefaultExceptionHandler. Python: loop.set_exception_handler.
func (l *Loop) SetExceptionHandler(h func(*Loop, ExceptionContext)) { l.handler = h }

// ExceptionHandler returns what SetExceptionHandler has set, or nil. Python:
// loop.get_exception_handler.
func (l *Loop) ExceptionHandler() func(*Loop, ExceptionContext) { return l.handler }

// DefaultExceptionHandler logs c by log/slog, as an error. Python:
// loop.default_exception_handler.
func (l *Loop) DefaultExceptionHandler(c ExceptionContext) {
	message := c.Message
	if message == "" {
		message = "Unhandled exception in event loop"
	}
	var about []any
	if c.Name != "" {
		about = append(about, "task", c.Name)
	} else if c.Task != nil {
		about = append(about, "task", c.Task.Name())
	}
	if c.Transport != nil {
		about = append(about, "transport", c.Transport)
	}
	if c.Exception != nil {
		about = append(about, "exception", c.Exception)
	}
	if len(c.Source) > 0 {
		about = append(about, "created", place(c.Source[0]))
	}
	slog.Error("asyncio: "+message, about...)
}

// CallExceptionHandler tells the exception handler of c. A handler that panics
// is reported in turn. Python: loop.call_exception_handler.
func (l *Loop) CallExceptionHandler(c ExceptionContext) {
	if l.handler == nil {
		l.DefaultExceptionHandler(c)
		return
	}
	defer func() {
		if p := recover(); p != nil {
			err := panicError(p, "the exception handler")
			if endsRun(err) {
				l.s.Abort(err)
				return
			}
			l.DefaultExceptionHandler(ExceptionContext{Message: "Unhandled error in exception handler", Exception: err})
		}
	}()
	l.handler(l, c)
}

// lostErrors are the errors of futures and tasks that nobody has looked at yet.
// The futures themselves are not kept: one that is collected has its error
// reported, and the rest is reported when the loop is closed.
type lostErrors struct {
	mu  sync.Mutex
	all map[*lostError]struct{}
	n   uint64 // how many there have been
}

// A lostError is an error that nobody has looked at.
type lostError struct {
	loop *Loop
	kind string // "Future" or "Task"
	name string
	err  error
	made *source
	n    uint64 // they are reported in order
}

// remember notes that f has failed with err.
func (lost *lostErrors) remember(f *core, err error, kind string) {
	e := &lostError{loop: f.loop, kind: kind, err: err, made: f.made}
	f.lost = e
	lost.mu.Lock()
	if lost.all == nil {
		lost.all = make(map[*lostError]struct{})
	}
	lost.n++
	e.n = lost.n
	lost.all[e] = struct{}{}
	lost.mu.Unlock()
	runtime.AddCleanup(f, func(e *lostError) {
		if e.forget() {
			e.loop.s.Post(e.report)
		}
	}, e)
}

// forget reports whether e was still among the lost ones.
func (e *lostError) forget() bool {
	lost := &e.loop.lost
	lost.mu.Lock()
	defer lost.mu.Unlock()
	_, there := lost.all[e]
	delete(lost.all, e)
	return there
}

func (e *lostError) report() {
	e.loop.CallExceptionHandler(ExceptionContext{
		Message:   e.kind + " exception was never retrieved",
		Exception: e.err,
		Name:      e.name,
		Source:    e.made.frames(),
	})
}

// reportAll reports what is left, when the loop is closed.
func (lost *lostErrors) reportAll() {
	lost.mu.Lock()
	all := lost.all
	lost.all = nil
	lost.mu.Unlock()
	inOrder := func(a, b *lostError) int { return cmp.Compare(a.n, b.n) }
	for _, e := range slices.SortedFunc(maps.Keys(all), inOrder) {
		e.report()
	}
}

// reportPending reports the tasks that have not ended, when the loop is closed.
func (l *Loop) reportPending() {
	for _, t := range AllTasks(l) {
		l.CallExceptionHandler(ExceptionContext{
			Message: "Task was destroyed but it is pending!",
			Task:    t,
			Future:  t,
			Source:  t.base().made.frames(),
		})
	}
}
