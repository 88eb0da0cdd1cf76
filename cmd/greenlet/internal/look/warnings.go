package look

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Warnings, as package asyncio has them. Some need what only a later look can tell: they
// come from a Process that is looked at again and again. What cannot be known from memory
// is not said.
const (
	growthLooks = 5                      // W9
	readyMany   = 100                    // W10
	readyLong   = 100 * time.Millisecond // W10
)

// limits is how long what takes until it is warned of it. Tests shorten that.
var limits = struct {
	stalled, held, lost, busy, swallowed, growth time.Duration
}{
	stalled:   time.Second,      // W2
	held:      time.Second,      // W4
	lost:      10 * time.Second, // W5
	busy:      time.Second,      // W7
	swallowed: 5 * time.Second,  // W8
	growth:    time.Second,      // W9: looks that come sooner do not count
}

// A past is what is known of a loop from the looks before.
type past struct {
	id uint64 // another one may be at the same address

	// How far it had come at a moment: that of the look before, or of an earlier one if that
	// was just now.
	at           time.Duration
	turns, steps uint64
	slept        time.Duration

	progress []byte        // of a loop that was blocked
	blocked  time.Duration // since when, at least

	locks   map[uint64]heldBefore
	grown   map[string]growth
	counted time.Duration // when the groups were counted last
}

type heldBefore struct {
	by, passes uint64
	since      time.Duration
}

type growth struct{ count, times int }

func (k *loopLook) warn(id string, task uint64, format string, about ...any) {
	k.Warnings = append(k.Warnings, Warning{id, task, fmt.Sprintf(format, about...)})
}

// counts reads how many steps the loop has taken, and how many are ready.
func (k *loopLook) counts(l *looker) {
	if l.t.has("sched.Loop.ready.head", "sched.Loop.ready.tail", "sched.Loop.ready.before", "sched.Loop.notSteps") {
		head, tail := l.v.word(k.at+l.t["sched.Loop.ready.head"]), l.v.word(k.at+l.t["sched.Loop.ready.tail"])
		k.Steps = l.v.word(k.at+l.t["sched.Loop.ready.before"]) + head - l.v.word(k.at+l.t["sched.Loop.notSteps"])
		if n := tail - head; n < tasksMost {
			k.ready = n
		}
	}
}

// sight returns where the loop has what it keeps for those who look.
func (l *looker) sight(k *loopLook) uint64 {
	if k.asyncio == 0 || !l.t.has("asyncio.Loop.parts", "asyncio.parts.sight") {
		return 0
	}
	return l.v.word(l.v.word(k.asyncio+l.t["asyncio.Loop.parts"]) + l.t["asyncio.parts.sight"])
}

// sinceStart is the time, counted from when the program began, and whether it is known.
func (l *looker) sinceStart() (time.Duration, bool) {
	began, now := l.v.word(l.t["asyncio.started"]), monotonic()
	if !l.t.has("asyncio.started") || began == 0 || now < int64(began) {
		return 0, false
	}
	return time.Duration(now - int64(began)), true
}

// ago is how long ago it was at.
func (l *looker) ago(at uint64) time.Duration {
	now, known := l.sinceStart()
	if !known || at == 0 || int64(at) < 0 || time.Duration(at) > now {
		return 0
	}
	return now - time.Duration(at)
}

// standsStill notes since when nothing is there that could wake the loop, which waits.
func (k *loopLook) standsStill(l *looker) {
	s := l.sight(k)
	if s == 0 || !l.t.has("asyncio.sight.stillFrom", "asyncio.sight.stillSteps", "asyncio.sight.expects") {
		return
	}
	from := l.v.word(s + l.t["asyncio.sight.stillFrom"])
	if from == 0 || l.v.word(s+l.t["asyncio.sight.stillSteps"]) != k.Steps {
		return
	}
	k.State, k.stalled = Stalled, l.ago(from)
}

