package asyncio

import (
	"log/slog"
	"strconv"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// WithWatchdog has a goroutine look after the loop while it runs. If a task or a
// callback keeps the loop from going on for d, it reports by log/slog which task
// that is, the stack of its goroutine and the call that blocks: once, and then,
// when the loop goes on, how long that took. Zero or less is no watchdog. In debug
// mode there is one of a second, if none is asked for.
//
// It costs two timers in each d, and a callback in the loop if that is at work
// then; a block is noticed after d, and after twice d at the latest. To report one
// it stops the world for as long as it takes to print the stacks of all
// goroutines. The durations are those of the system's clock.
func WithWatchdog(d time.Duration) LoopOption {
	return loopOption(func(o *loopOptions) { watchPart.in(o.parts).asked = &d })
}

// A watch is what was asked for: nil is what the debug mode has.
type watch struct{ asked *time.Duration }

var watchPart = newPart[watch](endThreads, nil, nil)

func init() { whenRun = append(whenRun, (*Loop).watch) }

// A watchdog looks after a loop.
type watchdog struct {
	l        *Loop
	patience time.Duration
	stop     chan struct{}
	over     chan struct{}
}

// watch starts the loop's watchdog, if it is to have one, and returns what ends
// it.
func (l *Loop) watch() (stop func()) {
	var patience time.Duration
	if asked := watchPart.in(l.parts).asked; asked != nil {
		patience = *asked
	} else if l.debug {
		patience = debugEnvironment().watchdog
	}
	if patience <= 0 {
		return nil
	}
	w := &watchdog{l, patience, make(chan struct{}), make(chan struct{})}
	go w.life()
	return func() {
		close(w.stop)
		<-w.over
	}
}

func (w *watchdog) life() {
	defer close(w.over)
	defer knownGoroutine()()
	seen := w.l.seen()
	seen.watched.Store(true)
	defer seen.watched.Store(false)
	for w.sleeps() {
		if w.l.s.Waits() {
			seen.lag.add(0)
			continue
		}
		asked, answer := time.Now(), make(chan struct{})
		_, err := w.l.s.Post(func() {
			seen.lag.add(time.Since(asked))
			close(answer)
		})
		if err != nil {
			return
		}
		if w.answered(answer, w.patience) {
			continue
		}
		seen.blocks.Add(1)
		seen.blockedFrom.Store(int64(asked.Sub(started)))
		name := w.report()
		answered := w.answered(answer, sched.Never)
		seen.blockedFrom.Store(0)
		if answered {
			slog.Warn("asyncio: The loop goes on", "task", name, "blocked", time.Since(asked).Round(time.Millisecond))
		}
	}
}

// sleeps lets some time pass. It reports false if the run is over.
func (w *watchdog) sleeps() bool {
	select {
	case <-w.stop:
		return false
	case <-time.After(w.patience / 2):
		return true
	}
}

// answered waits for the loop for d. The end of the run is an answer, too, at
// which sleeps looks again.
func (w *watchdog) answered(answer chan struct{}, d time.Duration) bool {
	late := time.NewTimer(d)
	defer late.Stop()
	select {
	case <-answer:
		return true
	case <-w.stop:
		return true
	case <-late.C:
		return false
	}
}

// report tells what blocks the loop, and returns the name of the task.
func (w *watchdog) report() string {
	name := w.l.glimpse()
	about := []any{"task", name, "for", w.patience}
	if frames := whatBlocks(w.l.s).frames; len(frames) > 0 {
		about = append(about, "at", place(blockingCall(frames)), "stack", printFrames(frames))
	}
	slog.Warn("asyncio: The loop is blocked", about...)
	return name
}

// glimpse names the task that runs, for another goroutine. The loop is stuck, so
// what is read here was written long ago.
//
//go:norace
func (l *Loop) glimpse() string {
	st := l.s.Glimpse()
	if st == nil {
		return "none: a callback"
	}
	t := taskIn(st)
	name := "Task-" + strconv.FormatUint(t.number, 10)
	if t.name != nil {
		name = *t.name
	}
	return calledTask(name, uint64(st.Number()))
}
