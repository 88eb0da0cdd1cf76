package sched_test

import (
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// A postingPoller is where a loop waits until something was posted at once, by next.
type postingPoller struct {
	sched.Poller
	next func()
}

func (p *postingPoller) Wait(time.Duration) { p.next() }
func (p *postingPoller) Wake()              {}
func (p *postingPoller) Busy() bool         { return false }
func (p *postingPoller) Close() error       { return nil }

// A leapClock goes to the next timer when the loop would wait.
type leapClock struct{ now time.Duration }

func (c *leapClock) Now() time.Duration { return c.now }

func (c *leapClock) Until(when time.Duration, alone bool) time.Duration {
	if alone && when != sched.Never {
		c.now = max(c.now, when)
		return 0
	}
	return sched.Never
}

// BenchmarkIdleWake is a loop that has nothing to do and is woken, again and again. What
// the system takes for it is in the last one only, and makes that restless.
func BenchmarkIdleWake(b *testing.B) {
	for _, name := range []string{"post", "post beside a timer"} {
		b.Run(name, func(b *testing.B) {
			p := &postingPoller{}
			l := sched.New(sched.WithPoller(p))
			defer l.Close()
			if name != "post" {
				l.After(time.Hour, func() {})
			}
			left := b.N
			p.next = func() {
				l.Post(func() {
					if left--; left == 0 {
						l.Stop()
					}
				})
			}
			b.ResetTimer()
			l.RunForever()
		})
	}
	b.Run("timer", func(b *testing.B) {
		l := sched.New(sched.WithClock(&leapClock{}))
		defer l.Close()
		l.Go(func() {
			for range b.N {
				l.Sleep(time.Millisecond)
			}
		})
		b.ResetTimer()
		l.Run()
	})
	b.Run("post of a goroutine", func(b *testing.B) {
		l := sched.New()
		defer l.Close()
		came := make(chan struct{})
		go func() {
			for range b.N {
				l.Post(func() { came <- struct{}{} })
				<-came
			}
			l.Stop()
		}()
		b.ResetTimer()
		l.RunForever()
	})
}
