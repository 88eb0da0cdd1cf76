package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet/asyncio"
)

// All refuse a cancel: the error is a cancel all the same, with its message.
func TestGatherCancelRefused(t *testing.T) {
	play(t, func(ctx context.Context) error {
		refuses := asyncio.Coro[int](func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, time.Hour)
			return 1, nil
		})
		g := asyncio.Gather[int](ctx, refuses, refuses)
		asyncio.Sleep(ctx, 0)
		g.Cancel("why")
		if _, err := g.Await(ctx); err == nil || err.Error() != "asyncio: cancelled: why" {
			t.Error(err)
		}
		return nil
	})
}

func TestGatherCancelled(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		for _, outcomes := range []bool{false, true} {
			var quick, slow bool
			var g asyncio.AnyFuture
			waits := asyncio.Go(ctx, func(ctx context.Context) error {
				aws := []asyncio.Awaitable[int]{slowToEnd(time.Second, &quick), slowToEnd(time.Minute, &slow)}
				if outcomes {
					all := asyncio.GatherOutcomes(ctx, aws...)
					g = all
					_, err := all.Await(ctx)
					return err
				}
				all := asyncio.Gather(ctx, aws...)
				g = all
				_, err := all.Await(ctx)
				return err
			})
			asyncio.Sleep(ctx, 0)
			asyncio.Sleep(ctx, 0)
			before := l.Time()
			waits.Cancel("why")
			_, err := waits.Await(ctx)
			assert.ErrorIs(t, err, asyncio.ErrCancelled, "await")
			var c *asyncio.CancelledError
			if errors.As(err, &c); c.Msg != "why" {
				t.Errorf("message %v, want why", c.Msg)
			}
			want := time.Second
			if outcomes {
				want = time.Minute
			}
			if took := l.Time() - before; took != want || !quick || slow != outcomes {
				t.Errorf("outcomes %v: the cancel took %v, ended %v %v, want %v", outcomes, took, quick, slow, want)
			}
			if g.Cancelled() || !waits.Cancelled() {
				t.Errorf("outcomes %v: cancelled are the gather %v, want it failed, and the task %v", outcomes, g.Cancelled(), waits.Cancelled())
			}
			asyncio.Sleep(ctx, time.Hour)
		}
		return nil
	})
}

func TestGatherOfStubbornOnes(t *testing.T) {
	play(t, func(ctx context.Context) error {
		g := asyncio.Gather(ctx, stubborn(time.Second, 1), stubborn(time.Minute, 2))
		o := asyncio.GatherOutcomes(ctx, stubborn(time.Second, 1))
		asyncio.Sleep(ctx, 0)
		if !g.Cancel() || !o.Cancel() || !g.Cancel() {
			t.Error("Cancel reports that it has no effect")
		}
		_, err := g.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "gather")
		_, err = o.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "outcomes")
		if n := asyncio.CurrentTask(ctx).Cancelling(); n != 0 || g.Cancel() {
			t.Errorf("the awaiter has %d requests to end, want 0; or a gather that is done can be cancelled", n)
		}
		return nil
	})
}

func TestGatherChildCancelled(t *testing.T) {
	play(t, func(ctx context.Context) error {
		lost := asyncio.CreateTask(ctx, sleeping(time.Hour, 1))
		other := asyncio.CreateTask(ctx, sleeping(time.Minute, 2))
		g := asyncio.Gather[int](ctx, lost, other)
		asyncio.Sleep(ctx, 0)
		lost.Cancel()
		_, err := g.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "gather with a child that was cancelled")
		if asyncio.CurrentTask(ctx).Cancelling() != 0 || g.Cancelled() || other.Done() {
			t.Error("the cancel of one child went further")
		}
		v, err := other.Await(ctx)
		if v != 2 || err != nil {
			t.Errorf("the other child: %v, %v", v, err)
		}
		lost = asyncio.CreateTask(ctx, sleeping(time.Hour, 1))
		out := asyncio.GatherOutcomes(ctx, lost, other, returning(0, valueError("bad")))
		asyncio.Sleep(ctx, 0)
		lost.Cancel()
		vs, err := out.Await(ctx)
		if err != nil || len(vs) != 3 {
			t.Fatalf("outcomes: %v, %v", vs, err)
		}
		assert.ErrorIs(t, vs[0].Err, asyncio.ErrCancelled, "outcome")
		if vs[1].Value != 2 || vs[1].Err != nil {
			t.Errorf("outcome of the other child: %+v", vs[1])
		}
		wantPy(t, "outcome", vs[2].Err, "ValueError", "bad")
		return nil
	})
}

