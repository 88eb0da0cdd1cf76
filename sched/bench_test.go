package sched_test

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

func BenchmarkHop(b *testing.B) {
	for _, n := range []int{1, 10, 1000, 10000, 100000} {
		b.Run("", func(b *testing.B) {
			l := sched.New()
			defer l.Close()
			for range n {
				l.Go(func() {
					for range b.N / n {
						l.Yield()
					}
				})
			}
			b.ResetTimer()
			if err := l.Run(); err != nil {
				b.Fatal(err)
			}
		})
	}
}

func BenchmarkGosched(b *testing.B) {
	done := make(chan bool)
	for range 1000 {
		go func() {
			for range b.N / 1000 {
				runtime.Gosched()
			}
			done <- true
		}()
	}
	for range 1000 {
		<-done
	}
}

func BenchmarkSpawn(b *testing.B) {
	l := sched.New()
	defer l.Close()
	b.ReportAllocs()
	l.Go(func() {
		for range b.N {
			l.Go(func() {}).Join()
		}
	})
	l.Run()
}

// BenchmarkFire has n timers outstanding, each of which is set anew when it has
// fired: for the same delay, or for a random one.
func BenchmarkFire(b *testing.B) {
	for _, how := range []string{"same", "random"} {
		for _, n := range []int{10, 1000, 100000} {
			b.Run(fmt.Sprintf("delay=%s/n=%d", how, n), func(b *testing.B) {
				b.ReportAllocs()
				delay := func() time.Duration {
					if how == "same" {
						return time.Second
					}
					return time.Duration(rand.Uint32())
				}
				c := &jumpClock{}
				l := newLoop(b, sched.WithClock(c))
				fired := 0
				var fire func()
				fire = func() {
					if fired++; fired == b.N {
						l.Stop()
					}
					l.After(delay(), fire)
				}
				for range n {
					c.now += time.Microsecond
					l.After(delay(), fire)
				}
				b.ResetTimer()
				if err := l.RunForever(); err != nil {
					b.Fatal(err)
				}
			})
		}
	}
}
