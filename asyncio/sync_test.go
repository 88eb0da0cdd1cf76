package asyncio_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What the scenarios and unit tests of locks and queues share.

// runMain runs main as the main task of a loop of its own.
func runMain(t testing.TB, main func(ctx context.Context) error, opts ...asyncio.RunOption) {
	t.Helper()
	opts = append([]asyncio.RunOption{asyncio.WithSignals(false)}, opts...)
	assert.NoError(t, asyncio.RunFunc(context.Background(), main, opts...))
}

// play is runMain for a scenario.
func (s *script) play(main func(ctx context.Context) error) {
	s.t.Helper()
	runMain(s.t, main, asyncio.WithLoopFactory(scenarioLoop))
}

// tick lets everything run that is ready.
func tick(t testing.TB, ctx context.Context) {
	t.Helper()
	require.NoError(t, asyncio.Sleep(ctx, 0))
}

// settle lets everything run until all wait.
func settle(t testing.TB, ctx context.Context) {
	for range 10 {
		tick(t, ctx)
	}
}

// awaitAll waits for the end of each of the tasks, and returns their errors.
func awaitAll[T any](ctx context.Context, tasks ...*asyncio.Task[T]) error {
	var errs []error
	for _, t := range tasks {
		_, err := t.Await(ctx)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}

// raised calls f, and returns the error with which it has panicked, as Python's
// programs print it.
func raised(f func()) (line string) {
	defer func() {
		switch p := recover().(type) {
		case nil:
			line = "no error"
		case error:
			line = pyName(p) + " " + pyMessage(p)
		default:
			line = fmt.Sprint("panic of ", p)
		}
	}()
	f()
	return ""
}

func TestConformanceSync(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/120_lock_fifo", playLockFIFO},
		scenario{"asyncio/124_condition", playCondition},
		scenario{"asyncio/126_semaphore", playSemaphore},
		scenario{"asyncio/140_queue_bounded", playQueueBounded},
		scenario{"asyncio/142_queue_join", playQueueJoin},
	)
}

func playLockFIFO(s *script) {
	s.play(func(ctx context.Context) error {
		lock := asyncio.NewLock()
		var tasks []*asyncio.Task[asyncio.None]
		for _, name := range []string{"a", "b", "c"} {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				for i := range 2 {
					err := lock.Do(ctx, func() error {
						s.print(name, "has it", i)
						return asyncio.Sleep(ctx, 0)
					})
					if err != nil {
						return err
					}
				}
				return nil
			}))
		}
		s.must(awaitAll(ctx, tasks...))
		s.print("locked", yes(lock.Locked()))
		s.print(raised(lock.Release))
		return nil
	})
}

func playCondition(s *script) {
	const pause = 20 * time.Millisecond
	s.play(func(ctx context.Context) error {
		cond := asyncio.NewCondition(nil)
		var tasks []*asyncio.Task[asyncio.None]
		for n := range 5 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return cond.Do(ctx, func() error {
					s.print("waiter", n, "waits")
					s.must(cond.Wait(ctx))
					s.print("waiter", n, "woke")
					s.must(asyncio.Sleep(ctx, 0))
					s.print("waiter", n, "leaves")
					return nil
				})
			}))
		}
		s.must(asyncio.Sleep(ctx, pause))
		s.must(cond.Do(ctx, func() error {
			cond.Notify(2)
			s.print("notified 2, still holding the lock")
			s.must(asyncio.Sleep(ctx, 0))
			s.print("releasing")
			return nil
		}))
		s.must(asyncio.Sleep(ctx, pause))
		s.must(cond.Do(ctx, func() error {
			cond.NotifyAll()
			return nil
		}))
		s.must(awaitAll(ctx, tasks...))

		var box []any
		consumer := asyncio.Go(ctx, func(ctx context.Context) error {
			return cond.Do(ctx, func() error {
				if err := cond.WaitFor(ctx, func() bool { return len(box) >= 2 }); err != nil {
					return err
				}
				s.print(append([]any{"predicate true"}, box...)...)
				return nil
			})
		})
		for i := range 3 {
			s.must(asyncio.Sleep(ctx, pause))
			s.must(cond.Do(ctx, func() error {
				box = append(box, i)
				s.print("put", i)
				cond.Notify(1)
				return nil
			}))
		}
		return awaitAll(ctx, consumer)
	})
}

