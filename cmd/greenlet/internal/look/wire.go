package look

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
)

// A Snapshot is what a process does, in the JSON of version 1 that package asyncio
// writes, too. Times are in microseconds.
type Snapshot struct {
	V         int       `json:"v"`
	Time      time.Time `json:"time"`
	PID       int       `json:"pid"`
	Go        string    `json:"go"`
	Backend   string    `json:"backend"`
	Partial   bool      `json:"partial,omitempty"`
	Loops     []*Loop   `json:"loops"`
	Greenlets Greenlets `json:"greenlets"`
	Frames    []Frame   `json:"frames"`
}

// States of tasks and loops.
const (
	Created = "created"
	Ready   = "ready"
	Running = "running"
	Waiting = "waiting"
	Idle    = "idle"
	Blocked = "blocked"
	Stalled = "stalled"
)

// Kinds of locks.
const (
	kindLock      = "Lock"
	kindSemaphore = "Semaphore"
)

// A Loop is an event loop. What a look from outside does not know is zero.
type Loop struct {
	ID       uint64     `json:"id"`
	Name     string     `json:"name"`
	State    string     `json:"state"`
	Turns    uint64     `json:"turns,omitempty"`
	Steps    uint64     `json:"steps,omitempty"`
	Lag      int64      `json:"lag_us,omitempty"`
	Count    int        `json:"count,omitempty"` // of all tasks
	Blocked  *Block     `json:"blocked,omitempty"`
	Tasks    []*Task    `json:"tasks,omitempty"`
	Groups   []*Group   `json:"groups,omitempty"`
	Locks    []*Lock    `json:"locks,omitempty"`
	Cycles   [][]uint64 `json:"cycles,omitempty"`
	Lost     []Lost     `json:"lost,omitempty"`
	Warnings []Warning  `json:"warnings,omitempty"`
}

// A Block is what keeps a loop from going on.
type Block struct {
	For   int64  `json:"us"`
	Task  uint64 `json:"task,omitempty"`
	Name  string `json:"name,omitempty"`
	At    string `json:"at,omitempty"`
	Stack []int  `json:"stack,omitempty"`
	Busy  bool   `json:"busy,omitempty"` // it computes
}

// A Task is a task of a loop.
type Task struct {
	ID      uint64   `json:"id"`
	Name    string   `json:"name"`
	State   string   `json:"state"`
	Group   int      `json:"group,omitempty"`
	Awaits  []uint64 `json:"awaits,omitempty"`
	Lock    int      `json:"lock,omitempty"`
	By      []uint64 `json:"by,omitempty"`
	Cancels int      `json:"cancels,omitempty"`
}

// A Group is those that are in the same state in the same calls.
type Group struct {
	ID    int    `json:"id"`
	State string `json:"state"`
	Count int    `json:"count"`
	Stack []int  `json:"stack,omitempty"`
}

// A Lock is a lock for which tasks wait.
type Lock struct {
	ID          int      `json:"id"`
	Kind        string   `json:"kind"`
	Holder      uint64   `json:"holder,omitempty"`
	HolderName  string   `json:"holder_name,omitempty"`
	HolderEnded bool     `json:"holder_ended,omitempty"`
	Holders     []uint64 `json:"holders,omitempty"`
	Waiters     []uint64 `json:"waiters,omitempty"`

	passes uint64 // how often it has gone to one who had waited
	own    bool   // a semaphore that was released by who had acquired it, and by nobody else
}

// A Lost is an error that nobody has looked at.
type Lost struct {
	Task  uint64 `json:"task,omitempty"`
	Name  string `json:"name"`
	Error string `json:"error"`
	Age   int64  `json:"age_us"`
}

// A Warning is what is wrong, or looks so.
type Warning struct {
	ID   string `json:"id"`
	Task uint64 `json:"task,omitempty"`
	Text string `json:"text"`
}

// Greenlets counts the greenlets of all goroutines.
type Greenlets struct {
	Trees     int      `json:"trees,omitempty"`
	Live      int      `json:"live,omitempty"`
	Suspended int      `json:"suspended,omitempty"`
	Groups    []*Group `json:"groups,omitempty"`
}

// A Frame is a call.
type Frame struct {
	ID   int    `json:"id"`
	Func string `json:"func"`
	File string `json:"file"`
	Line int    `json:"line"`
}

// WriteJSON writes s on one line. Of a loop with more than 1,000 tasks only those are
// written that wait for others or are waited for, unless all is true.
func (s *Snapshot) WriteJSON(w io.Writer, all bool) error {
	short := *s
	short.Loops = make([]*Loop, len(s.Loops))
	for i, l := range s.Loops {
		c := *l
		c.Tasks = l.Matter(all)
		short.Loops[i] = &c
	}
	text, err := json.Marshal(&short)
	if err != nil {
		return err
	}
	_, err = w.Write(append(escapeControls(text), '\n'))
	return err
}

// Many is how many tasks of a loop are shown one by one at most.
const Many = 1000

// Matter returns the tasks to show.
func (l *Loop) Matter(all bool) []*Task {
	if all || len(l.Tasks) <= Many {
		return l.Tasks
	}
	named := make(map[uint64]bool)
	for _, x := range l.Warnings {
		named[x.Task] = true
	}
	for _, k := range l.Locks {
		named[k.Holder] = true
	}
	var some []*Task
	for _, t := range l.Tasks {
		if len(t.Awaits) > 0 || len(t.By) > 0 || t.Lock != 0 || t.State == Running || t.Cancels > 0 || named[t.ID] {
			some = append(some, t)
		}
	}
	return some
}

// escapeControls escapes what a terminal may obey and JSON allows: DEL and the
// controls from U+0080 on.
func escapeControls(text []byte) []byte {
	if !bytes.ContainsAny(text, "\x7f\u0080\u009f") && !bytes.Contains(text, []byte{0xc2}) {
		return text
	}
	var out []byte
	for _, r := range string(text) {
		if r >= 0x7f && r < 0xa0 {
			out = fmt.Appendf(out, `\u%04x`, r)
		} else {
			out = append(out, string(r)...)
		}
	}
	return out
}

// Tidy takes out of a snapshot that came from elsewhere what is not there: entries of
// lists that are null.
func (s *Snapshot) Tidy() {
	drop := func(groups []*Group) []*Group {
		return slices.DeleteFunc(groups, func(g *Group) bool { return g == nil })
	}
	s.Loops = slices.DeleteFunc(s.Loops, func(l *Loop) bool { return l == nil })
	s.Greenlets.Groups = drop(s.Greenlets.Groups)
	for _, l := range s.Loops {
		l.Tasks = slices.DeleteFunc(l.Tasks, func(t *Task) bool { return t == nil })
		l.Locks = slices.DeleteFunc(l.Locks, func(k *Lock) bool { return k == nil })
		l.Groups = drop(l.Groups)
		if l.Count == 0 {
			l.Count = len(l.Tasks)
		}
	}
}
