package greenlet_test

import (
	"iter"
	"runtime"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/go-greenlet/greenlet"
)

// collecting receives up to n values, and says how it ended.
func collecting(n int, got *[]int, tr *trail) func(seq iter.Seq[int]) {
	return func(seq iter.Seq[int]) {
		defer tr.add("ended")
		if n == 0 {
			return
		}
		for v := range seq {
			*got = append(*got, v)
			if len(*got) == n {
				tr.add("had enough")
				return
			}
		}
		tr.add("no more")
	}
}

// push gives one value after the other and says whether one more is wanted;
// stop ends the sequence.
func TestPush(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		for _, c := range []struct {
			wants, pushed int
			end           string
		}{
			{100, 0, "no more; ended"},
			{100, 1, "no more; ended"},
			{100, 50, "no more; ended"},
			{50, 50, "had enough; ended"},
			{50, 60, "had enough; ended"},
			{1, 1, "had enough; ended"},
			{0, 5, "ended"},
			{0, 0, "ended"},
		} {
			var got []int
			var tr trail
			push, stop := greenlet.Push(collecting(c.wants, &got, &tr))
			if len(tr) != 0 {
				t.Errorf("%+v: it ran before the first value: %v", c, tr)
			}
			for i := range c.pushed {
				if more := push(i); more != (i+1 < c.wants) {
					t.Errorf("%+v: push(%d) is %v", c, i, more)
				}
				if want := min(i+1, c.wants); len(got) != want {
					t.Errorf("%+v: after push(%d) it has %v", c, i, got)
				}
			}
			for range 3 {
				stop()
				tr.is(t, c.end)
				if push(99) {
					t.Errorf("%+v: it wants a value after stop", c)
				}
			}
			want := slices.Collect(upTo(min(c.pushed, c.wants), func(bool) {}))
			if !slices.Equal(got, want) {
				t.Errorf("%+v: got %v", c, got)
			}
		}
	})
}

// The receiver may range over the sequence several times: each loop goes on with
// the next value. After the end there is none.
func TestPushIntoTwoLoops(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var tr trail
		push, stop := greenlet.Push(func(seq iter.Seq[int]) {
			for v := range seq {
				tr.add("first %d", v)
				if v == 2 {
					break
				}
			}
			tr.add("between")
			for v := range seq {
				tr.add("second %d", v)
				for w := range seq {
					tr.add("inner %d", w)
					break
				}
			}
			for range seq {
				tr.add("after the end")
			}
			tr.add("end")
		})
		for i := range 7 {
			if !push(i) {
				t.Errorf("push(%d) is false", i)
			}
		}
		stop()
		tr.is(t, "first 0; first 1; first 2; between; second 3; inner 4; second 5; inner 6; end")
	})
}

// What else the receiver does with the sequence: pull it, hand it on.
func TestPushIsASequence(t *testing.T) {
	ownTree(t)
	var got []int
	push, stop := greenlet.Push(func(seq iter.Seq[int]) {
		next, stop := iter.Pull(func(yield func(int) bool) {
			// A goroutine of its own: the sequence is not for it.
			panicsAs(t, "a loop elsewhere", greenlet.ErrReentrant, func() {
				for range seq {
				}
			})
		})
		next()
		stop()
		got = slices.Collect(seq)
	})
	for i := range 4 {
		push(i)
	}
	stop()
	if !slices.Equal(got, []int{0, 1, 2, 3}) {
		t.Errorf("got %v", got)
	}
}

// A panic of the receiver goes on, with its value, in the push or stop that
// runs it.
func TestPushPanics(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		receivers := map[string]func(seq iter.Seq[int]){
			"at once": func(iter.Seq[int]) { panic(errBoom) },
			"push": func(seq iter.Seq[int]) {
				for range seq {
					panic(errBoom)
				}
			},
			"stop": func(seq iter.Seq[int]) {
				defer panic(errBoom)
				for range seq {
				}
			},
		}
		for where, recv := range receivers {
			push, stop := greenlet.Push(recv)
			pushed := panicValue(func() { push(1) })
			stopped := panicValue(stop)
			if where == "stop" {
				pushed, stopped = stopped, pushed
			}
			if pushed != errBoom || stopped != nil {
				t.Errorf("%s: the panic is %v, then %v", where, pushed, stopped)
			}
			if push(2) {
				t.Errorf("%s: it wants more", where)
			}
			stop()
		}
		// stop alone runs the receiver as well.
		_, stop := greenlet.Push(receivers["at once"])
		if v := panicValue(stop); v != errBoom {
			t.Errorf("the panic is %v", v)
		}
	})
}

// And a Goexit ends the goroutine that runs it.
func TestPushGoexit(t *testing.T) {
	var tr trail
	var push func(int) bool
	onGoroutine(func() {
		defer tr.add("ended")
		push, _ = greenlet.Push(func(seq iter.Seq[int]) {
			for v := range seq {
				tr.add("%d", v)
				runtime.Goexit()
			}
		})
		push(1)
		tr.add("went on")
	})
	tr.is(t, "1; ended")
	if push(2) {
		t.Error("it wants more")
	}
}

// push and stop from inside the receiver are refused by a panic.
func TestPushFromInside(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var push func(int) bool
		var stop func()
		var got []int
		push, stop = greenlet.Push(func(seq iter.Seq[int]) {
			for v := range seq {
				got = append(got, v)
				panicsAs(t, "push", greenlet.ErrReentrant, func() { push(99) })
				panicsAs(t, "stop", greenlet.ErrReentrant, func() { stop() })
			}
		})
		for i := range 3 {
			if !push(i) {
				t.Error("a refused stop has stopped it")
			}
		}
		stop()
		if !slices.Equal(got, []int{0, 1, 2}) {
			t.Errorf("got %v", got)
		}
	})
}

