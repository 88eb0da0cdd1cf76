package asyncio

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet/internal/rt"
	"github.com/go-greenlet/greenlet/sched"
)

// This file is the part of a snapshot that is done on the loop, and how the goroutine
// that asks comes by it. Here everything is only noted: pointers to tell futures apart,
// return addresses, no names. What it means is found out later: see assemble.

const (
	// lookChunk is how many tasks are looked at in one go.
	lookChunk = 256
	// lookPatience is how long a loop may take to come to a look until it is taken for
	// blocked.
	lookPatience = 500 * time.Millisecond
	// slowPatience is that of a loop that does go on meanwhile.
	slowPatience = 3 * time.Second
)

// sight is what a loop keeps for those who look at it.
type sight struct {
	// The watchdog writes these.

	watched     atomic.Bool
	blockedFrom atomic.Int64 // since when the loop is blocked, counted from started; 0: it is not
	blocks      atomic.Uint64
	lag         lagHistogram

	// The loop writes these, when it is about to wait and nothing will wake it.

	stillFrom  atomic.Int64  // since when, counted from started
	stillSteps atomic.Uint64 // how many steps it had taken then: if it takes more it is over
	expects    atomic.Bool   // something outside may wake it, as far as is known then

	mu   sync.Mutex // held by who looks
	past past
}

var sightPart = newPart[sight](endOutside, nil, nil)

func (l *Loop) seen() *sight { return sightPart.in(l.parts) }

// A looked is a part of what there is to see on a loop.
type looked struct {
	tasks      []lookedTask
	links      []link
	lines      map[int][]uint64 // who waits for each lock, in order
	some       map[int][]uint32 // who has acquired each semaphore of more than one, where that is known
	addresses  []uintptr
	goroutines []uint64
	last       bool // there are no more
}

// A lookedTask is a task as it was seen.
type lookedTask struct {
	self    *core // which future it is
	id      uint64
	name    *string
	number  uint64
	state   SightState
	cancels int

	on   *core // the future that it waits for
	lock heldLock
	of   *task // for who looks on the loop again

	canEnd bool   // what it waits with, or for, can end by what is outside of the loop
	asked  uint32 // when the first of the requests to cancel it came, if one was delivered

	// Its parts of addresses and goroutines.
	addresses, goroutines span
}

// A heldLock is a lock as it was seen by a task that waits for it: the zero one is none.
type heldLock struct {
	of     *holding
	id     int
	kind   holdingKind
	own    bool   // it may be held by who waits for it
	by     uint32 // 0: it is not known, or there are several
	passes uint32
	former string // the name of the task that has acquired it last, if that has ended
}

type span struct{ from, to int }

func part[T any](all []T, s span) []T { return all[s.from:s.to] }

// A link says that somebody waits for one future by another one: the task or future
// that follows it.
type link struct {
	from, to *core
	sure     bool // to cannot end before from has
}

// A looker looks at the tasks of a loop, a chunk at a time. It is the loop's.
type looker struct {
	l     *Loop
	walk  *sched.Walk
	known map[*core]bool // whose links were noted
	lines map[int]bool   // which locks were noted

	counts  sched.Counts // at the beginning
	expects bool         // something from outside
}

func (l *Loop) newLooker() *looker {
	return &looker{
		l: l, walk: l.s.Walk(), known: make(map[*core]bool), lines: make(map[int]bool),
		counts: l.s.Counts(), expects: l.expectsOutside(),
	}
}

// expectsOutside reports whether the loop can be woken by what it does not know of:
// goroutines that have called it, signals, the end of its run.
func (l *Loop) expectsOutside() bool {
	_, byGoroutines := l.world().conns.(portableConns)
	return l.outsiders.Load() || len(signalPart.in(l.parts).byNumber) > 0 || l.runDone != nil || byGoroutines
}

// next looks at n more tasks and notes them in to.
func (k *looker) next(n int, to *looked) {
	*to = looked{tasks: to.tasks[:0], links: to.links[:0], addresses: to.addresses[:0], goroutines: to.goroutines[:0], lines: make(map[int][]uint64), some: make(map[int][]uint32)}
	for range n {
		st := k.walk.Next()
		if st == nil {
			to.last = true
			k.walk.End()
			return
		}
		k.task(taskIn(st), to)
	}
}

