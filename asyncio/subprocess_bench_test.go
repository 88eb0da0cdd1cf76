//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// BenchmarkSpawn starts true and waits for its end, one after the other and several
// at once.
func BenchmarkSpawn(b *testing.B) {
	spawn := func(ctx context.Context) (int, error) {
		p, err := asyncio.CreateSubprocessExec(ctx, []string{"true"})
		if err != nil {
			return 0, err
		}
		return p.Wait(ctx)
	}
	run := func(b *testing.B, main func(ctx context.Context) error) {
		b.ReportAllocs()
		if err := asyncio.RunFunc(context.Background(), main); err != nil {
			b.Error(err)
		}
	}
	b.Run("one", func(b *testing.B) {
		run(b, func(ctx context.Context) error {
			for b.Loop() {
				if _, err := spawn(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	})
	b.Run("sixteen", func(b *testing.B) {
		run(b, func(ctx context.Context) error {
			all := make([]asyncio.Coro[int], b.N)
			for i := range all {
				all[i] = spawn
			}
			_, err := asyncio.Gather(ctx, asyncio.Limit(16, all...)...).Await(ctx)
			return err
		})
	})
	b.Run("pipes", func(b *testing.B) {
		run(b, func(ctx context.Context) error {
			for b.Loop() {
				p, err := asyncio.CreateSubprocessExec(ctx, []string{"true"}, allPipes()...)
				if err != nil {
					return err
				}
				if _, _, err := p.Communicate(ctx, nil); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
