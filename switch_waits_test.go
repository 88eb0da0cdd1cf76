//go:build linux && !android && (amd64 || arm64) && gc && !purego && !race && !msan && !asan && !valgrind && !goexperiment.runtimesecret && go1.25 && (!go1.28 || greenlet_untested_go)

package greenlet_test

import (
	"runtime"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// What a dump says of how long a goroutine waits is counted from when the
// collector first sees it wait, and ends when it runs again, by whatever way.
func TestWaitingTimeEnds(t *testing.T) {
	needsAssembly(t)
	main := ownTree(t)
	waited := func() {
		t.Helper()
		if greenlet.WaitSince() != 0 {
			t.Error("a goroutine that runs has a time since when it waits")
		}
	}
	collectWhile := func() {
		t.Helper()
		for range 2 {
			runtime.GC()
		}
	}
	values := greenlet.New(func(any) (any, error) {
		for {
			main.Switch(nil)
			waited()
			collectWhile()
		}
	})
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, int], n int) error {
		for {
			c.Yield(n)
			waited()
			collectWhile()
		}
	})
	defer c.Close()
	next, stop := greenlet.Pull(func(yield func(int) bool) {
		for yield(1) {
			waited()
			collectWhile()
		}
	})
	defer stop()
	for range 3 {
		values.Switch(nil)
		waited()
		c.Resume(1)
		waited()
		next()
		waited()
		// By a letter, to one whom the scheduler has parked.
		fresh := greenlet.New(func(any) (any, error) {
			collectWhile()
			return main.Switch(nil)
		})
		fresh.Switch(nil)
		waited()
		collectWhile()
		if greenlet.WaitsSince(values) == 0 {
			t.Fatal("the collector has not noted that a greenlet waits")
		}
		fresh.Switch(nil)
		waited()
	}
}
