package sched

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet"
)

// A Loop runs tasks and callbacks on one goroutine, one at a time. It belongs
// to the goroutine that runs it. Unless a method says otherwise, it is the
// owner's: the tasks and callbacks of the loop may call it, and before Run
// whoever has made the loop.
type Loop struct {
	// What every hop touches.

	current *Task // whose step it is; nil in a callback
	ready   ready
	batch   int                               // how many of the ready belong to the present turn
	measure func(t *Task, took time.Duration) // see Measure
	trace   func(t *Task) bool                // see WithTrace and WithGate
	shared

	hub   *greenlet.Greenlet // the greenlet that runs Run; nil while none does
	kills int                // of tasks, that are under way
	idle  workers            // those without a task
	polls bool               // the poller must be asked, too

	timers timers
	quiet  []*Handle // for when nothing is ready

	handles handles

	clock  Clock
	jumps  bool          // the clock is not the real one: it may go forward by itself
	began  time.Duration // when the real one began
	poller Poller
	guard  func(h *Handle, fn func())
	onIdle func(still bool) (again time.Duration)
	order  *rand.Rand // permutes the tasks of a turn; nil: they stay in order

	home     atomic.Pointer[greenlet.Greenlet] // the hub of the last run: whose tree it is
	workBody func(any) (any, error)
	woken    *greenlet.Greenlet // the worker that was last taken for a new task
	below    []greenlet.Option  // for new workers: the hub is their parent

	first, last *Task    // those that have not ended, in the order they were made
	walks       []walker // along the tasks
	live        int
	made        uint64 // how many tasks there have been
	turns       uint64
	notSteps    uint64        // how many of what was ready were no steps, less the steps that were not ready
	slept       time.Duration // how long it has waited, in real time
	sleeps      time.Duration // since when it waits, if it does; else 0
	failure     error
	closed      bool

	running links[Loop] // in the list of those that run
}

// Errors that callers test with errors.Is.
var (
	// ErrClosed is returned by a loop that was closed. Methods that return no
	// error panic with it.
	ErrClosed = errors.New("sched: the loop is closed")

	// ErrRunning is returned where a loop runs already: this one, or another on
	// the same goroutine.
	ErrRunning = errors.New("sched: a loop is running already")

	// ErrForeign is returned to a goroutine that the loop does not belong to.
	ErrForeign = errors.New("sched: the loop belongs to another goroutine")

	// ErrNotRunning is returned where a task would have to wait, and nobody runs
	// the loop, or the caller is no task.
	ErrNotRunning = errors.New("sched: only a task of a running loop can wait")

	// ErrKillSelf is returned to a task that kills itself.
	ErrKillSelf = errors.New("sched: a task cannot kill itself")

	// ErrJoin is returned to a task that waits for its own end.
	ErrJoin = errors.New("sched: a task cannot join itself")
)

// An Option is a choice made when a loop is made.
type Option func(*Loop)

// WithClock makes the loop go by c.
func WithClock(c Clock) Option { return func(l *Loop) { l.clock = c } }

// WithPoller makes the loop wait with p, which Close closes.
func WithPoller(p Poller) Option { return func(l *Loop) { l.poller, l.polls = p, true } }

// WithGuard makes the loop run each callback by guard, which is to call fn: to
// recover from its panics, say, or to measure its time. Without it a panic goes
// on in Run.
func WithGuard(guard func(h *Handle, fn func())) Option { return func(l *Loop) { l.guard = guard } }

// WithIdle has f called, on the hub, each time the loop is about to wait, as nothing
// is ready. still tells that nothing the loop knows of will end the wait: no timer
// is set, no descriptor watched, nothing held. But other goroutines may post. f
// returns the time on the loop's clock at which it is to be called again if the loop
// still waits then, or Never. What it makes ready runs at once. It must not wait.
func WithIdle(f func(still bool) (again time.Duration)) Option {
	return func(l *Loop) { l.onIdle = f }
}

// WithSeed makes the loop permute the tasks of each turn at random. The same
// seed gives the same order to the same program.
//
// What stays: which turn a step runs in, and that all of one turn comes before
// the next; the places of callbacks (Soon, At, Post, ...) in the turn, so also
// their order among themselves, and that of sleeps that end; the order of timers;
// the order in a WaitQueue. So a program that relies on nothing but these runs
// the same, and one that relies on the order of two tasks that were ready at the
// same time may fail.
func WithSeed(seed uint64) Option {
	return func(l *Loop) { l.order = rand.New(rand.NewPCG(seed, seed)) }
}

// WithTrace has f called before each step of a task, with its Number: two runs that
// are to be the same make the same calls. It must not wait. Cost: the call, and a
// second switch for each step, as each begins and ends in the loop's greenlet then.
func WithTrace(f func(task uint32)) Option {
	return beforeStep(func(t *Task) bool { f(t.number); return true })
}

