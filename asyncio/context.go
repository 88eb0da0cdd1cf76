package asyncio

import (
	"context"
	"fmt"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// A taskContext is a task as the context that its coroutine is given. It has the
// values of its parent and ends with it, and tells which loop it belongs to. It
// does not end with a cancel of the task: that is a request, which comes once and
// may be refused, and a context that has ended stays so.
type taskContext task

type taskKey struct{}

// Deadline is the parent's.
func (c *taskContext) Deadline() (time.Time, bool) { return c.parent.Deadline() }

// Done is the parent's.
func (c *taskContext) Done() <-chan struct{} { return c.parent.Done() }

// Err is the parent's.
func (c *taskContext) Err() error { return c.parent.Err() }

// Value returns the parent's value of key.
func (c *taskContext) Value(key any) any {
	if key == (taskKey{}) {
		return (*task)(c)
	}
	return c.parent.Value(key)
}

// String names the task.
func (c *taskContext) String() string { return fmt.Sprintf("context of %s", (*task)(c)) }

// setParent makes ctx what the context of t adds to. The context of another task
// adds nothing to t's, so it is left out.
func (t *task) setParent(ctx context.Context) {
	ctx = presently(ctx)
	if c, ok := ctx.(*taskContext); ok {
		t.parent, t.plain = c.parent, c.plain && c.loop == t.loop
		return
	}
	t.parent = ctx
	done := ctx.Done()
	t.plain = done == nil || done == t.loop.runDone
}

// taskOf returns the task that ctx comes from, or nil.
func taskOf(ctx context.Context) *task {
	if ctx == nil {
		return nil
	}
	if c, ok := presently(ctx).(*taskContext); ok {
		return (*task)(c)
	}
	t, _ := ctx.Value(taskKey{}).(*task)
	return t
}

// current returns the task that calls, if it is one of the loop that ctx comes
// from. The greenlet that runs is what decides: a ctx may have been kept from
// another task.
func current(ctx context.Context) (*task, error) {
	if c, ok := ctx.(*taskContext); ok && c.st.Greenlet().IsCurrent() {
		return (*task)(c), nil
	}
	return currentOther(ctx)
}

// currentOther is current where ctx is not the caller's own, or the caller is a
// greenlet that a task has made.
func currentOther(ctx context.Context) (*task, error) {
	of := taskOf(ctx)
	if of == nil {
		return nil, fmt.Errorf("%w: the context comes from no task", ErrNoRunningLoop)
	}
	if of.st.Greenlet().IsCurrent() {
		return of, nil
	}
	l := of.loop
	if !l.s.Owned() {
		return nil, fmt.Errorf("%w: %s belongs to a loop of another goroutine", ErrNoRunningLoop, of.called())
	}
	st := l.s.Current()
	if st == nil {
		return nil, fmt.Errorf("%w: only a task can wait, and the caller is none", ErrNoRunningLoop)
	}
	t := of
	if st != &of.st {
		t = taskIn(st)
	}
	t.st.Here()
	if l.debug && t != of && ctx == (*taskContext)(of) {
		return nil, runtimeErrorf("%s waits with the context of %s", t.called(), of.called())
	}
	return t, nil
}

// loopOf returns the running loop for a call that need not wait.
func loopOf(ctx context.Context) (*Loop, error) {
	if c, ok := ctx.(*taskContext); ok && c.st.Greenlet().IsCurrent() {
		return c.loop, nil
	}
	return RunningLoop(ctx)
}

// A watcher tells a task that waits with a context when that ends. It is kept
// from one wait to the next with the same context.
type watcher struct {
	ctx   context.Context
	t     *task
	armed bool // the task waits with ctx
	stop  func() bool
}

// watch has t's wait ended when ctx ends. If it has ended already it returns its
// error.
func (t *task) watch(ctx context.Context) error {
	if c, ok := ctx.(*taskContext); ok && c.plain {
		return nil
	}
	ctx = presently(ctx)
	done := ctx.Done()
	if done == nil || done == t.loop.runDone {
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	w := t.watcher
	if w == nil || w.ctx != ctx {
		if w != nil {
			w.stop()
		}
		w = &watcher{ctx: ctx, t: t}
		w.stop = context.AfterFunc(ctx, func() { t.loop.s.Post(w.fire) })
		t.watcher = w
	}
	w.armed = true
	return nil
}

func (w *watcher) fire() {
	if t := w.t; w.armed && t.watcher == w && t.wait == waiting {
		t.wait = outOfTime
		t.st.Ready()
	}
}

// endWait ends the wait that t was in, and returns why it did not end as it
// should.
func (t *task) endWait(err error) error {
	state := t.wait
	t.wait = awake
	if t.watcher != nil {
		t.watcher.armed = false
	}
	switch {
	case state == aborted || t.must:
		return t.cancellation()
	case err != nil:
		return loopError(err)
	case state == outOfTime:
		return t.watcher.ctx.Err()
	}
	return nil
}

// suspend is how a task waits for anything but a future: for a wake. The error is
// a CancelledError, that of ctx, or tells why it cannot wait.
func (t *task) suspend(ctx context.Context) error {
	t.wait = waiting
	if t.must {
		t.abort()
	} else if err := t.watch(ctx); err != nil {
		t.wait = awake
		return err
	}
	s := t.loop.s
	g, err := t.st.Next()
	if g != nil {
		_, err = g.Switch(nil)
		s.Resumed(&t.st)
	}
	return t.endWait(err)
}

// byHand waits in place of a task: for a coroutine that is driven by hand, in whose
// context it is.
type byHand interface {
	here() bool // the caller is that coroutine
	wait(f AnyFuture) error
	sleep(ctx context.Context, d time.Duration) error
}

type byHandKey struct{}

// byHandOf returns what waits for the caller where no task can, or nil.
func byHandOf(ctx context.Context) byHand {
	if h, _ := ctx.Value(byHandKey{}).(byHand); h != nil && h.here() {
		return h
	}
	return nil
}

// foreign is the error of a wait for f, which is of another loop.
func (t *task) foreign(f canceller) error {
	what := fmt.Sprintf("%T", f)
	if task, ok := f.(AnyTask); ok {
		what = task.self().called()
	}
	return errorf("RuntimeError", ErrOtherLoop, "Task <%s> got Future <%s> attached to a different loop", t.called(), what)
}

// wait suspends the calling task until f is done. self is f with its methods.
func (f *core) wait(ctx context.Context, self canceller) error {
	t, err := current(ctx)
	switch {
	case err != nil:
		if h := byHandOf(ctx); h != nil {
			return h.wait(self.(AnyFuture))
		}
		return err
	case f.loop != t.loop:
		return t.foreign(self)
	case f == &t.core:
		return runtimeErrorf("Task cannot await on itself: %s", t.called())
	}
	if err := t.watch(ctx); err != nil {
		return err
	}
	t.wait, t.fut = waiting, self
	if f.takes && t.must && self.Cancel(t.cancelMsg...) { // before anything is taken
		t.must, t.unheard = false, false
	}
	t.place = f.tell(t)
	if t.must && self.Cancel(t.cancelMsg...) {
		t.must, t.unheard = false, false
	}
	s := t.loop.s
	var g *greenlet.Greenlet
	for {
		if g, err = t.st.Next(); g != nil {
			_, err = g.Switch(nil)
			s.Resumed(&t.st)
		}
		if err != nil || f.state != pending || t.wait != waiting {
			break
		}
	}
	t.fut = nil
	if t.must && asCancelled(f.err) != nil {
		t.must, t.unheard, t.cancelMsg = false, false, nil // f tells of a cancel, and of the first
	}
	if f.state == pending {
		f.untell(t, t.place)
	}
	if f.takes && f.state == finished && err == nil {
		return t.keep()
	}
	return t.endWait(err)
}

// keep ends the wait that t was in, for what was taken for it: a value that nobody
// else will get. So it is the stronger, and a cancel that came meanwhile is
// delivered by the next wait, as is the end of a context.
func (t *task) keep() error {
	t.wait, t.kept = awake, t.must
	if t.watcher != nil {
		t.watcher.armed = false
	}
	return nil
}

// Sleep suspends the calling task for d on the loop's clock. With zero or less
// it lets everything run that is ready, and goes on in the next turn.
//
// It always switches. The error is one of a wait. Python: asyncio.sleep.
//
//go:noinline
func Sleep(ctx context.Context, d time.Duration) error {
	t, err := current(ctx)
	if err != nil {
		if h := byHandOf(ctx); h != nil {
			return h.sleep(ctx, d)
		}
		return err
	}
	if d > 0 {
		t.st.SetAlarm(d)
		err := t.suspend(ctx)
		t.st.ClearAlarm()
		return err
	}
	if c, ok := ctx.(*taskContext); !ok || !c.plain {
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	t.st.Ready()
	s := t.loop.s
	g, err := t.st.Next()
	if g == nil {
		return t.endYield(err)
	}
	_, err = g.Switch(nil)
	s.Resumed(&t.st)
	if t.must || err != nil {
		return t.endYield(err)
	}
	return rt.ReturnError(nil)
}

// endYield is endWait of a bare yield.
func (t *task) endYield(err error) error {
	if t.must {
		return t.cancellation()
	}
	return loopError(err)
}

// SleepResult is Sleep that returns v when the time is over.
func SleepResult[T any](ctx context.Context, d time.Duration, v T) (T, error) {
	if err := Sleep(ctx, d); err != nil {
		var none T
		return none, err
	}
	return v, nil
}
