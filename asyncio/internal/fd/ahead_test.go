package fd

import (
	"errors"
	"io"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/sched"
)

// inLoop runs f in a task of a loop.
func inLoop(t *testing.T, f func(l *sched.Loop)) {
	t.Helper()
	defer greenlet.Close()
	l := sched.New()
	defer l.Close()
	l.Go(func() { f(l) })
	if err := l.Run(); err != nil {
		t.Error(err)
	}
}

// An event is what one task waits for.
type event struct {
	loop   *sched.Loop
	set    bool
	waiter *sched.Task
}

func (e *event) Set() {
	e.set = true
	if e.waiter != nil {
		e.waiter.Ready()
	}
}

func (e *event) Clear() { e.set = false }

func (e *event) Wait() {
	e.waiter = e.loop.Current()
	for !e.set {
		e.loop.Park()
	}
	e.waiter = nil
}

// beside runs f on another goroutine, and waits for it.
func beside(l *sched.Loop, f func()) {
	done := event{loop: l}
	l.Hold()
	go func() {
		defer l.Release()
		f()
		l.Post(done.Set)
	}()
	done.Wait()
}

// An Ahead gets no more than there is room for. What it has got comes in order,
// with an error in its place, and at the end nothing is lost.
func TestAhead(t *testing.T) {
	inLoop(t, func(l *sched.Loop) {
		const total, bad = 3 * AheadMost, AheadMost + 10
		failed := errors.New("deliberately")
		source := make(chan int, total)
		for i := range total {
			source <- i
		}
		var dropped []int
		came := &event{loop: l}
		a := Ahead[int]{
			Loop: l,
			Get: func() (int, error) {
				switch i, open := <-source; {
				case !open:
					return 0, io.EOF
				case i == bad:
					return 0, failed
				default:
					return i, nil
				}
			},
			Drop: func(i int) { dropped = append(dropped, i) },
			Came: came.Set,
			Most: AheadMost,
		}
		take := func() (i int, err error) {
			err = a.Take(func(what *int) bool { i = *what; return true })
			return i, err
		}
		if _, err := take(); err != ErrAgain {
			t.Errorf("it is there at once: %v", err)
		}
		came.Wait()
		for len(source) > total-AheadMost {
			l.Sleep(time.Millisecond)
		}
		for range 5 {
			l.Sleep(time.Millisecond)
		}
		if n := total - len(source); n != AheadMost {
			t.Errorf("%d are got ahead, not %d", n, AheadMost)
		}
		for want := range 2 * AheadMost {
			i, err := take()
			for ; err == ErrAgain; i, err = take() {
				came.Clear()
				came.Wait()
			}
			if want == bad && err != failed || want != bad && (i != want || err != nil) {
				t.Fatalf("number %d is %d, %v", want, i, err)
			}
		}
		close(source)
		rest := a.Rest()
		if len(source) > 0 || len(rest) != AheadMost || rest[0] != 2*AheadMost {
			t.Errorf("the rest is %d", rest)
		}
		if _, err := take(); err != ErrAgain || a.getting {
			t.Errorf("it goes on after the end: %v", err)
		}
		a.queue, a.shut = []got[int]{{what: 1}, {err: failed}, {what: 2}}, false
		a.Close()
		if !slices.Equal(dropped, []int{1, 2}) {
			t.Errorf("dropped %d, want 1 and 2", dropped)
		}
	})
}

// A script is what a file does when it is read.
type script struct {
	reads []string
	err   error // at the end, with the last of them
	asked chan struct{}
}

func (s *script) Read(p []byte) (int, error) {
	s.asked <- struct{}{}
	n := copy(p, s.reads[0])
	if s.reads[0] = s.reads[0][n:]; s.reads[0] == "" {
		s.reads = s.reads[1:]
	}
	if len(s.reads) == 0 {
		return n, s.err
	}
	return n, nil
}

