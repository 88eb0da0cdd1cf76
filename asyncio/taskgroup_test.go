package asyncio_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceTaskGroup(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/100_taskgroup_basic", playTaskGroupBasic},
		scenario{"asyncio/101_taskgroup_child_error", playTaskGroupChildError},
	)
}

func playTaskGroupBasic(s *script) {
	leaf := func(n int, d time.Duration) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			err := asyncio.Sleep(ctx, d)
			s.print("leaf", n)
			return n, err
		}
	}
	s.program(func(ctx context.Context) error {
		var out []*asyncio.Task[int]
		s.must(asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			grow := func(f asyncio.Coro[int], opts ...asyncio.TaskOption) {
				out = append(out, asyncio.GroupTask(tg, f, opts...))
			}
			grow(leaf(1, 3*shortly))
			grow(leaf(2, 2*shortly), asyncio.WithTaskName("second"))
			tg.Go(func(ctx context.Context) error {
				err := asyncio.Sleep(ctx, shortly)
				grow(leaf(3, 3*shortly))
				s.print("spawner ends")
				return err
			})
			s.print("body ends")
			return nil
		}))
		words := []any{"results"}
		for _, t := range out {
			v, _ := t.Result()
			words = append(words, v)
		}
		s.print(append(words, "name", out[1].Name())...)
		s.must(asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			s.print("empty group")
			return nil
		}))
		s.print("end")
		return nil
	})
}

func playTaskGroupChildError(s *script) {
	failing := func(ctx context.Context) error {
		s.must(asyncio.Sleep(ctx, shortly))
		s.print("failing raises")
		return valueError("child failed")
	}
	sibling := func(ctx context.Context) error {
		err := asyncio.Sleep(ctx, 10*time.Second)
		s.print("sibling cancelled")
		s.must(asyncio.Sleep(ctx, shortly))
		s.print("sibling cleaned up")
		return err
	}
	s.program(func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		var sib *asyncio.Task[asyncio.None]
		err := asyncio.RunTaskGroup(ctx, func(ctx context.Context, tg *asyncio.TaskGroup) error {
			tg.Go(failing)
			sib = tg.Go(sibling)
			err := asyncio.Sleep(ctx, 10*time.Second)
			s.print("body cancelled, cancelling", me.Cancelling())
			return err
		})
		var eg *asyncio.ExceptionGroup
		if errors.As(err, &eg) {
			s.print("ExceptionGroup:", err)
			for _, e := range eg.Exceptions {
				s.print("  ", pyName(e), e)
			}
		}
		s.print("sibling cancelled", yes(sib.Cancelled()), "cancelling", me.Cancelling())
		s.must(asyncio.Sleep(ctx, 0))
		s.print("parent goes on")
		return nil
	})
}
