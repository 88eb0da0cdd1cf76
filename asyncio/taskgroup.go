package asyncio

import (
	"cmp"
	"context"
	"errors"

	"github.com/go-greenlet/greenlet/internal/alone"
)

// A TaskGroup is tasks that end together: whoever makes them in a group cannot go
// on before all of them have ended. When one fails, the others are cancelled. It
// belongs to the loop of the task that is in it, its parent, and so do its
// methods. The zero TaskGroup can be entered, once.
//
// Most programs use RunTaskGroup.
//
// Python: asyncio.TaskGroup.
type TaskGroup struct {
	loop   *Loop
	parent *task
	ctx    context.Context // of the tasks
	limit  *limiter

	state    groupState
	aborting bool // the tasks were cancelled, and no more are taken
	asked    bool // the parent was cancelled by the group
	cancels  int  // requests to cancel the parent that there were before

	first, last *member // those that have not ended, in the order they were made
	live        int     // and those whose end was not counted yet
	ending      int     // how many have ended and are to be counted
	empty       *Future[None]

	errs      []error
	whose     []*task // whose they are
	base      error   // one that ends the program
	stopped   error   // the end of ctx, if a task has failed with that
	cancelled error   // the CancelledError that has come to the parent
	outside   bool    // and it was not the group that had asked for it
}

type groupState uint8

const (
	groupCreated groupState = iota
	groupEntered
	groupExiting
	groupExited
)

// RunTaskGroup runs f in the calling task, with a new group, and waits until f
// has returned and all tasks of the group have ended.
//
// When a task fails, or f does, the other tasks and f are cancelled, and the
// error is an *ExceptionGroup of all errors, in the order in which they came, that
// of f last. That a task is cancelled is no error. If the calling task is
// cancelled from elsewhere, so are the tasks; the error is the CancelledError, or
// the group of errors if there are some, and then the task stays cancelled: its
// next wait tells. That is so also where the group has cancelled itself before, and
// its tasks take a while to end: there Python loses the request. A panic of f is an
// error of f, a *PanicError. An error that ends the program (SystemExit,
// ErrKeyboardInterrupt) is returned as it is, and all others are told to the
// exception handler. An ErrGeneratorExit of f that is the only error is returned as
// it is, too.
//
// The end of ctx is a cancel of all, too: what the tasks or f fail with because of
// it is no error of the group, unless it was joined with others. Then the result is
// the error of ctx, if there are no others. ctx is also what the contexts of the tasks add to.
// The error is ErrNoRunningLoop if the caller
// is not a task, and a TypeError if f is nil. Python: async with
// asyncio.TaskGroup().
func RunTaskGroup(ctx context.Context, f func(ctx context.Context, tg *TaskGroup) error) error {
	if f == nil {
		return typeErrorf("a function was expected, got nil")
	}
	tg := new(TaskGroup)
	if err := tg.Enter(ctx); err != nil {
		return err
	}
	return tg.Exit(ctx, tg.body(ctx, f))
}

// body runs f and makes an error of its panic.
func (tg *TaskGroup) body(ctx context.Context, f func(ctx context.Context, tg *TaskGroup) error) (err error) {
	returned := false
	defer func() {
		if p := recover(); !returned && p != nil {
			err = panicError(p, tg.parent.called())
		}
	}()
	err = f(ctx, tg)
	returned = true
	return err
}

// Enter makes the calling task the parent of tg: the one that is cancelled when
// a task of the group fails, and that must call Exit. ctx is what the tasks add
// to.
//
// It returns a RuntimeError if tg was entered before, and ErrNoRunningLoop to a
// caller that is not a task. It does not switch. Python: TaskGroup.__aenter__.
func (tg *TaskGroup) Enter(ctx context.Context) error {
	if tg.state != groupCreated {
		return runtimeErrorf("TaskGroup has already been entered")
	}
	t, err := current(ctx)
	if err != nil {
		return err
	}
	tg.state, tg.loop, tg.parent, tg.ctx, tg.cancels = groupEntered, t.loop, t, ctx, t.Cancelling()
	if tg.aborting {
		tg.cancelParent()
	}
	return nil
}

// SetLimit lets at most n tasks of the group run at a time. Those that are made
// after the call count; one that would be too many is made, and begins when it is
// its turn. It panics with a ValueError if n is below one. Python has no such call.
func (tg *TaskGroup) SetLimit(n int) { tg.limit = newLimiter(n) }

