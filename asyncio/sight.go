package asyncio

import (
	"errors"
	"fmt"

	"github.com/go-greenlet/greenlet/internal/rt"
)

// What the sight table says of loops, tasks and who waits for them: see package rt.
// What the waiter of a future is, the table of its interface tells.
func init() {
	var l Loop
	rt.Tell("asyncio.loops", rt.Address(&runningLoops.first))
	rt.Tell("asyncio.Loop.nextRunning", rt.Offset(&l, &l.running.next))
	rt.Tell("asyncio.Loop.s", rt.Offset(&l, &l.s))
	rt.Tell("asyncio.Loop.id", rt.Offset(&l, &l.id))
	rt.Tell("asyncio.Loop.name", rt.Offset(&l, &l.name))
	var t task
	rt.Tell("asyncio.task.core", rt.Offset(&t, &t.core))
	rt.Tell("asyncio.task.name", rt.Offset(&t, &t.name))
	rt.Tell("asyncio.task.number", rt.Offset(&t, &t.number))
	rt.Tell("asyncio.task.cancels", rt.Offset(&t, &t.cancels))
	rt.Tell("asyncio.task.size", rt.Size(&t))
	rt.Tell("asyncio.task.at", rt.Offset(&t, &t.at))
	var h holding
	rt.Tell("asyncio.holding.by", rt.Offset(&h, &h.by))
	rt.Tell("asyncio.holding.kind", rt.Offset(&h, &h.kind))
	rt.Tell("asyncio.holdsLock", uintptr(holdsLock))
	rt.Tell("asyncio.holdsSemaphore", uintptr(holdsSemaphore))
	rt.Tell("asyncio.Loop.holders", rt.Offset(&l, &l.holders.names))
	var former formerHolder
	rt.Tell("asyncio.former.size", rt.Size(&former))
	rt.Tell("asyncio.former.task", rt.Offset(&former, &former.task))
	rt.Tell("asyncio.former.number", rt.Offset(&former, &former.number))
	rt.Tell("asyncio.former.name", rt.Offset(&former, &former.name))
	var f core
	rt.Tell("asyncio.core.loop", rt.Offset(&f, &f.loop))
	rt.Tell("asyncio.core.waiter", rt.Offset(&f, &f.waiter))
	var ws waiters
	rt.Tell("asyncio.waiters.entries", rt.Offset(&ws, &ws.entries))
	rt.Tell("asyncio.waiters.entry", rt.Size(&ws.few[0]))
	rt.Tell("asyncio.waiters.entry.of", rt.Offset(&ws.few[0], &ws.few[0].of))
	var m member
	rt.Tell("asyncio.member.tg", rt.Offset(&m, &m.tg))
	var tg TaskGroup
	rt.Tell("asyncio.TaskGroup.parent", rt.Offset(&tg, &tg.parent))
	rt.Tell("asyncio.TaskGroup.empty", rt.Offset(&tg, &tg.empty))
	var w waitSet
	rt.Tell("asyncio.waitSet.over", rt.Offset(&w, &w.over))
	rt.Tell("asyncio.waitSet.when", rt.Offset(&w, &w.when))
	rt.Tell("asyncio.waitSet.timer", rt.Offset(&w, &w.timer))
	rt.Tell("asyncio.AllCompleted", uintptr(AllCompleted))
	for _, kind := range []struct {
		name string
		of   waiter
	}{
		{"asyncio.is.task", (*task)(nil)},
		{"asyncio.is.waiters", (*waiters)(nil)},
		{"asyncio.is.member", (*member)(nil)},
		{"asyncio.is.waitSet", (*waitSet)(nil)},
	} {
		rt.Tell(kind.name, rt.Word(&kind.of))
	}
	tellWarnings()
}

// tellWarnings tells what the warnings need.
func tellWarnings() {
	var l Loop
	rt.Tell("asyncio.started", rt.Address(&startedOnClock))
	rt.Tell("asyncio.Loop.parts", rt.Offset(&l, &l.parts))
	rt.Tell("asyncio.parts.sight", uintptr(sightPart.index)*rt.Size(new(any))+rt.Size(new(uintptr))) // behind the type
	var s sight
	rt.Tell("asyncio.sight.blockedFrom", rt.Offset(&s, &s.blockedFrom))
	rt.Tell("asyncio.sight.stillFrom", rt.Offset(&s, &s.stillFrom))
	rt.Tell("asyncio.sight.stillSteps", rt.Offset(&s, &s.stillSteps))
	rt.Tell("asyncio.sight.expects", rt.Offset(&s, &s.expects))
	var t task
	rt.Tell("asyncio.task.fut", rt.Offset(&t, &t.fut))
	rt.Tell("asyncio.task.watcher", rt.Offset(&t, &t.watcher))
	rt.Tell("asyncio.task.must", rt.Offset(&t, &t.must))
	rt.Tell("asyncio.task.wait", rt.Offset(&t, &t.wait))
	rt.Tell("asyncio.aborted", uintptr(aborted))
	rt.Tell("asyncio.core.asked", rt.Offset(&t.core, &t.asked))
	rt.Tell("asyncio.core.takes", rt.Offset(&t.core, &t.takes))
	var w watcher
	rt.Tell("asyncio.watcher.armed", rt.Offset(&w, &w.armed))
	var h holding
	rt.Tell("asyncio.holding.passes", rt.Offset(&h, &h.passes))
	rt.Tell("asyncio.holding.own", rt.Offset(&h, &h.own))
	rt.Tell("asyncio.holding.handed", rt.Offset(&h, &h.handed))
	rt.Tell("asyncio.Loop.lost", rt.Offset(&l, &l.lost.first))
	var e lostError
	rt.Tell("asyncio.lost.next", rt.Offset(&e, &e.next))
	rt.Tell("asyncio.lost.kind", rt.Offset(&e, &e.kind))
	rt.Tell("asyncio.lost.name", rt.Offset(&e, &e.name))
	rt.Tell("asyncio.lost.err", rt.Offset(&e, &e.err))
	rt.Tell("asyncio.lost.since", rt.Offset(&e, &e.since))
	rt.Tell("asyncio.lost.task", rt.Offset(&e, &e.task))
	for name, err := range map[string]error{
		"errors.New":     errors.New("text"),
		"fmt.Errorf":     fmt.Errorf("text %d", 1),
		"fmt.Errorf(%w)": fmt.Errorf("text: %w", errors.ErrUnsupported),
	} {
		if of, ok := rt.BeginsWithText(err); ok {
			rt.Tell(name, of)
		}
	}
}
