package asyncio

import (
	"context"
	"sync"
	"time"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// A ConcurrentFuture is a result that is not there yet, for all goroutines: what
// Submit and RunCoroutineThreadsafe return. Other than with a Future any
// goroutine may call its methods, and none of them belongs to a loop. WrapFuture
// makes a Future of it.
//
// Python: concurrent.futures.Future.
type ConcurrentFuture[T any] struct {
	done chan struct{}

	mu        sync.Mutex
	state     state
	running   bool
	val       T
	err       error
	callbacks roll[*func(*ConcurrentFuture[T])]
}

// NewConcurrentFuture makes a future that is pending. Its maker completes it, by
// SetResult or SetException. Any goroutine may call it; it does not switch.
func NewConcurrentFuture[T any]() *ConcurrentFuture[T] {
	return &ConcurrentFuture[T]{done: make(chan struct{})}
}

// Done returns a channel that is closed when there is a result or an error, or
// it was cancelled. Any goroutine may call it; it does not switch.
func (c *ConcurrentFuture[T]) Done() <-chan struct{} { return c.done }

// Result returns the result, or the error that it has failed with or was
// cancelled with. It blocks the goroutine for at most timeout, in real time; then
// the error is ErrTimeout. Zero does not wait, less than zero waits for ever.
//
// Any goroutine may call it. A task should use Await, because a goroutine that
// blocks is a loop that blocks. Python: Future.result.
func (c *ConcurrentFuture[T]) Result(timeout time.Duration) (T, error) {
	select {
	case <-c.done:
		return c.val, c.err
	default:
	}
	var over <-chan time.Time
	if timeout >= 0 {
		t := time.NewTimer(timeout)
		defer t.Stop()
		over = t.C
	}
	select {
	case <-c.done:
		return c.val, c.err
	case <-over:
		var none T
		return none, ErrTimeout
	}
}

// Await waits for the result and returns it as Result does. A task that calls it
// is suspended, and if it is cancelled, so is c; any other caller is blocked. If
// ctx ends before, the error is that of ctx. Any goroutine may call it; it
// switches if the caller is a task and c is not done.
func (c *ConcurrentFuture[T]) Await(ctx context.Context) (T, error) {
	select {
	case <-c.done:
		return c.val, c.err
	default:
	}
	t, err := current(ctx)
	if err == nil {
		f, forget := wrap(t.loop, c)
		v, err := f.Await(ctx)
		if !f.Done() {
			forget()
			f.tell(&doneFunc{fn: f.seen}) // it may be on its way, and nobody will ask
		}
		return v, err
	}
	select {
	case <-c.done:
		return c.val, c.err
	case <-ctx.Done():
		var none T
		return none, ctx.Err()
	}
}

// awaitHeld is Await during which a virtual clock stands still.
func (c *ConcurrentFuture[T]) awaitHeld(ctx context.Context) (T, error) {
	if t, err := current(ctx); err == nil {
		t.loop.s.Hold()
		defer t.loop.s.Release()
	}
	return c.Await(ctx)
}

// Cancel makes c done, cancelled. It reports false if that comes too late: c is
// done or, as SetRunning tells, a goroutine is at work on it. Any goroutine may
// call it; it does not switch. Python: Future.cancel.
func (c *ConcurrentFuture[T]) Cancel() bool {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return false
	}
	var none T
	return c.complete(cancelled, none, &CancelledError{})
}

// Cancelled reports whether c was cancelled. Any goroutine may call it; it does
// not switch. Python: Future.cancelled.
func (c *ConcurrentFuture[T]) Cancelled() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state == cancelled
}

// SetRunning notes that work on the result begins, after which Cancel comes too
// late. It reports false if c is done already: then there is nothing to do. It is
// for the maker of the future. Any goroutine may call it; it does not switch.
// Python: Future.set_running_or_notify_cancel.
func (c *ConcurrentFuture[T]) SetRunning() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.state != pending {
		return false
	}
	c.running = true
	return true
}

