package sched_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// What every Poller promises, tried on each that the system has. Those that watch
// descriptors are tried twice: with none, and while they watch one.

// A pollerKind is a way to make a poller.
type pollerKind struct {
	name string
	make func() sched.Poller
	mode func() (undo func()) // nil: none
}

var pollerKinds = []pollerKind{
	{name: "default", make: sched.NewPoller},
	{name: "idler", make: sched.NewIdler},
}

// busy makes p watch a descriptor on which nothing happens. It is nil where there
// are no descriptors.
var busy func(t *testing.T, p sched.DescriptorPoller)

func eachPoller(t *testing.T, f func(t *testing.T, k pollerKind)) {
	for _, k := range pollerKinds {
		t.Run(k.name, func(t *testing.T) {
			if k.mode != nil {
				defer k.mode()()
			}
			f(t, k)
		})
	}
}

func TestPollerContract(t *testing.T) {
	eachPoller(t, func(t *testing.T, k pollerKind) {
		for _, c := range []struct {
			name string
			run  func(t *testing.T, p sched.Poller)
		}{
			{"wake before", wakeBefore},
			{"wake during", wakeDuring},
			{"wake from many", wakeFromMany},
			{"wakes are forgotten", wakesAreForgotten},
			{"no wait", noWait},
			{"time-outs", timeOuts},
			{"long time-outs", longTimeOuts},
			{"close twice", closeTwice},
		} {
			t.Run(c.name, func(t *testing.T) {
				p := k.make()
				c.run(t, p)
				fails(t, p.Close(), nil)
				p.Wake() // allowed
			})
			t.Run(c.name+", busy", func(t *testing.T) {
				p, ok := k.make().(sched.DescriptorPoller)
				if !ok || busy == nil {
					t.Skip("it watches no descriptors")
				}
				busy(t, p)
				c.run(t, p)
				fails(t, p.Close(), nil)
				p.Wake()
			})
		}
	})
}

func wakeBefore(t *testing.T, p sched.Poller) {
	for range 3 {
		p.Wake()
		p.Wait(sched.Never)
	}
}

// The other goroutine learns that the owner is about to wait, so most wakes find
// it waiting, or on its way there.
func wakeDuring(t *testing.T, p sched.Poller) {
	const rounds = 300
	waits, ended := make(chan bool), make(chan bool)
	var wakes atomic.Int64
	go func() {
		defer close(ended)
		for i := range rounds {
			<-waits
			for range i % 7 {
				runtime.Gosched()
			}
			wakes.Add(1)
			p.Wake()
		}
	}()
	for i := range rounds {
		waits <- true
		for wakes.Load() <= int64(i) {
			p.Wait(sched.Never)
		}
	}
	<-ended
}

// The last wake of all is not lost among the others.
func wakeFromMany(t *testing.T, p sched.Poller) {
	const wakers, each = 8, 400
	for range 5 {
		var all sync.WaitGroup
		var count atomic.Int64
		for range wakers {
			all.Go(func() {
				for i := range each {
					count.Add(1)
					p.Wake()
					if i%16 == 0 {
						runtime.Gosched()
					}
				}
			})
		}
		for count.Load() < wakers*each {
			p.Wait(sched.Never)
		}
		all.Wait()
	}
}

// lasts checks that p waits for d, in a few calls.
func lasts(t *testing.T, p sched.Poller, d time.Duration) {
	t.Helper()
	const most = 1000 // a signal may end a wait, and old wakes
	begin := time.Now()
	for calls := 0; ; calls++ {
		left := d - time.Since(begin)
		if left <= 0 {
			return
		}
		if calls == most {
			t.Errorf("after %d calls %v of %v are left: it does not wait", calls, left, d)
			return
		}
		p.Wait(left)
	}
}

func wakesAreForgotten(t *testing.T, p sched.Poller) {
	for range 100 {
		p.Wake()
	}
	p.Wait(0)
	lasts(t, p, 20*time.Millisecond)
}

func noWait(t *testing.T, p sched.Poller) {
	for _, d := range []time.Duration{0, -1, -time.Hour, math.MinInt64} {
		p.Wait(d)
	}
}

func timeOuts(t *testing.T, p sched.Poller) {
	for _, d := range []time.Duration{1, time.Microsecond, 1500 * time.Microsecond, 20 * time.Millisecond} {
		lasts(t, p, d)
	}
}

// Times that are too long for the system are no short ones.
func longTimeOuts(t *testing.T, p sched.Poller) {
	for _, d := range []time.Duration{30 * 24 * time.Hour, 100 * 365 * 24 * time.Hour, sched.Never - 1} {
		var woken atomic.Bool
		begun := make(chan bool)
		go func() {
			<-begun
			for range 100 {
				runtime.Gosched()
			}
			woken.Store(true)
			p.Wake()
		}()
		close(begun)
		for calls := 0; !woken.Load(); calls++ {
			if calls == 1_000_000 {
				t.Fatalf("Wait(%v) does not wait", d)
			}
			p.Wait(d)
		}
		p.Wait(0)
	}
}

func closeTwice(t *testing.T, p sched.Poller) {
	fails(t, p.Close(), nil)
	p.Wake()
}

// A loop whose poller watches no descriptors says so.
func TestWatchUnsupported(t *testing.T) {
	for name, p := range map[string]sched.Poller{"idler": sched.NewIdler(), "custom": &fakePoller{}} {
		l := sched.New(sched.WithPoller(p))
		var d sched.Descriptor
		if err := l.Watch(&d, 0, nil); !errors.Is(err, errors.ErrUnsupported) || d.Watched() {
			t.Errorf("%s: %v", name, err)
		}
		if err := l.WatchLevel(&d, 0, nil, sched.Readable); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v", name, err)
		}
		fails(t, d.Unwatch(), nil)
		fails(t, l.Close(), nil)
		fails(t, l.Watch(&d, 0, nil), sched.ErrClosed)
	}
}

func TestEventsString(t *testing.T) {
	same(t, []string{
		fmt.Sprint(sched.Readable | sched.HungUp), fmt.Sprint(sched.Writable), fmt.Sprint(sched.Events(0)),
	}, "readable, hung up", "writable", "")
}
