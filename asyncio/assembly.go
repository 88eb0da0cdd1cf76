package asyncio

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"path"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/go-greenlet/greenlet/internal/look"
)

// An assembly makes a LoopSnapshot of what was seen on a loop. It is the caller's, who
// may be on another goroutine than the loop.
type assembly struct {
	l     *Loop
	state SightState
	lag   time.Duration
	block *BlockSnapshot

	stalled     time.Duration // how long nothing has been there that could wake it
	looker      *looker       // nil: the loop has not come
	laggedSteps uint64        // steps of tasks during lag
	past        *past         // nil: somebody else looks

	tasks  []lookedTask
	groups []StackGroup
	of     []int // the index of the group of each task; -1: none
	links  []link
	lines  map[int][]uint64
	some   map[int][]uint32
	waits  waits

	byAddresses map[string]int // groups
	byFrames    map[string]int
	printed     map[uint64][]runtime.Frame
	key         []byte
}

func newAssembly(l *Loop) *assembly {
	return &assembly{l: l, lines: make(map[int][]uint64), some: make(map[int][]uint32), byAddresses: make(map[string]int), byFrames: make(map[string]int)}
}

// add adds what was seen.
func (a *assembly) add(seen *looked) {
	for i := range seen.tasks {
		t := seen.tasks[i]
		a.of = append(a.of, a.group(&t, seen))
		a.tasks = append(a.tasks, t)
	}
	a.links = append(a.links, seen.links...)
	maps.Copy(a.lines, seen.lines)
	maps.Copy(a.some, seen.some)
}

// group returns the index of the group that t belongs to.
func (a *assembly) group(t *lookedTask, seen *looked) int {
	if t.state == SightRunning {
		return -1
	}
	addresses := part(seen.addresses, t.addresses)
	if len(addresses) == 0 {
		return a.groupOf(t.state, a.printedFrames(part(seen.goroutines, t.goroutines)))
	}
	a.key = append(a.key[:0], t.state...)
	for _, pc := range addresses {
		a.key = binary.NativeEndian.AppendUint64(a.key, uint64(pc))
	}
	i, known := a.byAddresses[string(a.key)]
	if known {
		a.groups[i].Count++
		return i
	}
	key := string(a.key)
	i = a.groupOf(t.state, namedFrames(addresses))
	a.byAddresses[key] = i
	return i
}

// groupOf returns the index of the group with those frames, in which there is one more.
func (a *assembly) groupOf(state SightState, frames []runtime.Frame) int {
	a.key = append(a.key[:0], state...)
	for _, f := range frames {
		a.key = fmt.Append(a.key, " ", f.Function, ":", f.Line)
	}
	i, known := a.byFrames[string(a.key)]
	if !known {
		i = len(a.groups)
		a.byFrames[string(a.key)] = i
		a.groups = append(a.groups, StackGroup{State: state, Stack: ownCalls(frames)})
	}
	a.groups[i].Count++
	return i
}

// namedFrames returns the frames of the greenlets in which a task waits.
func namedFrames(addresses []uintptr) (all []runtime.Frame) {
	for len(addresses) > 0 {
		one := addresses
		if end := slices.Index(addresses, 0); end >= 0 {
			one, addresses = addresses[:end], addresses[end+1:]
		} else {
			addresses = nil
		}
		var frames []runtime.Frame
		for iter, more := runtime.CallersFrames(one), true; more; {
			var f runtime.Frame
			if f, more = iter.Next(); f.PC != 0 {
				frames = append(frames, f)
			}
		}
		all = append(all, look.Trim(frames)...)
	}
	return all
}

// printedFrames is namedFrames where only the numbers of goroutines are known.
func (a *assembly) printedFrames(goroutines []uint64) (all []runtime.Frame) {
	if len(goroutines) == 0 {
		return nil
	}
	if a.printed == nil {
		a.printed = look.Printed()
	}
	for _, g := range goroutines {
		all = append(all, a.printed[g]...)
	}
	return all
}

