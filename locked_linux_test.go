package greenlet_test

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet"
	"github.com/go-greenlet/greenlet/internal/rt"
)

// A tree whose goroutine is locked to its thread stays on that thread, all of
// it. The generic backend cannot have that: its greenlets are goroutines like
// any other, and run on any thread while the locked one waits.
func needsLockedTrees(t *testing.T) {
	t.Helper()
	if b := greenlet.Backend(); b.Name != "assembly" {
		t.Skipf("the %s backend lets greenlets of a locked goroutine run on other threads", b.Name)
	}
}

// lockedTree locks the test's goroutine and returns a check that the caller is
// on its thread.
func lockedTree(t *testing.T) (main *greenlet.Greenlet, stays func(where string)) {
	runtime.LockOSThread()
	t.Cleanup(runtime.UnlockOSThread)
	main = ownTree(t)
	thread := syscall.Gettid()
	return main, func(where string) {
		t.Helper()
		if at := syscall.Gettid(); at != thread {
			t.Errorf("%s: on thread %d instead of %d", where, at, thread)
		}
	}
}

// Whatever the backend, everything works under a lock.
func TestLockedTreesWork(t *testing.T) {
	main, _ := lockedTree(t)
	thread := syscall.Gettid()
	for range 10 {
		g := waiting(t)
		gives(t, 1)(g.Switch(1))
		waiting(t).Kill()
		panicOf(func() { greenlet.New(panicking(1)).Switch(nil) })
		isIn(t, main, "current")
		if syscall.Gettid() != thread {
			t.Error("the locked goroutine itself has left its thread")
		}
	}
}

func TestLocked(t *testing.T) {
	needsLockedTrees(t)
	main, stays := lockedTree(t)
	var level func(n int) func(any) (any, error)
	level = func(n int) func(any) (any, error) {
		return func(any) (any, error) {
			stays("start")
			if n > 0 {
				greenlet.New(level(n - 1)).Switch(nil)
			}
			stays("after the child")
			for range 3 {
				main.Switch(nil)
				stays("after a switch")
				runtime.Gosched()
				stays("after Gosched")
			}
			return nil, nil
		}
	}
	for range 3 {
		gs := []*greenlet.Greenlet{greenlet.New(level(0)), greenlet.New(level(3))}
		for range 20 {
			for _, g := range gs {
				g.Switch(nil)
				stays("main")
			}
		}
	}
}

// By whatever way control comes back.
func TestLockedThroughEveryWay(t *testing.T) {
	needsLockedTrees(t)
	_, stays := lockedTree(t)
	ways := map[string]func(){
		"a return": func() { greenlet.New(returning(1)).Switch(nil) },
		"an error": func() { greenlet.New(failing(errBoom)).Switch(nil) },
		"a panic":  func() { panicOf(func() { greenlet.New(panicking(1)).Switch(nil) }) },
		"a kill":   func() { waiting(t).Kill() },
		"a throw":  func() { waiting(t).Throw(nil) },
		"a trace": func() {
			greenlet.SetTrace(func(greenlet.TraceEvent, *greenlet.Greenlet, *greenlet.Greenlet) { stays("in the hook") })
		},
		"collection": func() { startAndLose(t); greenlet.Collect() },
		"close":      func() { waiting(t); greenlet.Close() },
		"sleep": func() {
			greenlet.New(func(any) (any, error) { time.Sleep(time.Nanosecond); return nil, nil }).Switch(nil)
		},
	}
	for range 5 {
		for name, way := range ways {
			way()
			stays("after " + name)
		}
		greenlet.SetTrace(nil)
	}
}

//go:noinline
func startAndLose(t *testing.T) { waiting(t) }

// The lock may be taken and given back in any greenlet of the tree: it is the
// thread's, and so the tree's.
func TestLockInAGreenlet(t *testing.T) {
	needsLockedTrees(t)
	main := ownTree(t)
	g := greenlet.New(func(any) (any, error) {
		runtime.LockOSThread()
		thread := syscall.Gettid()
		for range 3 {
			main.Switch(thread)
			if syscall.Gettid() != thread {
				t.Error("g has left its thread")
			}
		}
		runtime.UnlockOSThread()
		return nil, nil
	})
	thread, _ := g.Switch(nil)
	for !g.Dead() {
		runtime.Gosched()
		if syscall.Gettid() != thread {
			t.Error("main has left the thread that g has locked")
		}
		g.Switch(nil)
	}
}

// Several locked trees compete for two processors, block and sleep, and none
// leaves its thread.
func TestLockedTreesCompete(t *testing.T) {
	needsLockedTrees(t)
	rounds := 200
	if testing.Short() {
		rounds = 20
	}
	turn := make(chan int, 1)
	turn <- 0
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			runtime.LockOSThread()
			defer greenlet.Close()
			main := greenlet.Current()
			thread := syscall.Gettid()
			body := func(any) (any, error) {
				for {
					if syscall.Gettid() != thread {
						t.Error("a greenlet has left its thread")
					}
					turn <- 1 + <-turn
					if _, err := main.Switch(nil); err != nil {
						return nil, err
					}
				}
			}
			a, b := greenlet.New(body), greenlet.New(body)
			for i := range rounds {
				a.Switch(nil)
				b.Switch(nil)
				if i%50 == 0 {
					runtime.GC()
				}
				if syscall.Gettid() != thread {
					t.Error("main has left its thread")
				}
			}
			// Not unlocked: the thread ends with the goroutine.
		})
	}
	all.Wait()
	if n := <-turn; n != 4*2*rounds {
		t.Errorf("%d turns, want %d", n, 4*2*rounds)
	}
}

// The goroutines of a locked tree are not locked when others use them later.
func TestLockIsNotInherited(t *testing.T) {
	needsLockedTrees(t)
	main := ownTree(t)
	onGoroutine(func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		var all []*greenlet.Greenlet
		for range 20 {
			all = append(all, waiting(t))
		}
		for _, g := range all {
			g.Switch(nil)
		}
	})
	var all []*greenlet.Greenlet
	for range 20 {
		g := greenlet.New(func(any) (any, error) { return main.Switch(rt.Locked()) })
		gives(t, false)(g.Switch(nil))
		all = append(all, g)
	}
	for _, g := range all {
		g.Switch(nil)
	}
}

// While a program's init functions run, the runtime itself holds the main goroutine on
// the main thread, as it does with a goroutine that C calls. Such a lock stays where it
// is: greenlets run on another thread, also one that locks itself to that.
func TestLockOfTheRuntime(t *testing.T) {
	needsLockedTrees(t)
	o := child(t, initScene, 0)
	o.has(t, "init on the main thread: true\na greenlet there: false\nback there: true\n"+
		"a locked greenlet there: false\nback there: true\n")
}

const initScene = "init"

func init() {
	if os.Getenv(sceneVar) != initScene {
		return
	}
	there := func(what string) { fmt.Printf("%s there: %v\n", what, syscall.Gettid() == os.Getpid()) }
	fmt.Printf("init on the main thread: %v\n", syscall.Gettid() == os.Getpid())
	main := greenlet.Current()
	g := greenlet.New(func(any) (any, error) {
		there("a greenlet")
		main.Switch(nil)
		runtime.LockOSThread()
		there("a locked greenlet")
		return main.Switch(nil)
	})
	g.Switch(nil)
	there("back")
	g.Switch(nil)
	there("back")
	os.Exit(0)
}
