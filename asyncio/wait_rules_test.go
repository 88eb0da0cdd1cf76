package asyncio_test

import (
	"context"
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestWaitMisuse(t *testing.T) {
	other := asyncio.NewLoop()
	defer other.Close()
	_, _, err := asyncio.Wait(context.Background(), []asyncio.AnyAwaitable{asyncio.NewFuture[int](other)})
	assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "no loop")
	play(t, func(ctx context.Context) error {
		type any = asyncio.AnyAwaitable
		ready := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		ready.SetResult(1)
		for _, c := range []struct {
			what       string
			fs         []any
			class, msg string
		}{
			{"nothing", nil, "ValueError", "Set of Tasks/Futures is empty."},
			{"a coroutine", []any{ready, returning(1, nil)}, "TypeError", "Passing coroutines is forbidden, use tasks explicitly."},
			{"a limited coroutine", []any{asyncio.Limit(1, returning(1, nil))[0]}, "TypeError", "Passing coroutines is forbidden"},
			{"nil", []any{ready, nil}, "TypeError", "awaitable is required"},
			{"a nil task", []any{(*asyncio.Task[int])(nil)}, "TypeError", "awaitable is required"},
			{"a nil gather", []any{(*asyncio.GatherFuture[int])(nil)}, "TypeError", "awaitable is required"},
			{"a foreign future", []any{asyncio.NewFuture[int](other)}, "RuntimeError", "attached to a different loop"},
		} {
			_, _, err := asyncio.Wait(ctx, c.fs)
			wantPy(t, c.what, err, c.class, c.msg)
		}
		_, _, err := asyncio.Wait(ctx, []any{ready}, asyncio.ReturnWhen(7))
		wantPy(t, "a wrong ReturnWhen", err, "ValueError", "Invalid ReturnWhen: 7")
		return nil
	})
}

func TestWaitReturnWhen(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		lost := asyncio.CreateTask(ctx, sleeping(time.Hour, 0))
		long := asyncio.CreateTask(ctx, sleeping(2*time.Second, 0))
		fails := asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, time.Second)
			return 0, valueError("fails")
		})
		all := []*asyncio.Task[int]{long, lost, fails, long}
		asyncio.Sleep(ctx, 0)
		lost.Cancel()
		done, pending, err := asyncio.Wait(ctx, all, asyncio.FirstException)
		if err != nil || !reflect.DeepEqual(done, []*asyncio.Task[int]{lost, fails}) || !reflect.DeepEqual(pending, []*asyncio.Task[int]{long}) {
			t.Errorf("first exception: done %v, pending %v, %v; want the cancelled and the failed one", done, pending, err)
		}
		if l.Time() != time.Second {
			t.Errorf("it took %v: being cancelled is no failure", l.Time())
		}
		done, pending, err = asyncio.Wait(ctx, []*asyncio.Task[int]{lost, long}, asyncio.FirstException)
		if err != nil || len(done) != 2 || pending != nil {
			t.Errorf("no exception among them: done %v, pending %v, %v", done, pending, err)
		}
		done, _, err = asyncio.Wait(ctx, all, asyncio.FirstCompleted)
		if err != nil || len(done) != 3 {
			t.Errorf("all are done: done %v, %v; want all, each once", done, err)
		}
		return nil
	})
}

// TestWaitTimes: any time will do.
func TestWaitTimes(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		task := asyncio.CreateTask(ctx, sleeping(time.Hour, 0))
		asyncio.Sleep(ctx, 0)
		for _, d := range []time.Duration{0, -1, math.MinInt64, 1} {
			before := l.Time()
			done, pending, err := asyncio.Wait(ctx, []*asyncio.Task[int]{task}, asyncio.Within(d))
			if err != nil || done != nil || len(pending) != 1 || l.Time()-before != max(d, 0) {
				t.Errorf("within %v: done %v, pending %v, %v, after %v", d, done, pending, err, l.Time()-before)
			}
		}
		for _, d := range []time.Duration{asyncio.NoTimeout, asyncio.NoTimeout - 1} {
			task = asyncio.CreateTask(ctx, sleeping(time.Hour, 0))
			done, _, err := asyncio.Wait(ctx, []*asyncio.Task[int]{task}, asyncio.Within(d))
			if err != nil || len(done) != 1 {
				t.Errorf("within %v: done %v, %v", d, done, err)
			}
		}
		return nil
	})
}

