package asyncio

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/trace"
	"slices"

	"github.com/go-greenlet/greenlet/sched"
)

// An AnyTask is a Task of any type.
type AnyTask interface {
	AnyFuture

	// Name returns the task's name.
	Name() string
	// SetName gives the task another name.
	SetName(name string)
	// Context returns the context that the task's coroutine was given.
	Context() context.Context
	// Cancelling returns how many requests to cancel it there are.
	Cancelling() int
	// Uncancel takes one request back, and returns how many remain.
	Uncancel() int
	// Stack returns where the task waits.
	Stack() []runtime.Frame
	// PrintStack prints where the task waits.
	PrintStack(w io.Writer)

	self() *task
}

// A task is what all tasks have, whatever their result.
type task struct {
	st sched.Task // first, because of what it has last

	// The wait that the task is in, if it is in one.
	wait    waitState
	plain   bool   // parent needs no watching: it does not end before the run does
	must    bool   // a request to cancel it is to be delivered at the next wait
	unheard bool   // and who was told of it may be a library: see unheard.go
	place   uint32 // among the waiters of the future that it waits for
	core
	fut     canceller // the future that it waits for, to which a cancel goes first
	watcher *watcher  // of the last context that had to be watched

	cancels   int32
	kept      bool     // the request of must came when something was taken for the task: see keep
	rarely    rarely   // what is so of few
	locks     bool     // it has acquired a lock
	shown     bool     // profiles and traces have its name: shownTask is told of it
	at        *holding // of the lock that it waits for
	cancelMsg []any

	parent context.Context // what the task's context adds to
	name   *string         // nil: "Task-" and the number
	number uint64
}

// shownTask is called for tasks whose names profiles and traces are to have: when one is
// made for the function f, begins, and ends, on its own goroutine if it has begun; over
// if it has ended without having begun, or was killed.
var shownTask struct {
	made, begun func(t *task, f any)
	ended, over func(t *task)
}

// rarely is what shares a byte: a Task of an int has 288 bytes, and the next larger memory
// that Go has to give is a ninth more.
type rarely uint8

const (
	wasKilled rarely = 1 << iota // by Kill
	passesOn                     // a request to cancel it is being passed on to what it waits for
)

type waitState uint8

const (
	awake     waitState = iota // it runs, or does not mind why it is resumed
	waiting                    // also for its beginning, and nothing has happened yet
	woken                      // by what it waits for
	aborted                    // by a cancel
	outOfTime                  // by the end of its context
)

type canceller interface {
	Cancel(msg ...any) bool
}

// A Task is a coroutine that runs beside others, and the future of its result.
// It belongs to its loop, and so do all its methods that do not say otherwise.
//
// Python: asyncio.Task.
type Task[T any] struct {
	task
	val  T
	coro Coro[T] // until it has run
}

// A TaskOption is a choice made when a task is made.
type TaskOption interface{ forTask(o *taskOptions) }

type taskOption func(*taskOptions)

func (f taskOption) forTask(o *taskOptions) { f(o) }

type taskOptions struct {
	name  *string
	ctx   context.Context
	eager bool
	asked bool      // whether eager was chosen
	limit admission // nil: it begins when it is its turn
}

// An admission says when a task may begin.
type admission interface {
	// admit reports whether t may now. Else it wakes t later.
	admit(t *task) bool
}

// WithTaskName names the task. Without it the name is "Task-" and a number, which
// each loop counts by itself.
func WithTaskName(name string) TaskOption {
	return taskOption(func(o *taskOptions) { o.name = &name })
}

// WithTaskContext gives the task's coroutine the values and the end of ctx, in
// place of those of the caller's.
func WithTaskContext(ctx context.Context) TaskOption {
	return taskOption(func(o *taskOptions) { o.ctx = ctx })
}

// EagerStart makes the task run at once, before CreateTask returns, up to its
// first wait. A task that never waits is done then. EagerStart(false) overrules
// EagerTaskFactory. Python: create_task(eager_start=on), of 3.14.
func EagerStart(on bool) TaskOption {
	return taskOption(func(o *taskOptions) { o.eager, o.asked = on, true })
}