// SetResult makes c done, with v. It returns ErrInvalidState if c is done
// already. Any goroutine may call it; it does not switch. Python:
// Future.set_result.
func (c *ConcurrentFuture[T]) SetResult(v T) error { return c.set(finished, v, nil) }

// SetException makes c done, with err, which must not be nil. It returns
// ErrInvalidState if c is done already. An err that is a CancelledError makes it
// cancelled. Any goroutine may call it; it does not switch. Python:
// Future.set_exception.
func (c *ConcurrentFuture[T]) SetException(err error) error {
	if err == nil {
		return typeErrorf("an exception is expected, not nil")
	}
	var none T
	return c.returned(none, err)
}

// returned makes c done with what a function has returned: both, as with a Task,
// because io.EOF may come with bytes.
func (c *ConcurrentFuture[T]) returned(v T, err error) error {
	if asCancelled(err) != nil {
		return c.set(cancelled, v, err)
	}
	return c.set(finished, v, err)
}

func (c *ConcurrentFuture[T]) set(s state, v T, err error) error {
	c.mu.Lock()
	if !c.complete(s, v, err) {
		return ErrInvalidState
	}
	return nil
}

// complete makes c done, if it is not, and calls those who wait. It unlocks mu.
func (c *ConcurrentFuture[T]) complete(s state, v T, err error) bool {
	if c.state != pending {
		c.mu.Unlock()
		return false
	}
	c.state, c.val, c.err = s, v, err
	callbacks := c.callbacks
	c.callbacks = roll[*func(*ConcurrentFuture[T])]{}
	close(c.done)
	c.mu.Unlock()
	callbacks.each(func(cb *func(*ConcurrentFuture[T])) { (*cb)(c) })
	return true
}

// AddDoneCallback arranges that cb is called with c when c is done: on the
// goroutine that completes it, in the order in which they were added; at once if
// it is done. So cb must not wait, and tells a loop by CallSoonThreadsafe. Any
// goroutine may call it; it does not switch. Python: Future.add_done_callback.
func (c *ConcurrentFuture[T]) AddDoneCallback(cb func(*ConcurrentFuture[T])) { c.call(cb) }

// call is AddDoneCallback. It returns what takes that back.
func (c *ConcurrentFuture[T]) call(cb func(*ConcurrentFuture[T])) (forget func()) {
	c.mu.Lock()
	if c.state != pending {
		c.mu.Unlock()
		cb(c)
		return func() {}
	}
	place := c.callbacks.add(&cb)
	c.mu.Unlock()
	return func() {
		c.mu.Lock()
		c.callbacks.leave(&cb, place)
		c.mu.Unlock()
	}
}

// WrapFuture returns a future of l that is done when c is, with what c has. If
// it is cancelled, so is c, unless work on that has begun. If c is done and l has not
// heard of it when it is cancelled, or a wait for it ends, it has what c has: Cancel
// reports false, the wait returns that, and the task's next wait tells of the
// cancel. In Python the result is lost then.
//
// Only tasks and callbacks of l may call it, and before a run whoever has l; it
// does not switch. Panics as CallSoon. Python: asyncio.wrap_future.
func WrapFuture[T any](l *Loop, c *ConcurrentFuture[T]) *Future[T] {
	f, _ := wrap(l, c)
	return f
}

// wrap is WrapFuture. forget takes f out of what waits for c.
func wrap[T any](l *Loop, c *ConcurrentFuture[T]) (f *Future[T], forget func()) {
	l.check()
	w := &wrapped[T]{of: c}
	w.loop, w.takes = l, true
	if l.debug {
		w.made = sourceHere(2)
	}
	w.who.followOthers(&w.core, w)
	w.forget = c.call(func(*ConcurrentFuture[T]) { l.s.Post(w.pass) }) // a closed loop has no use for it
	return &w.Future, w.forget
}

