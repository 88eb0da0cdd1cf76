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

// A loop in a testing/synctest bubble cannot be woken from outside of it: who looks from
// there sees what can be had without the loop, and the program goes on.
func TestSnapshotFromOutsideOfABubble(t *testing.T) {
	asked, seen := make(chan *asyncio.Loop), make(chan *asyncio.Snapshot)
	go func() {
		l := <-asked
		one, err := l.Snapshot(context.Background())
		assert.NoError(t, err)
		seen <- one
		all, err := asyncio.TakeSnapshot(context.Background())
		assert.NoError(t, err)
		seen <- all
	}()
	inBubble(t, func(w *watched) {
		named(w.ctx, "sleeper", asleep)
		w.sleep(time.Second)
		asked <- w.l
		for range 2 {
			s := <-seen
			require.NotEmpty(t, s.Loops)
			assert.True(t, s.Partial)
			last := s.Loops[len(s.Loops)-1]
			assert.Equal(t, w.l.Name(), last.Name)
			assert.Equal(t, 2, last.Stats.Tasks)
			assert.Empty(t, last.Tasks)
		}
	})
}

// A loop that takes a step now and then is not blocked, however long a turn of it takes.
func TestSnapshotOfASlowLoop(t *testing.T) {
	for _, of := range []struct {
		steps   int // of 300 ms each, in one turn
		partial bool
	}{{4, false}, {30, true}} {
		inBubble(t, func(w *watched) {
			for range of.steps {
				asyncio.Go(w.ctx, func(context.Context) error {
					time.Sleep(300 * time.Millisecond) // it computes
					return nil
				})
			}
			s, err := asyncio.ToThread(w.ctx, func(context.Context) (*asyncio.Snapshot, error) {
				time.Sleep(100 * time.Millisecond)
				return w.l.Snapshot(context.Background())
			})
			require.NoError(t, err)
			assert.Equal(t, of.partial, s.Partial)
			assert.Nil(t, s.Loops[0].Blocked)
			assert.Equal(t, asyncio.SightRunning, s.Loops[0].State)
			assert.Empty(t, warnedOf(s.Loops[0]))
		})
	}
}
