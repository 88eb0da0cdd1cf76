package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceAsCompleted(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/094_as_completed_iter", playAsCompletedIter},
		scenario{"seeds/d004_12_nested_as_completed", playNestedAsCompleted},
	)
}

func playAsCompletedIter(s *script) {
	child := func(n int, d time.Duration, exc error) asyncio.Coro[int] {
		return func(ctx context.Context) (int, error) {
			if err := asyncio.Sleep(ctx, d); err != nil {
				return 0, err
			}
			return n, exc
		}
	}
	s.program(func(ctx context.Context) error {
		aws := []asyncio.Coro[int]{
			child(1, 3*shortly, nil), child(2, shortly, nil),
			child(3, 2*shortly, valueError("three")), child(4, 4*shortly, nil),
		}
		for v, err := range asyncio.AsCompleted(ctx, aws) {
			if err != nil {
				s.print(pyName(err), err)
				continue
			}
			s.print("value", v)
		}
		n := 0
		for range asyncio.AsCompleted(ctx, []asyncio.Awaitable[int]{}) {
			n++
		}
		s.print("empty", n)
		return nil
	})
}

func playNestedAsCompleted(s *script) {
	s.nested(func(ctx context.Context, tasks []*asyncio.Task[int]) error {
		for v, err := range asyncio.AsCompleted(ctx, tasks) {
			s.must(err)
			s.print("协程返回值: " + pyString(v))
		}
		return nil
	})
}
