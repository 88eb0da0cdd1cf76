package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

var hammered = flag.Int("snapshots", 200, "how many TestSnapshotUnderHammer takes")

// Snapshots of a program that changes all the time, from several goroutines: no crash,
// no race, no task twice, and no circle, as there is none.
func TestSnapshotUnderHammer(t *testing.T) {
	snapshots := *hammered
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {}) // some errors are lost
		over := false
		var lock asyncio.Lock
		event := asyncio.NewEvent()
		var child func(depth int) func(ctx context.Context) error
		child = func(depth int) func(ctx context.Context) error {
			return func(ctx context.Context) error {
				switch rand.IntN(7) {
				case 0:
					return asyncio.Sleep(ctx, time.Duration(rand.IntN(300))*time.Microsecond)
				case 1:
					return lock.Do(ctx, func() error { return asyncio.Sleep(ctx, 0) })
				case 2:
					return event.Wait(ctx)
				case 3:
					event.Set()
					event.Clear()
					return errors.New("failed")
				}
				if depth == 0 {
					return nil
				}
				a, b := asyncio.Go(ctx, child(depth-1)), asyncio.Go(ctx, child(depth-1))
				if rand.IntN(2) == 0 {
					b.Cancel()
				}
				_, err := asyncio.GatherOutcomes[asyncio.None](ctx, a, asyncio.Shield[asyncio.None](ctx, b)).Await(ctx)
				return err
			}
		}
		work := asyncio.Go(ctx, func(ctx context.Context) error {
			for !over {
				asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					for range 40 {
						tg.Go(child(3))
					}
					asyncio.Sleep(ctx, 50*time.Microsecond)
					event.Set()
					event.Clear()
					tg.Cancel()
					return nil
				})
			}
			return nil
		})
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
			var all sync.WaitGroup
			for range 2 {
				all.Add(1)
				go func() {
					defer all.Done()
					for i := range snapshots / 2 {
						s, err := l.Snapshot(context.Background())
						if !assert.NoError(t, err) {
							return
						}
						seen := make(map[uint64]bool)
						for _, task := range s.Loops[0].Tasks {
							if !assert.False(t, seen[task.ID], "twice") {
								return
							}
							seen[task.ID] = true
						}
						assert.Empty(t, s.Loops[0].Cycles)
						if i%16 == 0 {
							s.WriteTo(io.Discard)
							s.WriteDOT(io.Discard)
							s.WriteJSON(io.Discard, i%32 == 0)
							l.Stats()
						}
					}
				}()
			}
			all.Wait()
			return nil
		})
		require.NoError(t, err)
		over = true
		event.Set()
		_, err = work.Await(ctx)
		require.NoError(t, err)
		var b bytes.Buffer
		require.NoError(t, l.WriteTasks(ctx, &b))
	})
}

// A loop that is blocked is told so, with the task and the call. In a bubble nobody
// looks before it waits.
func TestSnapshotOfABlockedLoop(t *testing.T) {
	inBubble(t, func(w *watched) {
		asyncio.CurrentTask(w.ctx).SetName("blocker")
		asyncio.Go(w.ctx, asleep)
		w.sleep(0)
		came := make(chan *asyncio.Snapshot)
		go func() {
			s, err := asyncio.TakeSnapshot(context.Background(), w.l)
			assert.NoError(t, err)
			came <- s
		}()
		s := <-came // blocks the loop
		require.True(t, s.Partial)
		seen := s.Loops[0]
		require.Equal(t, asyncio.SightBlocked, seen.State)
		require.NotNil(t, seen.Blocked)
		assert.Equal(t, "blocker", seen.Blocked.Name)
		assert.Equal(t, uint64(1), seen.Blocked.Task)
		assert.Contains(t, seen.Blocked.At, "sight_snapshot_hammer_test.go:")
		assert.False(t, seen.Blocked.Busy)
		assert.Equal(t, 2, seen.Stats.Tasks)
		require.NotEmpty(t, seen.Warnings)
		assert.Equal(t, "W6", seen.Warnings[0].ID)
		assert.Equal(t, uint64(1), seen.Warnings[0].Task)
		var text bytes.Buffer
		s.WriteTo(&text)
		assert.Contains(t, text.String(), "the loop is blocked for ")
	})
}

// RunningLoops has the loops that run, while they do.
func TestRunningLoops(t *testing.T) {
	running := func(l *asyncio.Loop) bool {
		for other := range asyncio.RunningLoops() {
			if other == l {
				return true
			}
		}
		return false
	}
	l := asyncio.NewLoop(asyncio.WithLoopName("named"))
	defer l.Close()
	assert.Equal(t, "named", l.Name())
	assert.False(t, running(l))
	_, err := asyncio.RunUntilComplete(l, asyncio.Coro[int](func(ctx context.Context) (int, error) {
		assert.True(t, running(l))
		return 0, nil
	}))
	assert.NoError(t, err)
	assert.False(t, running(l))
	stats := l.Stats()
	assert.Equal(t, "named", stats.Name)
	assert.Equal(t, asyncio.Outcomes{OK: 1}, stats.Ended)
	assert.Equal(t, uint64(1), stats.Created)
	assert.Equal(t, uint64(1), stats.Steps)
	assert.Zero(t, stats.Tasks)
}
