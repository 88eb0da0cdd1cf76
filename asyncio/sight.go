package asyncio

import "github.com/go-greenlet/greenlet/internal/rt"

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
	var w waitSet
	rt.Tell("asyncio.waitSet.over", rt.Offset(&w, &w.over))
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
}