// expects reports whether something outside may wake the loop, or is not known not to.
func (k *loopLook) expects(l *looker) bool {
	if byteIn(l.v.bytes(l.sight(k)+l.t["asyncio.sight.expects"], 1), 0) != 0 ||
		!l.t.has("asyncio.task.fut", "asyncio.task.watcher", "asyncio.watcher.armed", "asyncio.core.takes") {
		return true
	}
	for _, t := range k.list {
		if w := l.v.word(t + l.t["asyncio.task.watcher"]); w != 0 && byteIn(l.v.bytes(w+l.t["asyncio.watcher.armed"], 1), 0) != 0 {
			return true
		}
		f := l.v.word(t + l.t["asyncio.task.fut"] + 8)
		if f == 0 || k.tasks[f] != nil {
			continue
		}
		if l.v.word(f+l.t["asyncio.core.loop"]) != k.asyncio || byteIn(l.v.bytes(f+l.t["asyncio.core.takes"], 1), 0) != 0 {
			return true
		}
	}
	return false
}

// lostMost is how many lost errors are read.
const lostMost = 1000

// noText stands for the text of an error that only the program could tell.
const noText = "(an error whose text only the program can tell)"

// lostErrors reads the errors that nobody has looked at.
func (l *looker) lostErrors(k *loopLook) {
	if k.asyncio == 0 || !l.t.has("asyncio.Loop.lost", "asyncio.lost.next", "asyncio.lost.since", "asyncio.lost.err") {
		return
	}
	all, _ := l.follow(l.v.word(k.asyncio+l.t["asyncio.Loop.lost"]), l.t["asyncio.lost.next"], lostMost)
	for _, e := range all {
		text := func(field string) string {
			return strings.ToValidUTF8(l.v.text(e+l.t["asyncio.lost."+field]), "\ufffd")
		}
		one := Lost{
			Task:  l.v.word(e + l.t["asyncio.lost.task"]),
			Name:  text("name"),
			Error: l.errorText(e + l.t["asyncio.lost.err"]),
			Age:   l.ago(l.v.word(e + l.t["asyncio.lost.since"])).Microseconds(),
		}
		if kind := text("kind"); kind == "" { // somebody has changed the list meanwhile
			continue
		} else if one.Name == "" {
			one.Name = "a " + kind
		}
		k.Lost = append(k.Lost, one)
	}
}

// errorText is the text of the error at at, an interface, where that is in its memory.
func (l *looker) errorText(at uint64) string {
	is, of := l.v.word(at), l.v.word(at+8)
	for _, kind := range []string{"errors.New", "fmt.Errorf", "fmt.Errorf(%w)"} {
		if l.t.has(kind) && l.t[kind] == is {
			if text := l.v.text(of); text != "" {
				return strings.ToValidUTF8(text, "\ufffd")
			}
		}
	}
	return noText
}

// doubtful reports whether something was seen that is only so if it is so at one moment.
func (k *loopLook) doubtful() bool { return len(k.Cycles) > 0 || len(k.forgotten) > 0 }

// sure looks at the loop again, and keeps of the circles and the locks whose holder has
// ended what was so before and is so after that.
func (l *looker) sure(before *loopLook) *loopLook {
	l.v.forget()
	k := l.loop(before.at, before.asyncio)
	l.v.forget()
	holds := func(at uint64) (by, passes uint64) {
		return uint64(uint32(l.v.word(at + l.t["asyncio.holding.by"]))), uint64(uint32(l.v.word(at + l.t["asyncio.holding.passes"])))
	}
	stays := func(at uint64) bool { // the same holder all the time
		a, b := before.locks[at], k.locks[at]
		by, passes := holds(at)
		return a != nil && b != nil && a.Holder == by && b.Holder == by && a.passes == passes && b.passes == passes
	}
	addresses := make(map[int]uint64, len(k.locks))
	for at, lock := range k.locks {
		addresses[lock.ID] = at
		if k.forgotten[at] && !(before.forgotten[at] && stays(at)) {
			delete(k.forgotten, at)
			lock.HolderEnded = false
		}
	}
	tasks := make(map[uint64]*Task, len(k.Tasks))
	for _, t := range k.Tasks {
		tasks[t.ID] = t
	}
	k.Cycles = slices.DeleteFunc(k.Cycles, func(c []uint64) bool {
		if !slices.ContainsFunc(before.Cycles, func(b []uint64) bool { return slices.Equal(b, c) }) {
			return true
		}
		return slices.ContainsFunc(c, func(id uint64) bool {
			lock := tasks[id].Lock
			return lock != 0 && !stays(addresses[lock])
		})
	})
	return k
}

