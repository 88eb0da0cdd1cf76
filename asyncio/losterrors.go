package asyncio

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"
	"weak"

	"github.com/go-greenlet/greenlet/sched"
)

// lostErrors are the errors of futures and tasks that nobody has looked at yet.
// The futures themselves are not kept: one that is collected has its error
// reported, as in Python, and the rest is reported when the loop is closed.
//
// A program that only waits never collects, and it may wait for the very task that
// has failed. So when the loop has been idle for a second the collector is run, and
// again when the error is twice as old, and so on. That tells those errors that
// nobody can look at any more, and never one that somebody may still ask for. Where
// the clock jumps, a second is over at once, and a look costs far more than what it
// looks at: there all errors share one pause, twice as long each time.
type lostErrors struct {
	mu          sync.Mutex
	first, last *lostError   // in the order in which they came; a list, so that it can be read from outside
	n           uint64       // how many there have been
	some        atomic.Int64 // how many there are

	asked atomic.Bool // the loop is to report

	// The loop's.
	looks bool          // the collector is at work for them
	seen  uint64        // those up to this n have a time
	next  time.Duration // the first of the times
	rest  time.Duration // how long no look may follow the last one, where the clock jumps
	rests time.Duration // and until when
}

const (
	lostPatience    = time.Second    // until it is looked whether an error is lost
	lostPatienceMax = 24 * time.Hour // after that only collections for other reasons tell
)

// A lostError is an error that nobody has looked at.
type lostError struct {
	loop *Loop
	kind string // "Future" or "Task"
	name string
	err  error
	made *source
	in   bool // the list
	next *lostError
	prev *lostError

	since time.Duration // when it came, counted from started
	task  uint64        // the number of the task, if it is one's

	of   weak.Pointer[core] // whose it is
	wait time.Duration      // how long until the next look; 0: the loop was not idle yet
	due  time.Duration      // when that is, on the loop's clock
}

// remember notes that f has failed with err.
func (lost *lostErrors) remember(f *core, err error, kind string) {
	e := &lostError{loop: f.loop, kind: kind, err: err, made: f.made, of: weak.Make(f), since: time.Since(started)}
	f.lost = e
	lost.mu.Lock()
	lost.n++
	e.in, e.prev = true, lost.last
	if lost.last == nil {
		lost.first = e
	} else {
		lost.last.next = e
	}
	lost.last = e
	lost.some.Add(1)
	lost.mu.Unlock()
	runtime.AddCleanup(f, (*Loop).someLost, f.loop)
}

// isOf notes that e is the error of t.
func (e *lostError) isOf(t *task) {
	e.loop.lost.mu.Lock()
	e.name, e.task = t.called(), uint64(t.st.Number())
	e.loop.lost.mu.Unlock()
}

// someLost has the loop report, for one error or many whose futures are gone. The
// collector's goroutine only asks: the errors stay in the list until they are
// reported, so a clock that jumps cannot come in between, and their order is kept.
func (l *Loop) someLost() {
	if l.lost.asked.CompareAndSwap(false, true) {
		l.afterCleanup(func() {
			l.lost.asked.Store(false)
			l.lost.tell()
		})
	}
}

// forget reports whether e was still among the lost ones.
func (e *lostError) forget() bool {
	lost := &e.loop.lost
	lost.mu.Lock()
	defer lost.mu.Unlock()
	if !e.in {
		return false
	}
	if e.prev == nil {
		lost.first = e.next
	} else {
		e.prev.next = e.next
	}
	if e.next == nil {
		lost.last = e.prev
	} else {
		e.next.prev = e.prev
	}
	e.in, e.next, e.prev = false, nil, nil
	lost.some.Add(-1)
	return true
}

func (e *lostError) report() {
	e.loop.CallExceptionHandler(ExceptionContext{
		Message:   e.kind + " exception was never retrieved",
		Exception: e.err,
		Name:      e.name,
		Source:    e.made.frames(),
	})
}

// reportAll reports what is left, when the loop is closed.
func (lost *lostErrors) reportAll() {
	for _, e := range lost.list() {
		if e.forget() {
			e.report()
		}
	}
}

// list returns what is there, in order.
func (lost *lostErrors) list() (all []*lostError) {
	lost.mu.Lock()
	defer lost.mu.Unlock()
	for e := lost.first; e != nil; e = e.next {
		all = append(all, e)
	}
	return all
}

// idle looks after the lost errors when the loop is about to wait, and returns when
// to look again.
func (lost *lostErrors) idle(l *Loop) (again time.Duration) {
	if lost.looks || lost.some.Load() == 0 {
		return sched.Never
	}
	now := l.Time()
	if now < lost.rests {
		return lost.rests
	}
	if lost.seen == lost.n && now < lost.next {
		return lost.next
	}
	looks := false
	lost.next, lost.seen = sched.Never, lost.n
	lost.mu.Lock()
	for e := lost.first; e != nil; e = e.next {
		switch {
		case e.wait == 0:
			e.wait = lostPatience
			e.due = now + e.wait
		case e.due <= now:
			looks = true
			if e.wait *= 2; e.wait < lostPatienceMax {
				e.due = now + e.wait
			} else {
				e.due = sched.Never
			}
		}
		lost.next = min(lost.next, e.due)
	}
	lost.mu.Unlock()
	if !looks {
		return lost.next
	}
	lost.looks = true
	if l.virtual {
		lost.rest = max(2*lost.rest, lostPatience)
		lost.rests = now + lost.rest
	}
	l.s.Hold() // a clock that jumps waits for what this brings
	go func() {
		defer l.s.Release()
		runtime.GC()
		l.s.Post(lost.collected)
	}()
	return sched.Never
}

// collected is told when the collection is over that idle has asked for.
func (lost *lostErrors) collected() {
	lost.looks = false
	lost.tell()
}

// tell reports the errors of which the futures are gone.
func (lost *lostErrors) tell() {
	for _, e := range lost.list() {
		if e.of.Value() == nil && e.forget() {
			e.report()
		}
	}
}
