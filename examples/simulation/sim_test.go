package main

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// world runs processes that write what they do, and returns what was written.
func world(t *testing.T, build func(e *Env, say func(p *Process, what string))) string {
	t.Cleanup(greenlet.Close)
	env := new(Env)
	var log []string
	build(env, func(p *Process, what string) {
		log = append(log, fmt.Sprint(int(p.Now().Seconds()), what))
	})
	env.Run(time.Hour)
	return strings.Join(log, " ")
}

func TestOrder(t *testing.T) {
	got := world(t, func(e *Env, say func(p *Process, what string)) {
		for i, wait := range []time.Duration{3, 1, 2, 1} {
			name := string(rune('a' + i))
			e.Go(func(p *Process) {
				say(p, name)
				p.Wait(wait * time.Second)
				say(p, name)
			})
		}
	})
	if want := "0a 0b 0c 0d 1b 1d 2c 3a"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A queue is served in order, past those who have left.
func TestResource(t *testing.T) {
	got := world(t, func(e *Env, say func(p *Process, what string)) {
		r := &Resource{free: 1}
		for i, patience := range []time.Duration{Forever, 4 * time.Second, 5 * time.Second, Forever, 15 * time.Second, 14 * time.Second} {
			name := string(rune('a' + i))
			e.Go(func(p *Process) {
				if !r.Acquire(p, patience) {
					say(p, name+"-gone")
					return
				}
				say(p, name)
				p.Wait(5 * time.Second)
				r.Release()
			})
		}
	})
	// At 5 the release comes before the end of c's patience, because it was
	// planned before it; at 15 the end of e's patience was planned first.
	if want := "0a 4b-gone 5c 10d 14f-gone 15e-gone"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A process that is called is not woken a second time by its patience.
func TestCalledOnce(t *testing.T) {
	got := world(t, func(e *Env, say func(p *Process, what string)) {
		r := &Resource{free: 1}
		e.Go(func(p *Process) {
			r.Acquire(p, Forever)
			p.Wait(5 * time.Second)
			r.Release()
		})
		e.Go(func(p *Process) {
			say(p, fmt.Sprint("-", r.Acquire(p, 6*time.Second)))
			p.Wait(10 * time.Second)
			say(p, "-rested")
		})
	})
	if want := "5-true 15-rested"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// A call makes the end of patience at the same moment void, or the resource
// would be lost.
func TestCalledAtTheLastMoment(t *testing.T) {
	got := world(t, func(e *Env, say func(p *Process, what string)) {
		r := &Resource{free: 1}
		e.Go(func(p *Process) {
			r.Acquire(p, Forever)
			p.Wait(5 * time.Second)
			r.Release()
		})
		e.Go(func(p *Process) {
			say(p, fmt.Sprint("-", r.Acquire(p, 5*time.Second)))
			r.Release()
			say(p, fmt.Sprint("-", r.free))
		})
	})
	if want := "5-true 5-1"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestRunUntil(t *testing.T) {
	defer greenlet.Close()
	env := new(Env)
	seen := 0
	env.Go(func(p *Process) {
		for ; ; p.Wait(time.Minute) {
			seen++
		}
	})
	for i, until := range []time.Duration{0, 90 * time.Second, 2 * time.Minute} {
		if env.Run(until); env.Now() != until || seen != i+1 {
			t.Errorf("at %v, after %d rounds; want %v, %d", env.Now(), seen, until, i+1)
		}
	}
}

// A panic goes to who called Run, also that of a process which another one has
// started, and time can pass again.
func TestPanic(t *testing.T) {
	got := world(t, func(e *Env, say func(p *Process, what string)) {
		e.Go(func(p *Process) {
			p.Wait(3 * time.Second)
			say(p, "-survives")
		})
		e.Go(func(p *Process) {
			p.Wait(time.Second)
			e.Go(func(p *Process) {
				p.Wait(time.Second)
				panic("the roof falls in")
			})
			p.Wait(time.Second)
			say(p, "-too")
		})
		defer func() {
			var p *greenlet.PanicError
			if err, _ := recover().(error); !errors.As(err, &p) || p.Value != "the roof falls in" {
				t.Errorf("Run panics with %v", err)
			}
		}()
		e.Run(time.Minute)
	})
	if want := "2-too 3-survives"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Many processes, all of them alive at once.
func TestMany(t *testing.T) {
	n := 100_000
	if testing.Short() || greenlet.Backend().Name != "assembly" {
		n = 2_000
	}
	defer greenlet.Close()

	rng := rand.New(rand.NewPCG(1, 2))
	env := new(Env)
	doors := &Resource{free: 10}
	var inside, most, passed int
	var last time.Duration
	for range n {
		arrives := rng.Int64N(int64(n) * int64(10*time.Millisecond))
		env.Go(func(p *Process) {
			p.Wait(time.Duration(arrives))
			if p.Now() < last {
				t.Fatal("time goes back")
			}
			last = p.Now()
			doors.Acquire(p, Forever)
			inside++
			most = max(most, inside)
			p.Wait(time.Second)
			inside--
			passed++
			doors.Release()
		})
	}
	env.Run(0) // all have begun
	if live := greenlet.Stats().Live; live != n {
		t.Errorf("%d are alive, want %d", live, n)
	}
	env.Run(1000 * time.Hour)
	if passed != n || most != 10 || doors.free != 10 || doors.Len != 0 {
		t.Errorf("%d passed, up to %d at a time; in the end %d doors are free and %d wait", passed, most, doors.free, doors.Len)
	}
	if live := greenlet.Stats().Live; live != 0 {
		t.Errorf("%d are still alive", live)
	}
}

func TestAgenda(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for n := range 60 {
		var a agenda
		var want []event
		for seq := range uint64(n) {
			e := event{at: time.Duration(rng.IntN(20)), seq: seq}
			a.push(e)
			want = append(want, e)
		}
		slices.SortFunc(want, func(a, b event) int {
			if a.before(&b) {
				return -1
			}
			return 1
		})
		for i, w := range want {
			if got := a.pop(); got != w {
				t.Fatalf("event %d of %d is %+v, want %+v", i, n, got, w)
			}
		}
	}
}
