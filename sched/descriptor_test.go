//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package sched_test

import (
	"errors"
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/sched"
)

// pair returns two ends of a connection that do not block, until the end of the
// test.
func pair(t testing.TB) (a, b int) {
	t.Helper()
	a, b = openPair(t)
	t.Cleanup(func() {
		unix.Close(a)
		unix.Close(b)
	})
	return a, b
}

// openPair is pair for a test that closes them itself.
func openPair(t testing.TB) (a, b int) {
	t.Helper()
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, fd := range ends {
		unix.CloseOnExec(fd)
		if err := unix.SetNonblock(fd, true); err != nil {
			t.Fatal(err)
		}
	}
	return ends[0], ends[1]
}

// A reader is a task that waits for a descriptor.
type reader struct {
	sched.Descriptor
	task *sched.Task
	seen sched.Events
}

func (r *reader) Happened(ev sched.Events) {
	r.seen |= ev
	if r.task != nil {
		r.task.Ready()
	}
}

// read reads as a task does: it waits where the call would.
func (r *reader) read(l *sched.Loop, fd int, p []byte) (int, error) {
	for {
		n, err := unix.Read(fd, p)
		switch {
		case n > 0:
			return n, nil
		case n == 0 && err == nil:
			return 0, io.EOF
		case err != unix.EAGAIN:
			return 0, err
		}
		r.task = l.Current()
		if err := l.Park(); err != nil {
			return 0, err
		}
	}
}