func (k *looker) task(t *task, to *looked) {
	n := lookedTask{
		self:    &t.core,
		id:      uint64(t.st.Number()),
		name:    t.name,
		number:  t.number,
		cancels: int(t.cancels),
		of:      t,
		on:      t.waitsOn(),
		canEnd:  t.watcher != nil && t.watcher.armed,
	}
	if n.on != nil {
		n.canEnd = n.canEnd || n.on.takes
	}
	if n.cancels > 0 && !t.must && t.wait != aborted {
		n.asked = t.asked
	}
	if t.at != nil && t.at.kind != holdsNothing {
		n.lock = k.lock(t, to)
	}
	switch {
	case k.l.s.Current() == &t.st:
		n.state = SightRunning
	case t.st.Greenlet() == nil:
		n.state = SightCreated
	case t.st.Queued():
		n.state = SightReady
	default:
		n.state = SightWaiting
	}
	n.addresses.from, n.goroutines.from = len(to.addresses), len(to.goroutines)
	to.addresses, to.goroutines = t.st.Addresses(to.addresses, to.goroutines)
	n.addresses.to, n.goroutines.to = len(to.addresses), len(to.goroutines)
	to.tasks = append(to.tasks, n)
	k.link(&t.core, to)
}

// waitsOn returns the future that t waits for, or nil.
func (t *task) waitsOn() *core {
	if f, ok := t.fut.(interface{ base() *core }); ok {
		return f.base()
	}
	return nil
}

// lineMost is how many of those that wait for a lock are noted in order.
const lineMost = 1000

// lock looks at the lock that t waits for.
func (k *looker) lock(t *task, to *looked) heldLock {
	h := t.at
	if h.kind == holdsSome && k.l.someHolders(h) == nil {
		return heldLock{}
	}
	if h.id == 0 {
		k.l.locksSeen++
		h.id = k.l.locksSeen
	}
	n := heldLock{of: h, id: int(h.id), kind: h.kind, own: h.mayBeOwn(), by: h.holder(), passes: h.passes}
	if n.by != 0 {
		n.former = k.l.holders.find(h.by)
	}
	if q := t.st.Queue(); q != nil && !k.lines[n.id] {
		k.lines[n.id] = true
		if h.kind == holdsSome {
			to.some[n.id] = k.l.someHolders(h)
		}
		var line []uint64
		for st := q.First(); st != nil && len(line) < lineMost; st = q.After(st) {
			line = append(line, uint64(st.Number()))
		}
		to.lines[n.id] = line
	}
	return n
}

// A linker is a waiter by which others wait for f: not a task.
type linker interface {
	// follows returns the future that follows f, or the task that waits. sure tells
	// that it cannot end before f. It is nil if nobody waits now.
	follows() (of *core, sure bool)
}

// link notes who waits for f by another future, and so on.
func (k *looker) link(f *core, to *looked) {
	if _, direct := f.waiter.(*task); direct || f.waiter == nil || k.known[f] {
		return
	}
	k.known[f] = true
	note := func(w waiter) {
		if by, ok := w.(linker); ok {
			if of, sure := by.follows(); of != nil {
				to.links = append(to.links, link{f, of, sure})
				k.link(of, to)
			}
		}
	}
	switch w := f.waiter.(type) {
	case *waiters:
		w.each(note)
	default:
		note(w)
	}
}

func (g *GatherFuture[E]) follows() (*core, bool) { return &g.core, true }

func (w *waitSet) follows() (*core, bool) {
	return &w.over.core, w.when == AllCompleted && w.timer == nil
}

func (m *member) follows() (*core, bool) {
	p := m.tg.parent
	if p.state != pending {
		return nil, false
	}
	exits := m.tg.empty != nil && p.fut == canceller(m.tg.empty)
	return &p.core, exits
}

func (a *arrival[T]) follows() (*core, bool) {
	if t := a.c.waits; t != nil {
		return &t.core, false
	}
	return nil, false
}

func (s *shield[T]) follows() (*core, bool) { return &s.outer.core, true }

// look returns what l does, and whether that is only what can be had without it.
func (l *Loop) look(ctx context.Context) (_ *LoopSnapshot, partial bool, _ error) {
	switch {
	case !l.s.Owned():
		l.seen().mu.Lock()
		defer l.seen().mu.Unlock()
		return newAssembly(l).fromOutside(ctx)
	case l.IsClosed():
		return nil, false, ErrLoopClosed
	}
	return l.lookHere(), false, nil
}

// reachable reports whether the caller's goroutine may wake the loop: from outside of
// its testing/synctest bubble the runtime ends the program for that.
func (l *Loop) reachable() bool { return l.bubble == 0 || l.bubble == rt.Bubble() }

// lookHere is look for who is on the loop.
func (l *Loop) lookHere() *LoopSnapshot {
	a := newAssembly(l)
	a.state = SightIdle
	if l.s.Running() {
		a.state = SightRunning
	}
	var all looked
	k := l.newLooker()
	k.next(everybody, &all)
	a.looker = k
	a.add(&all)
	a.connect()
	a.keep(a.stillTrue())
	if l.seen().mu.TryLock() { // else somebody else looks, and waits for this goroutine
		defer l.seen().mu.Unlock()
		a.past = &l.seen().past
	}
	return a.finish()
}

