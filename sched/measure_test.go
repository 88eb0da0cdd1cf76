package sched_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

// ordered is a program whose order shows who runs when.
func ordered(l *sched.Loop) (log []string) {
	for _, name := range []string{"a", "b", "c"} {
		l.Go(func() {
			for i := range 3 {
				log = append(log, fmt.Sprint(name, i))
				l.Soon(func() { log = append(log, fmt.Sprint(name, i, " soon")) })
				l.Yield()
			}
			l.Go(func() { log = append(log, name+" child") }).Join()
			l.Sleep(time.Microsecond)
			log = append(log, name+" ends")
		})
	}
	if err := l.Run(); err != nil {
		log = append(log, err.Error())
	}
	return log
}

// stepClock goes forward by itself.
type stepClock struct{ now time.Duration }

func (c *stepClock) Now() time.Duration { return c.now }
func (c *stepClock) Until(when time.Duration, _ bool) time.Duration {
	c.now = max(c.now, when)
	return 0
}

func TestMeasure(t *testing.T) {
	plain := sched.New(sched.WithClock(&stepClock{}))
	defer plain.Close()
	want := ordered(plain)

	l := sched.New(sched.WithClock(&stepClock{}))
	defer l.Close()
	steps := 0
	l.Measure(func(task *sched.Task, took time.Duration) {
		if l.Current() != nil && l.Current() != task || took < 0 {
			t.Errorf("%v after a step of %v, took %v", l.Current(), task, took)
		}
		steps++
	})
	if got := ordered(l); !slices.Equal(got, want) {
		t.Errorf("measured %q, else %q", got, want)
	}
	if steps < 3*6 {
		t.Errorf("%d steps", steps)
	}
	// It can be turned off and on by a task.
	before := steps
	l.Go(func() {
		l.Measure(nil)
		l.Yield()
		l.Yield()
		l.Measure(func(*sched.Task, time.Duration) { steps++ })
		l.Yield()
	})
	l.Run()
	if n := steps - before; n != 2 && n != 1 {
		t.Errorf("%d steps were measured", n)
	}
}

func TestForeignWaitsGlimpse(t *testing.T) {
	l := sched.New()
	defer l.Close()
	if l.Foreign() || l.Waits() {
		t.Error("foreign, or waits, before it runs")
	}
	var task *sched.Task
	asked := make(chan struct{})
	block := make(chan struct{})
	task = l.Go(func() {
		if l.Foreign() || l.Waits() {
			t.Error("foreign, or waits, in a task")
		}
		go func() {
			defer close(asked)
			defer greenlet.Close()
			if !l.Foreign() {
				t.Error("another goroutine is not foreign")
			}
			if got := l.Glimpse(); got != task {
				t.Errorf("glimpsed %p, the task is %p", got, task)
			}
			close(block)
			for !l.Waits() {
				time.Sleep(time.Millisecond)
			}
			l.Stop()
		}()
		<-block
		l.Sleep(time.Hour)
	})
	l.Run()
	<-asked
	if l.Foreign() || l.Waits() {
		t.Error("foreign, or waits, after the run")
	}
}
