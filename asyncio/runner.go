package asyncio

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// WithLoopOptions makes one option of several, for who has a slice of them: each of a
// LoopOption is one for Run by itself.
func WithLoopOptions(opts ...LoopOption) RunOption {
	return runOption(func(o *runOptions) { o.loop = append(o.loop, opts...) })
}

// WithLoopFactory has the loop made by f. Python: run(loop_factory=f).
func WithLoopFactory(f func() *Loop) RunOption {
	return runOption(func(o *runOptions) { o.factory = f })
}

// WithSignals tells whether an interrupt (Ctrl-C) cancels the main task. It does
// unless the option is false, the program ignores interrupts, or it runs in a
// testing/synctest bubble.
func WithSignals(on bool) RunOption {
	return runOption(func(o *runOptions) { o.signals = on })
}

// WithShutdownTimeout limits how long the end of a run waits for tasks that it
// has cancelled, on the loop's clock. Those that are left then are killed: their
// deferred calls run, and they are reported as destroyed. Without it, as in
// Python, a task that refuses to end keeps Run from returning.
func WithShutdownTimeout(d time.Duration) RunOption {
	return runOption(func(o *runOptions) { o.grace = d })
}

// Run makes a loop, runs main on it as a task, and returns its result. At the
// end it cancels the tasks that are left and waits for them, closes async
// generators, waits for the default executor, and closes the loop.
//
// If ctx ends, the main task is cancelled, and the error is the end of ctx, too;
// if it has ended before, main does not begin.
//
// By the first interrupt (Ctrl-C) the main task is cancelled as well, and if it ends
// by that the error is ErrKeyboardInterrupt. An interrupt that also ends ctx, one of
// signal.NotifyContext, is one cancel, and the error is both. By a second one, or the
// first after main has ended, the run is over, whatever main does: what is left is
// cancelled and waited for, as at every end, and the error is ErrKeyboardInterrupt. A
// task that refuses even then keeps Run from returning (WithShutdownTimeout). From
// then on, and when main has ended, interrupts do what they do without Run: the next
// one ends the program, unless that has a handler of its own.
//
// The calling goroutine must not run another loop: then the error is ErrLoopRunning.
//
// Python: asyncio.run.
func Run[T any](ctx context.Context, main Coro[T], opts ...RunOption) (T, error) {
	if runningLoops.here() != nil {
		var none T
		return none, insideLoop("asyncio.run")
	}
	r := NewRunner(opts...)
	returned := false
	defer func() {
		if !returned { // by a panic or runtime.Goexit
			r.abandon()
		}
	}()
	v, err := RunIn(ctx, r, main)
	if closing := r.Close(); err == nil {
		err = closing
	}
	returned = true
	return v, err
}

// RunFunc is Run for a function that has no result. A nil one is refused with a
// TypeError.
func RunFunc(ctx context.Context, main func(ctx context.Context) error, opts ...RunOption) error {
	_, err := Run(ctx, Func(main), opts...)
	return err
}

// A Runner runs several coroutines on one loop, one after the other. What they
// leave on it goes on with the next. It belongs to the goroutine that uses it.
//
// Python: asyncio.Runner.
type Runner struct {
	opts   runOptions
	loop   *Loop
	closed bool
}

// NewRunner makes a Runner. Its loop is made when it is needed. Close ends it.
func NewRunner(opts ...RunOption) *Runner {
	r := &Runner{opts: runOptions{signals: true}}
	choose(&r.opts, opts, RunOption.forRun)
	return r
}

// Loop returns the runner's loop, which it makes if need be. After Close it
// returns a RuntimeError, and a TypeError if the loop factory has made none.
// Python: Runner.get_loop.
func (r *Runner) Loop() (*Loop, error) {
	if r.closed {
		return nil, runtimeErrorf("Runner is closed")
	}
	if r.loop == nil {
		if r.opts.factory == nil {
			r.loop = NewLoop(r.opts.loop...)
		} else if r.loop = r.opts.factory(); r.loop == nil {
			return nil, typeErrorf("the loop factory returned nil")
		}
	}
	return r.loop, nil
}

