package asyncio

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime/debug"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/sched"
)

// A Loop is an event loop: it runs tasks and callbacks, one at a time, on the
// goroutine that runs it. It belongs to that goroutine; methods that any
// goroutine may call say so. See package sched for how it works.
//
// Most programs never see one: Run makes it and the context carries it.
//
// Python: asyncio.AbstractEventLoop.
type Loop struct {
	s    *sched.Loop
	id   uint64
	name string

	handler     func(*Loop, ExceptionContext)
	factory     TaskFactory
	debug       bool
	measured    func(fn func()) // runs a callback in debug mode; else nil
	slow        time.Duration   // a callback or step that takes longer is reported in debug mode
	runDone     <-chan struct{}
	runDeadline bool   // the context of the run has a deadline
	virtual     bool   // it goes by a clock that is not the system's
	bubble      uint64 // the testing/synctest bubble that it was made in; 0: none
	lost        lostErrors
	expected    int // how many things may come though no goroutine is there for them yet
	parts       parts
	whose

	// Somebody outside has called the loop, or will: it may go on by that at any time.
	outsiders atomic.Bool

	scratch []byte // what is read into
	joined  []byte // what is put together to be written
	named   uint64 // how many tasks were named by a number
	labels  bool   // tasks are named in profiles
	ended   [outcomes]uint64
	holders formerHolders
	cancels passing
	leaving []*waiters // that nobody waits for any more, and that are to be told; nil: none is being told

	locksSeen uint32 // how many locks were given a number by who looks

	running links[Loop] // in the list of those that run
}

// A Handle is a callback that is to run: what CallSoon returns. Its methods, which
// only the loop's tasks and callbacks may call and which do not switch, are
//
//	Cancel()         // prevents the callback, if it has not begun
//	Cancelled() bool // reports whether Cancel was called
//
// Python: asyncio.Handle.
type Handle = sched.Handle

// A TimerHandle is a callback that is to run at a time. Its methods, which only the
// loop's tasks and callbacks may call and which do not switch, are
//
//	Cancel()             // prevents the callback, if it has not begun
//	Cancelled() bool     // reports whether Cancel was called
//	When() time.Duration // the time for which it was made, on the loop's clock
//
// Python: asyncio.TimerHandle.
type TimerHandle = sched.Timer

// A LoopOption is a choice made when a loop is made: by NewLoop, or by what makes one
// to run something on it, Run, NewRunner, RunWorkers and RunProcesses.
type LoopOption interface {
	RunOption
	forLoop(o *loopOptions)
}

// A RunOption is a choice made for Run, RunFunc, NewRunner and RunWorkers. It is one for
// RunProcesses, too: there it goes for the run in each of the processes.
type RunOption interface {
	ProcessesOption
	forRun(o *runOptions)
}

// A ProcessesOption is a choice made for RunProcesses.
type ProcessesOption interface{ forProcesses(o *processesOptions) }

type (
	loopOption func(*loopOptions)
	runOption  func(*runOptions)
)

func (f loopOption) forLoop(o *loopOptions)           { f(o) }
func (f loopOption) forRun(o *runOptions)             { o.loop = append(o.loop, f) }
func (f loopOption) forProcesses(o *processesOptions) { o.run = append(o.run, f) }
func (f runOption) forRun(o *runOptions)              { f(o) }
func (f runOption) forProcesses(o *processesOptions)  { o.run = append(o.run, f) }

type runOptions struct {
	loop    []LoopOption
	factory func() *Loop
	signals bool
	grace   time.Duration
}

type processesOptions struct {
	run   []RunOption
	grace time.Duration
}

type loopOptions struct {
	sched   []sched.Option
	virtual bool
	debug   *bool
	parts   parts
	name    string
	labels  bool
	whose
}

// WithLoopName names the loop, for those who look at it: see Loop.Name.
func WithLoopName(name string) LoopOption {
	return loopOption(func(o *loopOptions) { o.name = name })
}

// WithClock makes the loop go by c, in place of the system's clock.
func WithClock(c sched.Clock) LoopOption {
	return loopOption(func(o *loopOptions) { o.sched, o.virtual = append(o.sched, sched.WithClock(c)), true })
}

// WithSeed makes the loop run the tasks of each turn in a random order, which
// the seed repeats. Callbacks keep their order. Without it tasks run in the
// order in which they became ready, as in CPython.
func WithSeed(seed uint64) LoopOption {
	return loopOption(func(o *loopOptions) { o.sched = append(o.sched, sched.WithSeed(seed)) })
}

// WithRandomOrder is WithSeed with a seed of its own choice.
func WithRandomOrder() LoopOption { return WithSeed(rand.Uint64()) }

// WithTrace has f called before each step of a task, with the number of the task in
// the loop: two runs that are to be the same make the same calls. It must not wait.
// Without it nothing is called.
func WithTrace(f func(task uint32)) LoopOption {
	return loopOption(func(o *loopOptions) { o.sched = append(o.sched, sched.WithTrace(f)) })
}

