package sched_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/greenlettest"
	"github.com/go-greenlet/greenlet/sched"
)

// TestMain runs the tests and then looks for what they have left behind.
func TestMain(m *testing.M) {
	greenlettest.Main(m)
}

// A jumpClock is one that goes forward to the next timer by itself.
type jumpClock struct{ now time.Duration }

func (c *jumpClock) Now() time.Duration { return c.now }

func (c *jumpClock) Until(when time.Duration, alone bool) time.Duration {
	if when == sched.Never || !alone {
		return sched.Never
	}
	c.now = max(c.now, when)
	return 0
}

// newLoop makes a loop on virtual time that is closed at the end of the test.
func newLoop(t testing.TB, opts ...sched.Option) *sched.Loop {
	l := sched.New(append([]sched.Option{sched.WithClock(&jumpClock{})}, opts...)...)
	t.Cleanup(func() { fails(t, l.Close(), nil) })
	return l
}

// run runs l to its end.
func run(t testing.TB, l *sched.Loop) {
	t.Helper()
	fails(t, l.Run(), nil)
}

// fails checks that err is want.
func fails(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("got the error %v, want %v", err, want)
	}
}

// same checks what a test has logged.
func same[T comparable](t testing.TB, got []T, want ...T) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// panicOf returns what f panics with, or nil.
func panicOf(f func()) (p any) {
	defer func() { p = recover() }()
	f()
	return nil
}

// onGoroutine runs f on a goroutine of its own, to its end.
func onGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer greenlet.Close()
		f()
	}()
	<-done
}

// A fakePoller counts what the loop asks of it. It never waits.
type fakePoller struct {
	busy   bool
	waits  []time.Duration
	wakes  int
	closed int
	onWait func(d time.Duration)
}

func (p *fakePoller) Wait(d time.Duration) {
	p.waits = append(p.waits, d)
	if p.onWait != nil {
		p.onWait(d)
	}
}
func (p *fakePoller) Wake()        { p.wakes++ }
func (p *fakePoller) Busy() bool   { return p.busy }
func (p *fakePoller) Close() error { p.closed++; return nil }