// TestGatherDuplicates: a future that is given twice is one.
func TestGatherDuplicates(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		done := asyncio.NewFuture[int](l)
		done.SetResult(1)
		task := asyncio.CreateTask(ctx, sleeping(time.Second, 2))
		vs, err := asyncio.Gather(ctx, done, task, done, task, sleeping(time.Minute, 3), task).Await(ctx)
		if want := []int{1, 2, 1, 2, 3, 2}; err != nil || !reflect.DeepEqual(vs, want) {
			t.Errorf("got %v, %v, want %v", vs, err, want)
		}
		task = asyncio.CreateTask(ctx, stubborn(time.Second, 2))
		g := asyncio.Gather[int](ctx, task, task)
		asyncio.Sleep(ctx, 0)
		g.Cancel()
		if n := task.Cancelling(); n != 2 {
			t.Errorf("%d requests to end, want 2: one for each place", n)
		}
		g.Await(ctx)
		return nil
	})
}

// TestGatherSeesErrors: what children fail with after the first is not reported
// as lost, and the error of a gather that nobody awaits is.
func TestGatherSeesErrors(t *testing.T) {
	var reports []string
	l := asyncio.NewLoop(asyncio.WithClock(new(jumpClock)))
	l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) {
		reports = append(reports, fmt.Sprint(c.Message, ": ", c.Exception))
	})
	fails := func(d time.Duration, msg string) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			asyncio.Sleep(ctx, d)
			return 0, valueError(msg)
		}
	}
	asyncio.RunUntilComplete(l, asyncio.Func(func(ctx context.Context) error {
		_, err := asyncio.Gather(ctx, fails(2, "late"), fails(1, "first"), fails(1, "same turn")).Await(ctx)
		wantPy(t, "gather", err, "ValueError", "first")
		asyncio.GatherOutcomes(ctx, fails(1, "an outcome")).Await(ctx)
		asyncio.Gather(ctx, fails(1, "nobody's"))
		return asyncio.Sleep(ctx, time.Hour)
	}))
	l.Close()
	if want := []string{"GatherFuture exception was never retrieved: nobody's"}; !reflect.DeepEqual(reports, want) {
		t.Errorf("reports %q, want %q", reports, want)
	}
}

func TestGatherMisuse(t *testing.T) {
	other := asyncio.NewLoop()
	defer other.Close()
	foreign := asyncio.NewFuture[int](other)
	ran := false
	runs := asyncio.Coro[int](func(context.Context) (int, error) { ran = true; return 0, nil })
	play(t, func(ctx context.Context) error {
		for what, aw := range map[string]asyncio.Awaitable[int]{
			"nil": nil, "nil coroutine": asyncio.Coro[int](nil), "nil task": (*asyncio.Task[int])(nil),
			"nil future": (*asyncio.Future[int])(nil), "nil under a limit": asyncio.Limit[int](1, nil)[0],
		} {
			_, err := asyncio.Gather(ctx, runs, aw).Await(ctx)
			wantPy(t, what, err, "TypeError", "awaitable is required")
		}
		_, err := asyncio.Gather(ctx, runs, foreign).Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop, "a foreign future")
		wantPy(t, "a foreign future", err, "ValueError", "different loop")
		asyncio.Sleep(ctx, 0)
		if ran {
			t.Error("a gather that was refused has started a coroutine")
		}
		return nil
	})
	_, err := asyncio.Gather(context.Background(), runs).Result()
	assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "no loop")
	if vs, err := asyncio.Gather[int](context.Background()).Result(); err != nil || vs == nil || len(vs) != 0 {
		t.Errorf("nothing, on no loop: %v, %v", vs, err)
	}
	pending := asyncio.Gather(context.Background(), asyncio.NewFuture[int](other))
	if _, err := pending.Result(); !errors.Is(err, asyncio.ErrInvalidState) {
		t.Errorf("result of a gather that is pending: %v", err)
	}
	play(t, func(ctx context.Context) error {
		_, err := pending.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop, "a gather of another loop")
		return nil
	})
}

