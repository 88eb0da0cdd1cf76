package asyncio_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

func textOf(t *testing.T, l *asyncio.LoopSnapshot) string {
	t.Helper()
	var b strings.Builder
	n, err := (&asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{l}}).WriteTo(&b)
	require.NoError(t, err)
	assert.EqualValues(t, b.Len(), n)
	return b.String()
}

// A long chain of tasks, each of which waits for the next, is told in lines of a bounded
// length, each task once.
func TestTextOfChain(t *testing.T) {
	const n = 5000
	l := &asyncio.LoopSnapshot{}
	for id := uint64(1); id <= n; id++ {
		task := asyncio.TaskSnapshot{ID: id, Name: fmt.Sprintf("<%d>", id), State: asyncio.SightWaiting, By: []uint64{id - 1}, Awaits: []uint64{id + 1}}
		switch id {
		case 1:
			task.By = nil
		case n:
			task.Awaits = nil
		}
		l.Tasks = append(l.Tasks, task)
	}
	text := textOf(t, l)
	for line := range strings.Lines(text) {
		require.Less(t, len(line), 1000)
	}
	for id := 1; id <= n; id++ {
		require.Equal(t, 1, strings.Count(text, fmt.Sprintf("<%d>: ", id)))
	}
}

// A name or an error is text in one line, and moves no terminal's cursor.
func TestTextOfOddNames(t *testing.T) {
	const odd = "a\x1b[2J\r\nW1: b\u009b\u202e"
	text := textOf(t, &asyncio.LoopSnapshot{
		Tasks: []asyncio.TaskSnapshot{
			{ID: 1, Name: odd, State: asyncio.SightWaiting, Lock: 1, Group: 1, Awaits: []uint64{2}},
			{ID: 2, Name: odd, State: asyncio.SightRunning, By: []uint64{1}},
		},
		Groups:   []asyncio.StackGroup{{ID: 1, State: asyncio.SightWaiting, Count: 1}},
		Locks:    []asyncio.LockSnapshot{{ID: 1, Kind: "Lock", Holder: 2, HolderName: odd}},
		Blocked:  &asyncio.BlockSnapshot{Name: odd},
		Lost:     []asyncio.LostError{{Name: odd, Err: errors.New(odd)}},
		Warnings: []asyncio.Warning{{ID: "W2", Text: odd}},
	})
	for line := range strings.Lines(text) {
		for _, r := range strings.TrimSuffix(line, "\n") {
			assert.False(t, r < ' ' || r == '\u009b' || r == '\u202e', "%q", line)
		}
		assert.False(t, strings.HasPrefix(line, "W1"), line)
	}
	assert.Contains(t, text, `a\x1b[2J\r\nW1: b\u009b\u202e: waits; the lock is held by a\x1b`)
}

// A nilError is an error whose nil has no text: it panics.
type nilError struct{ text string }

func (e *nilError) Error() string { return e.text }

// What no text can be made of is no reason to see nothing.
func TestErrorsWithoutText(t *testing.T) {
	l := &asyncio.LoopSnapshot{Lost: []asyncio.LostError{{Name: "a", Err: (*nilError)(nil)}}}
	assert.Equal(t, "a: has failed, and nobody has looked at the error: <nil>\n", textOf(t, l))
	text, err := json.Marshal(&asyncio.Snapshot{Loops: []*asyncio.LoopSnapshot{l}})
	require.NoError(t, err)
	assert.Contains(t, string(text), `"error":"\u003cnil\u003e"`)
}

// A loop that has ended since it was found among those that run is left out.
func TestSnapshotOfEnded(t *testing.T) {
	l := asyncio.NewLoop()
	require.NoError(t, l.Close())
	s, err := asyncio.SnapshotOf(context.Background(), []*asyncio.Loop{l}, true)
	require.NoError(t, err)
	assert.Empty(t, s.Loops)
	_, err = asyncio.TakeSnapshot(context.Background(), l)
	assert.ErrorIs(t, err, asyncio.ErrLoopClosed)
}

// Whoever has a snapshot may leave tasks out of it.
func TestTextOfSomeTasks(t *testing.T) {
	assert.Equal(t, "a: waits\n", textOf(t, &asyncio.LoopSnapshot{
		Tasks:  []asyncio.TaskSnapshot{{ID: 1, Name: "a", State: asyncio.SightWaiting, Group: 1, Awaits: []uint64{99}}},
		Groups: []asyncio.StackGroup{{ID: 1, State: asyncio.SightWaiting, Count: 1}},
	}))
}

// Of a circle of many tasks some are named.
func TestLargeCircle(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		tasks := make([]*asyncio.Task[asyncio.None], 1000)
		for i := range tasks {
			tasks[i] = asyncio.Go(ctx, func(ctx context.Context) error {
				_, err := tasks[(i+1)%len(tasks)].Await(ctx)
				return err
			})
		}
		require.NoError(t, asyncio.Sleep(ctx, 0))
		s, err := l.Snapshot(ctx)
		require.NoError(t, err)
		require.Len(t, s.Loops[0].Cycles, 1)
		assert.Len(t, s.Loops[0].Cycles[0], len(tasks))
		require.NotEmpty(t, s.Loops[0].Warnings)
		w := s.Loops[0].Warnings[0]
		assert.Equal(t, "W1", w.ID)
		assert.Less(t, len(w.Text), 1000)
		assert.True(t, strings.HasSuffix(w.Text, ", and so on, 1,000 tasks in all"), w.Text)
		tasks[0].Cancel()
		asyncio.GatherOutcomes(ctx, awaitables(tasks)...).Await(ctx)
	})
}

func awaitables(tasks []*asyncio.Task[asyncio.None]) (all []asyncio.Awaitable[asyncio.None]) {
	for _, t := range tasks {
		all = append(all, t)
	}
	return all
}