// WithGate has f asked before each step of a task whether it may be taken. If not, it
// is as if t had not been made ready: somebody calls Ready when the time has come. f
// must not wait, and is not asked about the first step of StartNow. It is for who
// simulates a machine that stands still. Cost: as WithTrace.
func WithGate(f func(t *Task) bool) Option { return beforeStep(f) }

func beforeStep(f func(t *Task) bool) Option {
	return func(l *Loop) {
		if first := l.trace; first != nil {
			l.trace = func(t *Task) bool { return first(t) && f(t) }
		} else {
			l.trace = f
		}
	}
}

// New makes a loop. Any goroutine may call it.
func New(opts ...Option) *Loop {
	l := &Loop{}
	l.workBody = work(l)
	for _, o := range opts {
		o(l)
	}
	if l.jumps = l.clock != nil; !l.jumps {
		l.began = time.Since(began)
		l.clock = realClock{l.began}
	}
	if l.poller == nil {
		l.poller = systemPoller()
	}
	return l
}

// Run runs the loop until all its tasks have ended and nothing is ready or
// posted any more, or until Stop. For timers it does not wait: they are left to
// the next run. It returns ErrRunning, ErrForeign or ErrClosed if it cannot, and
// what Abort was called with. A panic in a task or callback goes on in Run, and
// a runtime.Goexit ends its goroutine; the loop can be run again afterwards, or
// closed.
//
// The calling greenlet becomes the loop's hub. It switches.
func (l *Loop) Run() error { return l.run(true) }

// RunForever is Run that returns only after Stop or Abort.
//
// Python: loop.run_forever.
func (l *Loop) RunForever() error { return l.run(false) }

func (l *Loop) run(drains bool) error {
	if err := l.enter(); err != nil {
		return err
	}
	defer l.leave()
	for !drains || !l.done() {
		l.runOnce()
		if l.stopped() {
			break
		}
	}
	return l.failure
}

// done reports whether nothing is left to do but timers.
func (l *Loop) done() bool {
	return l.live == 0 && l.ready.len() == 0 && len(l.quiet) == 0 && l.attention.Load()&mailCame == 0
}

// runOnce is a turn of the loop. A task that waits begins the next turn itself
// if there is nothing to do for it here: see next.
func (l *Loop) runOnce() {
	if l.idle.due() {
		l.thin() // of its workers
	}
	now := l.await() // something to do
	l.collect()      // what other goroutines have posted
	l.expire(now)    // the timers that are due
	l.begin()        // with what is ready now, and nothing that it adds
	for l.batch > 0 {
		e := l.take()
		switch {
		case e.handle == nil:
			switch {
			case l.trace != nil && !l.trace(e.task): // it may not go on now
				l.notSteps++
			case l.measure != nil:
				l.measured(e.task)
			default:
				l.resume(e.task)
			}
		case e.task != nil:
			e.task.wakeUp()
		default:
			l.notSteps++
			e.handle.run(l.guard)
		}
	}
}

// await waits until something is ready or was posted or a timer is due. It returns what
// the loop's clock shows, if it knows; else 0.
func (l *Loop) await() (now time.Duration) {
	asked := false
	if len(l.quiet) > 0 && l.ready.len() == 0 && l.attention.Load() == 0 && !l.due() {
		l.poll() // it is not quiet while something has happened to a descriptor
		asked = true
		if l.ready.len() == 0 {
			for _, h := range l.quiet {
				l.ready.push(entry{handle: h})
			}
			clear(l.quiet)
			l.quiet = l.quiet[:0]
		}
	}
	if l.ready.len() > 0 || l.attention.Load() != 0 {
		l.collect() // what was posted is older than what the poller has to tell
		if !asked {
			l.poll()
		}
		return 0
	}
	l.ready.shrink()
	when := Never
	if e := l.timers.next(); e != nil {
		when = e.when
	}
	if l.onIdle != nil {
		when = min(when, l.onIdle(when == Never && !l.poller.Busy() && l.held.Load() == 0))
	}
	l.waits.Store(true) // before alone: Release then wakes the loop
	alone := l.alone()
	// The mail and the descriptors are looked at after that: who has released has
	// posted, or written, before, and the clock must not go forward past that.
	if alone && l.jumps && when != Never {
		l.poll()
	}
	if l.ready.len() == 0 && l.attention.Load() == 0 {
		now = l.waitUntil(when, alone)
	}
	l.waits.Store(false)
	return now
}

