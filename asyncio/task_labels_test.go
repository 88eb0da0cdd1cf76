package asyncio_test

import (
	"context"
	"errors"
	"runtime/pprof"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// Whoever runs something for somebody has the profiler labels of that one, and
// nobody gets those of another.
func TestLabels(t *testing.T) {
	if !rt.Fast {
		t.Skip("the layout of a goroutine is not known")
	}
	alice := pprof.WithLabels(context.Background(), pprof.Labels("user", "alice"))
	// probe returns the labels that it has, and then sets alice's.
	probe := func(context.Context) (rt.Labels, error) {
		defer pprof.SetGoroutineLabels(alice)
		return rt.OwnLabels(), nil
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		pool := asyncio.NewThreadPool(1)
		defer pool.Close()
		ways := map[string]func(ctx context.Context) (rt.Labels, error){
			"task": func(ctx context.Context) (rt.Labels, error) { return asyncio.CreateTask(ctx, probe).Await(ctx) },
			"eager task": func(ctx context.Context) (rt.Labels, error) {
				return asyncio.CreateTask(ctx, probe, asyncio.EagerStart(true)).Await(ctx)
			},
			"gather": func(ctx context.Context) (rt.Labels, error) {
				all, err := asyncio.Gather(ctx, asyncio.Awaitable[rt.Labels](asyncio.Coro[rt.Labels](probe)), asyncio.Coro[rt.Labels](probe)).Await(ctx)
				if err != nil || all[0] != all[1] {
					return rt.Labels{}, errors.New("they differ")
				}
				return all[0], nil
			},
			"group with a limit": func(ctx context.Context) (v rt.Labels, err error) {
				err = asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					tg.SetLimit(1)
					asyncio.GroupTask(tg, probe)
					v, err = asyncio.GroupTask(tg, probe).Await(ctx)
					return err
				})
				return v, err
			},
			"ToThread": func(ctx context.Context) (rt.Labels, error) { return asyncio.ToThread(ctx, probe) },
			"threadsafe": func(ctx context.Context) (rt.Labels, error) {
				return asyncio.WrapFuture(l, asyncio.RunCoroutineThreadsafe(l, probe)).Await(ctx)
			},
			"pool of one": func(ctx context.Context) (rt.Labels, error) {
				got := asyncio.NewFuture[rt.Labels](l)
				for range 2 { // on the same goroutine
					pool.Submit(func() {
						v, _ := probe(nil)
						l.CallSoonThreadsafe(func() { got.SetResult(v) })
					})
				}
				v, err := got.Await(ctx)
				asyncio.Wait(ctx, []asyncio.AnyFuture{got})
				return v, err
			},
		}
		for name, way := range ways {
			check := func(want rt.Labels) {
				t.Helper()
				for range 3 {
					if got, err := way(ctx); got != want || err != nil {
						t.Errorf("%s: %v, %v, want %v", name, got, err, want)
					}
					if rt.OwnLabels() != want {
						t.Errorf("%s: the caller has others", name)
					}
				}
			}
			check(rt.Labels{})
			pprof.Do(ctx, pprof.Labels("request", name), func(context.Context) { check(rt.OwnLabels()) })
			check(rt.Labels{})
		}
	})
}