func TestWaitCancelled(t *testing.T) {
	play(t, func(ctx context.Context) error {
		task := asyncio.CreateTask(ctx, sleeping(time.Second, 1))
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.Wait(ctx, []*asyncio.Task[int]{task})
			return err
		})
		asyncio.Sleep(ctx, 0)
		waits.Cancel()
		_, err := waits.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "the wait")
		if v, err := task.Await(ctx); v != 1 || err != nil || task.Cancelling() != 0 {
			t.Errorf("what it waited for: %v, %v", v, err)
		}
		end, cancel := context.WithCancel(ctx)
		cancel()
		_, _, err = asyncio.Wait(end, []*asyncio.Future[int]{asyncio.NewFuture[int](task.Loop())})
		assert.ErrorIs(t, err, context.Canceled, "a wait with a context that has ended")
		return nil
	})
}

func TestAsCompletedTimeout(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		start := func() (ts []*asyncio.Task[int]) {
			for i := range 4 {
				ts = append(ts, asyncio.CreateTask(ctx, sleeping(time.Duration(i+1)*time.Second, i)))
			}
			return ts
		}
		ts := start()
		var vs []int
		timeouts := 0
		for v, err := range asyncio.AsCompleted(ctx, ts, asyncio.Within(2500*time.Millisecond)) {
			if err == nil {
				vs = append(vs, v)
			} else if timeouts++; err != asyncio.ErrTimeout || l.Time() != 2500*time.Millisecond {
				t.Errorf("error %v at %v", err, l.Time())
			}
		}
		if timeouts != 2 || !reflect.DeepEqual(vs, []int{0, 1}) {
			t.Errorf("results %v and %d timeouts, want 2 for those that are missing", vs, timeouts)
		}
		if v, err := ts[3].Await(ctx); v != 3 || err != nil {
			t.Errorf("one that was too late: %v, %v", v, err)
		}
		ts = start()
		timeouts = 0
		var got []asyncio.FutureOf[int]
		for f, err := range asyncio.AsCompletedTasks(ctx, ts, asyncio.Within(2500*time.Millisecond)) {
			if err == nil {
				got = append(got, f)
			} else if timeouts++; err != asyncio.ErrTimeout || f != nil {
				t.Errorf("%v, %v", f, err)
			}
		}
		if want := []asyncio.FutureOf[int]{ts[0], ts[1]}; timeouts != 1 || !reflect.DeepEqual(got, want) {
			t.Errorf("futures %v and %d timeouts, want the first two tasks and 1", got, timeouts)
		}
		for range asyncio.AsCompleted(ctx, ts[:1], asyncio.Within(-1)) { // it is done, but the time is over in the same turn
		}
		for _, err := range asyncio.AsCompleted(ctx, ts, asyncio.Within(asyncio.NoTimeout)) {
			assert.NoError(t, err)
		}
		return nil
	})
}

func TestAsCompletedOrder(t *testing.T) {
	play(t, func(ctx context.Context) error {
		task := asyncio.CreateTask(ctx, sleeping(time.Minute, 3))
		ready := asyncio.NewFuture[int](task.Loop())
		ready.SetResult(1)
		all := asyncio.AsCompletedTasks(ctx, []asyncio.Awaitable[int]{task, ready, sleeping(time.Second, 2), task, ready})
		asyncio.Sleep(ctx, time.Second) // they have begun
		var got []asyncio.FutureOf[int]
		var vs []int
		for f, err := range all {
			assert.NoError(t, err)
			v, _ := f.Result()
			got, vs = append(got, f), append(vs, v)
		}
		if !reflect.DeepEqual(vs, []int{1, 2, 3}) || got[0] != asyncio.FutureOf[int](ready) || got[2] != asyncio.FutureOf[int](task) {
			t.Errorf("results %v of %v", vs, got)
		}
		for _, err := range all {
			wantPy(t, "a second loop", err, "RuntimeError", "can be run once")
		}
		return nil
	})
}