// waitUntil waits in the poller, counts the time, and returns what the loop's clock shows
// then, as far as that is known: 0 if not. To look at the system's clock is much of what
// it costs to be woken, so that is done once before the wait and once after it.
func (l *Loop) waitUntil(when time.Duration, alone bool) (now time.Duration) {
	var from, d time.Duration
	if l.jumps {
		d = l.clock.Until(when, alone)
	} else if from, d = time.Since(began), Never; when != Never {
		d = max(0, when-(from-l.began))
	}
	if d <= 0 {
		if l.polls {
			l.poller.Wait(d)
		}
		return 0
	}
	if l.jumps {
		from = time.Since(began)
	}
	l.sleeps = from
	l.poller.Wait(d)
	woken := time.Since(began)
	l.slept += woken - from
	l.sleeps = 0
	if l.jumps {
		return 0
	}
	return woken - l.began
}

// poll asks for events without waiting.
func (l *Loop) poll() {
	if l.polls && l.poller.Busy() {
		l.poller.Wait(0)
	}
}

// due reports whether a timer is due.
func (l *Loop) due() bool {
	if l.timers.set == 0 {
		return false
	}
	e := l.timers.next()
	return e != nil && e.when <= l.clock.Now()
}

// expire makes ready the timers that are due by now, which is 0 if it is not known.
func (l *Loop) expire(now time.Duration) {
	if l.timers.set == 0 {
		return
	}
	if now == 0 {
		now = l.clock.Now()
	}
	for fires, ok := l.timers.due(now); ok; fires, ok = l.timers.due(now) {
		if fires.task != nil {
			fires.task.firing = true
		}
		l.ready.push(fires)
	}
}

// begin begins a turn: what is ready now belongs to it.
func (l *Loop) begin() {
	l.batch = l.ready.len()
	l.turns++
	if l.order != nil {
		l.permute()
	}
}

// permute puts the tasks of the turn into a random order. Each takes the place
// of another task.
func (l *Loop) permute() {
	var places []int
	for i := range l.batch {
		if l.ready.at(i).handle == nil {
			places = append(places, i)
		}
	}
	l.order.Shuffle(len(places), func(i, j int) {
		a, b := l.ready.at(places[i]), l.ready.at(places[j])
		*a, *b = *b, *a
	})
}

// next takes the task whose step comes next from the ready queue. It returns
// nil if the hub must go on: to run a callback, to wait, or to begin a turn with
// what a task cannot do for it.
func (l *Loop) next() *Task {
	if l.measure != nil || l.trace != nil {
		return nil // each step begins and ends in the hub
	}
	for l.batch > 0 || l.turn() {
		switch e := l.ready.at(0); {
		case e.handle == nil:
			if t := l.take().task; !t.ended {
				return t
			}
			l.notSteps++
		case e.task != nil:
			l.take().task.wakeUp()
		default:
			return nil
		}
	}
	return nil
}

// take takes the first entry of the turn.
func (l *Loop) take() entry {
	e := l.ready.pop()
	l.batch--
	if e.handle == nil {
		e.task.queued = false
	}
	return e
}

// turn begins a turn if all it takes is in the ready queue.
func (l *Loop) turn() bool {
	if l.ready.len() == 0 || l.attention.Load() != 0 || l.due() || l.idle.due() {
		return false
	}
	l.poll()
	l.begin()
	return true
}

// enter makes the calling greenlet the hub.
func (l *Loop) enter() error {
	me, home := greenlet.Current(), l.home.Load()
	switch {
	case l.closed:
		return ErrClosed
	case l.hub != nil:
		return ErrRunning
	case home != nil && !home.Owned():
		if l.anchored() {
			return fmt.Errorf("%w: that of %s, where it ran first and has tasks", ErrForeign, home)
		}
		l.idle, l.woken = workers{}, nil // nobody refers to them now, so they end
	}
	if !running.claim(me, l) {
		return ErrRunning
	}
	if me != home {
		l.moveTo(me, home)
	}
	l.hub = me
	l.runner.Store(me)
	return nil
}

// anchored reports whether a task has begun: then the loop stays where it is.
func (l *Loop) anchored() bool {
	for t := l.first; t != nil; t = t.next {
		if t.g.Load() != nil {
			return true
		}
	}
	return false
}

// moveTo makes me the parent of the workers, in place of home: to whom their
// panics go.
func (l *Loop) moveTo(me, home *greenlet.Greenlet) {
	for t := l.first; t != nil; t = t.next {
		for g := t.g.Load(); g != nil; g = g.Parent() {
			if g.Parent() == home {
				g.SetParent(me)
				break
			}
		}
	}
	for _, g := range l.idle.free {
		g.SetParent(me)
	}
	l.home.Store(me)
	l.below = []greenlet.Option{greenlet.WithParent(me)}
}

