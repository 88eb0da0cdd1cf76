package asyncio_test

import (
	"errors"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The graph has those who wait for each other, the circle in red, locks with who holds
// them, and a box for all others; names cannot break out of their quotes.
func TestSnapshotDOT(t *testing.T) {
	place := []runtime.Frame{
		{Function: "github.com/go-greenlet/greenlet/asyncio.Sleep", File: "sleep.go", Line: 1},
		{Function: "main.leaf", File: "/src/main.go", Line: 11},
	}
	s := &asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{{
		ID: 1, Name: "1", State: asyncio.SightIdle,
		Tasks: []asyncio.TaskSnapshot{
			{ID: 1, Name: "a", State: asyncio.SightWaiting, Group: 2, Awaits: []uint64{2}, By: []uint64{2}},
			{ID: 2, Name: "b\"\n\\", State: asyncio.SightWaiting, Group: 2, Awaits: []uint64{1}, By: []uint64{1}},
			{ID: 3, Name: "leaf", State: asyncio.SightWaiting, Group: 1},
			{ID: 4, Name: "leaf", State: asyncio.SightWaiting, Group: 1},
			{ID: 5, Name: "waiter", State: asyncio.SightWaiting, Group: 2, Lock: 1},
			{ID: 6, Name: "holder", State: asyncio.SightWaiting, Group: 1},
			{ID: 7, Name: "late", State: asyncio.SightWaiting, Group: 2, Lock: 2},
		},
		Groups: []asyncio.StackGroup{{ID: 1, State: asyncio.SightWaiting, Count: 3, Stack: place}, {ID: 2, State: asyncio.SightWaiting, Count: 4, Stack: place[:1]}},
		Locks: []asyncio.LockSnapshot{
			{ID: 1, Kind: "Lock", Holder: 6, HolderName: "holder", Waiters: []uint64{5}},
			{ID: 2, Kind: "Semaphore", Holder: 9, HolderName: "gone", HolderEnded: true, Waiters: []uint64{7}},
		},
		Cycles: [][]uint64{{1, 2}},
	}}}
	var b strings.Builder
	require.NoError(t, s.WriteDOT(&b))
	assert.Equal(t, `digraph tasks {
	node [shape=box, fontname="sans-serif"];
	subgraph cluster_1 {
		label="loop 1: idle";
		l1_t1 [label="a\nwaits in asyncio.Sleep", color=red];
		l1_t1 -> l1_t2;
		l1_t2 [label="b\"\n\\\nwaits in asyncio.Sleep", color=red];
		l1_t2 -> l1_t1;
		l1_t5 [label="waiter\nwaits in asyncio.Sleep; the lock is held by holder"];
		l1_t5 -> l1_k1;
		l1_t6 [label="holder\nwaits in asyncio.Sleep, called by main.leaf at main.go:11"];
		l1_t7 [label="late\nwaits in asyncio.Sleep; gone, which has ended, has acquired the semaphore last"];
		l1_t7 -> l1_k2;
		l1_k1 [shape=ellipse, label="Lock"];
		l1_k1 -> l1_t6 [label="held by"];
		l1_k2 [shape=ellipse, label="Semaphore\nheld by gone, which has ended"];
		l1_g1 [style=rounded, label="2 tasks\nwait in asyncio.Sleep, called by main.leaf at main.go:11"];
	}
}
`, b.String())
	assert.EqualError(t, s.WriteDOT(fullDisk{}), "disk full")
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("disk full") }
