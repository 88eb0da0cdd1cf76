package greenlet_test

import (
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
)

// abandon starts a child of the caller and lets go of it when it waits. It is
// not inlined: on return no frame refers to the greenlet.
//
//go:noinline
func abandon(body func(wait func()) error, opts ...greenlet.Option) {
	starter := greenlet.Current()
	greenlet.New(func(any) (any, error) {
		return nil, body(func() { starter.Switch(nil) })
	}, opts...).Switch(nil)
}

// eventually does step until done says so, and fails the test after longer than any
// machine takes.
func eventually(t testing.TB, what string, done func() bool, step func()) {
	t.Helper()
	for start := time.Now(); !done(); step() {
		if time.Since(start) > 5*time.Minute {
			t.Fatalf("never happened: %s", what)
		}
	}
}

// steady waits until nothing is being ended for trees of other tests, and
// returns the counts.
func steady(t testing.TB) greenlet.Counts {
	t.Helper()
	s := greenlet.Stats()
	eventually(t, "nobody else's greenlets are ended", func() bool {
		runtime.GC()
		was := s
		s = greenlet.Stats()
		return s.Live == was.Live && s.Collected == was.Collected
	}, runtime.Gosched)
	return s
}

// Rules 75 and 76: an abandoned greenlet is killed, its deferred calls run, and
// its parent is then the one that collects.
func TestCollect(t *testing.T) {
	main := ownTree(t)
	var tr trail
	before := steady(t)
	worker := func(wait func()) error {
		defer func() {
			tr.add("deferred, parent is %s", greenlet.Current().Parent().Name())
		}()
		wait()
		tr.add("went on")
		return nil
	}
	abandon(worker)
	greenlet.Collect()
	tr.add("collected")
	abandon(worker)
	greenlet.New(func(any) (any, error) {
		greenlet.Collect()
		return nil, nil
	}, greenlet.WithName("collector")).Switch(nil)
	tr.add("collected")
	tr.is(t, "deferred, parent is main; collected; deferred, parent is collector; collected")
	after := greenlet.Stats()
	if after.Live != before.Live || after.Collected-before.Collected != 2 {
		t.Errorf("before %+v, after %+v", before, after)
	}
	isIn(t, main, "current")
}

// It happens by itself, when the tree switches after a cycle of the collector.
func TestCollectionBySwitching(t *testing.T) {
	main := ownTree(t)
	echo := greenlet.New(func(v any) (any, error) {
		for {
			v, _ = main.Switch(v)
		}
	})
	for name, step := range map[string]func() (any, error){
		"to oneself":  func() (any, error) { return main.Switch(1) },
		"to another":  func() (any, error) { return echo.Switch(1) },
		"to the dead": func() (any, error) { return ended(t).Switch(1) },
		"to a new":    func() (any, error) { return greenlet.New(returning(1)).Switch(nil) },
	} {
		const n = 600 // more than one switch looks at
		gone := 0
		for range n {
			abandon(func(wait func()) error {
				defer func() { gone++ }()
				wait()
				return nil
			})
		}
		eventually(t, fmt.Sprintf("the end of %d abandoned ones by switching %s", n, name),
			func() bool { return gone == n },
			func() {
				runtime.GC()
				for range 10 {
					gives(t, 1)(step()) // the collection does not disturb the switch
				}
			})
	}
}

// Rule 77: the result of an abandoned one is nobody's; a panic of its deferred
// calls is told to the hook, and what the collecting greenlet is at is not
// disturbed, even a panic of its own.
func TestUnraisable(t *testing.T) {
	ownTree(t)
	type report struct {
		greenlet string
		err      error
	}
	var reports []report
	hook := func(g *greenlet.Greenlet, err error) {
		isIn(t, g, "dead")
		reports = append(reports, report{g.Name(), err})
	}
	if old := greenlet.SetUnraisable(hook); old != nil {
		t.Error("a hook was set")
	}
	defer func() {
		if old := greenlet.SetUnraisable(nil); old == nil {
			t.Error("the hook was lost")
		}
	}()
	for _, v := range []any{errBoom, "text"} {
		abandon(func(wait func()) error {
			defer panic(v)
			wait()
			return nil
		}, greenlet.WithName(fmt.Sprint(v)))
	}
	abandon(func(wait func()) (err error) {
		defer func() { err = errors.New("a result") }()
		wait()
		return nil
	})
	func() {
		defer func() {
			greenlet.Collect()
			if r := recover(); r != "of main" {
				t.Errorf("recovered %v", r)
			}
		}()
		panic("of main")
	}()
	slices.SortFunc(reports, func(a, b report) int { return strings.Compare(a.greenlet, b.greenlet) })
	if len(reports) != 2 || reports[0].greenlet != "boom" || reports[1].greenlet != "text" {
		t.Fatalf("reported: %v", reports)
	}
	var p *greenlet.PanicError
	if err := reports[0].err; !errors.Is(err, errBoom) || !errors.As(err, &p) || p.Value != errBoom {
		t.Errorf("reported %v", err)
	}
	if err := reports[1].err; !errors.As(err, &p) || p.Value != "text" {
		t.Errorf("reported %v", err)
	}
}

