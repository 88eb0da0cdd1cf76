package sched

import "time"

// Counts is what a loop has to do, and what it has done since it was made.
type Counts struct {
	Tasks       int // that have not ended
	Ready       int // callbacks, and steps of tasks
	Timers      int // that are set, sleeping tasks among them
	Descriptors int // that are watched
	IdleWorkers int // greenlets that wait for a task

	Created uint64 // tasks
	Steps   uint64 // of tasks
	Turns   uint64 // of the loop
	Posts   uint64 // calls of Post

	Idle time.Duration // how long the loop has waited for something to do, in real time
}

// Counts returns the loop's counts. Any goroutine may call it; it does not switch. On
// another one than the loop's the numbers are those of some moments ago, each of
// another, and of no use to decide anything: they are read while the loop goes on,
// so that it pays nothing for them.
func (l *Loop) Counts() Counts {
	c := l.counts()
	l.inbox.mu.Lock()
	c.Posts = l.inbox.posts
	l.inbox.mu.Unlock()
	return c
}

// counts is the part that the loop's goroutine writes without a thought of others.
//
//go:norace
func (l *Loop) counts() Counts {
	c := Counts{
		Tasks:       l.live,
		Ready:       max(0, int(l.ready.tail-l.ready.head)) + len(l.quiet),
		Timers:      l.timers.set,
		IdleWorkers: len(l.idle.free),
		Created:     l.made,
		Steps:       l.ready.before + uint64(l.ready.head) - l.notSteps,
		Turns:       l.turns,
		Idle:        l.slept,
	}
	if p, ok := l.poller.(interface{ descriptors() int }); ok {
		c.Descriptors = p.descriptors()
	}
	if from := l.sleeps; from != 0 {
		c.Idle += max(0, time.Since(began)-from)
	}
	return c
}

// Still reports whether nothing that the loop knows of will make it go on: nothing
// is ready or was posted, no timer is set, no descriptor watched, nothing held. Owner
// only; it does not switch.
func (l *Loop) Still() bool {
	return l.attention.Load() == 0 && l.ready.len() == 0 && len(l.quiet) == 0 && l.timers.set == 0 && !l.poller.Busy() && l.held.Load() == 0
}