func playSemaphore(s *script) {
	s.play(func(ctx context.Context) error {
		sem := asyncio.NewSemaphore(2)
		var tasks []*asyncio.Task[asyncio.None]
		for n := range 5 {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				return sem.Do(ctx, func() error {
					s.print("in", n)
					err := asyncio.Sleep(ctx, 20*time.Millisecond)
					s.print("out", n)
					return err
				})
			}))
		}
		s.must(awaitAll(ctx, tasks...))
		s.must(sem.Acquire(ctx))
		s.print("locked with one left", yes(sem.Locked()))
		s.must(sem.Acquire(ctx))
		s.print("locked with none left", yes(sem.Locked()))
		sem.Release()
		sem.Release()
		b := asyncio.NewBoundedSemaphore(1)
		s.must(b.Acquire(ctx))
		b.Release()
		s.print(raised(b.Release))
		sem.Release()
		s.print("an unbounded one just grows, locked", yes(sem.Locked()))
		s.print(raised(func() { asyncio.NewSemaphore(-1) }))
		return nil
	})
}

func playQueueBounded(s *script) {
	s.play(func(ctx context.Context) error {
		q := asyncio.NewQueue[int](2)
		s.print("maxsize", q.MaxSize())
		mark := func(is bool, word string) string {
			if is {
				return word
			}
			return "-"
		}
		producer := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range 5 {
				s.must(q.Put(ctx, i))
				s.print("put", i, "size", q.QSize(), mark(q.Full(), "full"))
			}
			s.print("producer ends")
			return nil
		})
		consumer := asyncio.Go(ctx, func(ctx context.Context) error {
			for range 5 {
				i, err := q.Get(ctx)
				s.must(err)
				s.print("got", i, "size", q.QSize(), mark(q.Empty(), "empty"))
				s.must(asyncio.Sleep(ctx, 20*time.Millisecond))
			}
			return nil
		})
		s.must(awaitAll(ctx, producer, consumer))
		_, err := q.GetNowait()
		assert.ErrorIs(s.t, err, asyncio.ErrQueueEmpty)
		s.print(pyName(err))
		s.must(q.PutNowait(1))
		s.must(q.PutNowait(2))
		err = q.PutNowait(3)
		assert.ErrorIs(s.t, err, asyncio.ErrQueueFull)
		s.print(pyName(err))
		return nil
	})
}

func playQueueJoin(s *script) {
	s.play(func(ctx context.Context) error {
		var q asyncio.Queue[int]
		s.must(q.Join(ctx))
		s.print("join on a fresh queue returns")
		for i := range 3 {
			s.must(q.PutNowait(i))
		}
		var workers []*asyncio.Task[asyncio.None]
		for n := range 2 {
			workers = append(workers, asyncio.Go(ctx, func(ctx context.Context) error {
				for {
					item, err := q.Get(ctx)
					if err != nil {
						return err
					}
					s.must(asyncio.Sleep(ctx, time.Duration(n+1)*20*time.Millisecond))
					s.print("worker", n, "did", item)
					q.TaskDone()
				}
			}))
		}
		s.must(q.Join(ctx))
		s.print("joined, size", q.QSize())
		for _, w := range workers {
			w.Cancel()
		}
		assert.ErrorIs(s.t, awaitAll(ctx, workers...), asyncio.ErrCancelled)
		s.print(raised(q.TaskDone))
		return nil
	})
}
