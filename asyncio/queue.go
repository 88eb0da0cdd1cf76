package asyncio

import (
	"context"
	"errors"
	"iter"
)

// A Queue passes items from tasks that put them to tasks that get them, in the
// order in which they were put. A bounded one makes those wait who put too much.
//
// Tasks that wait are woken in the order in which they came. But an item, or a
// free place, belongs to nobody until it is taken: a task that asks before the
// woken one runs may take it, and then that one waits again, behind the others.
//
// The zero Queue is one without bound. A Queue belongs to the loop on which a
// task first waits for it. It must not be copied.
//
// Python: asyncio.Queue.
type Queue[T any] struct {
	store[T]
	owner      owner
	getters    line
	putters    line
	joiners    line
	max        int // zero or less: no bound
	unfinished int // items that were put and not reported as done
	down       bool
}

// Errors of queues, for errors.Is.
var (
	// ErrQueueEmpty is returned by GetNowait if there is no item. Python:
	// asyncio.QueueEmpty.
	ErrQueueEmpty = errorf("QueueEmpty", nil, "the queue is empty")

	// ErrQueueFull is returned by PutNowait if there is no place. Python:
	// asyncio.QueueFull.
	ErrQueueFull = errorf("QueueFull", nil, "the queue is full")

	// ErrQueueShutDown is returned by a queue that was shut down. Python:
	// asyncio.QueueShutDown.
	ErrQueueShutDown = errorf("QueueShutDown", nil, "the queue is shut down")
)

// NewQueue makes a queue that holds up to max items; zero or less is no bound.
// Any goroutine may call it. Python: asyncio.Queue.
func NewQueue[T any](max int) *Queue[T] { return &Queue[T]{max: max} }

// A PriorityQueue is a Queue that gives out the least item first. Among equal
// items the order is that of CPython's heap, which is not that of their coming.
// NewPriorityQueue makes it. Python: asyncio.PriorityQueue.
type PriorityQueue[T any] struct {
	// Queue has the methods, and can be passed as what it is.
	Queue[T]
}

// NewPriorityQueue makes a queue ordered by less, which tells whether a comes
// before b. max is as with NewQueue. It panics with a TypeError if less is nil.
// Any goroutine may call it. Python: asyncio.PriorityQueue.
func NewPriorityQueue[T any](max int, less func(a, b T) bool) *PriorityQueue[T] {
	if less == nil {
		panic(typeErrorf("a function that compares items was expected, got nil"))
	}
	q := &PriorityQueue[T]{}
	q.max, q.less = max, less
	return q
}

// A LifoQueue is a Queue that gives out the item that was put last. NewLifoQueue
// makes it. Python: asyncio.LifoQueue.
type LifoQueue[T any] struct {
	// Queue has the methods, and can be passed as what it is.
	Queue[T]
}

// NewLifoQueue makes a queue that is a stack. max is as with NewQueue. Any
// goroutine may call it. Python: asyncio.LifoQueue.
func NewLifoQueue[T any](max int) *LifoQueue[T] {
	q := &LifoQueue[T]{}
	q.max, q.lifo = max, true
	return q
}

// QSize returns how many items there are. Owner only. Python: Queue.qsize.
func (q *Queue[T]) QSize() int { return q.n }

// MaxSize returns the bound with which the queue was made; zero or less is none.
// Any goroutine may call it. Python: Queue.maxsize.
func (q *Queue[T]) MaxSize() int { return q.max }

// Empty reports whether there is no item. Owner only. Python: Queue.empty.
func (q *Queue[T]) Empty() bool { return q.n == 0 }

// Full reports whether there is no place for another item. Owner only. Python:
// Queue.full.
func (q *Queue[T]) Full() bool { return q.max > 0 && q.n >= q.max }

// Unfinished returns how many items were put for which TaskDone was not called.
// Owner only.
func (q *Queue[T]) Unfinished() int { return q.unfinished }

// Waiting returns how many tasks wait to get an item, and to put one. Owner only;
// it takes time for each of them.
func (q *Queue[T]) Waiting() (getters, putters int) {
	return q.getters.count(), q.putters.count()
}

// Put puts v, and suspends the calling task until there is a place for it. If
// there is one it does not switch and does not look at ctx. It allocates only
// where the queue grows.
//
// With an error v was not put. The error is ErrQueueShutDown, or one of a wait.
// Only a task may call it. Python: Queue.put.
func (q *Queue[T]) Put(ctx context.Context, v T) error {
	for q.Full() {
		if q.down {
			return ErrQueueShutDown
		}
		t, err := q.owner.caller(ctx, "Queue")
		if err != nil {
			return err
		}
		g, err := q.putters.enter(ctx, t)
		if g != nil {
			_, err = g.Switch(nil)
		}
		chosen, err := q.putters.leave(t, err)
		if err != nil {
			if chosen && !q.Full() {
				q.putters.wake(1)
			}
			return err
		}
	}
	return q.PutNowait(v)
}

