package sched_test

import (
	"sync"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// Posts of many goroutines all arrive, those of one in their order, whether the
// loop works or waits.
func TestPostFromMany(t *testing.T) {
	l := sched.New()
	defer l.Close()
	const senders, each = 8, 500
	next := make([]int, senders)
	left := senders * each
	var all sync.WaitGroup
	l.Go(func() { // keeps it busy at times
		for left > 0 {
			l.Sleep(time.Microsecond)
			l.Yield()
		}
	})
	for s := range senders {
		all.Go(func() {
			for i := range each {
				_, err := l.Post(func() {
					if next[s] != i {
						t.Errorf("sender %d: %d comes, want %d", s, i, next[s])
					}
					next[s]++
					left--
				})
				fails(t, err, nil)
			}
		})
	}
	run(t, l)
	all.Wait()
	if left != 0 {
		t.Errorf("%d are missing", left)
	}
}

// Post wakes a loop that waits for ever, Stop ends it.
func TestPostWakes(t *testing.T) {
	l := sched.New()
	defer l.Close()
	waits, posted := make(chan bool), make(chan bool)
	l.WhenQuiet(func() { close(waits) })
	go func() {
		<-waits
		l.Post(func() { close(posted) })
		<-posted
		l.Stop()
	}()
	fails(t, l.RunForever(), nil)
}

// What is posted before Run is run by it, with no task there.
func TestPostBeforeRun(t *testing.T) {
	l := newLoop(t)
	ran := false
	l.Post(func() { ran = true })
	run(t, l)
	if !ran {
		t.Error("it was left")
	}
}

// While something is held the clock stands. When it is released the clock goes
// on, also where the Post came before.
func TestHold(t *testing.T) {
	for range 200 {
		l := sched.New(sched.WithClock(&jumpClock{}))
		var at []time.Duration
		l.Go(func() {
			l.Hold()
			go func() {
				l.Post(func() { at = append(at, l.Now()) })
				l.Release()
			}()
			l.Sleep(time.Hour)
			at = append(at, l.Now())
		})
		run(t, l)
		fails(t, l.Close(), nil)
		same(t, at, 0, time.Hour)
	}
	// Also where the loop waits again already.
	clock := &heldClock{waits: make(chan bool, 10)}
	l := newLoop(t, sched.WithClock(clock))
	l.Go(func() {
		l.Hold()
		go func() {
			<-clock.waits
			l.Release()
		}()
		fails(t, l.Sleep(time.Hour), nil)
	})
	run(t, l)
	l.Hold()
	l.Release()
	if panicOf(l.Release) == nil {
		t.Error("what was never held was released")
	}
}

// Who waits for the loop while the loop is held for his sake does not keep the clock, and
// has a moment when he goes on.
func TestLend(t *testing.T) {
	clock := &heldClock{waits: make(chan bool, 100)}
	l := newLoop(t, sched.WithClock(clock))
	l.Go(func() {
		l.Hold()
		back := l.Lend()
		fails(t, l.Sleep(time.Hour), nil) // at once, as nobody is under way
		if len(clock.waits) > 0 || l.Now() != time.Hour {
			t.Errorf("%d waits, now %v", len(clock.waits), l.Now())
		}
		back()
		l.Release()
		for range 1000 { // on a machine that is busy the moment may be over before the loop waits
			if len(clock.waits) > 0 {
				return
			}
			fails(t, l.Sleep(time.Hour), nil)
			l.Lend()()
		}
		t.Error("the clock never waits")
	})
	run(t, l)
}

// A Release tells the loop that there are not more who hold it than wait for it.
func TestReleaseBesideLend(t *testing.T) {
	clock := &heldClock{waits: make(chan bool, 100)}
	l := newLoop(t, sched.WithClock(clock))
	l.Go(func() {
		l.Hold()
		l.Hold()
		defer l.Lend()()
		go func() {
			<-clock.waits
			l.Release()
		}()
		fails(t, l.Sleep(time.Hour), nil)
		l.Release()
	})
	run(t, l)
}

// A heldClock tells when the loop waits with the clock standing.
type heldClock struct {
	jumpClock
	waits chan bool
}

func (c *heldClock) Until(when time.Duration, alone bool) time.Duration {
	if !alone {
		c.waits <- true
	}
	return c.jumpClock.Until(when, alone)
}

// The poller is asked in every turn while it is busy, and waited in when nothing
// is ready; what it learns runs in the turn that follows.
func TestPoller(t *testing.T) {
	p := &fakePoller{}
	clock := &jumpClock{}
	l := sched.New(sched.WithPoller(p), sched.WithClock(clock))
	var log []string
	var parked *sched.Task
	p.onWait = func(d time.Duration) {
		if d == sched.Never {
			parked.Ready()
			l.Soon(func() { log = append(log, "event") })
		}
	}
	parked = l.Go(func() {
		l.Park()
		log = append(log, "task")
		p.busy = true
		for range 3 {
			l.Yield()
		}
		p.busy = false
		l.Yield()
		l.Sleep(5) // a clock that jumps: the poller is asked, and does not wait
	})
	run(t, l)
	same(t, log, "task", "event")
	same(t, p.waits, sched.Never, 0, 0, 0, 0)
	fails(t, l.Close(), nil)
	if p.closed != 1 {
		t.Errorf("closed %d times", p.closed)
	}
}
