package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

var errDisk = errors.New("the disk is full")

// joinings are ways to return an error of a wait, and whether errDisk is in them.
var joinings = []struct {
	name string
	end  func(err error) error
	disk bool
}{
	{"as it is", func(err error) error { return err }, false},
	{"wrapped", func(err error) error { return fmt.Errorf("at the end: %w", err) }, false},
	{"joined with nothing", func(err error) error { return errors.Join(err, nil) }, false},
	{"joined with itself", func(err error) error { return errors.Join(err, err) }, false},
	{"joined", func(err error) error { return errors.Join(err, errDisk) }, true},
	{"joined the other way round", func(err error) error { return errors.Join(errDisk, err) }, true},
	{"by two verbs", func(err error) error { return fmt.Errorf("%w, and %w", err, errDisk) }, true},
	{"joined and wrapped", func(err error) error { return fmt.Errorf("%w", errors.Join(err, errDisk)) }, true},
}

// TestJoinedEnds: an error that is an end and something else is not dropped by who
// has asked for the end.
func TestJoinedEnds(t *testing.T) {
	for _, j := range joinings {
		told := func(what string, err error) {
			t.Helper()
			require.Equal(t, j.disk, errors.Is(err, errDisk), "%s, %s: %v", what, j.name, err)
			if !j.disk && err != nil {
				require.ErrorIs(t, err, context.Canceled, "%s, %s", what, j.name)
			}
		}
		play(t, func(ctx context.Context) error {
			gen := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, int]) error {
				_, err := y.Yield(1)
				return j.end(err)
			})
			gen.Next(ctx)
			told("AsyncGen.Close", gen.Close(ctx))

			coro := asyncio.NewCoroutine(func(ctx context.Context) (int, error) { return 0, j.end(asyncio.Sleep(ctx, 0)) })
			coro.Send(nil)
			told("Coroutine.Close", coro.Close())

			m := asyncio.NewContextManager(func(ctx context.Context, yield func(int) error) error { return j.end(yield(1)) })
			told("With", asyncio.With(ctx, m, func(context.Context, int) error { return asyncio.ErrCancelled }))

			var all []int
			var last error
			for v, err := range asyncio.AIter(ctx, nextFunc(func() (int, error) { return 1, j.end(asyncio.ErrStopAsyncIteration) })) {
				all, last = append(all, v), err
			}
			told("AIter", last)
			require.Equal(t, j.disk, len(all) == 1, j.name)

			gen = asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, int]) error {
				return j.end(asyncio.ErrStopAsyncIteration)
			})
			_, err := gen.Next(ctx)
			require.Equal(t, j.disk, errors.Is(err, errDisk), j.name)
			require.NotErrorIs(t, err, asyncio.ErrStopAsyncIteration, j.name)

			task := asyncio.Go(ctx, func(ctx context.Context) error { return j.end(asyncio.Sleep(ctx, time.Hour)) })
			asyncio.Sleep(ctx, 0)
			task.Cancel()
			_, err = task.Await(ctx)
			told("a task", err)
			require.NotEqual(t, j.disk, task.Cancelled(), j.name)

			end, cancel := context.WithCancel(ctx)
			asyncio.CurrentTask(ctx).Loop().CallSoon(cancel)
			told("a group whose ctx ends", asyncio.RunTaskGroup(end, func(ctx context.Context, tg *asyncio.TaskGroup) error {
				tg.Go(func(ctx context.Context) error {
					_, err := asyncio.NewFuture[int](asyncio.CurrentTask(ctx).Loop()).Await(ctx)
					return j.end(err)
				})
				return nil
			}))

			gen = asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, int]) error {
				return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
					tg.Go(func(ctx context.Context) error { return j.end(asyncio.Sleep(ctx, time.Hour)) })
					asyncio.Sleep(ctx, 0)
					_, err := y.Yield(1)
					return err
				})
			})
			gen.Next(ctx)
			if err := gen.Close(ctx); j.disk {
				told("a group in a generator", err)
			}
			return nil
		})
		waits := make(chan struct{})
		for _, main := range []func(ctx context.Context, w *asyncio.Worker) error{
			func(ctx context.Context, w *asyncio.Worker) error {
				if w.Index() == 0 {
					<-waits // a main that has not begun is not begun any more
					return errDown
				}
				close(waits)
				return j.end(asyncio.Sleep(ctx, time.Hour))
			},
			func(ctx context.Context, w *asyncio.Worker) error { return j.end(asyncio.ErrCancelled) },
		} {
			err := asyncio.RunWorkers(context.Background(), 2, main)
			require.Equal(t, j.disk, errors.Is(err, errDisk), "RunWorkers, %s: %v", j.name, err)
		}
	}
}

var errDown = errors.New("down")

type nextFunc func() (int, error)

func (f nextFunc) Next(context.Context) (int, error) { return f() }

// A worker whose main returns the end of ctx itself was told to end.
func TestWorkersEndOfContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Nanosecond)
	defer cancel()
	err := asyncio.RunWorkers(ctx, 2, func(ctx context.Context, w *asyncio.Worker) error {
		<-ctx.Done()
		return ctx.Err()
	})
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.NotErrorAs(t, err, new(*asyncio.ExceptionGroup))
}

// What a group has failed with, when an error that ends the program takes its
// place, is told to the exception handler; the end itself is not.
func TestTaskGroupBaseErrorTellsOthers(t *testing.T) {
	exit := &asyncio.SystemExit{Code: 2}
	failing := func(ctx context.Context) error { return errDisk }
	for _, c := range []struct {
		what string
		body groupBody
		want []string // of whom it is told
	}{
		{"after a task has failed", func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing, asyncio.WithTaskName("child"))
			asyncio.Sleep(ctx, time.Second)
			return exit
		}, []string{"child"}},
		{"a task fails as it is cancelled, another is only cancelled", func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return errors.Join(asyncio.Sleep(ctx, time.Hour), errDisk) }, asyncio.WithTaskName("child"))
			tg.Go(func(ctx context.Context) error { return asyncio.Sleep(ctx, time.Hour) })
			asyncio.Sleep(ctx, 0)
			return fmt.Errorf("enough: %w", exit)
		}, []string{"child"}},
		{"a task panics", func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { asyncio.Sleep(ctx, time.Hour); panic(errDisk) }, asyncio.WithTaskName("child"))
			asyncio.Sleep(ctx, 0)
			return asyncio.ErrKeyboardInterrupt
		}, []string{"child"}},
	} {
		var told []string
		var group error
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(_ *asyncio.Loop, x asyncio.ExceptionContext) {
				require.ErrorIs(t, x.Exception, errDisk, c.what)
				told = append(told, x.Task.Name())
			})
			group = asyncio.RunTaskGroup(ctx, c.body)
			return group
		}, asyncio.WithClock(new(jumpClock)))
		require.NotErrorIs(t, group, errDisk, c.what)
		require.Equal(t, group, err, c.what)
		require.Equal(t, c.want, told, c.what)
	}
	// An exit of a task; then the body fails by itself.
	var told []error
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetExceptionHandler(func(_ *asyncio.Loop, x asyncio.ExceptionContext) { told = append(told, x.Exception) })
		return asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(func(ctx context.Context) error { return exit })
			asyncio.Sleep(ctx, time.Hour)
			return errDisk
		})
	})
	require.Equal(t, exit, err)
	require.Contains(t, told, errDisk)
}