// PutNowait puts v, or returns ErrQueueFull or ErrQueueShutDown. Tasks and
// callbacks of the queue's loop may call it; it does not switch. Other goroutines
// call it by CallSoonThreadsafe. Python: Queue.put_nowait.
func (q *Queue[T]) PutNowait(v T) error {
	q.owner.check()
	switch {
	case q.down:
		return ErrQueueShutDown
	case q.Full():
		return ErrQueueFull
	}
	q.push(v)
	q.unfinished++
	if !q.getters.empty() {
		q.getters.wake(1)
	}
	return nil
}

// Get takes the next item, and suspends the calling task until there is one. If
// there is one it does not switch and does not look at ctx. It allocates nothing.
//
// With an error no item was taken. The error is ErrQueueShutDown, or one of a
// wait. Only a task may call it. Python: Queue.get.
func (q *Queue[T]) Get(ctx context.Context) (v T, err error) {
	for q.n == 0 {
		if q.down {
			return v, ErrQueueShutDown
		}
		t, err := q.owner.caller(ctx, "Queue")
		if err != nil {
			return v, err
		}
		g, err := q.getters.enter(ctx, t)
		if g != nil {
			_, err = g.Switch(nil)
		}
		chosen, err := q.getters.leave(t, err)
		if err != nil {
			if chosen && q.n > 0 {
				q.getters.wake(1)
			}
			return v, err
		}
	}
	return q.take(), nil
}

// GetNowait takes the next item, or returns ErrQueueEmpty, or ErrQueueShutDown if
// none will come. Tasks and callbacks of the queue's loop may call it; it does not
// switch. Python: Queue.get_nowait.
func (q *Queue[T]) GetNowait() (v T, err error) {
	switch {
	case q.n > 0:
		return q.take(), nil
	case q.down:
		return v, ErrQueueShutDown
	}
	return v, ErrQueueEmpty
}

func (q *Queue[T]) take() T {
	q.owner.check()
	v := q.pop()
	if !q.putters.empty() {
		q.putters.wake(1)
	}
	return v
}

// All gets one item after the other, for range, until the queue is shut down and
// empty. Another error of Get comes with a zero item, and is the last. Only a task
// may range over it. Call TaskDone in the body if somebody uses Join. Python has
// no such method.
func (q *Queue[T]) All(ctx context.Context) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for {
			v, err := q.Get(ctx)
			if errors.Is(err, ErrQueueShutDown) || !yield(v, err) || err != nil {
				return
			}
		}
	}
}

// TaskDone reports that an item that was taken has been dealt with. Join waits
// for that. It panics with a ValueError if there is no such item. Tasks and
// callbacks of the queue's loop may call it; it does not switch. Python:
// Queue.task_done.
func (q *Queue[T]) TaskDone() {
	q.owner.check()
	if q.unfinished <= 0 {
		panic(valueErrorf("task_done() called too many times"))
	}
	q.unfinished--
	if q.unfinished == 0 {
		q.joiners.wake(everybody)
	}
}

// Join suspends the calling task until TaskDone was called for every item that
// was put. If it was already, it does not switch.
//
// The error is one of a wait. Only a task may call it.
// Python: Queue.join.
func (q *Queue[T]) Join(ctx context.Context) error {
	if q.unfinished == 0 {
		return nil
	}
	t, err := q.owner.caller(ctx, "Queue")
	if err != nil {
		return err
	}
	g, err := q.joiners.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	_, err = q.joiners.leave(t, err)
	return err
}

// Shutdown ends the queue: nothing can be put any more, and when it is empty
// nothing can be got. Tasks that wait for either get ErrQueueShutDown. If it is
// immediate, the items that are left are dropped, and count as done.
//
// Tasks and callbacks of the queue's loop may call it; it does not switch.
// Python: Queue.shutdown, of 3.13.
func (q *Queue[T]) Shutdown(immediate bool) {
	q.owner.check()
	q.down = true
	if immediate {
		q.unfinished = max(0, q.unfinished-q.n)
		q.drop()
		if q.unfinished == 0 {
			q.joiners.wake(everybody)
		}
	}
	q.getters.wake(everybody)
	q.putters.wake(everybody)
}
