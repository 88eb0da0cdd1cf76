package asynciotest

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
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
	send := func(r reply) {
		text, err := json.Marshal(r)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(out, "\n%s%s\n", mark, text)
	}
	send(reply{Ready: true})
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