// Without a hook the log is told.
func TestUnraisableIsLogged(t *testing.T) {
	ownTree(t)
	var log strings.Builder
	old := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(old)
	abandon(func(wait func()) error {
		defer panic("ouch")
		wait()
		return nil
	}, greenlet.WithName("unlucky"))
	greenlet.Collect()
	for _, want := range []string{"level=ERROR", "panic in an abandoned greenlet", `greenlet="greenlet `, "unlucky", "ouch"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("%q is not in the log: %s", want, log.String())
		}
	}
}

// Rule 78: a deferred call may make a new handle of the lost one, by Current.
// It is dead all the same, since a kill cannot be refused.
func TestResurrection(t *testing.T) {
	ownTree(t)
	parent := waiting(t)
	var back *greenlet.Greenlet
	var id uint64
	abandon(func(wait func()) error {
		id = greenlet.Current().ID()
		defer func() { back = greenlet.Current() }()
		wait()
		return nil
	}, greenlet.WithName("Lazarus"), greenlet.WithParent(parent))
	greenlet.Collect()
	if back == nil || back.ID() != id || back.Name() != "Lazarus" || back.Parent() != parent {
		t.Fatalf("it is %v, parent %v, want number %d", back, back.Parent(), id)
	}
	isIn(t, back, "dead")
	gives(t, "passed over")(back.Switch("passed over"))
}

// Rule 79, one that refuses to die, cannot be: it is unwound further each time.
func TestRefusingToDie(t *testing.T) {
	main := ownTree(t)
	refusals, ended := 0, false
	abandon(func(wait func()) error {
		defer func() { ended = true }()
		for range 5 {
			defer func() {
				refusals++
				main.Switch("no")
				t.Error("went on")
			}()
		}
		wait()
		return nil
	})
	greenlet.Collect()
	if refusals != 5 || !ended {
		t.Errorf("%d refusals, ended %v", refusals, ended)
	}
}

// Rule 80: unstarted and dead greenlets are plain garbage.
func TestUnstartedAndDeadAreGarbage(t *testing.T) {
	ownTree(t)
	gone := make(chan string, 3)
	before := steady(t).Collected
	deeper(10, func() {
		p := watched("held by an unstarted one", gone)
		greenlet.New(func(any) (any, error) { return p, nil })
		q := watched("held by a killed one", gone)
		greenlet.New(func(any) (any, error) { return q, nil }).Kill()
		r := watched("held by one that has run", gone)
		greenlet.New(func(any) (any, error) { runtime.KeepAlive(r); return nil, nil }).Switch(nil)
	})
	eventually(t, "the end of what they held", func() bool { return len(gone) == 3 }, func() {
		deeper(10, func() {})
		runtime.GC()
	})
	if after := greenlet.Stats().Collected; after != before {
		t.Errorf("%d were killed", after-before)
	}
}

// Rule 81: a goroutine's stack is a root, so one whose own stack refers to its
// handle is not found. Close ends it.
func TestHandleOnTheOwnStack(t *testing.T) {
	ownTree(t)
	before := steady(t).Live
	ended := false
	abandon(func(wait func()) error {
		defer func() { ended = true }()
		me := greenlet.Current()
		wait()
		runtime.KeepAlive(me)
		return nil
	})
	greenlet.Collect()
	if n := greenlet.Stats().Live - before; n != 1 || ended {
		t.Errorf("it was found: %d more are alive", n)
	}
	greenlet.Close()
	if n := greenlet.Stats().Live - before; n != 0 || !ended {
		t.Errorf("Close did not end it: %d more are alive", n)
	}
}