// Pushes nest: a receiver that pushes on.
func TestPushTwoAtOnce(t *testing.T) {
	running, resume := make(chan bool), make(chan bool)
	push, stop := greenlet.Push(func(seq iter.Seq[int]) {
		for range seq {
			running <- true
			<-resume
		}
	})
	for i := range 3 {
		done := make(chan bool)
		go func() {
			defer close(done)
			if !push(i) {
				t.Error("no more wanted")
			}
		}()
		<-running
		panicsAs(t, "push", greenlet.ErrReentrant, func() { push(99) })
		panicsAs(t, "stop", greenlet.ErrReentrant, stop)
		resume <- true
		<-done
	}
	stop()
}

// The sequence is for the receiver alone, on the greenlet where it runs.
func TestPushedSequenceElsewhere(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var kept iter.Seq[int]
		wrong := func(where string) {
			t.Helper()
			panicsAs(t, "range "+where, greenlet.ErrReentrant, func() {
				for v := range kept {
					t.Errorf("%s the sequence gives %d", where, v)
				}
			})
		}
		push, stop := greenlet.Push(func(seq iter.Seq[int]) {
			kept = seq
			greenlet.New(func(any) (any, error) { wrong("in another greenlet"); return nil, nil }).Switch(nil)
			for range seq {
			}
		})
		push(1)
		wrong("while it waits")
		onGoroutine(func() { wrong("while it waits, on another goroutine") })
		stop()
		wrong("after the end")
		onGoroutine(func() { wrong("after the end, on another goroutine") })
	})
}

func TestPushNested(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var got []int
		var tr trail
		recv := collecting(1<<30, &got, &tr)
		for range 3 {
			inner := recv
			recv = func(seq iter.Seq[int]) {
				push, stop := greenlet.Push(inner)
				defer stop()
				for v := range seq {
					if !push(v + 1) {
						return
					}
				}
			}
		}
		push, stop := greenlet.Push(recv)
		for i := range 5 {
			if !push(i) {
				t.Error("no more wanted")
			}
		}
		stop()
		tr.is(t, "no more; ended")
		if !slices.Equal(got, []int{3, 4, 5, 6, 7}) {
			t.Errorf("got %v", got)
		}
	})
}

// Any goroutine may push, one after the other.
func TestPushFromManyGoroutines(t *testing.T) {
	var got []int
	var tr trail
	push, stop := greenlet.Push(collecting(1<<30, &got, &tr))
	for i := range 100 {
		onGoroutine(func() {
			if !push(i) {
				t.Error("no more wanted")
			}
		})
		if i == 50 {
			runtime.GC()
		}
	}
	onGoroutine(stop)
	tr.is(t, "no more; ended")
	if len(got) != 100 || got[99] != 99 {
		t.Errorf("got %v", got)
	}
}

// A receiver that nobody can push to any more is ended.
func TestPushAbandoned(t *testing.T) {
	ended := make(chan bool, 1)
	func() {
		push, _ := greenlet.Push(func(seq iter.Seq[int]) {
			defer func() { ended <- true }()
			for range seq {
			}
		})
		push(1)
	}()
	eventually(t, "the receiver is ended", func() bool { return len(ended) == 1 }, runtime.GC)
}

// Pull and Push are inverse to each other.
func TestPushWhatIsPulled(t *testing.T) {
	everywhere(t, func(t *testing.T) {
		var got []int
		next, stop := greenlet.Pull(upTo(20, func(bool) {}))
		defer stop()
		push, done := greenlet.Push(func(seq iter.Seq[int]) { got = slices.Collect(seq) })
		for v, ok := next(); ok && push(v); v, ok = next() {
		}
		done()
		if len(got) != 20 || got[19] != 19 {
			t.Errorf("got %v", got)
		}
	})
}

func TestPushPanicsDuringGoexit(t *testing.T) {
	onGoroutine(func() {
		push, stop := greenlet.Push(func(seq iter.Seq[int]) {
			defer func() { panic("in a clean-up") }()
			for range seq {
				runtime.Goexit()
			}
		})
		defer func() {
			if e := recover(); e != "in a clean-up" {
				t.Error(e)
			}
			stop()
		}()
		push(1)
	})
}

// Only recv itself ranges over what is pushed, as often as it likes.
func TestPushedSequenceIsReceivers(t *testing.T) {
	defer greenlet.Close()

	var got []int
	push, stop := greenlet.Push(func(seq iter.Seq[int]) {
		one := func() (v int, ok bool) {
			for v := range seq {
				return v, true
			}
			return 0, false
		}
		for {
			v, ok := one()
			if !ok {
				return
			}
			got = append(got, v)
		}
	})
	for v := range 3 {
		assert.True(t, push(v))
	}
	stop()
	assert.Equal(t, []int{0, 1, 2}, got)

	for name, pull := range map[string]func(iter.Seq[int]) (func() (int, bool), func()){"Pull": greenlet.Pull[int], "iter.Pull": iter.Pull[int]} {
		push, stop := greenlet.Push(func(seq iter.Seq[int]) {
			next, stop := pull(seq)
			defer stop()
			next()
		})
		func() {
			defer func() {
				err, _ := recover().(error)
				assert.ErrorIs(t, err, greenlet.ErrReentrant, name)
				assert.ErrorContains(t, err, "a Pull", name)
			}()
			push(1)
		}()
		stop()
	}
}
