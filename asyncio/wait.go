package asyncio

import (
	"context"
	"time"
)

// A WaitOption is a choice made for Wait: ReturnWhen or Within.
type WaitOption interface{ forWait(o *waitOptions) }

// An AsCompletedOption is a choice made for AsCompleted or AsCompletedTasks: Within.
type AsCompletedOption interface{ forAsCompleted(o *waitOptions) }

type waitOptions struct {
	when    ReturnWhen
	within  Within
	limited bool
}

// ReturnWhen tells Wait what to wait for: FirstCompleted, FirstException or
// AllCompleted, which is the zero value. It is an option of Wait. Python: return_when.
type ReturnWhen int

// What Wait can wait for.
const (
	AllCompleted   ReturnWhen = iota // all are done
	FirstCompleted                   // at least one is done
	FirstException                   // one has failed, or all are done; being cancelled is no failure
)

func (w ReturnWhen) forWait(o *waitOptions) { o.when = w }

// Within is the time that Wait or AsCompleted may take: asyncio.Within(d). Zero
// or less is one turn of the loop; NoTimeout is as if it was not given.
type Within time.Duration

func (w Within) forWait(o *waitOptions) { o.within, o.limited = w, time.Duration(w) != NoTimeout }

func (w Within) forAsCompleted(o *waitOptions) { w.forWait(o) }

// Wait suspends the calling task until fs are done, or some of them, as
// ReturnWhen says, or until a time is over (Within). It returns those that are
// done and those that are not, both in the order of fs, each once. It cancels
// none, whatever happens, and returns none of their errors.
//
// It always switches. The error is a ValueError if fs is empty; a TypeError if
// one is nil or a coroutine, which must be made a task first; or one of a wait. Cost: some memory for each of fs.
//
// Python: asyncio.wait.
func Wait[A AnyAwaitable](ctx context.Context, fs []A, opts ...WaitOption) (done, pending []A, err error) {
	var o waitOptions
	choose(&o, opts, WaitOption.forWait)
	t, err := current(ctx)
	if err != nil {
		return nil, nil, err
	}
	unique, cores, err := futuresOf(t.loop, fs)
	switch {
	case err != nil:
		return nil, nil, err
	case len(cores) == 0:
		return nil, nil, valueErrorf("Set of Tasks/Futures is empty.")
	case o.when < AllCompleted || o.when > FirstException:
		return nil, nil, valueErrorf("Invalid ReturnWhen: %d", o.when)
	}
	at, err := waitFor(ctx, t.loop, cores, o)
	if err != nil {
		return nil, nil, err
	}
	for i, f := range unique {
		if at[i].done {
			done = append(done, f)
		} else {
			pending = append(pending, f)
		}
	}
	return done, pending, nil
}

// futuresOf returns fs, which must be futures of l, each once.
func futuresOf[A AnyAwaitable](l *Loop, fs []A) (unique []A, cores []*core, err error) {
	seen := make(map[*core]bool, len(fs))
	for _, aw := range fs {
		if AnyAwaitable(aw) == nil {
			return nil, nil, errNotAwaitable
		}
		f, ok := AnyAwaitable(aw).(AnyFuture)
		if !ok {
			return nil, nil, typeErrorf("Passing coroutines is forbidden, use tasks explicitly.")
		}
		if _, err := f.future(l); err != nil {
			return nil, nil, err
		}
		if f.Loop() != l {
			return nil, nil, errorf("RuntimeError", ErrOtherLoop, "Wait got a future attached to a different loop")
		}
		if c := f.base(); !seen[c] {
			seen[c] = true
			unique, cores = append(unique, aw), append(cores, c)
		}
	}
	return unique, cores, nil
}

// A waitedFor is one of those that waitFor waits for.
type waitedFor struct {
	place uint32 // of the wait among the waiters of the future
	done  bool   // it was, when the wait was over
}

// waitFor waits for fs as o says.
func waitFor(ctx context.Context, l *Loop, fs []*core, o waitOptions) ([]waitedFor, error) {
	w := &waitSet{left: len(fs), when: o.when}
	w.over.loop = l
	if o.limited {
		w.timer = l.s.After(time.Duration(o.within), w.release)
	}
	at := make([]waitedFor, len(fs))
	for i, f := range fs {
		at[i].place = f.tell(w)
	}
	_, err := w.over.Await(ctx)
	if w.timer != nil {
		w.timer.Cancel()
	}
	for i, f := range fs {
		if f.state == pending {
			f.untell(w, at[i].place)
		}
		// Not Done: one that follows others, and is left alone, would look whether
		// those have ended in this very turn.
		at[i].done = f.state != pending
	}
	return at, err
}

// A waitSet waits for some of several futures.
type waitSet struct {
	over  Future[None] // done when the wait is
	left  int
	when  ReturnWhen
	timer *TimerHandle
}

// futureDone is told of the end of one. As with Gather only those ends are
// callbacks that have an effect.
func (w *waitSet) futureDone(f *core) {
	w.left--
	switch {
	case w.when == FirstException && f.state == finished && f.err != nil:
		f.loop.s.Soon(func() {
			f.seen()
			w.release()
		})
	case w.left == 0 || w.when == FirstCompleted:
		f.loop.s.Soon(w.release)
	}
}

func (w *waitSet) release() {
	if w.timer != nil {
		w.timer.Cancel()
	}
	if w.over.state == pending {
		w.over.settle(finished, nil)
	}
}

func (w *waitSet) awaiters(add func(*task)) { w.over.eachAwaiter(add) }