// eagerByDefault is EagerStart(true) for who has not said what he wants.
func eagerByDefault(o *taskOptions) {
	if !o.asked {
		o.eager = true
	}
}

// CreateTask makes a task that will run f, and returns it. f begins in the
// loop's next turn, after what is ready already. Its context has the values and
// the end of ctx.
//
// Only tasks and callbacks of the loop that ctx comes from may call it; else it
// panics with ErrNoRunningLoop, and with a TypeError if f is nil. It does not
// switch, unless the task starts eagerly. The loop keeps the task until it has
// ended; an error that nobody looks at is reported. Cost: one allocation and that
// of f.
//
// Python: asyncio.create_task.
func CreateTask[T any](ctx context.Context, f Coro[T], opts ...TaskOption) *Task[T] {
	l, err := loopOf(ctx)
	if err != nil {
		panic(err)
	}
	if l.factory != nil {
		return manufacture(l, ctx, f, opts)
	}
	return newTask(l, ctx, f, opts)
}

// Go is CreateTask for a function that has no result. Its name is the one that users
// of go statements and errgroup know.
func Go(ctx context.Context, f func(ctx context.Context) error, opts ...TaskOption) *Task[None] {
	return CreateTask(ctx, coroutine(f), opts...)
}

// NewTask makes a task of l, which need not run yet: CreateTask for those who
// have a loop and no context. Python: asyncio.Task, loop.create_task.
func NewTask[T any](l *Loop, f Coro[T], opts ...TaskOption) *Task[T] {
	if l.factory != nil {
		return manufacture(l, l.noContext(), f, opts)
	}
	return newTask(l, l.noContext(), f, opts)
}

func newTask[T any](l *Loop, ctx context.Context, f Coro[T], opts []TaskOption) *Task[T] {
	if f == nil {
		panic(typeErrorf("a coroutine was expected, got nil"))
	}
	l.check()
	t := new(Task[T])
	t.start(l, ctx, f, opts)
	return t
}

// start makes t, which is zero, a task that will run f.
func (t *Task[T]) start(l *Loop, ctx context.Context, f Coro[T], opts []TaskOption) {
	t.loop, t.coro = l, f
	if l.debug {
		t.made = sourceHere(1)
	}
	var o taskOptions
	if len(opts) > 0 {
		o = chosen(opts)
		if o.ctx != nil {
			ctx = o.ctx
		}
		t.name = o.name
	}
	if t.name == nil {
		l.named++
		t.number = l.named
	}
	t.setParent(ctx)
	if l.labels || trace.IsEnabled() {
		t.shown = true
		shownTask.made(&t.task, f)
	}
	switch {
	case o.limit != nil && !o.limit.admit(&t.task):
		t.wait = waiting
		l.s.Prepare(&t.st, (*runner[T])(t))
	case o.eager && l.s.Running():
		l.s.StartNow(&t.st, (*runner[T])(t))
	default:
		l.s.Start(&t.st, (*runner[T])(t))
	}
}

func chosen(opts []TaskOption) (o taskOptions) {
	choose(&o, opts, TaskOption.forTask)
	return o
}

// A TaskFactory makes the tasks of a loop: see SetTaskFactory. It returns what
// make returns, which it may call with options of its own.
type TaskFactory func(l *Loop, make func(opts ...TaskOption) AnyTask) AnyTask

// EagerTaskFactory starts every task eagerly that was not made with
// EagerStart(false). Python: asyncio.eager_task_factory.
func EagerTaskFactory(_ *Loop, make func(opts ...TaskOption) AnyTask) AnyTask {
	return make(taskOption(eagerByDefault))
}

// SetTaskFactory has every task of the loop made by f; nil restores the default.
// Python: loop.set_task_factory.
func (l *Loop) SetTaskFactory(f TaskFactory) { l.factory = f }

