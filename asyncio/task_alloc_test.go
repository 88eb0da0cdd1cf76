package asyncio_test

import (
	"context"
	"reflect"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/stretchr/testify/assert"
)

// Go has memory of 288 bytes to give, and next of 320.
func TestTaskSize(t *testing.T) {
	assert.LessOrEqual(t, int(reflect.TypeFor[asyncio.Task[int]]().Size()), 288)
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		check := func(what string, most float64, f func()) {
			t.Helper()
			if n := testing.AllocsPerRun(1000, f); n > most {
				t.Errorf("%s: %v allocations, want at most %v", what, n, most)
			}
		}
		stop := false
		for range 3 {
			asyncio.Go(ctx, func(ctx context.Context) error {
				for !stop {
					asyncio.Sleep(ctx, 0)
				}
				return nil
			})
		}
		check("a hop", 0, func() { asyncio.Sleep(ctx, 0) })
		stop = true
		asyncio.Sleep(ctx, 0)
		check("a hop without others", 0, func() { asyncio.Sleep(ctx, 0) })

		f := asyncio.NewFuture[int](l)
		f.SetResult(7)
		task := asyncio.CreateTask(ctx, number(7))
		task.Await(ctx)
		check("awaiting a done future", 0, func() { f.Await(ctx) })
		check("awaiting a done task", 0, func() { task.Await(ctx) })
		check("awaiting a coroutine", 0, func() { asyncio.Coro[int](trivial).Await(ctx) })

		check("create_task and await", 3, func() { asyncio.CreateTask(ctx, trivial).Await(ctx) })
		check("Go and await", 3, func() { asyncio.Go(ctx, trivialMain).Await(ctx) })
		check("a timer, cancelled", 1, func() { l.CallLater(1, trivialCallback).Cancel() })
	}, asyncio.WithDebug(false))
}

func trivial(context.Context) (int, error) { return 7, nil }
func trivialMain(context.Context) error    { return nil }
func trivialCallback()                     {}