// A ReadAhead reads once, and again when all of that is taken; an end that comes
// with data comes after it.
func TestReadAhead(t *testing.T) {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		inLoop(t, func(l *sched.Loop) {
			from := &script{reads: []string{"first", "", "second"}, err: end, asked: make(chan struct{}, 10)}
			filled := &event{loop: l}
			var r ReadAhead
			r.Init(l, from, filled.Set)
			p := make([]byte, 3)
			var got []string
			for {
				n, err := r.Read(p)
				if err == ErrAgain {
					filled.Clear()
					filled.Wait()
					if len(from.asked) != 1 && len(got) == 0 {
						t.Errorf("%d reads ahead", len(from.asked))
					}
					continue
				}
				got = append(got, string(p[:n]))
				if n == 0 {
					if want := end; want == io.EOF && err != nil || want != io.EOF && err != want {
						t.Errorf("the end is %v, want %v", err, want)
					}
					break
				}
			}
			if want := []string{"fir", "st", "sec", "ond", ""}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if n, err := r.Read(p); n != 0 || err == ErrAgain {
				t.Errorf("after the end comes %d, %v", n, err)
			}
		})
	}
}

// A WriteBehind takes no more than there is room for, tells when there is some,
// and why it writes no more; what it has taken goes out before the last call.
func TestWriteBehind(t *testing.T) {
	inLoop(t, func(l *sched.Loop) {
		r, w := io.Pipe() // takes nothing until it is read
		room := &event{loop: l}
		var of Writers
		var b WriteBehind
		b.Init(l, &of, w, room.Set)
		p := make([]byte, 3*behindMost)
		taken := 0
		for {
			n, err := b.Write(p)
			taken += n
			if err == ErrAgain && taken > behindMost { // some of it is being written
				break
			}
			l.Yield()
		}
		if taken != 2*behindMost {
			t.Errorf("%d bytes are taken", taken)
		}
		room.Clear()
		one := make([]byte, 1)
		beside(l, func() {
			if _, err := io.ReadFull(r, make([]byte, behindMost)); err != nil {
				t.Error(err)
			}
		})
		for {
			n, err := b.Write(one)
			if n == 1 && err == nil {
				break
			}
			if err != ErrAgain {
				t.Errorf("where there is room: %d, %v", n, err)
			}
			room.Wait()
			room.Clear()
		}
		done := make(chan bool, 1)
		if b.Finally(func() { done <- true; w.Close() }) {
			t.Error("the last call was made before all is written")
		}
		var all []byte
		var err error
		beside(l, func() { all, err = io.ReadAll(r) })
		if rest := len(all); rest != behindMost+1 || err != nil || !<-done {
			t.Errorf("%d bytes are left, %v", rest, err)
		}

		r, w = io.Pipe()
		var broken WriteBehind
		broken.Init(l, &of, w, room.Set)
		room.Clear()
		r.CloseWithError(io.ErrUnexpectedEOF)
		if n, err := broken.Write(one); n != 1 || err != nil {
			t.Errorf("the first is taken: %d, %v", n, err)
		}
		room.Wait()
		if _, err := broken.Write(one); err != io.ErrUnexpectedEOF || broken.Failure() != err {
			t.Errorf("why nothing is written any more: %v", err)
		}
		if !broken.Finally(func() {}) {
			t.Error("it still writes")
		}
	})
}

// One that gets only for who waits gets nothing ahead, keeps what is left of a thing,
// and can be waited for on other goroutines.
func TestAheadOnlyForWhoWaits(t *testing.T) {
	inLoop(t, func(l *sched.Loop) {
		asked := 0
		came := &event{loop: l}
		late := errors.New("late")
		a := Ahead[string]{Loop: l, Came: came.Set, Most: 1, OnlyFor: true, Get: func() (string, error) {
			if asked++; asked == 3 {
				return "", late
			}
			return "ab", nil
		}}
		var got byte
		one := func(s *string) bool {
			got, *s = (*s)[0], (*s)[1:]
			return *s == ""
		}
		require.Equal(t, ErrAgain, a.Take(one))
		require.False(t, a.Getting(), "nobody has waited")
		a.Begin()
		came.Wait()
		for _, want := range "ab" {
			require.NoError(t, a.Take(one))
			require.Equal(t, byte(want), got)
		}
		require.Equal(t, ErrAgain, a.Take(one))
		require.False(t, a.Getting(), "it is for who waits")
		require.Equal(t, 1, asked)
		beside(l, a.Wait)
		require.True(t, a.Any())
		a.Forget(func(s string, err error) bool { return s == "ab" && err == nil })
		require.False(t, a.Any())
		beside(l, a.Wait)
		require.Equal(t, late, a.Take(one))
		require.Equal(t, ErrAgain, a.Take(one))
	})
}