// TaskFactory returns what SetTaskFactory has set, or nil. Python:
// loop.get_task_factory.
func (l *Loop) TaskFactory() TaskFactory { return l.factory }

// manufacture has a task made by the loop's factory.
func manufacture[T any](l *Loop, ctx context.Context, f Coro[T], opts []TaskOption) *Task[T] {
	made := l.factory(l, func(more ...TaskOption) AnyTask {
		return newTask(l, ctx, f, append(opts[:len(opts):len(opts)], more...))
	})
	t, ok := made.(*Task[T])
	if !ok || t == nil {
		panic(typeErrorf("the task factory returned %T, not the task that it was to make", made))
	}
	return t
}

// runner is a Task as what package sched runs.
type runner[T any] Task[T]

func (r *runner[T]) base() *task { return &(*Task[T])(r).task }

// Run runs the task from its beginning to its end. Its frame lies below whatever
// the task does, on a stack that begins small: so it holds little.
func (r *runner[T]) Run() {
	t := (*Task[T])(r)
	if t.must || t.wait == aborted {
		t.wait = awake
		t.over(endedCancelled)
		if t.shown {
			shownTask.over(&t.task)
		}
		t.settle(cancelled, t.cancellation())
		return
	}
	t.wait = awake
	defer t.unwound()
	if t.shown {
		shownTask.begun(&t.task, t.coro)
	}
	v, err := t.coro((*taskContext)(&t.task))
	t.coro, t.val = nil, v
	t.returned(err)
}

// returned ends the task when its coroutine has returned.
func (t *task) returned(err error) {
	if t.unheard {
		err = t.heard(err)
	}
	switch {
	case err != nil:
		t.end(err)
	case t.must && !t.kept:
		t.over(endedCancelled)
		t.settle(cancelled, t.cancellation())
	default:
		t.over(endedOK)
		t.settle(finished, nil)
	}
}

// over counts the task's end.
func (t *task) over(how int) {
	t.loop.ended[how]++
	if t.locks {
		t.heldLocks()
	}
}

func (t *task) heldLocks() {
	t.loop.holders.add(formerHolder{t.st.Number(), t.number, t.name})
}

// end ends the task with an error.
func (t *task) end(err error) {
	switch c := asCancelled(err); {
	case c != nil:
		t.over(endedCancelled)
		t.settle(cancelled, err)
	default:
		if _, panicked := err.(*PanicError); panicked {
			t.over(endedPanicked)
		} else {
			t.over(endedFailed)
		}
		t.fail(err, "Task")
		if t.lost != nil {
			t.lost.isOf(t)
		}
		if endsRun(err) {
			t.loop.s.Abort(err)
		}
	}
}

// unwound is deferred by Run. If the task has not returned it ends it by its
// panic. With no panic its goroutine is being ended by runtime.Goexit, which goes
// on where the loop runs, or the task was killed when the loop was closed: then
// nobody is left who could be told.
func (t *task) unwound() {
	if t.state == pending {
		if p := recover(); p != nil {
			t.end(panicError(p, t.called()))
		}
	}
	if t.watcher != nil {
		t.watcher.stop()
	}
	if t.shown {
		shownTask.ended(t)
	}
}

// futureDone wakes the task, which waits for f.
func (t *task) futureDone(*core) { t.wake() }

// wake makes the task ready, which waits.
func (t *task) wake() {
	if t.wait == waiting {
		t.wait = woken
	}
	t.st.Ready()
}

func (t *task) self() *task { return t }

// Name returns the task's name. Python: Task.get_name.
func (t *task) Name() string { return taskName(t.name, t.number) }

// called returns what t is called where people read of it.
func (t *task) called() string { return calledTask(t.Name(), uint64(t.st.Number())) }

// SetName gives the task another name. Python: Task.set_name.
func (t *task) SetName(name string) { t.name = &name }

// String describes the task for people.
func (t *task) String() string {
	return fmt.Sprintf("task %q (%s)", t.Name(), t.state)
}

