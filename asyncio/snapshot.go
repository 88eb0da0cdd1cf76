package asyncio

import (
	"cmp"
	"context"
	"iter"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/go-greenlet/greenlet"
)

// A Snapshot says what loops and their tasks do at a moment: see Loop.Snapshot. It
// is the caller's, and refers to no task. MarshalJSON, WriteTo and WriteDOT write
// it.
type Snapshot struct {
	Time    time.Time // when it was begun
	PID     int       // of the process
	Go      string    // the release of Go that has built the program
	Backend string    // the switch: greenlet.Backend().Name

	// Partial tells that a loop did not come to it in time, or is in a testing/synctest
	// bubble and the caller is not: of that one there is only what can be had without it.
	Partial bool

	Loops     []*LoopSnapshot   // in the order in which they were asked for
	Greenlets GreenletsSnapshot // of all goroutines
}

// A SightState says in one word what a task or a loop does.
type SightState string

// The states. A task is one of the first four, a loop one of the last four.
const (
	SightCreated SightState = "created" // it has not begun
	SightReady   SightState = "ready"   // it goes on in the next turn of the loop
	SightWaiting SightState = "waiting" // somebody has to make it ready
	SightRunning SightState = "running" // it was at work when the look came
	SightIdle    SightState = "idle"    // the loop waits for what it knows will come, or does not run
	SightStalled SightState = "stalled" // the loop waits, and knows of nothing that will wake it
	SightBlocked SightState = "blocked" // a task or callback keeps the loop from going on
)

// A LoopSnapshot is a loop in a Snapshot.
type LoopSnapshot struct {
	ID    uint64        // of the loop, from 1 on, in the order in which the process has made them
	Name  string        // see Loop.Name
	State SightState    // one of the last four
	Stats LoopStats     // at the end of the look
	Lag   time.Duration // how long the loop took to come to the snapshot

	Blocked  *BlockSnapshot // if the loop is blocked
	Tasks    []TaskSnapshot // that have not ended, in the order in which they were made
	Groups   []StackGroup   // of tasks that do the same, the largest first
	Locks    []LockSnapshot // for which tasks wait
	Cycles   [][]uint64     // tasks that wait for each other in a circle, by their IDs
	Lost     []LostError    // errors that nobody has looked at, the oldest first
	Warnings []Warning      // in the order of their IDs
}

// A BlockSnapshot tells what keeps a loop from going on.
type BlockSnapshot struct {
	For   time.Duration   // how long it has done so at least
	Task  uint64          // the ID of the task that does; 0 if it is a callback
	Name  string          // of the task
	At    string          // the innermost call that is not the standard library's, as "file.go:12"
	Stack []runtime.Frame // the calls, the innermost first
	Busy  bool            // it computes; else it is in a call that waits
}

// A TaskSnapshot is a task in a LoopSnapshot.
type TaskSnapshot struct {
	ID      uint64     // from 1 on, in the order in which the loop's tasks were made
	Name    string     // as Task.Name returns it; "task 7", by its ID, if nothing is to be seen of that
	State   SightState // one of the first four
	Group   int        // the ID of its StackGroup; 0 if its stack is not known
	Awaits  []uint64   // the tasks that it waits for, also by Gather, Wait, Shield or as a TaskGroup
	By      []uint64   // the tasks that wait for it
	Lock    int        // the ID of the LockSnapshot that it waits for; 0 if it waits for none
	Cancels int        // requests to cancel it that were not taken back
}

// A StackGroup is the tasks of a loop that are in the same state in the same calls.
type StackGroup struct {
	ID    int        // from 1 on
	State SightState // of each task
	Count int        // of tasks

	// Stack is the calls, the innermost first: from the call of this package in which
	// they wait to the first one of their own. It is empty for tasks that have not
	// begun.
	Stack []runtime.Frame
}

