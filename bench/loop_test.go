package bench_test

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/sched"
)

// The loop beside the Go runtime, which has a scheduler for goroutines, and
// beside CPython's asyncio and uvloop, which compare/loop.py measures.

// on runs body as the main task of a loop.
func on(b *testing.B, body func(ctx context.Context) error) {
	b.Helper()
	b.ReportAllocs()
	if err := asyncio.RunFunc(context.Background(), body); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkHop has n tasks that do nothing but let the others run.
func BenchmarkHop(b *testing.B) {
	for _, n := range scaled(b, 1, 1000) {
		how := fmt.Sprintf("n=%d", n)
		b.Run(how+"/by=greenlet", func(b *testing.B) { hopTasks(b, n) })
		b.Run(how+"/by=greenlet-sched", func(b *testing.B) { hopSched(b, n) })
		b.Run(how+"/by=gosched", func(b *testing.B) { hopGoroutines(b, n) })
	}
}

// hops is how many each of n makes.
func hops(b *testing.B, n int) int { return max(5, b.N/n+1) }

func hopTasks(b *testing.B, n int) {
	each := hops(b, n)
	on(b, func(ctx context.Context) error {
		var first sync.Once
		var tasks []*asyncio.Task[asyncio.None]
		for range n {
			tasks = append(tasks, asyncio.Go(ctx, func(ctx context.Context) error {
				for range each + warm {
					if err := asyncio.Sleep(ctx, 0); err != nil {
						return err
					}
				}
				first.Do(func() { per(b, n*each, "ns/hop") }) // their ends are not counted
				return nil
			}))
		}
		if err := asyncio.Sleep(ctx, 0); err != nil { // all have begun
			return err
		}
		runtime.GC()
		for range warm {
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
		}
		b.ResetTimer()
		for _, t := range tasks {
			if _, err := t.Await(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// warm is how often all hop before the clock starts: after a cycle of the collector a
// tree looks at all its greenlets.
const warm = 3

func hopSched(b *testing.B, n int) {
	each := hops(b, n)
	l := sched.New()
	defer l.Close()
	b.ReportAllocs()
	for range n {
		l.Go(func() {
			for range each {
				l.Yield()
			}
		})
	}
	l.Go(func() { b.ResetTimer() }) // all have begun
	if err := l.Run(); err != nil {
		b.Fatal(err)
	}
	per(b, n*each, "ns/hop")
}

// hopGoroutines starts the clock with the first that is warm, and stops it with the
// first that has made its hops.
func hopGoroutines(b *testing.B, n int) {
	each := hops(b, n)
	b.ReportAllocs()
	var start, stop sync.Once
	var begun, all sync.WaitGroup
	wait := make(chan struct{})
	begun.Add(n)
	for range n {
		all.Go(func() {
			begun.Done()
			<-wait
			for range warm {
				runtime.Gosched()
			}
			start.Do(b.ResetTimer)
			for range each {
				runtime.Gosched()
			}
			stop.Do(func() { per(b, n*each, "ns/hop") })
		})
	}
	begun.Wait()
	runtime.GC()
	close(wait)
	all.Wait()
}

// BenchmarkSpawn makes a task that has nothing to wait for, and awaits it.
func BenchmarkSpawn(b *testing.B) {
	b.Run("by=greenlet", func(b *testing.B) {
		on(b, func(ctx context.Context) error {
			for range b.N {
				if v, err := asyncio.CreateTask(ctx, one).Await(ctx); v != 1 {
					return err
				}
			}
			per(b, b.N, "ns/task")
			return nil
		})
	})
	b.Run("by=goroutine", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			var done sync.WaitGroup
			done.Go(func() {})
			done.Wait()
		}
		per(b, b.N, "ns/task")
	})
}

func one(context.Context) (int, error) { return 1, nil }

// BenchmarkGather makes 10,000 such tasks and awaits them together.
func BenchmarkGather(b *testing.B) {
	const many = 10_000
	rounds := func(b *testing.B) int { return b.N/many + 1 }
	b.Run("by=greenlet", func(b *testing.B) {
		coros := make([]asyncio.Awaitable[int], many)
		for i := range coros {
			coros[i] = asyncio.Coro[int](one)
		}
		on(b, func(ctx context.Context) error {
			b.ResetTimer()
			for range rounds(b) {
				if all, err := asyncio.Gather(ctx, coros...).Await(ctx); len(all) != many {
					return err
				}
			}
			per(b, rounds(b)*many, "ns/task")
			return nil
		})
	})
	b.Run("by=goroutine", func(b *testing.B) {
		b.ReportAllocs()
		for range rounds(b) {
			results := make([]int, many)
			var all sync.WaitGroup
			for i := range results {
				all.Go(func() { results[i] = 1 })
			}
			all.Wait()
		}
		per(b, rounds(b)*many, "ns/task")
	})
}

// BenchmarkCallSoon runs callbacks, 1,000 in a turn.
func BenchmarkCallSoon(b *testing.B) {
	const batch = 1000
	b.Run("by=greenlet", func(b *testing.B) {
		rounds := b.N/batch + 1
		on(b, func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			callback := func() {}
			b.ResetTimer()
			for range rounds {
				for range batch {
					l.CallSoon(callback)
				}
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
			}
			per(b, rounds*batch, "ns/callback")
			return nil
		})
	})
}

// BenchmarkTimers makes a million timers, none of which fires, and then cancels
// them all.
func BenchmarkTimers(b *testing.B) {
	many := 1_000_000
	if testing.Short() {
		many = 10_000
	}
	b.Run("by=greenlet", func(b *testing.B) {
		on(b, func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			if err != nil {
				return err
			}
			callback := func() {}
			b.ResetTimer()
			for range b.N {
				handles := make([]*asyncio.TimerHandle, many)
				for i := range handles {
					handles[i] = l.CallLater(timeout(i, many), callback)
				}
				for _, h := range handles {
					h.Cancel()
				}
				if err := asyncio.Sleep(ctx, 0); err != nil {
					return err
				}
			}
			per(b, b.N*many, "ns/timer")
			return nil
		})
	})
	b.Run("by=goroutine", func(b *testing.B) {
		b.ReportAllocs()
		callback := func() {}
		for range b.N {
			timers := make([]*time.Timer, many)
			for i := range timers {
				timers[i] = time.AfterFunc(timeout(i, many), callback)
			}
			for _, t := range timers {
				t.Stop()
			}
		}
		per(b, b.N*many, "ns/timer")
	})
}

// timeout is far away, and in no order.
func timeout(i, many int) time.Duration {
	return 1000*time.Second + time.Duration(i*7919%many)*time.Millisecond
}

// BenchmarkQueue passes values through a queue of 128 from one task to another.
func BenchmarkQueue(b *testing.B) {
	b.Run("by=greenlet", func(b *testing.B) {
		on(b, func(ctx context.Context) error {
			q := asyncio.NewQueue[int](128)
			producer := asyncio.Go(ctx, func(ctx context.Context) error {
				for i := range b.N {
					if err := q.Put(ctx, i); err != nil {
						return err
					}
				}
				return nil
			})
			b.ResetTimer()
			for range b.N {
				if _, err := q.Get(ctx); err != nil {
					return err
				}
			}
			per(b, b.N, "ns/item")
			_, err := producer.Await(ctx)
			return err
		})
	})
	b.Run("by=chan128", func(b *testing.B) {
		b.ReportAllocs()
		q := make(chan int, 128)
		go func() {
			for i := range b.N {
				q <- i
			}
		}()
		for range b.N {
			<-q
		}
		per(b, b.N, "ns/item")
	})
}

// BenchmarkPingPong has two tasks wake each other.
func BenchmarkPingPong(b *testing.B) {
	b.Run("how=event/by=greenlet", func(b *testing.B) {
		on(b, func(ctx context.Context) error {
			ping, pong := asyncio.NewEvent(), asyncio.NewEvent()
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
			b.ResetTimer()
			for range b.N {
				ping.Set()
				if err := pong.Wait(ctx); err != nil {
					return err
				}
				pong.Clear()
			}
			per(b, b.N, "ns/trip")
			_, err := other.Await(ctx)
			return err
		})
	})
	b.Run("how=queue/by=greenlet", func(b *testing.B) {
		on(b, func(ctx context.Context) error {
			ping, pong := asyncio.NewQueue[int](1), asyncio.NewQueue[int](1)
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
			b.ResetTimer()
			for i := range b.N {
				if err := ping.Put(ctx, i); err != nil {
					return err
				}
				if _, err := pong.Get(ctx); err != nil {
					return err
				}
			}
			per(b, b.N, "ns/trip")
			_, err := other.Await(ctx)
			return err
		})
	})
	for _, how := range []string{"event", "queue"} {
		b.Run("how="+how+"/by=chan0", func(b *testing.B) {
			b.ReportAllocs()
			ping, pong := make(chan int), make(chan int)
			go func() {
				for range b.N {
					pong <- <-ping
				}
			}()
			b.ResetTimer()
			for i := range b.N {
				ping <- i
				<-pong
			}
			per(b, b.N, "ns/trip")
		})
	}
}