// Cancel asks the task to end: its present wait, or its next one, returns a
// CancelledError with msg, once. If it waits for a future, that one is cancelled
// first, and the task learns it from there. A task that has not begun ends
// without running. Of several requests that come before the task runs again one is
// delivered: the first, if that has ended a wait, else the last. It reports false
// if the task has ended.
//
// A wait below an interface of Go (a net.Conn, say) fails with it, but does not
// deliver it, as a library may have called: until code that knows of it has heard
// of it, all further calls of the task below such interfaces fail, too, and then the
// next wait with a ctx, or the end of what has asked for it.
//
// The task may clean up, and may refuse: then the request stays counted, until
// Uncancel. Python: Task.cancel.
func (t *task) Cancel(msg ...any) bool {
	if t.loop.debug {
		t.loop.mustOwn()
	}
	if t.state != pending {
		return false
	}
	switch p := &t.loop.cancels; {
	case p.on:
		p.found = append(p.found, passed{t, msg, false})
	case t.fut != nil:
		p.from(t, msg)
	default:
		t.cancel(msg)
	}
	return true
}

// cancel is Cancel of a task that has not ended, but for what it has others do: it reports
// whether the request was passed on to what t waits for.
func (t *task) cancel(msg []any) (passedOn bool) {
	if t.rarely&passesOn != 0 { // it waits for itself, by others
		t.cancelMsg = msg
		t.abort()
		return false
	}
	if t.cancels++; t.cancels == 1 {
		t.asked = centiseconds()
	}
	switch {
	case t.fut != nil:
		if t.fut.Cancel(msg...) {
			return true
		}
	case t.wait == waiting:
		t.cancelMsg = msg
		t.abort()
		return false
	case t.wait == aborted:
		return false // the first one is on its way
	}
	t.must, t.kept, t.cancelMsg = true, false, msg
	return false
}

// passing is requests to cancel that are being passed on, from tasks to those that they wait
// for. It is a list and no recursion: tasks may wait for each other in a line of any length.
type passing struct {
	on    bool
	found []passed // those to which the last one was passed on
	todo  []passed // the next one last
}

type passed struct {
	to   *task
	msg  []any
	over bool // all to which it has passed it on have been told
}

// aside has requests passed on at once, by calls within each other, until the function that
// it returns is called.
func (p *passing) aside() (end func()) {
	kept := *p
	*p = passing{}
	return func() { *p = kept }
}

// from passes a request on from t, to all in the order of a recursion.
func (p *passing) from(t *task, msg []any) {
	p.on = true
	defer func() { // what is long is not kept
		kept := *p
		*p = passing{}
		if cap(kept.todo)+cap(kept.found) <= 128 {
			clear(kept.todo[:cap(kept.todo)])
			clear(kept.found[:cap(kept.found)])
			p.todo, p.found = kept.todo[:0], kept.found[:0]
		}
	}()
	p.todo = append(p.todo, passed{t, msg, false})
	for len(p.todo) > 0 {
		last := len(p.todo) - 1
		at := p.todo[last]
		p.todo = p.todo[:last]
		t := at.to
		if at.over || t.state != pending {
			if at.over {
				t.rarely &^= passesOn
			}
			continue
		}
		p.found = p.found[:0]
		if t.cancel(at.msg) && len(p.found) > 0 {
			t.rarely |= passesOn
			p.todo = append(p.todo, passed{to: t, over: true})
			slices.Reverse(p.found)
			p.todo = append(p.todo, p.found...)
		}
	}
}

// abort ends the wait that t is in, by a cancel.
func (t *task) abort() {
	t.wait = aborted
	t.st.Ready()
}

// Cancelling returns how many requests to cancel it there are that Uncancel has
// not taken back. Python: Task.cancelling.
func (t *task) Cancelling() int { return int(t.cancels) }

// Uncancel takes one request to cancel it back, and returns how many remain. At
// zero a request that has not been delivered yet is dropped. Python:
// Task.uncancel.
func (t *task) Uncancel() int {
	if t.cancels > 0 {
		t.cancels--
		if t.cancels == 0 {
			t.must, t.unheard, t.kept = false, false, false
		}
	}
	return int(t.cancels)
}