// A wrapped is the future that WrapFuture returns. It learns by the ready queue
// what its ConcurrentFuture has come to, but looks itself before it is given up: what
// is on its way then would be lost.
type wrapped[T any] struct {
	Future[T]
	who    waiters
	of     *ConcurrentFuture[T]
	forget func()
}

func (w *wrapped[T]) follow()  {}
func (w *wrapped[T]) catchUp() {}

func (w *wrapped[T]) unfollow() {
	switch {
	case w.state == cancelled:
		w.soon(func() {
			if !w.of.Cancel() {
				w.forget() // who is at work on it may take long
			}
		})
	case w.state == pending:
		select {
		case <-w.of.done:
			w.pass()
		default:
		}
	}
}

// pass passes on what the ConcurrentFuture, which is done, has come to.
func (w *wrapped[T]) pass() {
	if w.state != pending {
		return
	}
	c := w.of
	w.val = c.val
	switch {
	case c.state == cancelled:
		w.settle(cancelled, c.err)
	case c.err != nil:
		w.fail(c.err, "Future")
	default:
		w.settle(finished, nil)
	}
}

// RunCoroutineThreadsafe has f run on l as a task, and returns its result to
// another goroutine. Cancel of what it returns cancels the task. If l is closed,
// or will be before the task has ended, the error is ErrLoopClosed.
//
// Any goroutine may call it; it does not switch. Waiting for the result on l's
// own goroutine would wait for ever. Python: asyncio.run_coroutine_threadsafe.
func RunCoroutineThreadsafe[T any](l *Loop, f Coro[T]) *ConcurrentFuture[T] {
	if f == nil {
		panic(typeErrorf("a coroutine was expected, got nil"))
	}
	c := NewConcurrentFuture[T]()
	var t *Task[T] // the loop's
	pass := func() { c.returned(t.Result()) }
	forget := outsidePart.in(l.parts).add(func() {
		select {
		case <-c.done:
			return // perhaps on another goroutine
		default:
		}
		if t != nil && t.Done() {
			pass() // what the loop's last turn has brought
		}
		c.SetException(ErrLoopClosed)
	})
	c.AddDoneCallback(func(*ConcurrentFuture[T]) { forget() })
	labels := rt.OwnLabels()
	l.outsiders.Store(true)
	l.s.Post(func() {
		if c.Cancelled() {
			return
		}
		// As a go statement would, the task gets the profiler labels of who asks.
		defer rt.SetOwnLabels(rt.OwnLabels())
		rt.SetOwnLabels(labels)
		defer func() {
			if p := recover(); p != nil { // the task factory's
				c.SetException(panicError(p, "the task factory"))
			}
		}()
		t = NewTask(l, f)
		t.tell(&doneFunc{fn: pass})
		c.AddDoneCallback(func(*ConcurrentFuture[T]) {
			if c.Cancelled() {
				l.s.Post(func() { t.Cancel() })
			}
		})
	})
	return c
}

// outside is what other goroutines have under way for a loop: each entry says
// how to end it when the loop is closed.
type outside struct {
	mu     sync.Mutex
	closed bool
	last   uint64
	ends   map[uint64]func()
}

var outsidePart = newPart(endOutside, nil, (*outside).close)

// add notes end, which may be called more than once and on any goroutine, and
// returns what takes it back. That calls end, too: what is over is ended.
func (o *outside) add(end func()) (forget func()) {
	o.mu.Lock()
	if o.closed {
		o.mu.Unlock()
		end()
		return func() {}
	}
	if o.ends == nil {
		o.ends = make(map[uint64]func())
	}
	o.last++
	key := o.last
	o.ends[key] = end
	o.mu.Unlock()
	return func() {
		o.mu.Lock()
		_, there := o.ends[key]
		delete(o.ends, key)
		o.mu.Unlock()
		if there {
			end()
		}
	}
}

// close ends all of it.
func (o *outside) close() {
	o.mu.Lock()
	ends := o.ends
	o.ends, o.closed = nil, true
	o.mu.Unlock()
	for _, end := range ends {
		end()
	}
}
