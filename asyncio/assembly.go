package asyncio

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strconv"
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

	tasks  []lookedTask
	groups []StackGroup
	of     []int // the index of the group of each task; -1: none
	links  []link

	byAddresses map[string]int // groups
	byFrames    map[string]int
	printed     map[uint64][]runtime.Frame
	key         []byte
}

func newAssembly(l *Loop) *assembly {
	return &assembly{l: l, byAddresses: make(map[string]int), byFrames: make(map[string]int)}
}

// add adds what was seen.
func (a *assembly) add(seen *looked) {
	for i := range seen.tasks {
		t := seen.tasks[i]
		a.of = append(a.of, a.group(&t, seen))
		a.tasks = append(a.tasks, t)
	}
	a.links = append(a.links, seen.links...)
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
	a.waits(s)
	return s
}

func (t *lookedTask) nameOf() string {
	if t.name != nil {
		return *t.name
	}
	return "Task-" + strconv.FormatUint(t.number, 10)
}

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

// waits notes in s who waits for whom.
func (a *assembly) waits(s *LoopSnapshot) {
	index := make(map[*core]int, len(a.tasks))
	for i, t := range a.tasks {
		index[t.self] = i
	}
	from := make(map[*core][]link) // what is waited for by a future that follows
	for _, k := range a.links {
		from[k.to] = append(from[k.to], k)
	}
	for i := range a.tasks {
		t := &a.tasks[i]
		found := make(map[int]bool)
		add := func(j int) {
			if !found[j] {
				found[j] = true
				s.Tasks[i].Awaits = append(s.Tasks[i].Awaits, s.Tasks[j].ID)
			}
		}
		seen := map[*core]bool{}
		var follow func(f *core)
		follow = func(f *core) {
			if seen[f] {
				return
			}
			seen[f] = true
			for _, k := range from[f] {
				if j, is := index[k.from]; is {
					add(j)
				} else {
					follow(k.from)
				}
			}
		}
		follow(t.self)
		if t.on != nil {
			if j, is := index[t.on]; is {
				add(j)
			} else {
				follow(t.on)
			}
		}
		slices.Sort(s.Tasks[i].Awaits)
	}
	at := make(map[uint64]int, len(s.Tasks))
	for i := range s.Tasks {
		at[s.Tasks[i].ID] = i
	}
	for i := range s.Tasks {
		for _, id := range s.Tasks[i].Awaits {
			by := &s.Tasks[at[id]].By
			*by = append(*by, s.Tasks[i].ID)
		}
	}
}

// lost lists the errors that nobody has looked at.
func (a *assembly) lost() (all []LostError) {
	for _, e := range a.l.lost.list() {
		name := e.name
		if name == "" {
			name = "a " + e.kind
		}
		_, short := withoutStacks(e.err)
		all = append(all, LostError{Task: e.task, Name: name, Err: short, Age: time.Since(e.since)})
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
