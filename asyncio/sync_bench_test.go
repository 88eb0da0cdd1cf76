package asyncio_test

import (
	"context"
	"sync"
	"testing"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Beside each benchmark stands its form with channels and goroutines, for the
// ratio.

// bench runs main as the main task, and its tasks to their end.
func bench(b *testing.B, main func(ctx context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	if err := asyncio.RunFunc(context.Background(), main, asyncio.WithSignals(false)); err != nil {
		b.Fatal(err)
	}
}

func BenchmarkQueue(b *testing.B) {
	b.Run("asyncio", func(b *testing.B) {
		q := asyncio.NewQueue[int](128)
		bench(b, func(ctx context.Context) error {
			producer := asyncio.Go(ctx, func(ctx context.Context) error {
				for i := range b.N {
					if err := q.Put(ctx, i); err != nil {
						return err
					}
				}
				return nil
			})
			for i := range b.N {
				if v, err := q.Get(ctx); err != nil || v != i {
					b.Fatal(v, err)
				}
			}
			_, err := producer.Await(ctx)
			return err
		})
	})
	b.Run("channel", func(b *testing.B) {
		c := make(chan int, 128)
		go func() {
			for i := range b.N {
				c <- i
			}
		}()
		for i := range b.N {
			if v := <-c; v != i {
				b.Fatal(v)
			}
		}
	})
}

func BenchmarkPingPong(b *testing.B) {
	b.Run("event", func(b *testing.B) {
		var ping, pong asyncio.Event
		bench(b, func(ctx context.Context) error {
			other := asyncio.Go(ctx, func(ctx context.Context) error {
				for range b.N {
					if err := ping.Wait(ctx); err != nil {
						return err
					}
					ping.Clear()
					pong.Set()
				}
				return nil
			})
			for range b.N {
				ping.Set()
				if err := pong.Wait(ctx); err != nil {
					return err
				}
				pong.Clear()
			}
			_, err := other.Await(ctx)
			return err
		})
	})
	b.Run("queue", func(b *testing.B) {
		ping, pong := asyncio.NewQueue[int](1), asyncio.NewQueue[int](1)
		bench(b, func(ctx context.Context) error {
			other := asyncio.Go(ctx, func(ctx context.Context) error {
				for range b.N {
					v, err := ping.Get(ctx)
					if err != nil {
						return err
					}
					if err := pong.Put(ctx, v); err != nil {
						return err
					}
				}
				return nil
			})
			for i := range b.N {
				if err := ping.Put(ctx, i); err != nil {
					return err
				}
				if v, err := pong.Get(ctx); err != nil || v != i {
					b.Fatal(v, err)
				}
			}
			_, err := other.Await(ctx)
			return err
		})
	})
	b.Run("channel", func(b *testing.B) {
		ping, pong := make(chan int), make(chan int)
		go func() {
			for range b.N {
				pong <- <-ping
			}
		}()
		for i := range b.N {
			ping <- i
			if v := <-pong; v != i {
				b.Fatal(v)
			}
		}
	})
}

// BenchmarkLock is two tasks that take turns: each acquisition waits.
func BenchmarkLock(b *testing.B) {
	b.Run("asyncio", func(b *testing.B) {
		var l asyncio.Lock
		turns := func(ctx context.Context) error {
			for range b.N / 2 {
				if err := l.Acquire(ctx); err != nil {
					return err
				}
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
				l.Release()
			}
			return nil
		}
		bench(b, func(ctx context.Context) error {
			other := asyncio.Go(ctx, turns)
			if err := turns(ctx); err != nil {
				return err
			}
			_, err := other.Await(ctx)
			return err
		})
	})
	b.Run("free", func(b *testing.B) {
		var l asyncio.Lock
		bench(b, func(ctx context.Context) error {
			for range b.N {
				if err := l.Acquire(ctx); err != nil {
					return err
				}
				l.Release()
			}
			return nil
		})
	})
	b.Run("mutex", func(b *testing.B) {
		var l sync.Mutex
		n := 0
		for range b.N {
			l.Lock()
			n++
			l.Unlock()
		}
	})
}