// GroupTask makes a task of tg that will run f, and returns it: never nil. Its
// context has the values and the end of that with which the group was entered. The
// tasks of the group may call it, too: also while the parent waits in Exit.
//
// Where the group takes no tasks any more, because all of them have ended and so has
// the group, or because it is being cancelled, the task has failed before it began:
// f does not run, and Await returns a RuntimeError, "TaskGroup is finished" or
// "TaskGroup is shutting down". It is no task of the group, whose outcome it does not
// change. The exception handler is told if nobody looks at that error. Its name is
// "refused", unless it was given one.
//
// It panics with a RuntimeError if tg is nil or was never entered, with a TypeError if
// f is nil, and with ErrNoRunningLoop on another goroutine than that of the group's
// loop. It does not switch, unless the task starts eagerly.
//
// Python: TaskGroup.create_task, which raises where the task here has failed.
func GroupTask[T any](tg *TaskGroup, f Coro[T], opts ...TaskOption) *Task[T] {
	switch {
	case f == nil:
		panic(typeErrorf("a coroutine was expected, got nil"))
	case tg == nil || tg.state == groupCreated:
		panic(runtimeErrorf("TaskGroup has not been entered"))
	case !tg.loop.s.Owned():
		panic(ErrNoRunningLoop)
	case tg.state >= groupExiting && tg.live == 0:
		return refusedTask(tg, f, opts, runtimeErrorf("TaskGroup is finished"))
	case tg.aborting:
		return refusedTask(tg, f, opts, runtimeErrorf("TaskGroup is shutting down"))
	}
	if tg.limit != nil {
		opts = append([]TaskOption{tg.limit}, opts...)
	}
	t := start(tg.loop, tg.ctx, f, opts...)
	tg.add(&t.task)
	if tg.aborting { // an eager task has done that, before the group knew it
		t.Cancel()
	}
	return t
}

// Go is GroupTask for a function that has no result.
func (tg *TaskGroup) Go(f func(ctx context.Context) error, opts ...TaskOption) *Task[None] {
	return GroupTask(tg, Func(f), opts...)
}

// refusedTask makes a task that has failed with err before it began. It has a name, as
// in Python there is no task that could take a number from those to come.
func refusedTask[T any](tg *TaskGroup, f Coro[T], opts []TaskOption, err error) *Task[T] {
	opts = append([]TaskOption{WithTaskName("refused")}, opts...)
	t := newTask(tg.loop, tg.ctx, f, append(opts, noAdmission{}))
	t.st.Kill()
	t.coro = nil
	t.end(err)
	if t.shown {
		shownTask.over(&t.task)
	}
	return t
}

// noAdmission admits no task, and is the option that says so.
type noAdmission struct{}

func (noAdmission) admit(*task) bool          { return false }
func (no noAdmission) forTask(o *taskOptions) { o.limit = no }

// Cancel ends the group early, without an error: its tasks and its parent are
// cancelled, and Exit returns nil if nothing else is wrong. An eager task that
// calls it is cancelled at its first wait. A group that was not entered yet is
// cancelled when it is. It may be called more than once, and after
// the end. Python: TaskGroup.cancel, since 3.15.
func (tg *TaskGroup) Cancel() {
	if tg.state == groupExited {
		return
	}
	tg.abort()
	if tg.state != groupCreated && !tg.asked {
		tg.cancelParent()
	}
}

// Exit waits until all tasks of tg have ended, and returns what there is to say:
// see RunTaskGroup. err is the error that the parent's work has ended with, or nil.
// It returns a RuntimeError, with err, if tg was not entered, has been left, or the
// caller is not its parent. It switches if there are tasks. Python:
// TaskGroup.__aexit__.
func (tg *TaskGroup) Exit(ctx context.Context, err error) error {
	switch t, e := current(ctx); {
	case e != nil:
		return errors.Join(err, e)
	case tg.state == groupCreated:
		return errors.Join(err, runtimeErrorf("TaskGroup has not been entered"))
	case t != tg.parent:
		return errors.Join(err, runtimeErrorf("TaskGroup was entered by another task"))
	case tg.state != groupEntered:
		return errors.Join(err, runtimeErrorf("TaskGroup is finished"))
	}
	tg.state = groupExiting
	if err != nil || tg.asked {
		err = tg.parent.heard(err)
	}
	var stopped error // the end of ctx, if the parent has met with that
	switch {
	case err == nil:
	case endsRun(err):
		tg.base = err
	case asCancelled(err) != nil:
		tg.wasCancelled(err)
	case tg.isStop(err):
		stopped = err
	}
	if err != nil {
		tg.abort()
	}
	if e := tg.wait(ctx); stopped == nil {
		stopped = e
	}
	tg.state = groupExited
	if tg.base != nil {
		tg.tellOthers(err)
		return tg.base
	}
	if tg.asked && tg.parent.Uncancel() <= tg.cancels && !tg.outside {
		tg.cancelled = nil // it was the group's own cancel, and nobody else's
	}
	if err != nil && !tg.isStop(err) {
		tg.errs = append(tg.errs, err)
	}
	if len(tg.errs) == 0 {
		// A cancel comes once, the end of ctx is there to stay: so the cancel first.
		return cmp.Or(tg.cancelled, stopped, tg.stopped)
	}
	if tg.parent.Cancelling() > 0 {
		// The cancel was not the group's, and the error hides it: it comes again.
		tg.parent.Uncancel()
		tg.parent.Cancel()
	}
	if len(tg.errs) == 1 && alone.Is(err, ErrGeneratorExit) {
		return err
	}
	return NewExceptionGroup("unhandled errors in a TaskGroup", tg.errs...)
}