// A LockSnapshot is a Lock, or a Semaphore of one, for which tasks wait. In debug mode it is
// a Semaphore of more, too.
type LockSnapshot struct {
	ID   int    // from 1 on, in the order in which the loop's locks were first seen
	Kind string // "Lock" or "Semaphore"

	// Holder is the task that has acquired it last: 0 if none has, as far as that is
	// known. It may be a callback or another task that will release it.
	Holder      uint64
	HolderName  string
	HolderEnded bool

	// Holders is, of a Semaphore of more than one, the tasks that have acquired it and not
	// released it, in the order in which the tasks were made.
	Holders []uint64

	Waiters []uint64 // tasks, in the order in which they will get it
}

// A LostError is an error of a task or future that nobody has looked at yet.
type LostError struct {
	Task uint64        // the ID of the task; 0 if it is a future's
	Name string        // of the task, else what it is
	Err  error         // without the stacks of panics
	Age  time.Duration // since it came
}

// A Warning is something that is wrong with a loop, or looks so.
type Warning struct {
	ID   string // "W1" to "W11": see docs/sight.md
	Task uint64 // the ID of the task that it is about, if it is about one
	Text string // what is wrong, on one line
}

// A GreenletsSnapshot counts the greenlets of all goroutines.
type GreenletsSnapshot struct {
	Trees, Live, Suspended int // see greenlet.Stats

	// Groups is those that are suspended, by their stacks. It is there only if the
	// Snapshot is Partial: else the loops have them.
	Groups []StackGroup
}

// RunningLoops returns the loops that run, in the order in which they were made. Any
// goroutine may call it; it does not switch.
func RunningLoops() iter.Seq[*Loop] {
	all := runningLoops.all()
	slices.SortFunc(all, func(a, b *Loop) int { return cmp.Compare(a.id, b.id) })
	return slices.Values(all)
}

// Snapshot returns what l and its tasks do. It does not stop the loop for long: at
// most 256 tasks are looked at in one go, and what they wait in is named later, once
// for all that wait at the same place. A task that is made meanwhile may be missing;
// one that changes meanwhile is as it was when it was looked at.
//
// Any goroutine may call it. It waits until the loop comes to it; if that takes longer
// than half a second, in which it takes no step of a task, the loop is blocked, and the
// Snapshot partial: it has what blocks it, its counters and its lost errors. For a loop
// that goes on it waits for three seconds; then the Snapshot is partial, too. On the goroutine on which the loop
// runs, or ran last, the look is one go, however many tasks there are. It does not
// switch. The error is ErrLoopClosed, or that of ctx.
//
// Cost: some 3 microseconds of the loop's time for each task, and as much of the caller's.
func (l *Loop) Snapshot(ctx context.Context) (*Snapshot, error) {
	return TakeSnapshot(ctx, l)
}

// TakeSnapshot is Loop.Snapshot of several loops, one after the other: those that
// run, if none are given. One that is closed is left out, unless it is the only one
// that is given.
func TakeSnapshot(ctx context.Context, loops ...*Loop) (*Snapshot, error) {
	if len(loops) == 0 {
		return snapshotOf(ctx, slices.Collect(RunningLoops()), true)
	}
	return snapshotOf(ctx, loops, len(loops) > 1)
}

// snapshotOf is TakeSnapshot. leaves is whether a loop that is closed is left out, as one
// may be that ran a moment ago.
func snapshotOf(ctx context.Context, loops []*Loop, leaves bool) (*Snapshot, error) {
	s := &Snapshot{
		Time:    time.Now(),
		PID:     os.Getpid(),
		Go:      runtime.Version(),
		Backend: greenlet.Backend().Name,
	}
	for _, l := range loops {
		one, partial, err := l.look(ctx)
		switch {
		case err == ErrLoopClosed && leaves:
			continue
		case err != nil:
			return nil, err
		}
		s.Partial = s.Partial || partial
		s.Loops = append(s.Loops, one)
	}
	counts := greenlet.Stats()
	s.Greenlets = GreenletsSnapshot{Trees: counts.Trees, Live: counts.Live, Suspended: counts.Suspended}
	return s, nil
}
