package asynciotest

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// workerVar is the environment variable that makes a process of a test's program a
// worker of an exploration. Its value is what workerName returns.
const workerVar = "ASYNCIOTEST_WORKER"

// An ask is what a worker is asked for: a line of JSON.
type ask struct {
	span
	Explain bool `json:",omitempty"` // why To fails
}

// A reply is what it answers: a line of JSON after mark, among what the test prints.
type reply struct {
	span                     // those that were run, to the first that fails
	Ready     bool           `json:",omitempty"` // that is all: ask
	Slow      uint64         `json:",omitempty"` // a seed that takes long; Took and Log, where it is, are all else
	Took      time.Duration  `json:",omitempty"` // so far, about
	Ended     bool           `json:",omitempty"` // that is all: so does the program, in strict mode
	Fails     bool           `json:",omitempty"` // To does
	Skips     bool           `json:",omitempty"` // To does
	Log       string         `json:",omitempty"` // of To
	Differs   string         `json:",omitempty"` // To is not the same run twice: how
	Explained string         `json:",omitempty"`
	Reached   map[string]int `json:",omitempty"`
	Hash      uint64         `json:",omitempty"` // of the events of all
}

// mark begins a reply: a byte that no program prints, and what a reader can make
// sense of.
const mark = "\x16asynciotest "

var stdout = os.Stdout // a test may set another one

// serve is what a worker does: it runs the seeds that it is asked for.
func (x *exploration) serve(in io.Reader, out io.Writer) {
	var writing sync.Mutex
	send := func(r reply) {
		writing.Lock()
		defer writing.Unlock()
		text, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "\n%s%s\n", mark, text)
	}
	send(reply{Ready: true})
	if !inWasm() { // where who asks knows which seed it is
		defer x.watch(func(seed uint64, took time.Duration) { send(reply{Slow: seed, Took: took, Log: busyStacks()}) })()
	}
	for a := range asks(in) {
		if !a.Explain {
			send(x.runSpan(a.span))
			continue
		}
		tr, net, differs := x.try(a.To)
		r := reply{span: a.span, Log: tr.log.String(), Differs: differs}
		if tr.failed {
			r.Explained = x.explained(a.To, net)
		}
		send(r)
	}
}

// watch calls slow again and again, on another goroutine, while a seed runs that has
// taken longer than x's patience, until the function that it returns is called.
func (x *exploration) watch(slow func(seed uint64, took time.Duration)) (stop func()) {
	over, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		patience := x.patience()
		tick := time.NewTicker(patience)
		defer tick.Stop()
		for was, took := uint64(0), time.Duration(0); ; {
			select {
			case <-tick.C:
			case <-over:
				return
			}
			seed, runs := x.seed.Load(), x.runs.Load()
			if took += patience; runs != was || seed == 0 {
				was, took = runs, 0
				continue
			}
			slow(seed, took)
		}
	}()
	return func() { close(over); <-ended }
}

// patience is how long a seed may take before it is told of: ten seconds, less in a test
// that has little time.
func (x *exploration) patience() time.Duration {
	return min(10*time.Second, max(x.timeLeft()/40, time.Millisecond))
}

// timeLeft returns how long it is to the end of the test's time; an hour if there is none.
func (x *exploration) timeLeft() time.Duration {
	if t, ok := x.t.(interface{ Deadline() (time.Time, bool) }); ok {
		if last, ok := t.Deadline(); ok {
			return time.Until(last)
		}
	}
	return time.Hour
}

// busyStacks returns the stacks of the goroutines that do not wait as greenlets do, apart
// from its own and those of Go's test program.
func busyStacks() string {
	var b strings.Builder
	for i, dump := range strings.Split(string(buffer(true)), "\n\n") {
		head, _, _ := strings.Cut(dump, "\n")
		if i == 0 || strings.Contains(head, "[coroutine") || strings.Contains(dump, "testing.(*M).Run") || strings.Contains(dump, "asynciotest.asks.") ||
			strings.Contains(dump, "asynciotest.(*exploration).serve(") {
			continue
		}
		fmt.Fprintf(&b, "%s\n\n", dump)
		if b.Len() > 8<<10 {
			break
		}
	}
	return b.String()
}

// asks returns what is read from in. When that ends, so does the process if it is busy:
// nobody waits for it any more.
func asks(in io.Reader) iter.Seq[ask] {
	read := make(chan ask)
	var busy atomic.Bool
	go func() {
		defer close(read)
		lines := json.NewDecoder(in)
		for {
			var a ask
			if lines.Decode(&a) != nil {
				break
			}
			read <- a
		}
		if busy.Load() && runtime.GOOS != "wasip1" {
			os.Exit(3)
		}
	}()
	return func(yield func(ask) bool) {
		for a := range read {
			busy.Store(true)
			if !yield(a) {
				return
			}
			busy.Store(false)
		}
	}
}

// runSpan runs seeds up to the first that fails.
func (x *exploration) runSpan(s span) reply {
	r := reply{span: s, Reached: make(map[string]int)}
	for seed := s.From; seed <= s.To; seed++ {
		tr, net, differs := x.try(seed)
		if net != nil {
			for name, times := range net.Reached() {
				r.Reached[name] += times
			}
			r.Hash = (r.Hash ^ net.Hash()) * 0x9e3779b97f4a7c15
		}
		if tr.failed || tr.skipped || differs != "" {
			r.To = seed
			r.Fails, r.Skips, r.Differs, r.Log = tr.failed || differs != "", tr.skipped, differs, tr.log.String()
			break
		}
	}
	return r
}

// tail is the end of what was written to it.
type tail struct{ strings.Builder }

func (b *tail) Write(p []byte) (int, error) {
	const most = 16 << 10
	if b.Len()+len(p) > 2*most {
		kept := b.String()
		b.Reset()
		b.WriteString(kept[max(0, len(kept)-most):])
	}
	return b.Builder.Write(p[max(0, len(p)-most):])
}