func (l *Loop) leave() {
	l.runner.Store(nil)
	running.release(l.hub)
	l.hub, l.current, l.batch, l.failure = nil, nil, 0, nil
	l.stopped()
}

// stopped reports whether Stop was called, and forgets it.
func (l *Loop) stopped() bool {
	if l.attention.Load()&stopAsked != 0 {
		l.attention.And(^stopAsked)
		return true
	}
	return false
}

// Abort makes Run and RunForever return err at once: what is ready stays so,
// for the next run. The caller goes on until it waits. Owner only; it does not
// switch.
func (l *Loop) Abort(err error) {
	l.failure = err
	l.batch = 0
	l.Stop()
}

// WhenQuiet arranges that fn runs on the hub when nothing is ready any more:
// after every task has gone as far as it can, and before the loop waits for a
// timer or an event. It returns a handle to cancel it with. Owner only; it does
// not switch. It panics with ErrClosed on a closed loop.
func (l *Loop) WhenQuiet(fn func()) *Handle {
	l.mustBeOpen()
	h := l.handles.make(fn)
	l.quiet = append(l.quiet, h)
	return h
}

// Now returns the time on the loop's clock. Any goroutine may call it; it does
// not switch. Python: loop.time.
func (l *Loop) Now() time.Duration { return l.clock.Now() }

// Turns returns how many turns the loop has begun. Owner only; it does not
// switch.
func (l *Loop) Turns() uint64 { return l.turns }

// Running reports whether Run or RunForever is under way. Owner only; it does
// not switch. Python: loop.is_running.
func (l *Loop) Running() bool { return l.hub != nil }

// Closed reports whether Close was called. Owner only; it does not switch.
// Python: loop.is_closed.
func (l *Loop) Closed() bool { return l.closed }

// Pending returns how many callbacks, timers and steps of tasks the loop holds,
// those of timers that were cancelled not counted. Owner only; it does not
// switch.
func (l *Loop) Pending() (ready, timers int) {
	return l.ready.len() + len(l.quiet), l.timers.set
}

// Owned reports whether the caller belongs to the goroutine on which the loop
// runs, or ran last. Any goroutine may call it while the loop runs; it does not
// switch.
func (l *Loop) Owned() bool { return l.home.Load().Owned() }

// Foreign reports whether the loop runs now, on another goroutine than the
// caller's. Any goroutine may call it; it does not switch.
func (l *Loop) Foreign() bool {
	hub := l.runner.Load()
	return hub != nil && !hub.Owned()
}

func (l *Loop) mustBeOpen() {
	if l.closed {
		panic(ErrClosed)
	}
}

// Close ends the loop. Tasks that have not ended are killed, the youngest
// first: their deferred calls run, and what waits in them is ErrClosed. What is
// ready or posted is dropped. It returns ErrRunning if the loop runs, ErrForeign
// on another goroutine than the tasks', or the error of the poller's Close; a
// second call does nothing. If a deferred call panics, the panic goes on in Close
// when all is closed.
//
// Python: loop.close.
func (l *Loop) Close() (err error) {
	switch {
	case l.closed:
		return nil
	case l.hub != nil:
		return ErrRunning
	case l.home.Load() != nil && !l.Owned() && l.anchored():
		return ErrForeign
	}
	l.closed = true
	l.inbox.mu.Lock()
	l.inbox.closed = true
	l.inbox.mail = nil
	l.inbox.mu.Unlock()
	defer func() { err = l.poller.Close() }()
	l.killAll()
	return nil
}

// killAll kills all tasks and workers. Should a kill panic, the others are
// killed before the panic goes on.
func (l *Loop) killAll() {
	whole := false
	defer func() {
		if !whole {
			l.killAll()
		}
	}()
	for t := l.last; t != nil; t = l.last {
		l.kill(t)
	}
	for _, g := range l.idle.free {
		if g.Owned() {
			g.Kill()
		}
	}
	l.current, l.woken = nil, nil
	l.idle, l.ready, l.quiet, l.timers = workers{}, ready{before: l.ready.taken()}, nil, timers{closed: true}
	whole = true
}

// measured is a step of t in which its time is taken: see Measure.
func (l *Loop) measured(t *Task) {
	start := time.Now()
	l.resume(t)
	if l.measure != nil { // or the step has ended it
		l.measure(t, time.Since(start))
	}
}

// Running returns the loop that runs on the calling goroutine, or nil. Any
// goroutine may call it; it does not switch. It costs a lock and a walk to the
// root of the tree of greenlets.
//
// Python: asyncio.get_running_loop.
func Running() *Loop { return running.here() }

var running = registry[Loop]{
	loops: make(map[*greenlet.Greenlet]*Loop),
	place: func(l *Loop) *links[Loop] { return &l.running },
}
