//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"
	"time"
)

// inLoop runs f in a task of a loop.
func inLoop(t *testing.T, f func(ctx context.Context, l *Loop)) {
	t.Helper()
	within, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	err := RunMain(within, func(ctx context.Context) error {
		f(ctx, CurrentTask(ctx).Loop())
		return ctx.Err()
	})
	if err != nil {
		t.Error(err)
	}
}

// An ahead gets no more than there is room for. What it has got comes in order,
// with an error in its place, and at the end nothing is lost.
func TestAhead(t *testing.T) {
	inLoop(t, func(ctx context.Context, l *Loop) {
		const total, bad = 3 * aheadMost, aheadMost + 10
		failed := errors.New("deliberately")
		source := make(chan int, total)
		for i := range total {
			source <- i
		}
		var dropped []int
		came := NewEvent()
		a := ahead[int]{
			loop: l,
			get: func() (int, error) {
				switch i, open := <-source; {
				case !open:
					return 0, io.EOF
				case i == bad:
					return 0, failed
				default:
					return i, nil
				}
			},
			drop: func(i int) { dropped = append(dropped, i) },
			came: came.Set,
		}
		if _, err := a.take(); err != errAgain {
			t.Errorf("it is there at once: %v", err)
		}
		came.Wait(ctx)
		for len(source) > total-aheadMost {
			Sleep(ctx, time.Millisecond)
		}
		for range 5 {
			Sleep(ctx, time.Millisecond)
		}
		if n := total - len(source); n != aheadMost {
			t.Errorf("%d are got ahead, not %d", n, aheadMost)
		}
		for want := range 2 * aheadMost {
			i, err := a.take()
			for ; err == errAgain; i, err = a.take() {
				came.Clear()
				came.Wait(ctx)
			}
			if want == bad && err != failed || want != bad && (i != want || err != nil) {
				t.Fatalf("number %d is %d, %v", want, i, err)
			}
		}
		close(source)
		rest := a.rest()
		if len(source) > 0 || len(rest) != aheadMost || rest[0] != 2*aheadMost {
			t.Errorf("the rest is %d", rest)
		}
		if _, err := a.take(); err != errAgain || a.under != nil {
			t.Errorf("it goes on after the end: %v", err)
		}
		a.queue, a.shut = []got[int]{{what: 1}, {err: failed}, {what: 2}}, false
		a.close()
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

// A readAhead reads once, and again when all of that is taken; an end that comes
// with data comes after it.
func TestReadAhead(t *testing.T) {
	for _, end := range []error{io.EOF, io.ErrUnexpectedEOF} {
		inLoop(t, func(ctx context.Context, l *Loop) {
			from := &script{reads: []string{"first", "", "second"}, err: end, asked: make(chan struct{}, 10)}
			filled := NewEvent()
			var r readAhead
			r.init(l, from, filled.Set)
			p := make([]byte, 3)
			var got []string
			for {
				n, err := r.read(p)
				if err == errAgain {
					filled.Clear()
					filled.Wait(ctx)
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
			if n, err := r.read(p); n != 0 || err == errAgain {
				t.Errorf("after the end comes %d, %v", n, err)
			}
		})
	}
}

// A writeBehind takes no more than there is room for, tells when there is some,
// and why it writes no more; what it has taken goes out before the last call.
func TestWriteBehind(t *testing.T) {
	inLoop(t, func(ctx context.Context, l *Loop) {
		r, w := io.Pipe() // takes nothing until it is read
		room := NewEvent()
		var b writeBehind
		b.init(l, w, room.Set)
		p := make([]byte, 3*behindMost)
		taken := 0
		for {
			n, err := b.write(p)
			taken += n
			if err == errAgain && taken > behindMost { // some of it is being written
				break
			}
			Sleep(ctx, 0)
		}
		if taken != 2*behindMost {
			t.Errorf("%d bytes are taken", taken)
		}
		room.Clear()
		one := make([]byte, 1)
		if err := DoInThread(ctx, func(context.Context) error { _, err := io.ReadFull(r, make([]byte, behindMost)); return err }); err != nil {
			t.Error(err)
		}
		for {
			n, err := b.write(one)
			if n == 1 && err == nil {
				break
			}
			if err != errAgain {
				t.Errorf("where there is room: %d, %v", n, err)
			}
			if room.Wait(ctx) != nil {
				t.Error("nobody has told that there is room")
				return
			}
			room.Clear()
		}
		done := make(chan bool, 1)
		if b.finally(func() { done <- true; w.Close() }) {
			t.Error("the last call was made before all is written")
		}
		rest, err := ToThread(ctx, func(context.Context) (int, error) { all, err := io.ReadAll(r); return len(all), err })
		if rest != behindMost+1 || err != nil || !<-done {
			t.Errorf("%d bytes are left, %v", rest, err)
		}

		r, w = io.Pipe()
		var broken writeBehind
		broken.init(l, w, room.Set)
		room.Clear()
		r.CloseWithError(io.ErrUnexpectedEOF)
		if n, err := broken.write(one); n != 1 || err != nil {
			t.Errorf("the first is taken: %d, %v", n, err)
		}
		room.Wait(ctx)
		if _, err := broken.write(one); err != io.ErrUnexpectedEOF || broken.failure() != err {
			t.Errorf("why nothing is written any more: %v", err)
		}
		if !broken.finally(func() {}) {
			t.Error("it still writes")
		}
	})
}
