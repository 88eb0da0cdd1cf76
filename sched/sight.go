package sched

import "github.com/go-greenlet/greenlet/internal/rt"

// What the sight table says of loops and tasks: see package rt.
func init() {
	var l Loop
	rt.Tell("sched.loops", rt.Address(&running.first))
	rt.Tell("sched.Loop.nextRunning", rt.Offset(&l, &l.running.next))
	rt.Tell("sched.Loop.first", rt.Offset(&l, &l.first))
	rt.Tell("sched.Loop.current", rt.Offset(&l, &l.current))
	rt.Tell("sched.Loop.turns", rt.Offset(&l, &l.turns))
	rt.Tell("sched.Loop.live", rt.Offset(&l, &l.live))
	rt.Tell("sched.Loop.hub", rt.Offset(&l, &l.hub))
	rt.Tell("sched.Loop.waits", rt.Offset(&l, &l.waits))
	rt.Tell("sched.Loop.ready.head", rt.Offset(&l, &l.ready.head))
	rt.Tell("sched.Loop.ready.tail", rt.Offset(&l, &l.ready.tail))
	rt.Tell("sched.Loop.ready.before", rt.Offset(&l, &l.ready.before))
	rt.Tell("sched.Loop.notSteps", rt.Offset(&l, &l.notSteps))
	rt.Tell("sched.Loop.slept", rt.Offset(&l, &l.slept))
	rt.Tell("sched.Loop.sleeps", rt.Offset(&l, &l.sleeps))
	var t Task
	rt.Tell("sched.Task.next", rt.Offset(&t, &t.next))
	rt.Tell("sched.Task.in", rt.Offset(&t, &t.in))
	rt.Tell("sched.Task.g", rt.Offset(&t, &t.g))
	rt.Tell("sched.Task.queued", rt.Offset(&t, &t.queued))
	rt.Tell("sched.Task.number", rt.Offset(&t, &t.number))
	rt.Tell("sched.Task.alarm", rt.Offset(&t, &t.alarm))
	rt.Tell("sched.Task.size", rt.Size(&t))
}
