package asyncio

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet"
)

// What a snapshot warns of.
const (
	stalledLong   = time.Second            // W2
	heldLong      = time.Second            // W4
	lostLong      = 10 * time.Second       // W5
	busyLong      = time.Second            // W7
	swallowedLong = 5 * time.Second        // W8
	growthLooks   = 5                      // W9
	growthEvery   = time.Second            // W9: looks that come sooner do not count
	readyMany     = 100                    // W10
	readyLong     = 100 * time.Millisecond // W10
)

// past is what a loop's snapshots remember of those before.
type past struct {
	locks   map[int]heldBefore
	grown   map[string]growth
	counted time.Time // when the groups were counted last
}

// heldBefore is a lock as it was seen when it began to be held as it is.
type heldBefore struct {
	by, passes uint32
	since      time.Time
}

// growth is how a group of tasks has grown.
type growth struct{ count, times int }

// warnings returns what is wrong with the loop, or looks so.
func (a *assembly) warnings(s *LoopSnapshot) (all []Warning) {
	warn := func(id string, task uint64, format string, about ...any) {
		all = append(all, Warning{id, task, fmt.Sprintf(format, about...)})
	}
	now := time.Now()
	for _, c := range a.waits.cycles {
		warn("W1", a.tasks[c[0]].id, "a circle: %s", a.circle(c))
	}
	if a.state == SightStalled && a.stalled >= stalledLong && len(a.tasks) > 0 && !a.expects() {
		warn("W2", 0, "nothing that the loop knows of can wake it, for %s", roughly(a.stalled))
	}
	for i := range s.Locks {
		if k := &s.Locks[i]; k.HolderEnded && k.Kind == holdsLock.String() { // a semaphore is released by whom it may
			warn("W3", k.Waiters[0], "%s %s for a %s of %s, which has ended without releasing it",
				plural(len(k.Waiters), "task"), verb(len(k.Waiters), "waits", "wait"), strings.ToLower(k.Kind), k.HolderName)
		}
	}
	for _, k := range a.heldLong(s, now) {
		holder := a.waits.byID[k.Holder]
		warn("W4", k.Holder, "%s holds a %s and %s, while %s for it", k.HolderName, strings.ToLower(k.Kind),
			s.group(s.Tasks[holder].Group).doing("waits", "is ready", ""), plural(len(k.Waiters), "task")+" "+verb(len(k.Waiters), "waits", "wait"))
	}
	for _, e := range s.Lost {
		if e.Age >= lostLong {
			warn("W5", e.Task, "nobody has looked at the error of %s for %s: %v", e.Name, roughly(e.Age), e.Err)
		}
	}
	if b := a.block; b != nil {
		at := ""
		if b.At != "" {
			at = " at " + b.At
		}
		if b.Busy && b.For >= busyLong {
			warn("W7", b.Task, "%s has not waited for %s: it computes%s", b.Name, roughly(b.For), at)
		} else {
			warn("W6", b.Task, "%s blocks the loop for %s%s", b.Name, roughly(b.For), at)
		}
	}
	for i := range a.tasks {
		if t := &a.tasks[i]; a.swallowed(i) {
			warn("W8", t.id, "%s was cancelled %s ago, and goes on", t.nameOf(), roughly(age(t.asked)))
		}
	}
	for _, g := range a.growing(s, now) {
		warn("W9", 0, "%s %s: they have become more in each of the last %d looks",
			plural(g.Count, "task"), g.doing("wait", "are ready", "have not begun"), growthLooks)
	}
	if k := a.looker; k != nil && a.lag > readyLong && k.counts.Ready > readyMany && a.laggedSteps > readyMany {
		warn("W10", 0, "%d were ready, and the loop took %s to come round", k.counts.Ready, roughly(a.lag))
	}
	if b := greenlet.Backend(); b.Name != "assembly" {
		warn("W11", 0, "the generic switch serves: %s", b.Reason)
	}
	return all
}

