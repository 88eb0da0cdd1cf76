package asyncio_test

import (
	"context"
	"errors"
	"regexp"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/asyncio"
)

// Each warning, and next to it a program that is like the one which is warned of, and
// in order. Time is that of a bubble, so the seconds are exact.

var placeOfCall = regexp.MustCompile(`called by \S+ at \S+:\d+`)

// warnedOf is the warnings of a snapshot as text, without that of the switch.
func warnedOf(s *asyncio.LoopSnapshot) (all []string) {
	for _, w := range s.Warnings {
		if w.ID != "W11" {
			all = append(all, w.ID+": "+placeOfCall.ReplaceAllString(w.Text, "called by X"))
		}
	}
	return all
}

// A watched is a loop of which snapshots are taken.
type watched struct {
	t   *testing.T
	ctx context.Context
	l   *asyncio.Loop
}

// warns checks what is warned of now.
func (w *watched) warns(want ...string) {
	w.t.Helper()
	s, err := w.l.Snapshot(w.ctx)
	require.NoError(w.t, err)
	assert.Equal(w.t, want, warnedOf(s.Loops[0]))
}

// warnsOutside is warns, asked by another goroutine.
func (w *watched) warnsOutside(want ...string) {
	w.t.Helper()
	assert.Equal(w.t, want, warnedOf(snapshotOf(w.ctx, w.t, w.l)))
}

func (w *watched) sleep(d time.Duration) {
	w.t.Helper()
	require.NoError(w.t, asyncio.Sleep(w.ctx, d))
}

// inBubble runs f as a task on a loop in a bubble, and cancels what is left.
func inBubble(t *testing.T, f func(w *watched)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
			asyncio.CurrentTask(ctx).SetName("main")
			f(&watched{t, ctx, asyncio.CurrentTask(ctx).Loop()})
			return nil
		})
		assert.NoError(t, err)
	})
}

func asleep(ctx context.Context) error { return asyncio.Sleep(ctx, 1000*time.Hour) }

// W2, and its like: a loop that a goroutine has called once may be called again, one
// that has a timer will go on, and one of which a context can end too.
func TestWarningOfAStandstill(t *testing.T) {
	if !asyncio.WatchesDescriptors {
		t.Skip("connections are read by goroutines, so any loop may be called by one")
	}
	still := func(f func(ctx context.Context, event *asyncio.Event) error, since time.Duration) []string {
		l := asyncio.NewLoop()
		defer l.Close()
		event := asyncio.NewEvent()
		over := make(chan struct{})
		var seen []string
		l.CallSoon(func() { // runs before the task waits
			go func() {
				defer close(over)
				for !l.Stats().Stalled {
					if l.Stats().Timers > 0 && l.Stats().Steps > 0 {
						break // it never stands still
					}
					runtime.Gosched()
				}
				asyncio.StillSince(l, since)
				for partial := true; partial; { // as long as the machine is that busy
					s, err := l.Snapshot(context.Background())
					if !assert.NoError(t, err) {
						break
					}
					partial, seen = s.Partial, warnedOf(s.Loops[0])
				}
				l.CallSoonThreadsafe(event.Set)
			}()
		})
		_, err := asyncio.RunUntilComplete(l, asyncio.Coro[int](func(ctx context.Context) (int, error) {
			return 0, f(ctx, event)
		}))
		assert.NoError(t, err)
		<-over
		return seen
	}
	waits := func(ctx context.Context, event *asyncio.Event) error { return event.Wait(ctx) }
	seen := still(waits, time.Hour)
	require.Len(t, seen, 1)
	assert.Regexp(t, `^W2: nothing that the loop knows of can wake it, for 1h[0-9]m[0-9]+s$`, seen[0])
	assert.Empty(t, still(waits, -time.Hour), "not yet")
	for what, like := range map[string]func(ctx context.Context, event *asyncio.Event) error{
		"called before": func(ctx context.Context, event *asyncio.Event) error {
			asyncio.CurrentTask(ctx).Loop().CallSoonThreadsafe(func() {})
			return event.Wait(ctx)
		},
		"a timer": func(ctx context.Context, event *asyncio.Event) error {
			asyncio.Go(ctx, asleep)
			return event.Wait(ctx)
		},
		"a context": func(ctx context.Context, event *asyncio.Event) error {
			limited, cancel := context.WithCancel(ctx)
			defer cancel()
			return event.Wait(limited)
		},
		"a future of another goroutine": func(ctx context.Context, event *asyncio.Event) error {
			f := asyncio.WrapFuture(asyncio.CurrentTask(ctx).Loop(), asyncio.NewConcurrentFuture[int]())
			asyncio.Go(ctx, func(ctx context.Context) error { _, err := f.Await(ctx); return err })
			return event.Wait(ctx)
		},
	} {
		assert.Empty(t, still(like, time.Minute), what)
	}
}