// WithGate has f asked before each step of a task whether it may be taken. If not,
// the task stands still until Ungate is called for it. f must not wait. It is for
// simulations of a machine that stands still.
func WithGate(f func(t AnyTask) bool) LoopOption {
	return loopOption(func(o *loopOptions) {
		o.sched = append(o.sched, sched.WithGate(func(t *sched.Task) bool { return f(anyTask(t)) }))
	})
}

// Ungate has t go on, which the function of WithGate has not let pass: in the loop's
// next turn. Only the tasks and callbacks of the loop may call it; it does not switch.
func Ungate(t AnyTask) { t.self().st.Ready() }

// NewLoop makes a loop. Any goroutine may call it. Close ends it.
//
// Python: asyncio.new_event_loop.
func NewLoop(opts ...LoopOption) *Loop {
	o := loopOptions{parts: newParts()}
	choose(&o, opts, LoopOption.forLoop)
	l := &Loop{virtual: o.virtual, parts: o.parts, id: loopsMade.Add(1), name: o.name, bubble: rt.Bubble(), whose: o.whose}
	l.s = sched.New(append(o.sched, sched.WithGuard(l.guard), sched.WithIdle(l.idle))...)
	l.on = l.s
	for _, begin := range whenMade {
		begin(l, &o)
	}
	return l
}

// afterCleanup has fn run soon, for what the collector has found. Cleanups run outside of
// all bubbles, from where no loop of a bubble may be woken: there fn does not run, and
// what it would have done is left to the end of the loop, or to who looks by himself.
func (l *Loop) afterCleanup(fn func()) {
	if l.bubble == 0 {
		l.s.Post(fn)
	}
}

// loopsMade numbers the loops.
var loopsMade atomic.Uint64

// runningLoops are the loops that run.
var runningLoops = registry[Loop]{place: func(l *Loop) *links[Loop] { return &l.running }}

// RunningLoop returns the loop that ctx comes from, if the caller is a task or a
// callback of it. Else the error is ErrNoRunningLoop. A context that comes from
// no loop will do for a caller on the goroutine of a running one.
//
// Python: asyncio.get_running_loop.
func RunningLoop(ctx context.Context) (*Loop, error) {
	if t := taskOf(ctx); t != nil && t.loop.s.Owned() && t.loop.s.Running() {
		return t.loop, nil
	}
	if l := runningLoops.here(); l != nil {
		return l, nil
	}
	return nil, ErrNoRunningLoop
}

// RunForever runs the loop until Stop. It returns ErrLoopRunning or
// ErrLoopClosed if it cannot, and an error that ends the run: ErrKeyboardInterrupt
// or *SystemExit. Python: loop.run_forever.
func (l *Loop) RunForever() error {
	if err := l.runnable(); err != nil {
		return err
	}
	for _, begin := range whenRun {
		if end := begin(l); end != nil {
			defer end()
		}
	}
	runningLoops.add(l.s, l)
	defer runningLoops.remove(l.s, l)
	return loopError(l.s.RunForever())
}

// whenMade are called when a loop is made.
var whenMade []func(l *Loop, o *loopOptions)

// whenRun are called when a loop begins to run; what they return, unless that is nil,
// when it ends.
var whenRun []func(l *Loop) (end func())

// whenIdle are called when a loop is about to wait, and return when to be called again,
// at the latest. still tells that nothing that the loop knows of will wake it.
var whenIdle []func(l *Loop, still bool) (again time.Duration)

func (l *Loop) idle(still bool) (again time.Duration) {
	again = l.lost.idle(l)
	for _, look := range whenIdle {
		again = min(again, look(l, still))
	}
	return again
}

// runnable tells why l cannot be run here.
func (l *Loop) runnable() error {
	switch {
	case l.s.Closed():
		return ErrLoopClosed
	case l.s.Running():
		return ErrLoopRunning
	case runningLoops.here() != nil:
		return errorf("RuntimeError", ErrLoopRunning, "Cannot run the event loop while another loop is running")
	}
	return nil
}

// insideLoop is the error of a call that makes loops of its own, and was called on
// the goroutine of a running one.
func insideLoop(call string) error {
	return errorf("RuntimeError", ErrLoopRunning, "%s() cannot be called from a running event loop", call)
}

// loopError is err of package sched in the words of this one.
func loopError(err error) error {
	switch {
	case errors.Is(err, sched.ErrClosed):
		return ErrLoopClosed
	case errors.Is(err, sched.ErrRunning):
		return ErrLoopRunning
	}
	return err
}

// RunUntilComplete runs the loop until aw is done, and returns its result. A
// Coro is made a task first. If the loop is stopped before, the error is a
// RuntimeError, and the loop can be run again.
//
// Python: loop.run_until_complete.
func RunUntilComplete[T any](l *Loop, aw Awaitable[T]) (T, error) {
	var none T
	if err := l.runnable(); err != nil {
		return none, err
	}
	f, err := futureOf(l, aw)
	if err != nil {
		return none, err
	}
	done := NewCallback(func(AnyFuture) { l.Stop() })
	f.AddDoneCallback(done)
	err = l.RunForever()
	f.RemoveDoneCallback(done)
	switch {
	case err != nil && f.Done():
		f.base().seen()
		return none, err
	case err != nil:
		return none, err
	case !f.Done():
		return none, runtimeErrorf("Event loop stopped before Future completed.")
	}
	return f.Result()
}

