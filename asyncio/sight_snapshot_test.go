package asyncio_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// snapshotOf is a snapshot of l that another goroutine takes.
func snapshotOf(ctx context.Context, t *testing.T, l *asyncio.Loop) *asyncio.LoopSnapshot {
	t.Helper()
	for {
		s, err := asyncio.ToThread(ctx, func(context.Context) (*asyncio.Snapshot, error) { return l.Snapshot(context.Background()) })
		require.NoError(t, err)
		require.Len(t, s.Loops, 1)
		if !s.Partial { // else the machine is that busy
			return s.Loops[0]
		}
	}
}

// A snapshot from another goroutine has all tasks, each once, those that do the same in
// one group.
func TestSnapshotOfMany(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.CurrentTask(ctx).SetName("main")
		const n = 1000
		for i := range n {
			asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) }, asyncio.WithTaskName(fmt.Sprint("leaf ", i)))
		}
		s := snapshotOf(ctx, t, l)
		seen := make(map[uint64]string)
		for _, task := range s.Tasks {
			assert.Empty(t, seen[task.ID])
			seen[task.ID] = task.Name
		}
		assert.GreaterOrEqual(t, len(s.Tasks), n+1)
		require.NotEmpty(t, s.Groups)
		assert.Equal(t, n, s.Groups[0].Count)
		assert.Equal(t, asyncio.SightWaiting, s.Groups[0].State)
		var text strings.Builder
		whole := asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{s}}
		whole.WriteTo(&text)
		assert.Contains(t, text.String(), "1,000 tasks: wait in asyncio.Sleep, called by asyncio_test.TestSnapshotOfMany")
		wire, err := json.Marshal(&whole)
		require.NoError(t, err)
		assert.Less(t, len(wire), 2000)
	})
}
