//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package sched_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/sched"
)

// pair returns two ends of a connection that do not block.
func pair(t testing.TB) (a, b int) {
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
		t.Cleanup(func() { unix.Close(fd) })
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
