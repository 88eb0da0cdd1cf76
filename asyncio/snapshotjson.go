package asyncio

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"time"
)

// The JSON of a Snapshot is for programs of other releases, too: version 1. Fields
// that are zero are left out, times are in microseconds, and readers ignore what they
// do not know.

// jsonTasks is how many tasks of a loop are written at most, unless all are asked for
// or more of them matter.
const jsonTasks = 1000

type wireSnapshot struct {
	V         int           `json:"v"`
	Time      time.Time     `json:"time"`
	PID       int           `json:"pid"`
	Go        string        `json:"go"`
	Backend   string        `json:"backend"`
	Partial   bool          `json:"partial,omitempty"`
	Loops     []wireLoop    `json:"loops"`
	Greenlets wireGreenlets `json:"greenlets"`
	Frames    []wireFrame   `json:"frames"`
}

type wireLoop struct {
	ID       uint64      `json:"id"`
	Name     string      `json:"name"`
	State    SightState  `json:"state"`
	Turns    uint64      `json:"turns,omitempty"`
	Steps    uint64      `json:"steps,omitempty"`
	Lag      int64       `json:"lag_us,omitempty"`
	Count    int         `json:"count,omitempty"` // of all tasks
	Blocked  *wireBlock  `json:"blocked,omitempty"`
	Tasks    []wireTask  `json:"tasks,omitempty"`
	Groups   []wireGroup `json:"groups,omitempty"`
	Locks    []wireLock  `json:"locks,omitempty"`
	Cycles   [][]uint64  `json:"cycles,omitempty"`
	Lost     []wireLost  `json:"lost,omitempty"`
	Warnings []wireWarn  `json:"warnings,omitempty"`
}

type wireBlock struct {
	For   int64  `json:"us"`
	Task  uint64 `json:"task,omitempty"`
	Name  string `json:"name,omitempty"`
	At    string `json:"at,omitempty"`
	Stack []int  `json:"stack,omitempty"`
	Busy  bool   `json:"busy,omitempty"`
}

type wireTask struct {
	ID      uint64     `json:"id"`
	Name    string     `json:"name"`
	State   SightState `json:"state"`
	Group   int        `json:"group,omitempty"`
	Awaits  []uint64   `json:"awaits,omitempty"`
	Lock    int        `json:"lock,omitempty"`
	By      []uint64   `json:"by,omitempty"`
	Cancels int        `json:"cancels,omitempty"`
}

type wireGroup struct {
	ID    int        `json:"id"`
	State SightState `json:"state"`
	Count int        `json:"count"`
	Stack []int      `json:"stack,omitempty"`
}

type wireLock struct {
	ID          int      `json:"id"`
	Kind        string   `json:"kind"`
	Holder      uint64   `json:"holder,omitempty"`
	HolderName  string   `json:"holder_name,omitempty"`
	HolderEnded bool     `json:"holder_ended,omitempty"`
	Holders     []uint64 `json:"holders,omitempty"`
	Waiters     []uint64 `json:"waiters,omitempty"`
}

type wireLost struct {
	Task  uint64 `json:"task,omitempty"`
	Name  string `json:"name"`
	Error string `json:"error"`
	Age   int64  `json:"age_us"`
}

type wireWarn struct {
	ID   string `json:"id"`
	Task uint64 `json:"task,omitempty"`
	Text string `json:"text"`
}

type wireGreenlets struct {
	Trees     int         `json:"trees,omitempty"`
	Live      int         `json:"live,omitempty"`
	Suspended int         `json:"suspended,omitempty"`
	Groups    []wireGroup `json:"groups,omitempty"`
}

