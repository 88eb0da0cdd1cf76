package asyncio_test

import (
	"context"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConformanceTimeout(t *testing.T) {
	playScenarios(t,
		scenario{"asyncio/073_wait_for_basic", playWaitForBasic},
		scenario{"asyncio/080_timeout_basic", playTimeoutBasic},
	)
}

func playWaitForBasic(s *script) {
	child := func(d time.Duration, exc error) asyncio.Coro[string] {
		return func(ctx context.Context) (string, error) {
			if err := asyncio.Sleep(ctx, d); err != nil {
				s.print("child cancelled")
				s.must(asyncio.Sleep(ctx, shortly))
				s.print("child cleaned up")
				return "", err
			}
			return "value", exc
		}
	}
	s.program(func(ctx context.Context) error {
		v, err := asyncio.WaitFor(ctx, time.Second, child(shortly, nil))
		s.must(err)
		s.print(v)
		v, err = asyncio.WaitFor(ctx, asyncio.NoTimeout, child(0, nil))
		s.must(err)
		s.print(v)
		_, err = asyncio.WaitFor(ctx, shortly, child(10*time.Second, nil))
		s.print(pyName(err), "(no message)")
		_, err = asyncio.WaitFor(ctx, time.Second, child(0, keyError("inner")))
		s.print(pyName(err), err)
		s.print("cancelling", asyncio.CurrentTask(ctx).Cancelling())
		return nil
	})
}

func playTimeoutBasic(s *script) {
	s.program(func(ctx context.Context) error {
		me := asyncio.CurrentTask(ctx)
		var tm *asyncio.Timeout
		err := asyncio.WithTimeout(ctx, shortly, func(ctx context.Context, t *asyncio.Timeout) error {
			tm = t
			err := asyncio.Sleep(ctx, 10*time.Second)
			s.print("inside: "+pyName(err)+", cancelling", me.Cancelling())
			return err
		})
		s.print("outside: "+pyName(err)+", cancelling", me.Cancelling())
		s.print("expired", yes(tm.Expired()))
		s.must(asyncio.WithTimeout(ctx, 2*shortly, func(ctx context.Context, t *asyncio.Timeout) error {
			tm = t
			err := asyncio.Sleep(ctx, shortly)
			s.print("in time")
			return err
		}))
		s.print("expired", yes(tm.Expired()))
		s.must(asyncio.WithTimeout(ctx, asyncio.NoTimeout, func(ctx context.Context, t *asyncio.Timeout) error {
			s.print("no deadline", yes(t.When() == asyncio.NoTimeout))
			return asyncio.Sleep(ctx, 0)
		}))
		s.must(asyncio.Sleep(ctx, 2*shortly))
		s.print("nothing fires later")
		return nil
	})
}
