package asyncio_test

import (
	"bytes"
	"context"
	"runtime/pprof"
	"runtime/trace"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// labelsHere is the labels of the calling goroutine, as "key=value", in order.
func labelsHere() string {
	var all []string
	rt.OwnLabels().Each(func(key, value string) { all = append(all, key+"="+value) })
	return strings.Join(all, " ")
}

func labelled(context.Context) error { return nil }

// With WithProfileLabels a task has its name as a label, or that of its function, also
// if a wrapper of the package runs it; what it has from its maker stays, and the next
// task of the same worker has its own.
func TestProfileLabels(t *testing.T) {
	if !rt.Fast {
		t.Skip("the layout of a goroutine is not known")
	}
	before := labelsHere()
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		require.Contains(t, labelsHere(), "task=asyncio_test.inTask.func1")
		var got string
		probe := func(context.Context) error { got = labelsHere(); return nil }
		for range 2 {
			asyncio.Go(ctx, probe, asyncio.WithTaskName("probe")).Await(ctx)
			assert.Equal(t, "task=probe", got)
			asyncio.Go(ctx, probe).Await(ctx)
			assert.Equal(t, "task=asyncio_test.TestProfileLabels.func1.1", got)
			asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) { return 1, probe(ctx) }).Await(ctx)
			assert.Equal(t, "task=asyncio_test.TestProfileLabels.func1.2", got)
		}
		pprof.Do(ctx, pprof.Labels("user", "alice"), func(ctx context.Context) {
			asyncio.Go(ctx, probe, asyncio.WithTaskName("probe")).Await(ctx)
			assert.Equal(t, "task=probe user=alice", got)
		})
		done := asyncio.NewFuture[string](l)
		l.CallSoon(func() { done.SetResult(labelsHere()) })
		callback, err := done.Await(ctx)
		assert.NoError(t, err)
		assert.Equal(t, "task=(callback)", callback)
	}, asyncio.WithProfileLabels())
	assert.Equal(t, before, labelsHere())
}

// Without it there are none.
func TestNoProfileLabels(t *testing.T) {
	inTask(t, func(ctx context.Context, _ *asyncio.Loop) {
		asyncio.Go(ctx, func(context.Context) error {
			assert.NotContains(t, labelsHere(), "task=")
			return nil
		}, asyncio.WithTaskName("x")).Await(ctx)
	})
}

// While an execution trace is written each task is in it by its name, also one that is
// cancelled before it begins, one that is killed, and one that outlives the trace.
func TestTasksInATrace(t *testing.T) {
	if trace.IsEnabled() {
		t.Skip("a trace is written already")
	}
	var b bytes.Buffer
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		if err := trace.Start(&b); err != nil {
			t.Skip(err)
		}
		wait := func(ctx context.Context) error { return asyncio.NewEvent().Wait(ctx) }
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Go(ctx, labelled, asyncio.WithTaskName("traced child")).Await(ctx)
			return err
		}, asyncio.WithTaskName("traced parent")).Await(ctx)
		killed := asyncio.Go(ctx, wait, asyncio.WithTaskName("traced killed"))
		outlives := asyncio.Go(ctx, wait, asyncio.WithTaskName("traced outlives"))
		asyncio.Sleep(ctx, 0)
		assert.NoError(t, asyncio.Kill(killed, asyncio.ErrCancelled))
		asyncio.Go(ctx, labelled, asyncio.WithTaskName("traced cancelled")).Cancel()
		asyncio.Sleep(ctx, 0)
		trace.Stop()
		asyncio.Go(ctx, labelled, asyncio.WithTaskName("after the trace")).Await(ctx)
		outlives.Cancel()
		asyncio.Sleep(ctx, 0)
	})
	for _, name := range []string{"traced parent", "traced child", "traced killed", "traced outlives", "traced cancelled"} {
		assert.True(t, bytes.Contains(b.Bytes(), []byte(name)), name)
	}
	assert.False(t, bytes.Contains(b.Bytes(), []byte("after the trace")))
}
