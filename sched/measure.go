package sched

import "time"

// This file is for those who watch a loop at work.

// Measure has f told how long each step of a task took, in real time, after the
// step; nil ends it. The time that a task runs before it returns from StartNow
// is part of its caller's step. f runs on the hub and must not wait.
//
// While f is set every step begins and ends in the hub, which makes a hop
// several times slower. The order of everything stays the same. Owner only; it
// does not switch.
func (l *Loop) Measure(f func(t *Task, took time.Duration)) { l.measure = f }

// Waits reports whether the loop waits for an event or a timer: it has nothing
// to do. Any goroutine may call it; it does not switch.
func (l *Loop) Waits() bool { return l.waits.Load() }

// Glimpse returns the task whose step it is, or was a moment ago, and nil in a
// callback: Current for another goroutine, which has found out that the loop is
// stuck. While the loop works the answer is old when it comes. Any goroutine may
// call it; it does not switch.
//
//go:norace
func (l *Loop) Glimpse() *Task { return l.current }