func TestTaskWaitsForDescriptor(t *testing.T) {
	l := sched.New()
	defer l.Close()
	a, b := pair(t)
	var got []string
	l.Go(func() {
		var r reader
		if err := l.Watch(&r.Descriptor, a, &r); err != nil {
			t.Error(err)
			return
		}
		defer r.Unwatch()
		if err := l.Watch(&r.Descriptor, a, &r); !errors.Is(err, sched.ErrWatched) {
			t.Errorf("a second Watch: %v", err)
		}
		p := make([]byte, 10)
		for {
			n, err := r.read(l, a, p)
			if err != nil {
				got = append(got, err.Error())
				return
			}
			got = append(got, string(p[:n]))
		}
	})
	l.Go(func() {
		for _, s := range []string{"one", "two"} {
			l.Sleep(1e6)
			unix.Write(b, []byte(s))
		}
		l.Sleep(1e6)
		unix.Shutdown(b, unix.SHUT_WR)
	})
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	if want := "[one two EOF]"; want != fmt.Sprint(got) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// What a loop refuses.
func TestWatchRefuses(t *testing.T) {
	l := sched.New()
	a, _ := pair(t)
	var r, again reader
	fails(t, r.Rewatch(sched.Readable), sched.ErrClosed) // it is not watched
	fails(t, r.Unwatch(), nil)
	if err := l.WatchLevel(&r.Descriptor, a, &r, 0); err == nil {
		t.Error("watched by level for nothing")
	}
	fails(t, l.Watch(&r.Descriptor, -1, &r), unix.EBADF)
	if r.Watched() {
		t.Error("it is watched after an error")
	}
	fails(t, l.Watch(&r.Descriptor, a, &r), nil)
	fails(t, l.Watch(&r.Descriptor, a, &r), sched.ErrWatched)
	fails(t, l.Watch(&again.Descriptor, a, &again), sched.ErrWatched)
	if err := r.Rewatch(sched.Readable); err == nil || r.Events() != 0 {
		t.Errorf("what is watched by edge is watched by level: %v", err)
	}
	fails(t, r.Unwatch(), nil)
	fails(t, l.WatchLevel(&again.Descriptor, a, &again, sched.Readable), nil)
	if err := again.Rewatch(0); err == nil || again.Events() != sched.Readable {
		t.Errorf("watched for nothing: %v", err)
	}
	fails(t, again.Rewatch(sched.Writable), nil)
	if !again.Watched() || again.Events() != sched.Writable || again.Fd() != a {
		t.Errorf("watched: %v, for %v", again.Watched(), again.Events())
	}
	gone, err := unix.Dup(a)
	fails(t, err, nil)
	var third reader
	fails(t, l.WatchLevel(&third.Descriptor, gone, &third, sched.Readable), nil)
	unix.Close(gone) // which nobody has said
	fails(t, third.Rewatch(sched.Writable), unix.EBADF)
	if third.Events() != sched.Readable {
		t.Errorf("after a refusal it is watched for %v", third.Events())
	}
	fails(t, l.Close(), nil)
	fails(t, again.Rewatch(sched.Readable), sched.ErrClosed)
	fails(t, again.Unwatch(), nil)
	fails(t, l.Watch(&r.Descriptor, a, &r), sched.ErrClosed)
}

// A watch does not keep Run going.
func TestWatchDoesNotKeepRun(t *testing.T) {
	l := newLoop(t)
	a, b := pair(t)
	var r reader
	fails(t, l.Watch(&r.Descriptor, a, &r), nil)
	write(t, b, "x")
	run(t, l)
}

// A bell is a Watcher that arranges a Call.
type bell struct {
	sched.Descriptor
	call *sched.Call
}

func (w *bell) Happened(sched.Events) { w.call.Soon() }

// A descriptor that is ready in every turn stops neither timers nor posts nor
// tasks, nor do they stop it.
func TestReadyDescriptorIsFair(t *testing.T) {
	l := sched.New()
	defer l.Close()
	a, b := pair(t)
	write(t, b, "never read")
	var w bell
	calls, yields := 0, 0
	timer, posted := false, false
	w.call = l.NewCall(func() { calls++ })
	fails(t, l.WatchLevel(&w.Descriptor, a, &w, sched.Readable), nil)
	l.After(time.Millisecond, func() { timer = true })
	go l.Post(func() { posted = true })
	l.Go(func() {
		for !timer || !posted || calls < 100 {
			l.Yield()
			yields++
		}
	})
	run(t, l)
	if calls < yields-2 {
		t.Errorf("called in %d of %d turns", calls, yields)
	}
	fails(t, w.Unwatch(), nil)
}

// What was posted before the poller is asked comes before what it tells, and
// timers come after both.
func TestOrderOfEvents(t *testing.T) {
	l := newLoop(t)
	a, b := pair(t)
	var w bell
	var log []string
	w.call = l.NewCall(func() {
		log = append(log, "event")
		w.Unwatch()
	})
	l.Go(func() {
		l.At(0, func() { log = append(log, "timer") })
		write(t, b, "x")
		fails(t, l.WatchLevel(&w.Descriptor, a, &w, sched.Readable), nil)
		l.Post(func() { log = append(log, "posted") })
		l.Soon(func() { log = append(log, "ready") })
	})
	run(t, l)
	same(t, log, "ready", "posted", "event", "timer")
}

// A clock that jumps does not pass what a descriptor has to tell, and it is not
// quiet as long as it has.
func TestClockWaitsForDescriptors(t *testing.T) {
	l := newLoop(t)
	a, b := pair(t)
	var log []string
	l.Go(func() {
		var r reader
		fails(t, l.Watch(&r.Descriptor, a, &r), nil)
		defer r.Unwatch()
		p := make([]byte, 10)
		n, err := r.read(l, a, p)
		fails(t, err, nil)
		log = append(log, fmt.Sprint(string(p[:n]), " at ", l.Now()))
	})
	l.Go(func() {
		for range 3 {
			l.Yield() // the reader waits
		}
		write(t, b, "data")
		l.WhenQuiet(func() { log = append(log, "quiet") })
		l.Sleep(time.Hour)
		log = append(log, fmt.Sprint("slept until ", l.Now()))
	})
	run(t, l)
	same(t, log, "data at 0s", "quiet", "slept until 1h0m0s")
}

// The same if a goroutine that has held the loop has written just before it
// releases it.
func TestClockWaitsForWhatWasHeld(t *testing.T) {
	for i := range 200 {
		l := newLoop(t)
		a, b := openPair(t)
		l.Go(func() {
			var r reader
			fails(t, l.Watch(&r.Descriptor, a, &r), nil)
			defer r.Unwatch()
			_, err := r.read(l, a, make([]byte, 1))
			fails(t, err, nil)
			if l.Now() != 0 {
				t.Errorf("read at %v", l.Now())
			}
		})
		l.Go(func() {
			for range 3 {
				l.Yield() // the reader waits
			}
			l.Hold()
			go func() {
				unix.Write(b, []byte("x"))
				l.Release()
			}()
			for range i % 20 {
				runtime.Gosched()
			}
			l.Sleep(time.Hour)
		})
		run(t, l)
		unix.Close(a)
		unix.Close(b)
	}
}

// A task that waits for a connection: it is told by the loop when there is
// something to read.
func ExampleDescriptor() {
	ends, _ := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	for _, fd := range ends {
		unix.SetNonblock(fd, true)
		defer unix.Close(fd)
	}
	l := sched.New()
	defer l.Close()
	l.Go(func() {
		var r reader // its Happened calls Task.Ready
		if err := l.Watch(&r.Descriptor, ends[0], &r); err != nil {
			fmt.Println(err)
			return
		}
		defer r.Unwatch()
		p := make([]byte, 100)
		for {
			n, err := r.read(l, ends[0], p) // Park, while it is EAGAIN
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Printf("%s\n", p[:n])
		}
	})
	l.Go(func() {
		unix.Write(ends[1], []byte("hello"))
		l.Sleep(time.Millisecond)
		unix.Write(ends[1], []byte("goodbye"))
		unix.Shutdown(ends[1], unix.SHUT_WR)
	})
	l.Run()
	// Output:
	// hello
	// goodbye
	// EOF
}