// Stop ends the run of the loop when the present turn is over. Before a run it
// makes the next one a single turn. Any goroutine may call it. Python: loop.stop.
func (l *Loop) Stop() { l.s.Stop() }

// IsRunning reports whether the loop runs. Python: loop.is_running.
func (l *Loop) IsRunning() bool { return l.s.Running() }

// IsClosed reports whether Close was called. Python: loop.is_closed.
func (l *Loop) IsClosed() bool { return l.s.Closed() }

// Close ends the loop: tasks that have not ended are killed and reported, async
// generators are killed, transports and servers that are open are closed without
// a word to their protocols, errors that nobody has looked at are reported, threads
// of the default executor are no longer waited for. Where the loop watches no
// descriptors it waits, for a second at most, until what its connections have taken
// is written. It returns ErrLoopRunning if the loop runs; a second call does nothing.
// Python: loop.close.
func (l *Loop) Close() error {
	if l.s.Closed() {
		return nil
	}
	if l.s.Running() {
		return errorf("RuntimeError", ErrLoopRunning, "Cannot close a running event loop")
	}
	l.reportPending()
	if err := l.s.Close(); err != nil {
		return loopError(err)
	}
	l.parts.end(endStacks, endWrites)
	l.lost.reportAll()
	l.parts.end(endThreads, endOutside)
	return nil
}

// CallSoon arranges that fn runs in the loop's next turn, after what is ready
// already. It runs in no task, so it must not wait. If it panics, the exception
// handler is told. The handle's Cancel prevents it, until it begins.
//
// It panics with ErrLoopClosed on a closed loop, and in debug mode on another
// goroutine than the loop's. Python: loop.call_soon.
func (l *Loop) CallSoon(fn func()) *Handle {
	l.check()
	if l.callbacks != nil {
		return l.callSoon(fn)
	}
	return l.s.Soon(fn)
}

// CallSoonThreadsafe is CallSoon for any goroutine: it wakes the loop if that
// waits. It returns ErrLoopClosed if the loop is closed. Python:
// loop.call_soon_threadsafe.
func (l *Loop) CallSoonThreadsafe(fn func()) (*Handle, error) {
	l.outsiders.Store(true)
	h, err := l.post(fn)
	return h, loopError(err)
}

// CallLater arranges that fn runs after d. A d below zero is in the past: fn runs
// in the next turn, before what was due later. Timers of the same time run in the
// order in which they were made. Panics as CallSoon.
// Python: loop.call_later.
func (l *Loop) CallLater(d time.Duration, fn func()) *TimerHandle {
	l.check()
	return l.callLater(d, fn)
}

// CallAt is CallLater with a time of the loop's clock: see Time. Python:
// loop.call_at.
func (l *Loop) CallAt(when time.Duration, fn func()) *TimerHandle {
	l.check()
	return l.callAt(when, fn)
}

// CallWhenQuiet arranges that fn runs when nothing is ready any more: every task
// has gone as far as it can, and the loop would wait for a timer or an event.
// That is the moment to send what they have asked for, as one batch. Panics as
// CallSoon. Python has no such call.
func (l *Loop) CallWhenQuiet(fn func()) *Handle {
	l.check()
	return l.callWhenQuiet(fn)
}

// Time returns the time of the loop's clock, which has nothing to do with the
// calendar. Any goroutine may call it. Python: loop.time.
func (l *Loop) Time() time.Duration { return l.s.Now() }

func (l *Loop) check() {
	if l.s.Closed() {
		panic(ErrLoopClosed)
	}
	if l.debug {
		l.mustOwn()
	}
}

// guard runs a callback.
func (l *Loop) guard(h *Handle, fn func()) {
	defer func() {
		if p := recover(); p != nil {
			l.caught(p, h)
		}
	}()
	if l.measured != nil {
		l.measured(fn)
		return
	}
	fn()
}

// caught takes down the panic p of a callback, whose frames are still there.
func (l *Loop) caught(p any, h *Handle) {
	err := panicError(p, "a callback")
	if endsRun(err) {
		l.s.Abort(err)
		return
	}
	l.CallExceptionHandler(ExceptionContext{Message: "Exception in callback", Exception: err, Handle: h})
}

// panicError makes an error of a recovered value. It is called while the
// frames that panicked are still there.
func panicError(p any, of string) *PanicError {
	if e, ok := p.(*PanicError); ok {
		return e
	}
	return &PanicError{Value: p, Stack: debug.Stack(), Greenlet: of}
}

// mustOwn panics if another goroutine calls than the one that runs the loop.
func (l *Loop) mustOwn() {
	if l.s.Foreign() {
		panic(errForeign)
	}
}

var errForeign = runtimeErrorf("Non-thread-safe operation invoked on an event loop other than the current one")