// blockedFor is for how long the loop has been blocked, at least: what its watchdog says,
// or since when it was seen where it is.
func (l *looker) blockedFor(k *loopLook) time.Duration {
	d := patience
	if s := l.sight(k); s != 0 && l.t.has("asyncio.sight.blockedFrom") {
		d = max(d, l.ago(l.v.word(s+l.t["asyncio.sight.blockedFrom"])))
	}
	if p := l.p.past[k.at]; p != nil && p.id == k.ID && p.progress != nil && bytes.Equal(p.progress, l.progress(k)) {
		d = max(d, l.now-p.blocked)
	}
	return d
}

// warnings adds what is wrong with the loops, or looks so.
func (l *looker) warnings(all []*loopLook) {
	seen := make(map[uint64]*past, len(all))
	for _, k := range all {
		p := l.p.past[k.at]
		if p == nil || p.id != k.ID {
			p = nil
		}
		n := &past{id: k.ID, at: l.now, turns: k.Turns, steps: k.Steps, slept: time.Duration(l.v.word(k.at + l.t["sched.Loop.slept"]))}
		if k.Blocked != nil {
			n.progress, n.blocked = l.progress(k), l.now-time.Duration(k.Blocked.For)*time.Microsecond
		}
		seen[k.at] = n
		l.warningsOf(k, p, n)
		slices.SortStableFunc(k.Warnings, func(a, b Warning) int { return cmp.Or(len(a.ID)-len(b.ID), cmp.Compare(a.ID, b.ID)) })
	}
	l.p.past = seen
}

// warningsOf adds those of a loop of which p is known, or nil, and notes in n what the next
// look needs.
func (l *looker) warningsOf(k *loopLook, p, n *past) {
	tasks := make(map[uint64]*Task, len(k.Tasks))
	for _, t := range k.Tasks {
		tasks[t.ID] = t
	}
	for _, c := range k.Cycles {
		k.warn("W1", c[0], "a circle: %s", k.circle(c, tasks, k.locksByID()))
	}
	if k.State == Stalled && k.stalled >= limits.stalled && len(k.Tasks) > 0 && !k.expects(l) {
		k.warn("W2", 0, "nothing that the loop knows of can wake it, for %s", roughly(k.stalled))
	}
	for _, lock := range k.Locks {
		if lock.HolderEnded && lock.Kind == kindLock { // a semaphore is released by whom it may
			k.warn("W3", lock.Waiters[0], "%s %s for a lock of %s, which has ended without releasing it",
				plural(len(lock.Waiters), "task"), verb(len(lock.Waiters), "waits", "wait"), lock.HolderName)
		}
	}
	l.heldLong(k, p, n, tasks)
	for _, e := range k.Lost {
		if age := time.Duration(e.Age) * time.Microsecond; age >= limits.lost {
			k.warn("W5", e.Task, "nobody has looked at the error of %s for %s: %s", e.Name, roughly(age), e.Error)
		}
	}
	if k.asyncio != 0 && l.t.has("asyncio.core.asked", "asyncio.task.must", "asyncio.task.wait", "asyncio.aborted") {
		for _, at := range k.list {
			if t := k.tasks[at]; t.Cancels > 0 && len(t.Awaits) == 0 {
				l.swallowed(k, t, at)
			}
		}
	}
	l.growing(k, p, n)
	if p != nil && l.t.has("sched.Loop.slept", "sched.Loop.sleeps") && k.Turns >= p.turns && k.Steps >= p.steps && n.slept >= p.slept {
		// Of the turns since then the longest has taken this at least.
		turns := k.Turns - p.turns + 1
		took := (n.at - p.at - (n.slept - p.slept)) / time.Duration(turns)
		if k.State == Running && k.ready > readyMany && l.v.word(k.at+l.t["sched.Loop.sleeps"]) == 0 && took > readyLong && (k.Steps-p.steps)/turns > readyMany {
			k.warn("W10", 0, "%d were ready, and the loop took %s to come round", k.ready, roughly(took))
		}
		if n.at-p.at < 5*readyLong { // too soon to tell
			n.at, n.turns, n.steps, n.slept = p.at, p.turns, p.steps, p.slept
		}
	}
	if l.s.Backend != "" && l.s.Backend != "assembly" {
		k.warn("W11", 0, "the generic switch serves: %s", strings.ToValidUTF8(l.v.text(l.t["backend.reason"]), "\ufffd"))
	}
}

