package asyncio

import (
	"context"
	"log/slog"
	"time"

	"github.com/go-greenlet/greenlet/internal/alone"
)

// An Executor runs functions beside the loop: on goroutines, where they may
// block. A ThreadPool is one, and so are the pools of other packages that have
// this method.
//
// Python: concurrent.futures.Executor.
type Executor interface {
	// Submit has f called, once, on a goroutine that is not the caller's, or
	// returns an error. It must not wait until f is called. Any goroutine may
	// call it.
	Submit(f func()) error
}

// Submit has f called by ex and returns its result. Cancel of what it returns
// prevents the call, if it has not begun. A panic of f becomes a *PanicError. If
// ex refuses, its error is the result.
//
// Any goroutine may call it; it does not switch. Python: Executor.submit.
func Submit[T any](ex Executor, f func() (T, error)) *ConcurrentFuture[T] {
	c := NewConcurrentFuture[T]()
	run := func() { c.compute(f) }
	var err error
	if q, ok := ex.(interface{ submit(run, drop func()) error }); ok {
		err = q.submit(run, func() { c.Cancel() })
	} else {
		err = ex.Submit(run)
	}
	if err != nil {
		c.SetException(err)
	}
	return c
}

// compute calls f and completes c.
func (c *ConcurrentFuture[T]) compute(f func() (T, error)) {
	if !c.SetRunning() {
		return
	}
	returned := false
	defer func() {
		if returned {
			return
		}
		if p := recover(); p != nil {
			c.SetException(panicError(p, "an executor's goroutine"))
		} else {
			c.SetException(runtimeErrorf("the function has ended its goroutine by runtime.Goexit"))
		}
	}()
	v, err := f()
	returned = true
	c.returned(v, err)
}

// RunInExecutor has f called by ex, or by l's default executor if ex is nil, and
// returns a future of its result. f runs on a goroutine that knows no loop: it
// may block, and calls of this package that need a task refuse it. Cancel of the
// future prevents the call, if it has not begun. If f has returned it reports false,
// and the future has the result: see WrapFuture. Else f goes on, and nobody
// learns its result. A panic of f becomes a *PanicError. If the executor refuses,
// its error is the future's; that of a default executor that was shut down says
// so.
//
// A virtual clock stands still until f has returned. Only tasks and callbacks of
// l may call it, and before a run whoever has l; it does not switch. Panics as
// CallSoon. Python: loop.run_in_executor.
func RunInExecutor[T any](l *Loop, ex Executor, f func() (T, error)) *Future[T] {
	l.check()
	if ex == nil {
		var err error
		if ex, err = executorPart.in(l.parts).get(); err != nil {
			failed := NewFuture[T](l)
			failed.SetException(err)
			return failed
		}
	}
	l.s.Hold()
	c := Submit(ex, f)
	result := WrapFuture(l, c)
	c.AddDoneCallback(func(*ConcurrentFuture[T]) { l.s.Release() }) // after the result was posted
	return result
}

// ToThread calls f on a goroutine of the default executor and waits for its
// result; the loop goes on meanwhile. The ctx that f is given has the values of
// the caller's and ends with it, and when the wait ends by a cancel, or the loop is
// closed: that is how f learns of it. It belongs to no loop: calls of this
// package that need one return ErrNoRunningLoop with it.
//
// Only a task may call it. It always switches. What f returns is returned, a value
// beside an error, too: a Read may have both. A panic of f is a *PanicError. With an
// error of a wait f may still be at work. If f has returned when a cancel comes, its
// result is returned, and the next wait tells of the cancel. Python:
// asyncio.to_thread.
func ToThread[T any](ctx context.Context, f Coro[T]) (v T, err error) {
	t, err := current(ctx)
	if err != nil {
		return v, err
	}
	if f == nil {
		return v, typeErrorf("a function was expected, got nil")
	}
	inside, cancel := context.WithCancelCause(threadContext{presently(ctx)})
	// Also of a task that is killed. A call that has returned does not mind.
	defer func() { cancel(err) }()
	call := RunInExecutor(t.loop, nil, func() (T, error) { return f(inside) })
	defer call.Cancel() // if ctx has ended, or t was killed: then nobody asks
	return call.Await(ctx)
}

// ToThreadFunc is ToThread for a function that has no result. A nil one is refused
// with a TypeError.
func ToThreadFunc(ctx context.Context, f func(ctx context.Context) error) error {
	_, err := ToThread(ctx, Func(f))
	return err
}

// A threadContext is a task's context without the task.
type threadContext struct{ context.Context }

// Value hides the task.
func (c threadContext) Value(key any) any {
	if key == (taskKey{}) {
		return nil
	}
	return c.Context.Value(key)
}

// executors is the default executor of a loop.
type executors struct {
	byDefault Executor
	shutDown  bool
}

var executorPart = newPart(endThreads, nil, (*executors).close)

// A stoppable executor can be told that nothing more will come.
type stoppable interface {
	Shutdown(ctx context.Context) error
}

// get returns the default executor, which it makes if need be.
func (e *executors) get() (Executor, error) {
	if e.shutDown {
		return nil, runtimeErrorf("Executor shutdown has been called")
	}
	if e.byDefault == nil {
		e.byDefault = NewThreadPool(0)
	}
	return e.byDefault, nil
}

// SetDefaultExecutor has ex run what RunInExecutor, with no executor, and
// ToThread are called with. Without it the loop makes a NewThreadPool(0) when it
// needs one. What the executor before has in hand goes on. A nil ex panics with a
// TypeError. Owner only; it does not switch.
//
// Python: loop.set_default_executor.
func (l *Loop) SetDefaultExecutor(ex Executor) {
	if ex == nil {
		panic(typeErrorf("executor must be an Executor, not nil"))
	}
	executorPart.in(l.parts).byDefault = ex
}

// ShutdownDefaultExecutor refuses new calls for the default executor and waits
// until those that it has are over. If ctx ends before, they are no longer waited
// for: that is logged, and the error is that of ctx. The executor's own method
// Shutdown(ctx) error does the waiting; one that has none is let go.
//
// A task that calls it is suspended, any other caller on the loop's goroutine is
// blocked. Runner.Close calls it, with 300 seconds. Python:
// loop.shutdown_default_executor.
func (l *Loop) ShutdownDefaultExecutor(ctx context.Context) error {
	e := executorPart.in(l.parts)
	e.shutDown = true
	ex, ok := e.byDefault.(stoppable)
	if !ok {
		return nil
	}
	err := ex.Shutdown(ctx)
	if alone.Is(err, context.DeadlineExceeded) {
		slog.Warn("asyncio: The executor did not finish its calls in time")
	}
	return err
}

// executorPatience is how long the end of a run waits for the default executor.
const executorPatience = 300 * time.Second

// shutdownExecutor runs l until the default executor has ended.
func (l *Loop) shutdownExecutor() error {
	if e := executorPart.in(l.parts); e.byDefault == nil {
		e.shutDown = true
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), executorPatience)
	defer cancel()
	// Not by the task factory, which is for the user's tasks and may refuse.
	_, err := RunUntilComplete(l, newTask(l, ctx, coroutine(l.ShutdownDefaultExecutor), nil))
	if alone.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// close lets the default executor go: it takes nothing new, and is not waited
// for.
func (e *executors) close() {
	e.shutDown = true
	if ex, ok := e.byDefault.(stoppable); ok {
		over, end := context.WithCancel(context.Background())
		end()
		ex.Shutdown(over)
	}
}
