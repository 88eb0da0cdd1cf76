package asyncio

import "runtime"

// An ExceptionContext tells the exception handler what went wrong where nobody
// waits for an error. Fields that do not apply are empty.
//
// Python: the context dict of loop.call_exception_handler.
type ExceptionContext struct {
	Message   string        // what has happened
	Exception error         // the error, if there is one
	Future    AnyFuture     // whose it is, if it is a future's that is no task
	Task      AnyTask       // whose it is, if it is a task's
	Handle    *Handle       // whose it is, if it is a callback's
	Transport BaseTransport // whose connection it is, if it is one's
	Protocol  BaseProtocol  // of that connection
	Name      string        // of the task, also where the task itself is gone

	// Tasks is the tasks of the loop as WriteTasks writes them, if it is about all of
	// them: all wait, and nothing can wake them.
	Tasks string

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

// DefaultExceptionHandler logs c by log/slog, as an error. What has several lines,
// the stack of a panic and Tasks, is an attribute of the record; if slog writes to
// package log, as it does unless the program says otherwise, it follows the line as
// it is. Python: loop.default_exception_handler.
func (l *Loop) DefaultExceptionHandler(c ExceptionContext) {
	message := c.Message
	if message == "" {
		message = "Unhandled exception in event loop"
	}
	var about []any
	if c.Name != "" {
		about = append(about, "task", c.Name)
	} else if c.Task != nil {
		about = append(about, "task", c.Task.self().called())
	}
	if c.Transport != nil {
		about = append(about, "transport", c.Transport)
	}
	if len(c.Source) > 0 {
		about = append(about, "created", place(c.Source[0]))
	}
	logLines("asyncio: "+message, "exception", c.Exception, c.Tasks, about...)
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

// reportPending reports the tasks that have not ended, when the loop is closed.
func (l *Loop) reportPending() {
	for _, t := range l.AllTasks() {
		l.CallExceptionHandler(ExceptionContext{
			Message: "Task was destroyed but it is pending!",
			Task:    t,
			Source:  t.base().made.frames(),
		})
	}
}