// TestAsCompletedLeft: a loop that is left leaves those alone that it did not
// wait for.
func TestAsCompletedLeft(t *testing.T) {
	play(t, func(ctx context.Context) error {
		ts := []*asyncio.Task[int]{
			asyncio.CreateTask(ctx, sleeping(time.Second, 1)),
			asyncio.CreateTask(ctx, sleeping(time.Minute, 2)),
		}
		for range asyncio.AsCompleted(ctx, ts, asyncio.Within(time.Hour)) {
			break
		}
		if v, err := ts[1].Await(ctx); v != 2 || err != nil || ts[1].Loop().Time() != time.Minute {
			t.Errorf("the other one: %v, %v", v, err)
		}
		return nil
	})
}

// TestAsCompletedCancelled: a cancel takes the turn of a result, not a result.
func TestAsCompletedCancelled(t *testing.T) {
	play(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		g := asyncio.NewFuture[int](f.Loop())
		var vs []int
		var errs []error
		reads := asyncio.Go(ctx, func(ctx context.Context) error {
			for v, err := range asyncio.AsCompleted(ctx, []*asyncio.Future[int]{f, g}) {
				vs, errs = append(vs, v), append(errs, err)
			}
			return nil
		})
		asyncio.Sleep(ctx, 0)
		f.SetResult(7)
		asyncio.Sleep(ctx, 0) // the callback has run, the reader was woken
		reads.Cancel()
		g.SetResult(8)
		reads.Await(ctx)
		if len(vs) != 2 || vs[1] != 7 || errs[1] != nil {
			t.Fatalf("results %v, %v", vs, errs)
		}
		assert.ErrorIs(t, errs[0], asyncio.ErrCancelled, "the first turn")
		end, cancel := context.WithCancel(ctx)
		cancel()
		n := 0
		for _, err := range asyncio.AsCompleted(end, []*asyncio.Future[int]{asyncio.NewFuture[int](f.Loop())}) {
			n++
			assert.ErrorIs(t, err, context.Canceled, "a context that has ended")
		}
		if n != 1 {
			t.Errorf("%d turns, want 1", n)
		}
		return nil
	})
}

func TestAsCompletedMisuse(t *testing.T) {
	other := asyncio.NewLoop()
	defer other.Close()
	once := func(what string, seq func(func(int, error) bool), class, msg string) {
		n := 0
		for _, err := range seq {
			n++
			wantPy(t, what, err, class, msg)
		}
		if n != 1 {
			t.Errorf("%s: %d turns, want 1", what, n)
		}
	}
	one := returning(1, nil)
	once("no loop", asyncio.AsCompleted[int](context.Background(), []asyncio.Coro[int]{one}), "RuntimeError", "no running event loop")
	var strayed func(func(int, error) bool)
	play(t, func(ctx context.Context) error {
		once("nil", asyncio.AsCompleted(ctx, []asyncio.Awaitable[int]{one, nil}), "TypeError", "awaitable is required")
		once("a foreign future", asyncio.AsCompleted(ctx, []*asyncio.Future[int]{asyncio.NewFuture[int](other)}), "ValueError", "different loop")
		for _, err := range asyncio.AsCompletedTasks(ctx, []asyncio.Awaitable[int]{nil}) {
			wantPy(t, "nil, as a task", err, "TypeError", "awaitable is required")
		}
		f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		shared := asyncio.AsCompleted(ctx, []*asyncio.Future[int]{f})
		asyncio.Go(ctx, func(ctx context.Context) error {
			for range shared {
			}
			return nil
		})
		asyncio.Sleep(ctx, 0)
		once("two loops at once", shared, "RuntimeError", "can be run once")
		strayed = asyncio.AsCompleted(ctx, []*asyncio.Future[int]{asyncio.NewFuture[int](f.Loop())})
		return nil
	})
	once("after its loop", strayed, "RuntimeError", "no running event loop")
}