// swallowed warns of a task that was told long ago that it was cancelled, and goes on.
func (l *looker) swallowed(k *loopLook, t *Task, at uint64) {
	asked := uint64(uint32(l.v.word(at + l.t["asyncio.task.core"] + l.t["asyncio.core.asked"])))
	must := byteIn(l.v.bytes(at+l.t["asyncio.task.must"], 1), 0) != 0
	aborted := uint64(byteIn(l.v.bytes(at+l.t["asyncio.task.wait"], 1), 0)) == l.t["asyncio.aborted"]
	const unit = 10 * time.Millisecond
	if age := l.ago(asked * uint64(unit)); !must && !aborted && age >= limits.swallowed {
		k.warn("W8", t.ID, "%s was cancelled %s ago, and goes on", t.Name, roughly(age))
	}
}

// heldLong warns of locks that a task has held for long, while it waited for something
// else than tasks and locks, and others waited for the lock.
func (l *looker) heldLong(k *loopLook, p, n *past, tasks map[uint64]*Task) {
	n.locks = make(map[uint64]heldBefore)
	for at, lock := range k.locks {
		t := tasks[lock.Holder]
		if t == nil || t.State != Waiting || t.Lock != 0 || len(t.Awaits) > 0 || lock.Kind == kindSemaphore && !lock.own {
			continue
		}
		h := heldBefore{lock.Holder, lock.passes, l.now}
		if p != nil {
			if b := p.locks[at]; b.by == h.by && b.passes == h.passes {
				h.since = b.since
			}
		}
		n.locks[at] = h
		if l.now-h.since >= limits.held {
			does := "waits"
			for _, g := range k.Groups {
				if g.ID == t.Group {
					does = l.doing(g, "waits")
				}
			}
			k.warn("W4", t.ID, "%s holds a %s and %s, while %s %s for it", lock.HolderName, strings.ToLower(lock.Kind), does,
				plural(len(lock.Waiters), "task"), verb(len(lock.Waiters), "waits", "wait"))
		}
	}
}

// growing warns of tasks that do the same and have become more in each of the last looks.
func (l *looker) growing(k *loopLook, p, n *past) {
	before := map[string]growth{}
	counts := true
	if p != nil {
		before, counts, n.counted = p.grown, l.now-p.counted >= limits.growth, p.counted
	}
	n.grown = before
	if counts {
		n.counted, n.grown = l.now, make(map[string]growth)
	}
	same := make(map[string]int)
	var order []string
	example := make(map[string]*Group)
	for _, g := range k.Groups {
		if g.State == Running {
			continue
		}
		does := l.doing(g, g.State)
		if same[does] == 0 {
			order = append(order, does)
			example[does] = g
		}
		same[does] += g.Count
	}
	for _, does := range order {
		b, known := before[does]
		now := b // as it was said last
		if counts {
			now = growth{count: same[does]}
			if known && same[does] > b.count {
				now.times = b.times + 1
			}
			n.grown[does] = now
		}
		if now.times >= growthLooks {
			what := map[string]string{Waiting: "wait", Ready: "are ready"}[example[does].State]
			if what == "" {
				what = "have not begun"
			}
			k.warn("W9", 0, "%s %s: they have become more in each of the last %d looks", plural(same[does], "task"), l.doing(example[does], what), growthLooks)
		}
	}
}

// doing says what those of a group do: the call in which they are, and who has made it.
func (l *looker) doing(g *Group, what string) string {
	for i, id := range g.Stack {
		f := l.s.Frames[id-1]
		switch i {
		case 0:
			what += " in " + ShortName(f.Func)
		case 1:
			what += fmt.Sprintf(", called by %s at %s:%d", ShortName(f.Func), path.Base(f.File), f.Line)
		}
	}
	return what
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// plural is n things, with commas in n.
func plural(n int, thing string) string {
	digits := strconv.Itoa(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if n != 1 {
		thing += "s"
	}
	return digits + " " + thing
}

// roughly is d with few digits.
func roughly(d time.Duration) time.Duration {
	switch {
	case d >= time.Minute:
		return d.Round(time.Second)
	case d >= time.Second:
		return d.Round(100 * time.Millisecond)
	}
	return d.Round(time.Millisecond)
}