// Rule 82: a child keeps its parent alive, also an unstarted child and one that
// runs; a lost chain ends child first.
func TestChildKeepsItsParent(t *testing.T) {
	main := ownTree(t)
	var tr trail
	waiter := func(name string) func(any) (any, error) {
		return func(any) (any, error) {
			defer tr.add("%s", name)
			return main.Switch(nil)
		}
	}
	var child *greenlet.Greenlet // up to KeepAlive
	deeper(5, func() {
		p := greenlet.New(waiter("grandparent"))
		p.Switch(nil)
		p = greenlet.New(waiter("parent"), greenlet.WithParent(p))
		p.Switch(nil)
		child = greenlet.New(waiter("child"), greenlet.WithParent(p))
	})
	greenlet.Collect()
	tr.is(t, "")
	child.Switch(nil)
	greenlet.Collect()
	tr.is(t, "")
	runtime.KeepAlive(child)
	greenlet.Collect()
	tr.is(t, "child; parent; grandparent")
}

func TestRunningChildKeepsItsParent(t *testing.T) {
	ownTree(t)
	var tr trail
	greenlet.New(func(any) (any, error) {
		_, err := greenlet.New(func(any) (any, error) {
			greenlet.Collect()
			tr.add("child ends")
			return nil, nil
		}).Switch(nil)
		tr.add("parent goes on")
		return nil, err
	}).Switch(nil)
	tr.is(t, "child ends; parent goes on")
}

// With the child given away the parent is lost, in the middle of its switch to
// that child.
func TestParentLostBehindItsChild(t *testing.T) {
	main := ownTree(t)
	var tr trail
	gives(t, "end of child")(greenlet.New(func(any) (any, error) {
		defer tr.add("parent killed")
		return greenlet.New(func(any) (any, error) {
			if err := greenlet.Current().SetParent(main); err != nil {
				t.Error(err)
			}
			greenlet.Collect()
			tr.add("child goes on")
			return "end of child", nil
		}).Switch(nil)
	}).Switch(nil))
	tr.is(t, "parent killed; child goes on")
}

// One that runs is not abandoned, though nobody refers to it; it has a handle
// whenever it asks, with the same number and name. When it waits it is lost.
func TestRunningWithoutAHandle(t *testing.T) {
	ownTree(t)
	lost := false
	abandon(func(wait func()) error {
		defer func() { lost = true }()
		id := greenlet.Current().ID()
		for range 3 {
			greenlet.Collect()
			if g := greenlet.Current(); g.ID() != id || g.Name() != "nobody's" || !g.Active() {
				t.Errorf("it is %v, want number %d", g, id)
			}
		}
		if lost {
			t.Error("killed while it ran")
		}
		wait()
		return nil
	}, greenlet.WithName("nobody's"))
	greenlet.Collect()
	if !lost {
		t.Error("not found when it waited")
	}
}

// And it ends at the parent that it has by then.
func TestEndWithoutAHandle(t *testing.T) {
	main := ownTree(t)
	parent := waiting(t)
	var child *greenlet.Greenlet
	abandon(func(wait func()) error {
		child = greenlet.New(func(any) (any, error) {
			wait()
			child.Parent().SetParent(parent)
			return nil, nil
		})
		child.Switch(nil)
		// Only the child referred to it, and is gone.
		child = nil
		runtime.GC()
		return errBoom
	})
	greenlet.Collect() // grows old
	fails(t, errBoom)(child.Switch(nil))
	isIn(t, parent, "dead")
	isIn(t, main, "current")
}

// Rule 83: deferred calls that run during a collection may do anything: switch,
// start greenlets, lose greenlets, collect.
func TestCollectDuringCollect(t *testing.T) {
	main := ownTree(t)
	ended := 0
	var worker func(depth int) func(wait func()) error
	worker = func(depth int) func(wait func()) error {
		return func(wait func()) error {
			defer func() {
				ended++
				gives(t, depth)(greenlet.New(returning(depth)).Switch(nil))
				if depth > 0 {
					abandon(worker(depth - 1))
					abandon(worker(depth - 1))
					greenlet.Collect()
				}
				gives(t, depth)(greenlet.Current().Switch(depth))
			}()
			wait()
			return nil
		}
	}
	abandon(worker(3))
	greenlet.Collect()
	if ended != 1+2+4+8 {
		t.Errorf("%d have ended, want %d", ended, 1+2+4+8)
	}
	isIn(t, main, "current")
}