// finish returns the snapshot.
func (a *assembly) finish() *LoopSnapshot {
	s := &LoopSnapshot{
		ID:      a.l.id,
		Name:    a.l.Name(),
		State:   a.state,
		Stats:   a.l.Stats(),
		Lag:     a.lag,
		Blocked: a.block,
		Lost:    a.lost(),
	}
	s.Groups = a.sorted()
	s.Tasks = make([]TaskSnapshot, len(a.tasks))
	for i, t := range a.tasks {
		s.Tasks[i] = TaskSnapshot{ID: t.id, Name: t.nameOf(), State: t.state, Cancels: t.cancels}
		if g := a.of[i]; g >= 0 {
			s.Tasks[i].Group = a.groups[g].ID
		}
	}
	for i, on := range a.waits.on {
		for _, j := range on {
			s.Tasks[i].Awaits = append(s.Tasks[i].Awaits, a.tasks[j].id)
			s.Tasks[j].By = append(s.Tasks[j].By, a.tasks[i].id)
		}
		s.Tasks[i].Lock = a.tasks[i].lock.id
	}
	for _, c := range a.waits.cycles {
		var ids []uint64
		for _, i := range c {
			ids = append(ids, a.tasks[i].id)
		}
		s.Cycles = append(s.Cycles, ids)
	}
	s.Locks = a.locks()
	s.Warnings = a.warnings(s)
	return s
}

// locks lists the locks that tasks wait for.
func (a *assembly) locks() []LockSnapshot {
	var all []LockSnapshot
	at := make(map[int]int) // by ID
	noted := make(map[uint64]bool)
	for i := range a.tasks {
		t := &a.tasks[i]
		k := t.lock
		if k.of == nil {
			continue
		}
		n, known := at[k.id]
		if !known {
			n = len(all)
			at[k.id] = n
			lock := LockSnapshot{ID: k.id, Kind: k.kind.String(), Holder: uint64(k.by), Waiters: slices.Clip(a.lines[k.id])}
			if holder, alive := a.waits.byID[lock.Holder]; alive {
				lock.HolderName = a.tasks[holder].nameOf()
			} else if k.by != 0 {
				lock.HolderName = calledTask(k.former, uint64(k.by))
				lock.HolderEnded = a.waits.forgotten[k.id]
			}
			for _, by := range a.some[k.id] {
				lock.Holders = append(lock.Holders, uint64(by))
			}
			for _, id := range lock.Waiters {
				noted[id] = true
			}
			all = append(all, lock)
		}
		if !noted[t.id] {
			all[n].Waiters = append(all[n].Waiters, t.id)
		}
	}
	slices.SortFunc(all, func(x, y LockSnapshot) int { return cmp.Compare(x.ID, y.ID) })
	return all
}

func (t *lookedTask) nameOf() string { return calledTask(taskName(t.name, t.number), t.id) }

// sorted numbers the groups, the largest first, and returns them in that order.
func (a *assembly) sorted() []StackGroup {
	order := make([]int, len(a.groups))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(a.groups[y].Count, a.groups[x].Count) })
	all := make([]StackGroup, len(order))
	for i, g := range order {
		a.groups[g].ID = i + 1
		all[i] = a.groups[g]
	}
	return all
}

// lost lists the errors that nobody has looked at.
func (a *assembly) lost() (all []LostError) {
	lost := &a.l.lost
	for _, e := range lost.list() {
		lost.mu.Lock()
		name, task := cmp.Or(e.name, "a "+e.kind), e.task
		lost.mu.Unlock()
		_, short := withoutStacks(e.err)
		all = append(all, LostError{Task: task, Name: name, Err: short, Age: time.Since(started) - e.since})
	}
	return all
}

// ownCalls cuts frames, in which a task waits: to those from the call of this package
// on to the first one of the task's own.
func ownCalls(frames []runtime.Frame) []runtime.Frame {
	if len(frames) == 0 {
		return nil
	}
	frames = usersFrames(frames)
	if last := len(frames) - 1; last > 0 && strings.HasSuffix(frames[last].Function, ".coroutine.func1") {
		frames = frames[:last] // which makes a Coro of a function without a result
	}
	switch own := slices.IndexFunc(frames, func(f runtime.Frame) bool { return !inPackage(f) }); {
	case own < 0: // the task is a function of this package
		return frames[max(len(frames)-1, 0):]
	case own > 0:
		return frames[own-1:]
	default:
		return frames
	}
}

// shortPlace is where f is, for people who know the program.
func shortPlace(f runtime.Frame) string { return fmt.Sprintf("%s:%d", path.Base(f.File), f.Line) }
