package sched_test

import (
	"runtime"
	"testing"

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
