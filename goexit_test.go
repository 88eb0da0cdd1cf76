package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// onGoroutine runs f on a goroutine with a tree of its own and waits for the
// end of both.
func onGoroutine(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer greenlet.Close()
		f()
	}()
	<-done
}

// exiting is a body that ends its goroutine.
func exiting(any) (any, error) {
	runtime.Goexit()
	return nil, nil
}

// A runtime.Goexit in a body ends the parent's goroutine in the same way, and
// so on to the goroutine of the tree, with all deferred calls on the way.
func TestGoexit(t *testing.T) {
	var tr trail
	var child, grandchild *greenlet.Greenlet
	onGoroutine(func() {
		defer tr.add("main")
		child = greenlet.New(func(any) (any, error) {
			defer tr.add("child")
			grandchild = greenlet.New(func(any) (any, error) {
				defer tr.add("grandchild")
				return exiting(nil)
			})
			grandchild.Switch(nil)
			tr.add("child went on")
			return nil, nil
		})
		child.Switch(nil)
		tr.add("main went on")
	})
	tr.is(t, "grandchild; child; main")
	isIn(t, child, "dead")
	isIn(t, grandchild, "dead")
}

// It goes to the parent, whoever switched, and after a suspension too.
func TestGoexitGoesToTheParent(t *testing.T) {
	var tr trail
	onGoroutine(func() {
		main := greenlet.Current()
		parent := greenlet.New(func(any) (any, error) {
			defer tr.add("parent ends")
			main.Switch(nil)
			tr.add("parent went on")
			return nil, nil
		})
		parent.Switch(nil)
		g := greenlet.New(func(any) (any, error) {
			defer tr.add("g ends")
			main.Switch(nil)
			return exiting(nil)
		}, greenlet.WithParent(parent))
		g.Switch(nil)
		bystander := waiting(t)
		defer func() {
			isIn(t, bystander, "suspended")
			gives(t, "still served")(bystander.Switch("still served"))
		}()
		g.Switch(nil)
		tr.add("main went on")
	})
	tr.is(t, "g ends; parent ends")
}

// Dead parents are passed over; recover sees nothing of it.
func TestGoexitCannotBeRecovered(t *testing.T) {
	ended := false
	onGoroutine(func() {
		defer func() { ended = true }()
		dead := greenlet.New(nil)
		dead.Kill()
		g := greenlet.New(func(any) (any, error) {
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("recovered %v", r)
				}
			}()
			return greenlet.New(exiting, greenlet.WithParent(dead)).Switch(nil)
		}, greenlet.WithParent(dead))
		g.Switch(nil)
		t.Error("main went on")
	})
	if !ended {
		t.Error("the goroutine did not end by Goexit")
	}
}

// Deferred calls may switch while their goroutine is being ended.
func TestSwitchDuringGoexit(t *testing.T) {
	var tr trail
	onGoroutine(func() {
		main := greenlet.Current()
		g := greenlet.New(func(any) (any, error) {
			defer func() {
				v, _ := main.Switch("cleaning up")
				tr.add("g got %v", v)
				whole, _ := greenlet.New(returning("a whole life")).Switch(nil)
				tr.add("g saw %v", whole)
			}()
			return exiting(nil)
		})
		v, _ := g.Switch(nil)
		tr.add("main got %v", v)
		g.Switch("go on")
		tr.add("main went on")
	})
	tr.is(t, "main got cleaning up; g got go on; g saw a whole life")
}

// A panic in a deferred call takes the place of the Goexit, for the parent; the
// goroutine is at its end nevertheless, and must not be used again.
func TestPanicDuringGoexit(t *testing.T) {
	ownTree(t)
	for i := range 20 {
		p := panicOf(func() {
			greenlet.New(func(any) (any, error) {
				defer theCulprit(i)
				return exiting(nil)
			}).Switch(nil)
		})
		if p == nil || p.Value != i {
			t.Errorf("got %v", p)
		}
		gives(t, i)(greenlet.New(returning(i)).Switch(nil))
	}
}

// And a Goexit in a deferred call that of a panic.
func TestGoexitDuringPanic(t *testing.T) {
	exited := false
	onGoroutine(func() {
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("recovered %v", r)
			}
			exited = true
		}()
		greenlet.New(func(any) (any, error) {
			defer runtime.Goexit()
			panic("gone")
		}).Switch(nil)
		t.Error("main went on")
	})
	if !exited {
		t.Error("no Goexit arrived")
	}
}

// A killer does not exit because the killed one calls Goexit.
func TestGoexitDuringKill(t *testing.T) {
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		defer runtime.Goexit()
		return main.Switch("waits")
	})
	gives(t, "waits")(g.Switch(nil))
	if err := g.Kill(); err != nil || !g.Dead() {
		t.Errorf("Kill: %v, %v", err, g)
	}
}

// Goexit in the main greenlet is that of its goroutine; Close, deferred, finds
// the others.
func TestGoexitOfMain(t *testing.T) {
	var g *greenlet.Greenlet
	onGoroutine(func() {
		g = waiting(t)
		runtime.Goexit()
	})
	isIn(t, g, "dead")
}

// What ends a test by Goexit may be called in a greenlet: the test's goroutine
// ends. That testing agrees is seen in crash_test.go.
func TestSkipNowInAGreenlet(t *testing.T) {
	skipped := t.Run("skips", func(t *testing.T) {
		ownTree(t)
		greenlet.New(func(any) (any, error) {
			greenlet.New(func(any) (any, error) {
				t.SkipNow()
				return nil, nil
			}).Switch(nil)
			return nil, nil
		}).Switch(nil)
		t.Error("the test went on")
	})
	if !skipped {
		t.Error("the subtest failed")
	}
}