// cancellation is the error of a request that is delivered now.
func (t *task) cancellation() *CancelledError {
	err := cancelledError(t.cancelMsg)
	t.must, t.unheard, t.kept, t.cancelMsg = false, false, false, nil
	return err
}

// Context returns the context that the coroutine was given. Python:
// Task.get_context.
func (t *task) Context() context.Context { return (*taskContext)(t) }

// Stack returns the calls in which the task waits, the innermost first: all of
// them, because it has a stack of its own. It is empty before the task has begun,
// after it has ended, and for the task that asks. Python: Task.get_stack.
func (t *task) Stack() []runtime.Frame {
	return t.st.Stack()
}

// PrintStack prints to w where the task waits. Python: Task.print_stack.
func (t *task) PrintStack(w io.Writer) {
	frames := t.Stack()
	if len(frames) == 0 {
		fmt.Fprintf(w, "No stack for %s\n", t)
		return
	}
	fmt.Fprintf(w, "Stack for %s (most recent call first):\n", t)
	for _, f := range frames {
		fmt.Fprintf(w, "  %s\n    %s:%d\n", f.Function, f.File, f.Line)
	}
}

// Result returns what the coroutine has returned, or the error that the task
// has failed or was cancelled with. Before its end the error is ErrInvalidState.
// Python: Task.result.
func (t *Task[T]) Result() (T, error) {
	err := t.outcome()
	return t.val, err
}

// Await suspends the calling task until t has ended, and returns its result. If
// t has ended it returns at once, without a switch. If the calling task is
// cancelled meanwhile, t is cancelled first.
//
// The error is that of t, a RuntimeError if t is the caller, or one of a wait. Only
// a task may call it. Python: await.
func (t *Task[T]) Await(ctx context.Context) (T, error) {
	if t.state == pending {
		if err := t.core.wait(ctx, t); err != nil {
			var none T
			return none, err
		}
	}
	return t.Result()
}

// AddDoneCallback arranges that cb is called with t, by CallSoon, when t has
// ended. Python: Task.add_done_callback.
func (t *Task[T]) AddDoneCallback(cb *Callback) { t.call(cb, t) }

func (t *Task[T]) future(*Loop) (AnyFuture, error) {
	if t == nil {
		return nil, errNotAwaitable
	}
	return t, nil
}

// CurrentTask returns the task that calls it, or nil: in a callback, and
// elsewhere. It looks at who runs, not at ctx, which only tells the loop: a context
// that comes from no loop will do for a caller on the goroutine of a running one. Any
// goroutine may call it; it does not switch. Python: asyncio.current_task.
func CurrentTask(ctx context.Context) AnyTask {
	if taskOf(ctx) == nil {
		if l := runningLoops.here(); l != nil {
			if st := l.s.Current(); st != nil {
				return anyTask(st)
			}
		}
		return nil
	}
	t, err := current(ctx)
	if err != nil {
		return nil
	}
	return anyTask(&t.st)
}

// AllTasks returns the tasks of l that have not ended, in the order in which
// they were made. Owner only; it does not switch. Python: asyncio.all_tasks.
func (l *Loop) AllTasks() []AnyTask {
	var all []AnyTask
	for st := range l.s.Tasks() {
		all = append(all, anyTask(st))
	}
	return all
}

// anyTask returns the task that st is part of.
func anyTask(st *sched.Task) AnyTask { return st.Body().(interface{ any() AnyTask }).any() }

func (r *runner[T]) any() AnyTask { return (*Task[T])(r) }

// taskIn returns the task that st is part of. It knows those of Go, as most are, by one
// comparison: for the others a table has to be asked.
func taskIn(st *sched.Task) *task {
	body := st.Body()
	if r, is := body.(*runner[None]); is {
		return r.base()
	}
	return body.(interface{ base() *task }).base()
}

// The ways in which a task ends.
const (
	endedOK = iota
	endedFailed
	endedCancelled
	endedPanicked
	outcomes
)