type wireFrame struct {
	ID   int    `json:"id"`
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// MarshalJSON returns s as JSON, version 1: see WriteJSON, of which it is the shorter
// form. The error is nil.
func (s *Snapshot) MarshalJSON() ([]byte, error) { return json.Marshal(s.wire(false)) }

// WriteJSON writes s to w as JSON, version 1, on one line. Of a loop with more than
// 1,000 tasks it writes only those that matter, unless all is true: those that wait
// for tasks or are waited for, that wait for a lock or hold one, that run, that were
// cancelled or that a warning is about. The groups have all of them. The error is
// that of w. docs/sight.md has the fields.
func (s *Snapshot) WriteJSON(w io.Writer, all bool) error {
	return json.NewEncoder(w).Encode(s.wire(all))
}

// A frameTable numbers frames, from 1 on.
type frameTable struct {
	ids map[wireFrame]int
	all []wireFrame
}

func (t *frameTable) stack(frames []runtime.Frame) []int {
	var ids []int
	for _, f := range frames {
		w := wireFrame{Func: f.Function, File: f.File, Line: f.Line}
		id := t.ids[w]
		if id == 0 {
			id = len(t.all) + 1
			t.ids[w] = id
			t.all = append(t.all, wireFrame{id, w.Func, w.File, w.Line})
		}
		ids = append(ids, id)
	}
	return ids
}

func (t *frameTable) groups(groups []StackGroup) (all []wireGroup) {
	for _, g := range groups {
		all = append(all, wireGroup{g.ID, g.State, g.Count, t.stack(g.Stack)})
	}
	return all
}

func (s *Snapshot) wire(all bool) *wireSnapshot {
	frames := frameTable{ids: make(map[wireFrame]int), all: []wireFrame{}}
	w := &wireSnapshot{
		V: 1, Time: s.Time.UTC().Truncate(time.Microsecond), PID: s.PID, Go: s.Go, Backend: s.Backend, Partial: s.Partial,
		Loops:     []wireLoop{},
		Greenlets: wireGreenlets{s.Greenlets.Trees, s.Greenlets.Live, s.Greenlets.Suspended, frames.groups(s.Greenlets.Groups)},
	}
	for _, l := range s.Loops {
		w.Loops = append(w.Loops, l.wire(&frames, all))
	}
	w.Frames = frames.all
	return w
}

func (l *LoopSnapshot) wire(frames *frameTable, all bool) wireLoop {
	w := wireLoop{
		ID: l.ID, Name: l.Name, State: l.State,
		Turns: l.Stats.Turns, Steps: l.Stats.Steps, Lag: l.Lag.Microseconds(), Count: l.Stats.Tasks,
		Groups: frames.groups(l.Groups),
		Cycles: l.Cycles,
	}
	if b := l.Blocked; b != nil {
		w.Blocked = &wireBlock{b.For.Microseconds(), b.Task, b.Name, b.At, frames.stack(b.Stack), b.Busy}
	}
	matters := l.matters(all)
	for _, t := range l.Tasks {
		if matters(&t) {
			w.Tasks = append(w.Tasks, wireTask{t.ID, t.Name, t.State, t.Group, t.Awaits, t.Lock, t.By, t.Cancels})
		}
	}
	for _, k := range l.Locks {
		w.Locks = append(w.Locks, wireLock(k))
	}
	for _, e := range l.Lost { // Sprint, not Error: a nil of the error's type panics there
		w.Lost = append(w.Lost, wireLost{e.Task, e.Name, fmt.Sprint(e.Err), e.Age.Microseconds()})
	}
	for _, x := range l.Warnings {
		w.Warnings = append(w.Warnings, wireWarn(x))
	}
	return w
}

// matters returns what tells which tasks to write.
func (l *LoopSnapshot) matters(all bool) func(t *TaskSnapshot) bool {
	if all || len(l.Tasks) <= jsonTasks {
		return func(*TaskSnapshot) bool { return true }
	}
	named := make(map[uint64]bool)
	for _, x := range l.Warnings {
		named[x.Task] = true
	}
	for _, k := range l.Locks {
		named[k.Holder] = true
		for _, holder := range k.Holders {
			named[holder] = true
		}
	}
	return func(t *TaskSnapshot) bool {
		return len(t.Awaits) > 0 || len(t.By) > 0 || t.Lock != 0 || t.State == SightRunning || t.Cancels > 0 || named[t.ID]
	}
}