// W4, and its like: a lock that goes from hand to hand, one that nobody wants, and one
// whose holder waits for another task.
func TestWarningOfALockHeldForLong(t *testing.T) {
	hold := func(lock *asyncio.Lock, f func(ctx context.Context) error) func(ctx context.Context) error {
		return func(ctx context.Context) error { return lock.Do(ctx, func() error { return f(ctx) }) }
	}
	const warning = "W4: holder holds a lock and waits in asyncio.Sleep, called by X, while 2 tasks wait for it"
	inBubble(t, func(w *watched) {
		var lock asyncio.Lock
		named(w.ctx, "holder", hold(&lock, asleep))
		w.sleep(time.Hour)
		w.warns()
		for range 2 {
			named(w.ctx, "waiter", hold(&lock, asleep))
		}
		w.sleep(time.Minute)
		w.warns() // seen for the first time
		w.sleep(999 * time.Millisecond)
		w.warns()
		w.sleep(time.Millisecond)
		w.warns(warning)
		w.warnsOutside(warning)
	})
	inBubble(t, func(w *watched) {
		var lock asyncio.Lock
		for range 20 {
			named(w.ctx, "holder", hold(&lock, func(ctx context.Context) error { return asyncio.Sleep(ctx, 900*time.Millisecond) }))
		}
		for range 10 {
			w.sleep(1200 * time.Millisecond)
			w.warns()
		}
	})
	inBubble(t, func(w *watched) {
		var lock asyncio.Lock
		named(w.ctx, "holder", hold(&lock, func(ctx context.Context) error { return awaits[asyncio.None](named(ctx, "child", asleep))(ctx) }))
		named(w.ctx, "waiter", hold(&lock, asleep))
		for range 10 {
			w.sleep(time.Minute)
			w.warns()
		}
	})
}

// A semaphore of one counts as held by a task after it was released by who had acquired it,
// and no more after another has.
func TestWarningOfASemaphoreHeldForLong(t *testing.T) {
	inBubble(t, func(w *watched) {
		s := asyncio.NewSemaphore(1)
		for round := range 3 {
			holder := named(w.ctx, "holder", func(ctx context.Context) error {
				return s.Do(ctx, func() error { return asyncio.Sleep(ctx, time.Hour) })
			})
			waiter := named(w.ctx, "waiter", func(ctx context.Context) error { return s.Do(ctx, func() error { return nil }) })
			w.sleep(time.Minute)
			w.warns()
			w.sleep(time.Minute)
			if round == 1 {
				w.warns("W4: holder holds a semaphore and waits in asyncio.Sleep, called by X, while 1 task waits for it")
			} else {
				w.warns()
			}
			holder.Cancel()
			waiter.Await(w.ctx)
			if round == 1 {
				s.Acquire(w.ctx)
				named(w.ctx, "other", func(context.Context) error { s.Release(); return nil })
				w.sleep(0)
			}
		}
	})
}

// W5, and its like: an error that was looked at, and one that is young.
func TestWarningOfALostError(t *testing.T) {
	inBubble(t, func(w *watched) {
		w.l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
		fails := func(context.Context) error { return errors.New("disk full") }
		lost, seen := named(w.ctx, "lost", fails), named(w.ctx, "seen", fails)
		w.sleep(0)
		seen.Exception()
		w.sleep(9999 * time.Millisecond)
		w.warns()
		w.sleep(time.Millisecond)
		w.warns("W5: nobody has looked at the error of lost for 10s: disk full")
		w.warnsOutside("W5: nobody has looked at the error of lost for 10s: disk full")
		lost.Exception()
		w.warns()
	})
}

// W7, and its like: a task that waits by what keeps the loop from going on is W6, and one
// that computes, but not for long yet, too.
func TestWarningOfATaskThatComputes(t *testing.T) {
	blocked := func(l *asyncio.Loop, since time.Duration, f func(over *atomic.Bool, came chan struct{})) (warned string, d time.Duration) {
		var over atomic.Bool
		came := make(chan struct{})
		go func() {
			defer close(came)
			defer over.Store(true)
			asyncio.BlockedSince(l, since)
			s, err := l.Snapshot(context.Background())
			if assert.NoError(t, err) && assert.True(t, s.Partial) && assert.NotNil(t, s.Loops[0].Blocked) {
				all := warnedOf(s.Loops[0])
				assert.Len(t, all, 1)
				warned, d = strings.Join(all, ""), s.Loops[0].Blocked.For
			}
		}()
		f(&over, came)
		<-came
		asyncio.GoesOn(l)
		return warned, d
	}
	computes := func(over *atomic.Bool, _ chan struct{}) {
		for !over.Load() {
			runtime.Gosched()
		}
	}
	const w6 = `^W6: main blocks the loop for [0-9m.s]+ at sight_warnings_test.go:\d+$`
	const w7 = `^W7: main has not waited for [0-9m.s]+: it computes at sight_warnings_test.go:\d+$`
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		asyncio.CurrentTask(ctx).SetName("main")
		seen, _ := blocked(l, time.Minute, computes)
		assert.Regexp(t, w7, seen)
		if seen, d := blocked(l, 0, computes); d < time.Second {
			assert.Regexp(t, w6, seen)
		} else { // the machine is that busy
			assert.Regexp(t, w7, seen)
		}
	})
	// In a bubble nobody looks before it waits.
	inBubble(t, func(w *watched) {
		seen, _ := blocked(w.l, time.Minute, func(_ *atomic.Bool, came chan struct{}) { <-came })
		assert.Regexp(t, w6, seen)
	})
}