func TestGatherNested(t *testing.T) {
	play(t, func(ctx context.Context) error {
		pair := func(a, b int) *asyncio.GatherFuture[int] {
			return asyncio.Gather(ctx, returning(a, nil), returning(b, nil))
		}
		vs, err := asyncio.Gather(ctx, pair(1, 2), pair(3, 4)).Await(ctx)
		if want := [][]int{{1, 2}, {3, 4}}; err != nil || !reflect.DeepEqual(vs, want) {
			t.Errorf("got %v, %v, want %v", vs, err, want)
		}
		called := 0
		g := pair(5, 6)
		g.AddDoneCallback(asyncio.NewCallback(func(f asyncio.AnyFuture) {
			if called++; f != asyncio.AnyFuture(g) {
				t.Error("the callback is called with another future")
			}
		}))
		g.Await(ctx)
		asyncio.Sleep(ctx, 0)
		if called != 1 {
			t.Errorf("the callback was called %d times", called)
		}
		return nil
	})
}

// TestGatherContext: the coroutines have the values of the context, and end with
// it; the cancel of one who waits ends them, too.
func TestGatherContext(t *testing.T) {
	type key struct{}
	play(t, func(ctx context.Context) error {
		with, cancel := context.WithCancel(context.WithValue(ctx, key{}, "value"))
		var value any
		g := asyncio.GatherOutcomes(with, asyncio.Func(func(ctx context.Context) error {
			value = ctx.Value(key{})
			_, err := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop()).Await(ctx)
			return err
		}))
		asyncio.Sleep(ctx, 0)
		cancel()
		vs, err := g.Await(ctx)
		if err != nil || value != "value" || !errors.Is(vs[0].Err, context.Canceled) {
			t.Errorf("got %+v, %v with the value %v", vs, err, value)
		}
		return nil
	})
}

func TestGatherWithTaskFactory(t *testing.T) {
	play(t, func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetTaskFactory(asyncio.EagerTaskFactory)
		ran := 0
		f := asyncio.Coro[int](func(context.Context) (int, error) { ran++; return ran, nil })
		g := asyncio.Gather(ctx, f, f)
		if ran != 2 || !g.Done() {
			t.Errorf("%d eager children have run, want 2; the gather is done: %v", ran, g.Done())
		}
		vs, err := g.Await(ctx)
		if !reflect.DeepEqual(vs, []int{1, 2}) || err != nil {
			t.Errorf("got %v, %v", vs, err)
		}
		return nil
	})
}

// TestGatherCancelledInTheTurnOfItsEnd cancels the awaiter when all children have
// ended and it has not been told: there is nothing left to cancel but itself.
func TestGatherCancelledInTheTurnOfItsEnd(t *testing.T) {
	play(t, func(ctx context.Context) error {
		f := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop())
		var g *asyncio.GatherFuture[int]
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			g = asyncio.Gather[int](ctx, f)
			_, err := g.Await(ctx)
			return err
		})
		asyncio.Sleep(ctx, 0)
		f.SetResult(1)
		waits.Cancel()
		waits.Cancel()
		_, err := waits.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "awaiter")
		if vs, err := g.Result(); err != nil || vs[0] != 1 || waits.Cancelling() != 2 {
			t.Errorf("the gather: %v, %v; %d requests, want 2", vs, err, waits.Cancelling())
		}
		return nil
	})
}