// makeSure has the loop look again at the tasks that seem to wait in circles, or for a
// task that has ended: what was seen in several looks must be so at one moment.
func (a *assembly) makeSure(ctx context.Context) error {
	if len(a.doubtful()) == 0 {
		return nil
	}
	still := make(chan map[int]bool, 1)
	if _, err := a.l.s.Post(func() { still <- a.stillTrue() }); err != nil {
		return loopError(err)
	}
	late := time.NewTimer(lookPatience)
	defer late.Stop()
	select {
	case are := <-still:
		a.keep(are)
	case <-late.C:
		a.keep(nil)
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// stillTrue returns which of the doubtful tasks wait as they were seen to. Owner only.
func (a *assembly) stillTrue() map[int]bool {
	still := make(map[int]bool)
	for _, i := range a.doubtful() {
		t := &a.tasks[i]
		now := t.of
		still[i] = now.state == pending && now.wait == waiting && now.waitsOn() == t.on &&
			(t.lock.of == nil || now.at == t.lock.of && now.at.kind == t.lock.kind && now.at.holder() == t.lock.by && now.at.passes == t.lock.passes &&
				(t.lock.kind != holdsSome || slices.Equal(a.l.someHolders(now.at), a.some[t.lock.id])))
	}
	return still
}

// fromOutside has the loop looked at, by another goroutine.
func (a *assembly) fromOutside(ctx context.Context) (_ *LoopSnapshot, partial bool, _ error) {
	l := a.l
	waits, before := l.s.Waits(), l.Stats()
	if !l.reachable() {
		a.state = SightRunning
		if waits {
			a.state = SightIdle
		}
		a.connect()
		return a.finish(), true, nil
	}
	a.past = &l.seen().past
	came := make(chan *looked, 1)
	var k *looker // the loop's
	ask := func(into *looked) error {
		_, err := l.s.Post(func() {
			if k == nil {
				k = l.newLooker()
			}
			k.next(lookChunk, into)
			came <- into
		})
		return loopError(err)
	}
	defer l.s.Post(func() {
		if k != nil {
			k.walk.End()
		}
	})
	asked := time.Now()
	if err := ask(new(looked)); err != nil {
		return nil, false, err
	}
	late := time.NewTimer(lookPatience)
	defer late.Stop()
	spare, steps, since := new(looked), before.Steps, asked
	for {
		select {
		case seen := <-came:
			if a.looker == nil {
				a.lag = time.Since(asked)
				a.looker = k
				a.laggedSteps = k.counts.Steps - before.Steps
			}
			if !seen.last {
				if err := ask(spare); err != nil {
					return nil, false, err
				}
				late.Reset(lookPatience)
			}
			a.add(seen)
			spare = seen
			if !seen.last {
				continue
			}
			switch {
			case before.Stalled:
				a.state, a.stalled = SightStalled, time.Since(started)-time.Duration(l.seen().stillFrom.Load())
			case waits:
				a.state = SightIdle
			default:
				a.state = SightRunning
			}
			a.connect()
			if err := a.makeSure(ctx); err != nil {
				return nil, false, err
			}
			return a.finish(), false, nil
		case <-ctx.Done():
			return nil, false, ctx.Err()
		case <-late.C:
			a.lag = time.Since(asked)
			if now := l.s.Counts().Steps; now != steps {
				// It takes steps of tasks, so it is not blocked: it has much to do, or the machine has.
				steps, since = now, time.Now()
				if a.lag < slowPatience {
					late.Reset(lookPatience)
					continue
				}
				a.state = SightRunning
			} else {
				a.blocked(time.Since(since))
			}
			a.connect()
			a.keep(nil)
			return a.finish(), true, nil
		}
	}
}

// blocked notes what keeps the loop from going on.
func (a *assembly) blocked(d time.Duration) {
	l := a.l
	if l.s.Waits() || !l.s.Foreign() { // it does not run
		a.state = SightIdle
		return
	}
	a.state = SightBlocked
	b := &BlockSnapshot{For: max(d, l.Stats().Blocked), Name: l.glimpse()}
	if st := l.s.Glimpse(); st != nil {
		b.Task = uint64(st.Number())
	}
	if found := whatBlocks(l.s); len(found.frames) > 0 {
		b.Stack, b.Busy = found.frames, found.busy
		b.At = shortPlace(blockingCall(found.frames))
	}
	a.block = b
}
