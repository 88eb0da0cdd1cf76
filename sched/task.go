package sched

import (
	"iter"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// A Task is a function that the loop runs, and that may wait in the middle of
// any call. It runs in steps: from where it waited, or its beginning, to where
// it waits again. Between two steps other tasks run, and never during one.
//
// A step does not begin in the loop and end there. A task that waits takes the
// next one from the ready queue and switches to it.
//
// The zero Task is one that Start can start. It is meant to be part of what its
// user knows about the task, so that both are one allocation.
type Task struct {
	alarm alarm

	prev, next *Task // of the loop's list
	joiners    WaitQueue
	link

	body Body
	back *caller // who has started it eagerly and waits for it to wait

	// What every hop touches comes last, beside what a user of the package keeps
	// after it.

	loop *Loop
	// Where it waits, or runs; none before it has begun and after it has ended.
	// Other goroutines ask it whether they are this task.
	g atomic.Pointer[greenlet.Greenlet]

	queued bool // its step is in the ready queue
	firing bool // its sleep is over, which is in the ready queue
	ended  bool
	number uint32 // among the tasks of the loop, for who follows its steps
}

// Go makes a task that will run f, and returns it. f begins in the loop's next
// turn, after what is ready already.
//
// Owner only; it does not switch. It panics with ErrClosed on a closed loop.
func (l *Loop) Go(f func()) *Task {
	t := new(Task)
	l.Start(t, bodyFunc(f))
	return t
}

// Start is Go for a Task that its user has made, as part of something else. A
// task can be started once; the second time it panics.
func (l *Loop) Start(t *Task, b Body) {
	l.adopt(t, b)
	t.queued = true
	l.ready.push(entry{task: t})
}

// Prepare is Start for a task that is to begin later: when Ready is called for
// it. Until then it has no greenlet.
func (l *Loop) Prepare(t *Task, b Body) { l.adopt(t, b) }

func (l *Loop) adopt(t *Task, b Body) {
	l.mustBeOpen()
	if t.loop != nil {
		panic("sched: the task was started before")
	}
	t.loop, t.body = l, b
	if labels := rt.OwnLabels(); labels != (rt.Labels{}) {
		t.body = &labelled{b, labels}
	}
	t.prev = l.last
	if l.last == nil {
		l.first = t
	} else {
		l.last.next = t
	}
	l.last = t
	l.live++
	l.made++
	t.number = uint32(l.made)
}

// StartNow is Start that runs the first step at once, before it returns. It
// returns when the task waits or has ended. It switches. It returns
// ErrNotRunning if the loop does not run.
//
// If the first step panics the caller goes on, too, in a turn of its own: the
// panic goes on in Run.
func (l *Loop) StartNow(t *Task, b Body) error {
	if l.hub == nil {
		return ErrNotRunning
	}
	l.adopt(t, b)
	me := caller{greenlet.Current(), l.current}
	t.back = &me
	l.current = t
	l.notSteps--
	if l.trace != nil {
		l.trace(t)
	}
	_, err := l.worker().Switch(nil)
	l.current = me.task
	return err
}

// A caller waits in StartNow.
type caller struct {
	g    *greenlet.Greenlet
	task *Task // whose step it is; nil in a callback
}

// end takes t, whose body has ended, off the books.
func (l *Loop) end(t *Task) {
	if t.ended {
		return
	}
	t.ended = true
	t.g.Store(nil)
	if t.in != nil {
		t.in.Remove(t) // it was killed while it waited
	}
	t.ClearAlarm()
	for _, w := range l.walks {
		w.pass(t)
	}
	if t.prev == nil {
		l.first = t.next
	} else {
		t.prev.next = t.next
	}
	if t.next == nil {
		l.last = t.prev
	} else {
		t.next.prev = t.prev
	}
	t.prev, t.next = nil, nil
	l.live--
	for t.joiners.Wake() {
	}
}

// resume lets t run its step, and returns when the hub is resumed. If that is
// because a task that has not begun needs a new worker, that one comes next: it
// is made here, where there is stack for it.
func (l *Loop) resume(t *Task) {
	for l.current = t; t != nil && !t.ended; t = l.current {
		g := t.g.Load()
		if g == nil {
			g = l.worker()
		}
		g.Switch(nil)
		if l.current == t {
			break // it has switched here by itself
		}
	}
	l.current = nil
}

// Ready arranges that t, which waits in Park, goes on in the loop's next turn,
// after what is ready already. If that is arranged already, it does nothing.
//
// Owner only; it does not switch. It costs a few nanoseconds and allocates
// nothing.
func (t *Task) Ready() {
	if t.queued || t.ended {
		return
	}
	t.queued = true
	t.loop.ready.push(entry{task: t})
}

// Queued reports whether t's next step is in the ready queue. Owner only; it
// does not switch.
func (t *Task) Queued() bool { return t.queued }

// Ended reports whether the body has ended. Owner only; it does not switch.
func (t *Task) Ended() bool { return t.ended }

// Loop returns the loop on which t was started. Any goroutine may call it; it
// does not switch.
func (t *Task) Loop() *Loop { return t.loop }

// Body returns what t was started with. Any goroutine may call it; it does not
// switch. A watchdog asks, without any order between it and the start: so the race
// detector must not look.
//
//go:norace
func (t *Task) Body() Body {
	if b, ok := t.body.(*labelled); ok {
		return b.Body
	}
	return t.body
}

// Greenlet returns the greenlet on which t runs or waits: nil before it has
// begun and after it has ended. Any goroutine may call it; it does not switch.
// Whether the caller is t is t.Greenlet().IsCurrent().
func (t *Task) Greenlet() *greenlet.Greenlet { return t.g.Load() }

// Number returns which of the loop's tasks t is, counted from one in the order in
// which they were started, modulo 2³²: what WithTrace is told. Any goroutine may
// call it; it does not switch.
func (t *Task) Number() uint32 { return t.number }

// Kill ends t where it waits, as the end of its loop would: its deferred calls run,
// and what waits in them is ErrClosed. A task that has not begun ends without
// running. Of one that has ended nothing is left to be done. If a deferred call
// panics, the panic goes on in Kill.
//
// A callback or another task of the loop may call it, while the loop runs or not; it
// switches. The error is ErrKillSelf if t is the caller or is starting the caller,
// ErrForeign on another goroutine than the loop's.
func (t *Task) Kill() error {
	l := t.loop
	home := l.home.Load()
	switch g := t.g.Load(); {
	case t.ended:
		return nil
	case g != nil && !home.Owned():
		return ErrForeign
	case l.current == t || t.isStarting(l.current):
		return ErrKillSelf
	}
	l.kill(t)
	return nil
}

// isStarting reports whether t waits in StartNow for of.
func (t *Task) isStarting(of *Task) bool {
	for of != nil && of.back != nil {
		if of = of.back.task; of == t {
			return true
		}
	}
	return false
}

// kill ends t, and everything that it has called, where it waits.
func (l *Loop) kill(t *Task) {
	before := l.current
	l.current = t // for its deferred calls
	l.kills++
	defer func() {
		l.kills--
		l.current = before
		l.end(t)
	}()
	// It may wait in a greenlet that it has made: then all up to its worker.
	for g := t.g.Load(); g != nil && g != l.home.Load(); {
		up := g.Parent()
		g.Kill()
		g = up
	}
}

// Stack returns the calls in which t waits, the innermost first: those of the
// greenlet that has called Park, and of those that wait for it. It is empty before
// t has begun, after it has ended and while it runs. Owner only; it does not switch.
func (t *Task) Stack() []runtime.Frame {
	var frames []runtime.Frame
	if t.loop.current == t {
		return nil
	}
	for g := t.g.Load(); g != nil && g != t.loop.home.Load(); g = g.Parent() {
		frames = append(frames, g.Stack()...)
	}
	return frames
}

// IsCurrent reports whether it is t's step. Owner only; it does not switch.
func (t *Task) IsCurrent() bool { return t.loop.current == t }

// Queue returns the queue that t waits in, or nil. Owner only; it does not switch.
func (t *Task) Queue() *WaitQueue { return t.in }

// Current returns the task whose step it is, or nil in a callback. Owner only;
// it does not switch.
func (l *Loop) Current() *Task { return l.current }

// Tasks returns the tasks that have not ended, in the order in which they were
// started. Owner only; the loop over them may switch.
func (l *Loop) Tasks() iter.Seq[*Task] {
	return func(yield func(*Task) bool) {
		all := make([]*Task, 0, l.live)
		for t := l.first; t != nil; t = t.next {
			all = append(all, t)
		}
		for _, t := range all {
			if !t.ended && !yield(t) {
				return
			}
		}
	}
}

// Park suspends the current task until Ready is called for it. A caller that
// waits for something must look again whether it has come, because anybody may
// call Ready.
//
// Only a task may call it, also from a greenlet that the task has made: then
// that one waits. It always switches, or returns an error: ErrNotRunning,
// ErrClosed while the loop is being closed, and what was thrown at the greenlet.
// It allocates nothing.
func (l *Loop) Park() error {
	t := l.current
	g, err := l.Next()
	if g != nil {
		_, err = g.Switch(nil)
		l.Resumed(t)
	}
	return err
}

// Yield suspends the current task and lets everything run that is ready. Only
// a task may call it. It always switches, unless nothing else is ready, and
// allocates nothing. Errors are those of Park.
//
// Python: asyncio.sleep(0).
//
//go:noinline
func (l *Loop) Yield() error {
	t := l.current
	if t != nil {
		t.Ready()
	}
	g, err := l.Next()
	if g == nil {
		return err
	}
	_, err = g.Switch(nil)
	l.Resumed(t)
	return rt.ReturnError(err)
}

// Next is the first half of Park, for a function that waits in a way of its own:
// it returns the greenlet that is to run while the current task waits. The
// caller must switch to it at once, and then call Resumed with the task that was
// current. If there is none, the task goes on without waiting, or cannot wait.
//
// The halves are apart because a return that follows a switch is one that the
// processor predicts wrongly. Another function around the switch would be
// another such return.
func (l *Loop) Next() (*greenlet.Greenlet, error) {
	t := l.current
	if t == nil {
		return nil, l.cannotPark()
	}
	if !t.Here() {
		return nil, ErrForeign
	}
	return t.Next()
}

// Here makes the calling greenlet the one where t, the current task, waits next:
// that is necessary if it may be one that the task has made. It does nothing and
// reports false if the caller is on another goroutine. It does not switch.
func (t *Task) Here() bool {
	if t.g.Load().IsCurrent() {
		return true
	}
	if hub := t.loop.hub; hub != nil && !hub.Owned() {
		return false
	}
	t.g.Store(greenlet.Current())
	return true
}

// Next is Loop.Next for a caller who knows that t is the current task, and that
// its Greenlet is the caller.
func (t *Task) Next() (*greenlet.Greenlet, error) {
	l := t.loop
	if l.hub == nil || l.kills > 0 {
		return nil, l.cannotPark()
	}
	if back := t.back; back != nil {
		t.back = nil
		l.current = back.task
		return back.g, nil
	}
	next := l.next()
	if next == t {
		return nil, nil
	}
	l.current = next
	if next == nil {
		return l.hub, nil
	}
	if l.batch > fitting {
		l.prefetch()
	}
	if g := next.g.Load(); g != nil {
		return g, nil
	}
	if len(l.idle.free) == 0 {
		return l.hub, nil // to make one: see resume
	}
	return l.worker(), nil
}

// fitting is how many tasks surely are in the processor's fast memory.
const fitting = 64

// prefetch has the processor fetch what the task needs that comes two steps
// later.
func (l *Loop) prefetch() {
	if e := l.ready.at(1); e.handle == nil {
		e.task.g.Load().Prefetch()
	}
}

// Resumed is the second half of Park: see Next.
func (l *Loop) Resumed(t *Task) { l.current = t }

func (l *Loop) cannotPark() error {
	if l.closed || l.kills > 0 {
		return ErrClosed
	}
	return ErrNotRunning
}

// Sleep suspends the current task for d on the loop's clock; zero or less is
// Yield. Ready does not end it before. Only a task may call it. It switches, as
// Park does. Errors are those of Park.
//
// Python: asyncio.sleep.
func (l *Loop) Sleep(d time.Duration) error {
	t := l.current
	if d <= 0 || t == nil {
		return l.Yield()
	}
	t.SetAlarm(d)
	for t.Alarmed() {
		if err := l.Park(); err != nil {
			t.ClearAlarm()
			return err
		}
	}
	return nil
}

// SetAlarm arranges that t is made ready after d on the loop's clock: in the turn
// after the one in which the time has come, as if a callback had done it. A task
// has one alarm; a new one takes the place of the old. Owner only; it does not
// switch, and allocates nothing.
func (t *Task) SetAlarm(d time.Duration) {
	t.ClearAlarm()
	t.loop.timers.wake(t, t.loop.deadline(d))
}

// ClearAlarm takes the alarm back. Owner only; it does not switch.
func (t *Task) ClearAlarm() {
	t.firing = false
	if t.alarm != 0 {
		t.loop.timers.unset(t)
	}
}

// Alarmed reports whether t's alarm is set and has not made it ready yet. Owner
// only; it does not switch.
func (t *Task) Alarmed() bool { return t.firing || t.alarm != 0 }

// wakeUp is what the end of a sleep does.
func (t *Task) wakeUp() {
	t.loop.notSteps++
	if t.firing {
		t.firing = false
		t.Ready()
	}
}

// Join suspends the current task until t has ended. If t has ended it returns
// at once. Only a task may call it. The error is ErrJoin if that is t itself;
// else errors are those of Park.
func (t *Task) Join() error {
	l := t.loop
	me := l.current
	if me == t {
		return ErrJoin
	}
	if !t.ended && me != nil {
		t.joiners.Add(me)
		defer t.joiners.Remove(me)
	}
	for !t.ended {
		if err := l.Park(); err != nil {
			return err
		}
	}
	return nil
}

// A walker goes along the tasks of a loop.
type walker interface {
	pass(t *Task) // t, which ends, is not to be waited for
}
