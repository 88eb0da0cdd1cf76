package asyncio

import (
	"context"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

// A line is the tasks that wait for the same thing, first come first. The place
// in it is part of the task, so waiting allocates nothing.
//
// Whoever has what they wait for takes a task out and wakes it: then it is on
// its way. One that was cancelled, or whose context has ended, stays until it
// runs, or is passed over: then it is taken out.
//
// A wait is written
//
//	t, err := owner.caller(ctx, "Lock")
//	if err != nil {
//		return err
//	}
//	g, err := line.enter(ctx, t)
//	if g != nil {
//		_, err = g.Switch(nil)
//	}
//	chosen, err := line.leave(t, err)
//
// in the very function that users call: each return between the switch and the
// user's code is one that the processor predicts wrongly. A task that was chosen
// and gets an error all the same must pass on what it was chosen for.
type line struct{ tasks sched.WaitQueue }

// enter puts t, which is the calling task, at the end, and returns the greenlet
// that is to run meanwhile: nil if t need not or cannot wait.
func (q *line) enter(ctx context.Context, t *task) (*greenlet.Greenlet, error) {
	if !t.must {
		if err := t.watch(ctx); err != nil {
			return nil, err
		}
	}
	return q.stand(t)
}

// stand is enter without a context: only a wake or a cancel ends the wait.
func (q *line) stand(t *task) (*greenlet.Greenlet, error) {
	t.wait = waiting
	if t.must {
		t.abort()
	}
	g, err := t.st.Next()
	if g != nil {
		q.tasks.Add(&t.st)
	}
	return g, err
}

// leave takes t out, after the switch, which has returned err. It reports whether
// t was chosen, and why the wait has failed if it has.
func (q *line) leave(t *task, err error) (chosen bool, _ error) {
	return q.out(t), t.endWait(err)
}

// out takes t out, and reports whether it was chosen.
func (q *line) out(t *task) (chosen bool) {
	t.loop.s.Resumed(&t.st)
	chosen = t.wait == woken
	if !chosen {
		q.tasks.Remove(&t.st)
	}
	return chosen
}

// leaveBelow is leave for a wait below an interface of Go.
func (q *line) leaveBelow(t *task, err error) (chosen bool, _ error) {
	return q.out(t), t.endWaitBelow(err)
}

// wait is a whole wait of t, for what is so rare that a return more is no matter.
func (q *line) wait(ctx context.Context, t *task) (chosen bool, err error) {
	g, err := q.enter(ctx, t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	return q.leave(t, err)
}

// pass is wait below an interface of Go, without a context.
func (q *line) pass(t *task) (chosen bool, err error) {
	g, err := q.stand(t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	return q.leaveBelow(t, err)
}

// next returns the first task that has not been cancelled, or nil.
func (q *line) next() *task {
	for st := q.tasks.First(); st != nil; st = q.tasks.After(st) {
		if t := taskIn(st); t.wait == waiting {
			return t
		}
	}
	return nil
}

// empty reports whether there is no task in the line, not even a cancelled one.
func (q *line) empty() bool { return q.tasks.First() == nil }

// wake chooses the first n tasks that have not been cancelled. It reports whether
// there were as many. Those that it passes over it takes out: where many are
// cancelled, and each wakes another, they would be passed over each time.
func (q *line) wake(n int) bool {
	for st := q.tasks.First(); st != nil && n > 0; {
		t := taskIn(st)
		st = q.tasks.After(st)
		if t.wait == waiting {
			q.choose(t)
			n--
		} else {
			q.tasks.Remove(&t.st)
		}
	}
	return n == 0
}

// anyone reports whether there is a task that has not been cancelled, as next does,
// and takes out those before it.
func (q *line) anyone() bool {
	for st := q.tasks.First(); st != nil; st = q.tasks.First() {
		if taskIn(st).wait == waiting {
			return true
		}
		q.tasks.Remove(st)
	}
	return false
}

const everybody = int(^uint(0) >> 1)

func (q *line) choose(t *task) {
	q.tasks.Remove(&t.st)
	t.wake()
}

// count returns how many wait that have not been cancelled.
func (q *line) count() (n int) {
	for st := q.tasks.First(); st != nil; st = q.tasks.After(st) {
		if taskIn(st).wait == waiting {
			n++
		}
	}
	return n
}

// An owner is the loop that a primitive belongs to: that of the first task that
// has waited for it, or none yet.
type owner struct {
	_    noCopy
	loop *Loop
}

// noCopy has vet report copies of what it is part of.
type noCopy struct{}

func (*noCopy) Lock()   {}
func (*noCopy) Unlock() {}

// caller returns the calling task, if it is one of the primitive's loop. what
// names the primitive.
func (o *owner) caller(ctx context.Context, what string) (*task, error) {
	t, err := current(ctx)
	if err != nil {
		return nil, err
	}
	if t.loop != o.loop {
		if o.loop != nil {
			return nil, errorf("RuntimeError", ErrOtherLoop, "%s is bound to a different event loop", what)
		}
		o.loop = t.loop
	}
	return t, nil
}

// check panics in debug mode if another goroutine calls than the loop's.
func (o *owner) check() {
	if o.loop != nil && o.loop.debug {
		o.loop.mustOwn()
	}
}