// tellOthers tells the exception handler what the error that ends the program takes
// the place of: errors of tasks, and err, that of the parent.
func (tg *TaskGroup) tellOthers(err error) {
	errs, whose := tg.errs, tg.whose
	if err != nil && !tg.isStop(err) {
		errs, whose = append(errs, err), append(whose, tg.parent)
	}
	for i, err := range errs {
		if err == tg.base {
			continue
		}
		tg.loop.CallExceptionHandler(ExceptionContext{
			Message:   "A TaskGroup has failed, and the program ends",
			Exception: err,
			Task:      anyTask(&whose[i].st),
		})
	}
}

// isStop reports whether err is a cancellation or the end of ctx, alone, and so no
// error of the group.
func (tg *TaskGroup) isStop(err error) bool {
	if asCancelled(err) != nil {
		return true
	}
	end := tg.ctx.Err()
	return end != nil && alone.Is(err, end)
}

// wait waits for the tasks, whatever happens: a cancel of the parent is noted, and
// the end of ctx returned.
func (tg *TaskGroup) wait(ctx context.Context) (stopped error) {
	for tg.live > 0 {
		tg.empty = NewFuture[None](tg.loop)
		_, err := tg.empty.Await(ctx)
		tg.empty = nil
		switch {
		case err == nil:
			continue
		case tg.loop.IsClosed():
			return err
		case asCancelled(err) != nil:
			tg.wasCancelled(err)
		default:
			stopped = err
			ctx = context.WithoutCancel(ctx) // it stays at its end
		}
		tg.abort()
	}
	return stopped
}

// wasCancelled notes the CancelledError err, with which the parent's body or wait
// has ended. After the group's own request the one of somebody else may look just
// the same: Exit counts the requests.
func (tg *TaskGroup) wasCancelled(err error) {
	if !tg.outside {
		tg.cancelled, tg.outside = err, !tg.asked
	}
}

// abort cancels the tasks.
func (tg *TaskGroup) abort() {
	if tg.aborting {
		return
	}
	tg.aborting = true
	for m := tg.first; m != nil; m = m.next {
		m.t.Cancel()
	}
}

func (tg *TaskGroup) cancelParent() {
	tg.asked = true
	tg.parent.Cancel()
}

// A member is a task of a group that has not ended.
type member struct {
	tg         *TaskGroup
	t          *task
	prev, next *member
}

func (tg *TaskGroup) add(t *task) {
	m := &member{tg: tg, t: t, prev: tg.last}
	if tg.last == nil {
		tg.first = m
	} else {
		tg.last.next = m
	}
	tg.last = m
	tg.live++
	t.tell(m)
}

// futureDone is told of the end of m. In Python each end is a callback. Here only
// those are that have an effect: errors, and one that may be the last.
func (m *member) futureDone(f *core) {
	tg := m.tg
	if m.prev == nil {
		tg.first = m.next
	} else {
		m.prev.next = m.next
	}
	if m.next == nil {
		tg.last = m.prev
	} else {
		m.next.prev = m.prev
	}
	if (f.err == nil || f.state == cancelled) && tg.live-tg.ending > 1 {
		tg.live--
		return
	}
	tg.ending++
	f.loop.s.Soon(m.ended)
}

// ended counts the end of m.
func (m *member) ended() {
	tg := m.tg
	tg.live--
	tg.ending--
	if tg.live == 0 && tg.empty != nil {
		tg.empty.SetResult(None{})
	}
	if m.t.state == cancelled || m.t.err == nil {
		return
	}
	m.t.seen()
	if tg.parent.Done() {
		if m.t.rarely&wasKilled != 0 {
			return
		}
		tg.loop.CallExceptionHandler(ExceptionContext{
			Message:   "A task of a TaskGroup has failed, and its parent has ended",
			Exception: m.t.err,
			Task:      anyTask(&m.t.st),
		})
		return
	}
	if tg.isStop(m.t.err) {
		tg.stopped = m.t.err
		tg.abort()
		return
	}
	tg.errs, tg.whose = append(tg.errs, m.t.err), append(tg.whose, m.t)
	if endsRun(m.t.err) && tg.base == nil {
		tg.base = m.t.err
	}
	if !tg.aborting && !tg.asked {
		tg.abort()
		tg.cancelParent()
	}
}

// awaiters adds the parent, which cannot end before m, wherever it is now.
func (m *member) awaiters(add func(*task)) {
	if m.tg.parent.state == pending {
		add(m.tg.parent)
	}
}
