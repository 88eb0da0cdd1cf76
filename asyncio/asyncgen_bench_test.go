package asyncio_test

import (
	"context"
	"testing"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

func BenchmarkAsyncGenStep(b *testing.B) {
	count := func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
		for i := 0; ; i++ {
			if _, err := y.Yield(i); err != nil {
				return err
			}
		}
	}
	inTask := func(name string, f func(ctx context.Context, b *testing.B)) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				f(ctx, b)
				return nil
			})
			if err != nil {
				b.Fatal(err)
			}
		})
	}
	inTask("next", func(ctx context.Context, b *testing.B) {
		g := asyncio.NewAsyncGen(count)
		defer g.Close(ctx)
		g.Next(ctx)
		b.ResetTimer()
		for range b.N {
			g.Next(ctx)
		}
	})
	inTask("all", func(ctx context.Context, b *testing.B) {
		n := 0
		for _, err := range asyncio.NewAsyncGen(count).All(ctx) {
			if n++; err != nil || n > b.N {
				break
			}
		}
	})
	inTask("send", func(ctx context.Context, b *testing.B) {
		g := asyncio.NewAsyncGen(count)
		defer g.Close(ctx)
		g.Next(ctx)
		for range b.N {
			g.Send(ctx, asyncio.None{})
		}
	})
	inTask("sleep", func(ctx context.Context, b *testing.B) {
		g := asyncio.NewAsyncGen(func(ctx context.Context, y *asyncio.AsyncYielder[int, asyncio.None]) error {
			for {
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
				if _, err := y.Yield(1); err != nil {
					return err
				}
			}
		})
		defer g.Close(ctx)
		for range b.N {
			g.Next(ctx)
		}
	})
	inTask("sleepAlone", func(ctx context.Context, b *testing.B) {
		for range b.N {
			asyncio.Sleep(ctx, 0)
		}
	})
	inTask("sleepValueCtx", func(ctx context.Context, b *testing.B) {
		ctx = asyncio.NewContextVar("a", 0).With(ctx, 1)
		for range b.N {
			asyncio.Sleep(ctx, 0)
		}
	})
	inTask("new", func(ctx context.Context, b *testing.B) {
		for range b.N {
			g := asyncio.NewAsyncGen(count)
			g.Next(ctx)
			g.Close(ctx)
		}
	})
	inTask("generator", func(ctx context.Context, b *testing.B) {
		g := greenlet.NewGenerator(func(y *greenlet.Yielder[int, int]) (int, error) {
			for i := 0; ; i++ {
				if _, err := y.Yield(i); err != nil {
					return 0, err
				}
			}
		})
		defer g.Close()
		for range b.N {
			g.Next()
		}
	})
	inTask("call", func(ctx context.Context, b *testing.B) {
		n := 0
		for range b.N {
			n += plain(ctx, n)
		}
	})
}

//go:noinline
func plain(_ context.Context, n int) int { return n & 1 }
