package bench_test

import (
	"fmt"
	"iter"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// BenchmarkSimulation is a discrete-event simulation of n processes, each of
// which waits for some time, again and again. An event is: take the next from
// the heap, let its process run up to its next wait, put that into the heap. All
// have the same heap and the same processes; by=callback the process is a
// function that is called once for each event and keeps its state in a struct.
func BenchmarkSimulation(b *testing.B) {
	for _, n := range []int{10, 1_000, 100_000} {
		for _, v := range []struct {
			by    string
			start func(id int) (resume func() int64, end func())
		}{
			{"greenlet", coroProcess},
			{"greenlet-pull", func(id int) (func() int64, func()) { return pullProcess(id, greenlet.Pull[int64]) }},
			{"pull", func(id int) (func() int64, func()) { return pullProcess(id, iter.Pull[int64]) }},
			{"chan0", channelProcess},
			{"callback", callbackProcess},
		} {
			b.Run(fmt.Sprintf("n=%d/by=%s", n, v.by), func(b *testing.B) { simulate(b, n, v.start) })
		}
	}
}

// simulate carries out b.N events. A process is started by its first resume;
// resume returns how long it waits.
func simulate(b *testing.B, n int, start func(id int) (resume func() int64, end func())) {
	var h agenda
	resumes := make([]func() int64, n)
	for i := range resumes {
		resume, end := start(i)
		defer end()
		resumes[i] = resume
		h.push(event{resume(), i})
	}
	b.ReportAllocs()
	b.ResetTimer()
	var now int64
	for range b.N {
		e := h.pop()
		now = e.at
		h.push(event{now + resumes[e.who](), e.who})
	}
	per(b, b.N, "ns/event")
	// The average wait is 500, so time must have gone on as the events went by.
	if b.N > 10*n && (now < int64(b.N/n)*400 || now > int64(b.N/n)*600+1000) {
		b.Fatalf("after %d events of %d processes it is %d o'clock", b.N, n, now)
	}
}

// chances are a process's numbers.
type chances uint64

func (c *chances) wait() int64 {
	*c = *c*6364136223846793005 + 1442695040888963407
	return int64(*c >> 33 % 1000)
}

func coroProcess(id int) (resume func() int64, end func()) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[struct{}, int64], _ struct{}) error {
		for own := chances(id); ; {
			c.Yield(own.wait())
		}
	})
	return func() int64 { d, _ := c.Resume(struct{}{}); return d }, func() { c.Close() }
}

func pullProcess(id int, pull func(iter.Seq[int64]) (func() (int64, bool), func())) (resume func() int64, end func()) {
	next, stop := pull(func(yield func(int64) bool) {
		for own := chances(id); yield(own.wait()); {
		}
	})
	return func() int64 { d, _ := next(); return d }, stop
}

func channelProcess(id int) (resume func() int64, end func()) {
	ask, answer := make(chan struct{}), make(chan int64)
	go func() {
		own := chances(id)
		for range ask {
			answer <- own.wait()
		}
	}()
	return func() int64 { ask <- struct{}{}; return <-answer }, func() { close(ask) }
}

func callbackProcess(id int) (resume func() int64, end func()) {
	own := chances(id)
	return func() int64 { return own.wait() }, func() {}
}

// An event is the end of a wait.
type event struct {
	at  int64
	who int
}

// An agenda is a heap of events, the next one on top.
type agenda []event

func (a *agenda) push(e event) {
	*a = append(*a, e)
	h := *a
	i := len(h) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if h[parent].at <= e.at {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = e
}

func (a *agenda) pop() event {
	h := *a
	top, last := h[0], len(h)-1
	e := h[last]
	h = h[:last]
	*a = h
	for i := 0; i < last; {
		child := 2*i + 1
		if child+1 < last && h[child+1].at < h[child].at {
			child++
		}
		if child >= last || h[child].at >= e.at {
			h[i] = e
			break
		}
		h[i] = h[child]
		i = child
	}
	return top
}