// W8, and its like: one that has not been told yet, one that waits for others before it
// ends, one of which the request was taken back, and one that was told just now.
func TestWarningOfASwallowedCancel(t *testing.T) {
	swallows := func(ctx context.Context) error {
		asleep(ctx)
		return asleep(ctx)
	}
	inBubble(t, func(w *watched) {
		swallower := named(w.ctx, "swallower", swallows)
		parent := named(w.ctx, "parent", func(ctx context.Context) error {
			child := named(ctx, "child", asleep)
			asleep(ctx)
			return awaits[asyncio.None](child)(ctx)
		})
		back := named(w.ctx, "back", func(ctx context.Context) error {
			asleep(ctx)
			asyncio.CurrentTask(ctx).Uncancel()
			return asleep(ctx)
		})
		w.sleep(0)
		for _, task := range []*asyncio.Task[asyncio.None]{swallower, parent, back} {
			task.Cancel()
		}
		w.sleep(4990 * time.Millisecond)
		w.warns()
		w.sleep(20 * time.Millisecond) // it is counted in hundredths
		w.warns("W8: swallower was cancelled 5s ago, and goes on")
		w.warnsOutside("W8: swallower was cancelled 5s ago, and goes on")
	})
}

// W9, and its like: tasks that become more and fewer, and many looks at once.
func TestWarningOfTasksThatBecomeMore(t *testing.T) {
	inBubble(t, func(w *watched) {
		for look := range 6 {
			named(w.ctx, "leaf", asleep)
			w.sleep(time.Second)
			if look < 5 {
				w.warns()
			}
		}
		const warning = "W9: 6 tasks wait in asyncio.Sleep, called by X: they have become more in each of the last 5 looks"
		w.warns(warning)
		w.warns(warning) // as before: it is too soon to count
		w.sleep(time.Second)
		w.warns()
	})
	inBubble(t, func(w *watched) {
		for range 20 {
			named(w.ctx, "leaf", asleep)
			w.sleep(40 * time.Millisecond)
			w.warns()
		}
	})
	inBubble(t, func(w *watched) {
		var all []*asyncio.Task[asyncio.None]
		for look := range 20 {
			all = append(all, named(w.ctx, "leaf", asleep), named(w.ctx, "leaf", asleep))
			if look%4 == 3 {
				for _, task := range all[:4] {
					task.Cancel()
				}
				all = all[4:]
			}
			w.sleep(time.Second)
			w.warns()
		}
	})
	inBubble(t, func(w *watched) { // the same, by two ways: the smaller group is not mistaken for the larger one
		one := func(ctx context.Context) error { return asleep(ctx) }
		two := func(ctx context.Context) error { return asleep(ctx) }
		for range 10 {
			named(w.ctx, "one", one)
		}
		for range 5 {
			named(w.ctx, "two", two)
		}
		for look := range 6 {
			named(w.ctx, "one", one)
			w.sleep(time.Second)
			if look < 5 {
				w.warns()
			}
		}
		w.warns("W9: 21 tasks wait in asyncio.Sleep, called by X: they have become more in each of the last 5 looks")
	})
}

// W10, and its like: as many tasks that are quick, and few that are slow.
func TestWarningOfALoopThatLags(t *testing.T) {
	for _, of := range []struct {
		tasks int
		each  time.Duration
		warns bool
	}{
		{150, time.Millisecond, true},
		{150, 300 * time.Microsecond, false},
		{50, 4 * time.Millisecond, false},
	} {
		inBubble(t, func(w *watched) {
			over := false
			for range of.tasks {
				named(w.ctx, "busy", func(ctx context.Context) error {
					for !over {
						time.Sleep(of.each) // it computes
						asyncio.Sleep(ctx, 0)
					}
					return nil
				})
			}
			seen := warnedOf(snapshotOf(w.ctx, t, w.l))
			over = true
			if !of.warns {
				assert.Empty(t, seen)
				return
			}
			require.Len(t, seen, 1)
			// The look is behind the tasks of this turn, or of the next one, too.
			assert.Regexp(t, `^W10: 150 were ready, and the loop took (150|300)ms to come round$`, seen[0])
		})
	}
}

// W11, where the generic switch serves.
func TestWarningOfTheGenericSwitch(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		s, err := l.Snapshot(ctx)
		require.NoError(t, err)
		b, warned := greenlet.Backend(), false
		for _, w := range s.Loops[0].Warnings {
			warned = warned || w.ID == "W11" && strings.Contains(w.Text, b.Reason)
		}
		assert.Equal(t, b.Name != "assembly", warned)
	})
}
