package look

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// put writes words into an image of one page from pageSize on.
func put(page []byte, words map[uint64]uint64) {
	for at, word := range words {
		binary.LittleEndian.PutUint64(page[at-pageSize:], word)
	}
}

// A list of waiters may say that it is longer than any memory.
func TestWaitersAreBounded(t *testing.T) {
	page := make([]byte, pageSize)
	const is, waiters, entries = 77, pageSize + 0x100, pageSize + 0x200
	put(page, map[uint64]uint64{
		pageSize: is, pageSize + 8: waiters, // the interface
		waiters: entries, waiters + 8: 1 << 62,
	})
	l := &looker{v: newView(image{pageSize: page}), t: table{"asyncio.is.waiters": is, "asyncio.waiters.entry": 24}}
	budget := waitsMost
	start := time.Now()
	l.waiter(&loopLook{}, pageSize, deepMost, &budget, true, func(*Task, bool) {})
	assert.Less(t, time.Since(start), 5*time.Minute)
}

// A moving memory is one of a goroutine that goes on between the reads.
type moving struct {
	image
	then image // after the first look at the goroutine
}

func (m *moving) ReadAt(b []byte, at uint64) error {
	err := m.image.ReadAt(b, at)
	m.image = m.then
	return err
}

func (m *moving) ReadBoth(a []byte, aAt uint64, b []byte, bAt uint64) error {
	if err := m.ReadAt(a, aAt); err != nil {
		return err
	}
	return m.ReadAt(b, bAt)
}

// The stack is that of where the goroutine is, not of where it was.
func TestGoroutineThatGoesOn(t *testing.T) {
	const g, lo, hi = pageSize, pageSize + 0x800, pageSize + 0x1000
	at := func(pc, sp uint64) []byte {
		page := make([]byte, pageSize)
		put(page, map[uint64]uint64{
			g: lo, g + 8: hi, g + 16: 4, g + 24: pc, g + 32: sp, g + 40: sp + 16,
			sp + 16: 0, sp + 24: pc + 1, // a frame
		})
		return page
	}
	before, after := image{pageSize: at(100, lo+0x100)}, image{pageSize: at(200, lo+0x200)}
	m := &moving{before, after}
	l := &looker{p: &Process{mem: m, program: new(Program)}, v: newView(before), t: table{
		"g.stack.lo": 0, "g.stack.hi": 8, "g.atomicstatus": 16, "g.sched.pc": 24, "g.sched.sp": 32, "g.sched.bp": 40,
		"g.goid": 48, "g.size": 64, "g.running": 2, "g.syscall": 3,
	}}
	found, ok := l.goroutine(g)
	require.True(t, ok)
	assert.Equal(t, []uint64{200, 201}, found.pcs)
}