func TestLimit(t *testing.T) {
	play(t, func(ctx context.Context) error {
		running, most := 0, 0
		var order []int
		var coros []asyncio.Coro[int]
		for i := range 10 {
			coros = append(coros, func(ctx context.Context) (int, error) {
				order = append(order, i)
				running++
				most = max(most, running)
				err := asyncio.Sleep(ctx, time.Duration(10-i)*time.Second)
				running--
				return i, err
			})
		}
		g := asyncio.Gather(ctx, asyncio.Limit(3, coros...)...)
		asyncio.Sleep(ctx, 0)
		if len(order) != 3 {
			t.Errorf("%d have begun, want 3", len(order))
		}
		vs, err := g.Await(ctx)
		want := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
		if err != nil || most != 3 || !reflect.DeepEqual(vs, want) || !reflect.DeepEqual(order, want) {
			t.Errorf("got %v, %v; at most %d at a time; begun in the order %v", vs, err, most, order)
		}
		order, most = nil, 0
		n := 0
		for _, err := range asyncio.AsCompleted(ctx, asyncio.Limit(2, coros...)) {
			if n++; err != nil {
				t.Error(err)
			}
		}
		if n != 10 || most != 2 {
			t.Errorf("%d results, %d at a time", n, most)
		}
		if v, err := asyncio.Limit(1, coros[4])[0].Await(ctx); v != 4 || err != nil {
			t.Errorf("awaited by itself: %v, %v", v, err)
		}
		_, err = asyncio.Limit[int](1, nil)[0].Await(ctx)
		wantPy(t, "nil", err, "TypeError", "awaitable")
		defer func() { wantPy(t, "no slots", recover().(error), "ValueError", "at least 1") }()
		asyncio.Limit(0, coros...)
		return nil
	})
}

// TestLimitCancel: those that are held end when they are cancelled, and take no
// slot with them.
func TestLimitCancel(t *testing.T) {
	play(t, func(ctx context.Context) error {
		var begun []int
		coro := func(i int) asyncio.Coro[int] {
			return func(ctx context.Context) (int, error) {
				begun = append(begun, i)
				return i, asyncio.Sleep(ctx, time.Second)
			}
		}
		aws := asyncio.Limit(1, coro(0), coro(1), coro(2), coro(3))
		var ts []asyncio.FutureOf[int]
		for _, aw := range aws {
			ts = append(ts, asyncio.EnsureFuture(ctx, aw))
		}
		asyncio.Sleep(ctx, 0)
		ts[1].Cancel()
		ts[1].Cancel()
		asyncio.Sleep(ctx, 0)
		if !ts[1].Cancelled() || ts[0].Done() {
			t.Error("one that is held is not cancelled at once")
		}
		ts[2].Cancel()
		ts[0].Cancel()
		if v, err := ts[3].Await(ctx); v != 3 || err != nil || !reflect.DeepEqual(begun, []int{0, 3}) {
			t.Errorf("the last one: %v, %v; begun %v, want 0 and 3", v, err, begun)
		}
		begun = nil
		aws = asyncio.Limit(1, coro(0), coro(1), coro(2))
		first := asyncio.EnsureFuture(ctx, aws[0])
		asyncio.EnsureFuture(ctx, aws[1]).Cancel()
		asyncio.Sleep(ctx, 0)
		if asyncio.EnsureFuture(ctx, aws[2]); len(begun) != 1 {
			t.Errorf("begun %v, want the first alone", begun)
		}
		asyncio.Sleep(ctx, 0)
		if first.Done() || len(begun) != 1 {
			t.Errorf("begun %v: one that was cancelled has left a slot", begun)
		}
		g := asyncio.Gather(ctx, asyncio.Limit(1, coro(0), coro(1))...)
		asyncio.Sleep(ctx, 0)
		g.Cancel()
		_, err := g.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled, "gather")
		// One is held when the program ends.
		asyncio.Gather(ctx, asyncio.Limit(1, stubborn(time.Second, 1), coro(9))...)
		return asyncio.Sleep(ctx, 0)
	})
}

// TestGatherAllocations: a child costs a share in an allocation.
func TestGatherAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	play(t, func(ctx context.Context) error {
		const n = 1000
		aws := make([]asyncio.Awaitable[int], n)
		for i := range aws {
			aws[i] = returning(i, nil)
		}
		perChild := testing.AllocsPerRun(10, func() { asyncio.Gather(ctx, aws...).Await(ctx) }) / n
		if perChild > 0.2 {
			t.Errorf("%.2f allocations for each child", perChild)
		}
		return nil
	})
}
