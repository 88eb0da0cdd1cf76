package asyncio_test

import (
	"context"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceShield(t *testing.T) {
	playScenarios(t, scenario{"asyncio/090_shield_basic", playShieldBasic})
}

func playShieldBasic(s *script) {
	inner := asyncio.Coro[string](func(ctx context.Context) (string, error) {
		if err := asyncio.Sleep(ctx, 3*shortly); err != nil {
			s.print("inner cancelled")
			return "", err
		}
		s.print("inner ends")
		return "inner value", nil
	})
	outer := func(t *asyncio.Task[string]) asyncio.Coro[string] {
		return func(ctx context.Context) (string, error) {
			v, err := asyncio.Shield(ctx, t).Await(ctx)
			if err != nil {
				s.print("outer cancelled")
			}
			return v, err
		}
	}
	s.program(func(ctx context.Context) error {
		i := asyncio.CreateTask(ctx, inner)
		o := asyncio.CreateTask(ctx, outer(i))
		s.must(asyncio.Sleep(ctx, shortly))
		o.Cancel()
		asyncio.Wait(ctx, []asyncio.AnyTask{o})
		s.print("outer cancelled", yes(o.Cancelled()), "inner done", yes(i.Done()))
		v, err := i.Await(ctx)
		s.must(err)
		s.print(v)
		i = asyncio.CreateTask(ctx, inner)
		o = asyncio.CreateTask(ctx, outer(i))
		s.must(asyncio.Sleep(ctx, shortly))
		i.Cancel()
		asyncio.Wait(ctx, []asyncio.AnyTask{o})
		s.print("both cancelled", yes(o.Cancelled() && i.Cancelled()))
		l, _ := asyncio.RunningLoop(ctx)
		done := asyncio.NewFuture[string](l)
		done.SetResult("ready")
		s.print("shield of a done future is itself", yes(asyncio.Shield(ctx, done) == asyncio.FutureOf[string](done)))
		return nil
	})
}
