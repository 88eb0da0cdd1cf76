package tracecheck

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	runtimetrace "runtime/trace"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-greenlet/greenlet"
	"golang.org/x/exp/trace"
)

// A summary is what a trace tells of goroutines.
type summary struct {
	events      int
	generations int
	waits       map[trace.GoID]int // how often a goroutine went from running to waiting
}

// read parses a trace to its end.
func read(t *testing.T, what string, data []byte) summary {
	t.Helper()
	s := summary{waits: make(map[trace.GoID]int)}
	r, err := trace.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatalf("%s (%d bytes): %v", what, len(data), err)
	}
	for {
		ev, err := r.ReadEvent()
		if errors.Is(err, io.EOF) {
			return s
		}
		if err != nil {
			t.Fatalf("%s (%d bytes): after %d events: %v", what, len(data), s.events, err)
		}
		s.events++
		switch ev.Kind() {
		case trace.EventSync:
			s.generations++
		case trace.EventStateTransition:
			st := ev.StateTransition()
			if st.Resource.Kind != trace.ResourceGoroutine {
				continue
			}
			if from, to := st.Goroutine(); from == trace.GoRunning && to == trace.GoWaiting {
				s.waits[st.Resource.Goroutine()]++
			}
		}
	}
}

func (s summary) waited() (n int) {
	for _, w := range s.waits {
		n += w
	}
	return n
}

// partner makes a greenlet that sends back what it is sent, plus one.
func partner() *greenlet.Greenlet {
	main := greenlet.Current()
	return greenlet.New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(v.(int) + 1)
		}
	})
}

func pingPong(t *testing.T, g *greenlet.Greenlet, n int) {
	for i := range n {
		if v, err := g.Switch(i); v != i+1 || err != nil {
			t.Fatalf("sent %d, got %v, %v", i, v, err)
		}
	}
}

// TestEverySwitchIsTraced starts a trace in the middle of a life of switches,
// again and again, so that it meets all the numbers a generation of a trace can
// have, and counts the switches in it.
func TestEverySwitchIsTraced(t *testing.T) {
	defer greenlet.Close()
	g := partner()
	pingPong(t, g, 1000)
	const n = 200
	for range 7 {
		var buf bytes.Buffer
		if err := runtimetrace.Start(&buf); err != nil {
			t.Skip(err)
		}
		pingPong(t, g, n)
		runtimetrace.Stop()
		s := read(t, "trace", buf.Bytes())
		// Switches there and back: each makes its goroutine wait.
		if got := s.waited(); got < 2*n {
			t.Errorf("%d switches were made, the trace shows %d", 2*n, got)
		}
		pingPong(t, g, 1000)
	}
}

// TestTraceFromInside starts and stops traces in a greenlet, so that the trace
// begins in one that was never seen by the scheduler.
func TestTraceFromInside(t *testing.T) {
	defer greenlet.Close()
	g := partner()
	main := greenlet.Current()
	const n = 200
	for range 4 {
		var buf bytes.Buffer
		inside := greenlet.New(func(any) (any, error) {
			main.Switch(nil)
			if err := runtimetrace.Start(&buf); err != nil {
				return err, nil
			}
			for range n {
				main.Switch(nil)
			}
			runtimetrace.Stop()
			return nil, nil
		})
		for !inside.Dead() {
			if v, _ := inside.Switch(nil); v != nil {
				t.Skip(v)
			}
			pingPong(t, g, 3)
		}
		s := read(t, "trace", buf.Bytes())
		if got := s.waited(); got < 8*n {
			t.Errorf("%d switches were made, the trace shows %d", 8*n, got)
		}
	}
}

// TestTraceParses takes traces of several generations, and snapshots by a
// flight recorder meanwhile, of trees in which greenlets start, end, are killed
// and abandoned, on locked threads too.
func TestTraceParses(t *testing.T) {
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	var stop atomic.Bool
	var trees sync.WaitGroup
	for i := range 4 {
		trees.Go(func() {
			if i%2 == 1 {
				runtime.LockOSThread()
				defer runtime.UnlockOSThread()
			}
			defer greenlet.Close()
			for !stop.Load() {
				life(t)
			}
		})
	}
	collector := make(chan struct{})
	go func() {
		defer close(collector)
		for !stop.Load() {
			runtime.GC()
		}
	}()

	for range rounds {
		var whole bytes.Buffer
		if err := runtimetrace.Start(&whole); err != nil {
			t.Skip(err)
		}
		fr := runtimetrace.NewFlightRecorder(runtimetrace.FlightRecorderConfig{})
		if err := fr.Start(); err != nil {
			t.Fatal(err)
		}
		// Each snapshot begins a new generation of the trace.
		for range 5 {
			var snapshot bytes.Buffer
			busy(t)
			if _, err := fr.WriteTo(&snapshot); err != nil {
				t.Fatal(err)
			}
			read(t, "snapshot", snapshot.Bytes())
		}
		fr.Stop()
		runtimetrace.Stop()
		s := read(t, "trace", whole.Bytes())
		if s.generations < 5 {
			t.Errorf("a trace of %d generations", s.generations)
		}
		t.Logf("%d events in %d generations, %d waits", s.events, s.generations, s.waited())
	}
	stop.Store(true)
	trees.Wait()
	<-collector
}

// busy lets the trees run for a while: until this goroutine's own tree has
// switched some thousand times.
func busy(t *testing.T) {
	g := partner()
	pingPong(t, g, 2000)
	g.Kill()
}

// life is one round of a tree.
func life(t *testing.T) {
	g := partner()
	pingPong(t, g, 50)
	quick := greenlet.New(func(v any) (any, error) { return v, nil })
	if v, _ := quick.Switch(1); v != 1 {
		t.Errorf("a body returned %v", v)
	}
	failed := errors.New("failed")
	main := greenlet.Current()
	throws := greenlet.New(func(any) (any, error) {
		_, err := main.Switch(nil)
		return nil, err
	})
	throws.Switch(nil)
	if _, err := throws.Throw(failed); err != failed {
		t.Errorf("a throw came back as %v", err)
	}
	runtime.Gosched()
	g.Kill()
}