// RunIn runs main on r's loop as a task, as Run does, and leaves the loop open.
// Python: Runner.run.
func RunIn[T any](ctx context.Context, r *Runner, main Coro[T]) (T, error) {
	var none T
	if main == nil {
		return none, typeErrorf("a coroutine was expected, got nil")
	}
	if runningLoops.here() != nil {
		return none, insideLoop("Runner.run")
	}
	l, err := r.Loop()
	if err != nil {
		return none, err
	}
	if l.IsRunning() {
		return none, ErrLoopRunning
	}
	l.runDone = ctx.Done()
	_, l.runDeadline = ctx.Deadline()
	t := NewTask(l, main, WithTaskContext(ctx))
	asked := &requests{ctx: ctx, loop: l, main: t}
	end := asked.follow(r.opts.signals)
	defer end() // if runtime.Goexit goes through here
	v, err := RunUntilComplete(l, t)
	interrupted := end()
	l.orphan()
	if asCancelled(err) != nil {
		if interrupted && t.Uncancel() == 0 {
			err = instead(ErrKeyboardInterrupt, err)
		}
		if ctx.Err() != nil {
			err = &endedRun{err, ctx.Err()}
		}
	}
	return v, err
}

// orphan is called at the end of a run: the tasks that are left for the next one
// watch their context themselves from here on.
func (l *Loop) orphan() {
	l.runDeadline = false
	if l.runDone == nil {
		return
	}
	l.runDone = nil
	for st := range l.s.Tasks() {
		taskIn(st).plain = false
	}
}

// Close ends the runner and its loop: it cancels the tasks that are left and
// waits for them, closes async generators, waits for the default executor, and
// closes the loop. What a task fails with then is told to the exception handler.
// A second call does nothing. A task or callback that calls it gets ErrLoopRunning, as a
// loop would have to run in another: then nothing is ended, and Close can be called
// again. Python: Runner.close.
func (r *Runner) Close() error {
	l := r.loop
	switch {
	case r.closed:
		return nil
	case l == nil || l.IsClosed():
		r.closed = true
		return nil
	case runningLoops.here() != nil || l.IsRunning():
		return insideLoop("Runner.close")
	}
	r.closed = true
	if err := l.cancelAll(r.opts.grace); err != nil {
		l.Close()
		return err
	}
	if err := l.shutdown(); err != nil {
		l.Close()
		return err
	}
	return l.Close()
}

// abandon closes the loop of a run that a panic or runtime.Goexit goes through.
func (r *Runner) abandon() {
	r.closed = true
	if r.loop != nil {
		r.loop.Close()
	}
}

// An endedRun is the error of a run whose context has ended. It is a
// cancellation, and what the context says.
type endedRun struct {
	error
	end error
}

func (e *endedRun) Error() string        { return fmt.Sprintf("%v (%v)", e.error, e.end) }
func (e *endedRun) Unwrap() error        { return e.error }
func (e *endedRun) Is(target error) bool { return errors.Is(e.end, target) }

// cancelAll cancels all tasks and runs the loop until they have ended, or for as
// long as grace if that is not zero.
func (l *Loop) cancelAll(grace time.Duration) error {
	all := l.AllTasks()
	if len(all) == 0 {
		return nil
	}
	for _, t := range all {
		t.Cancel()
	}
	left := len(all)
	ended := &doneFunc{fn: func() {
		if left--; left == 0 {
			l.Stop()
		}
	}}
	for _, t := range all {
		t.base().tell(ended)
	}
	if grace > 0 {
		defer l.CallLater(grace, l.Stop).Cancel()
	}
	if err := l.RunForever(); err != nil {
		return err
	}
	if left > 0 && grace == 0 {
		return runtimeErrorf("Event loop stopped before Future completed.")
	}
	for _, t := range all {
		if exc, _ := t.Exception(); exc != nil {
			l.CallExceptionHandler(ExceptionContext{
				Message:   "unhandled exception during asyncio.run() shutdown",
				Exception: exc,
				Task:      t,
			})
		}
	}
	return nil
}

// shutdown ends what else may hold on to the loop: async generators and the
// threads of the default executor, which may wait for connections.
func (l *Loop) shutdown() error {
	// Not by the task factory, which may be the user's and broken.
	closing := newTask(l, context.Background(), coroutine(l.ShutdownAsyncGens), nil)
	if _, err := RunUntilComplete(l, closing); err != nil {
		return err
	}
	outsideCallsPart.in(l.parts).refuse()
	return l.shutdownExecutor()
}
