package asyncio

import (
	"log/slog"
	"strings"
)

// lockCircleMost is how many tasks of a circle are looked for.
const lockCircleMost = 100

// tellLockCircle reports, in debug mode, that t closes a circle by the lock that it
// begins to wait for: its holder waits for a lock whose holder waits, and so on, for one
// that t holds. There is one way to go from each, as a task waits for one lock, and only
// a task that has had a lock can close a circle. A cancel or a time that is over may
// still end such a wait, so it is a report and no error.
func (t *task) tellLockCircle() {
	if !t.locks {
		return
	}
	var said strings.Builder
	said.WriteString(t.called())
	at := t.at
	for range lockCircleMost {
		holder := t.loop.numbered(at.by)
		if holder == nil || at.kind != holdsLock {
			return
		}
		said.WriteString(" waits for the lock held by ")
		said.WriteString(holder.called())
		if holder == t {
			slog.Warn("asyncio: a circle: "+said.String(), "task", t.called())
			return
		}
		if at = holder.at; at == nil {
			return
		}
		said.WriteString(", which")
	}
}

// numbered returns the task of the loop that has the number and has not ended, or nil.
func (l *Loop) numbered(number uint32) *task {
	if number != 0 {
		for st := range l.s.Tasks() {
			if st.Number() == number {
				return taskIn(st)
			}
		}
	}
	return nil
}