func verb(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// age is how long ago a moment of centiseconds was.
func age(asked uint32) time.Duration {
	return time.Duration(centiseconds()-asked) * 10 * time.Millisecond
}

// circleNamed is how many tasks of a circle are named.
const circleNamed = 20

// circle names the tasks of a circle, and by what each waits for the next.
func (a *assembly) circle(c []int) string {
	var b strings.Builder
	b.WriteString(a.tasks[c[0]].nameOf())
	for n, i := range c {
		if n == circleNamed {
			fmt.Fprintf(&b, ", and so on, %s in all", plural(len(c), "task"))
			break
		}
		t, next := &a.tasks[i], &a.tasks[c[(n+1)%len(c)]]
		if n > 0 {
			b.WriteString(", which")
		}
		if t.lock.of != nil && uint64(t.lock.by) == next.id {
			b.WriteString(t.lock.kind.waitedFor(next.nameOf(), 1))
		} else if some := a.some[t.lock.id]; slices.Contains(some, uint32(next.id)) {
			b.WriteString(t.lock.kind.waitedFor(next.nameOf(), len(some)))
		} else {
			fmt.Fprintf(&b, " waits for %s", next.nameOf())
		}
	}
	return b.String()
}

// expects reports whether something may come from outside of the loop.
func (a *assembly) expects() bool {
	if a.looker.expects {
		return true
	}
	for i := range a.tasks {
		if a.tasks[i].canEnd {
			return true
		}
	}
	return false
}

// swallowed reports whether the task was cancelled long ago, has been told, and does
// something else than to wait for the end of others.
func (a *assembly) swallowed(i int) bool {
	t := &a.tasks[i]
	return t.asked != 0 && age(t.asked) >= swallowedLong && len(a.waits.on[i]) == 0
}

// heldLong returns the locks that a task has held for long, while it waited for
// something else than tasks and locks, and others waited for the lock.
func (a *assembly) heldLong(s *LoopSnapshot, now time.Time) (long []LockSnapshot) {
	if a.past == nil || a.looker == nil {
		return nil
	}
	before := a.past.locks
	a.past.locks = make(map[int]heldBefore, len(s.Locks))
	seen := make(map[int]*heldLock, len(s.Locks))
	for i := range a.tasks {
		if k := &a.tasks[i].lock; k.of != nil {
			seen[k.id] = k
		}
	}
	for _, k := range s.Locks {
		holder, alive := a.waits.byID[k.Holder]
		if !alive {
			continue
		}
		t := &a.tasks[holder]
		if !seen[k.ID].own { // it may be a signal, which another gives
			continue
		}
		if t.state != SightWaiting || t.lock.of != nil || len(a.waits.on[holder]) > 0 {
			continue
		}
		h := heldBefore{seen[k.ID].by, seen[k.ID].passes, now}
		if b := before[k.ID]; b.by == h.by && b.passes == h.passes {
			h.since = b.since
		}
		a.past.locks[k.ID] = h
		if now.Sub(h.since) >= heldLong {
			long = append(long, k)
		}
	}
	return long
}

// growing returns the groups that have grown in each of the last looks.
func (a *assembly) growing(s *LoopSnapshot, now time.Time) (all []StackGroup) {
	if a.past == nil || a.looker == nil {
		return nil
	}
	before, counts := a.past.grown, now.Sub(a.past.counted) >= growthEvery
	if counts {
		a.past.counted = now
		a.past.grown = make(map[string]growth, len(s.Groups))
	}
	groups, does := alike(s.Groups)
	for i, g := range groups {
		b, known := before[does[i]]
		n := b // as it was said last
		if counts {
			n = growth{count: g.Count}
			if known && g.Count > b.count {
				n.times = b.times + 1
			}
			a.past.grown[does[i]] = n
		}
		if n.times >= growthLooks {
			all = append(all, g)
		}
	}
	return all
}

// alike returns the groups of those that do the same, and what each does: groups that
// differ only in how they came there are one.
func alike(groups []StackGroup) (all []StackGroup, does []string) {
	at := make(map[string]int)
	for _, g := range groups {
		key := g.doing("waits", "is ready", "has not begun")
		if i, known := at[key]; known {
			all[i].Count += g.Count
			continue
		}
		at[key] = len(all)
		all, does = append(all, g), append(does, key)
	}
	return all, does
}
