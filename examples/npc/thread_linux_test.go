package main

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/go-greenlet/greenlet"
)

// threads notes on which threads it is written to.
type threads map[int]int

func (t threads) Write(b []byte) (int, error) {
	t[syscall.Gettid()]++
	return len(b), nil
}

// A game that is locked to its thread stays there, with all its scripts,
// although others compete for the processors.
func TestThread(t *testing.T) {
	if greenlet.Backend().Name != "assembly" {
		t.Skip("the generic switch leaves it to the scheduler where a greenlet runs")
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer greenlet.Close()

	var stop atomic.Bool
	defer stop.Store(true)
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for !stop.Load() {
				runtime.Gosched()
			}
		}()
	}

	const bards = 1000
	script, err := compile("bard")
	if err != nil {
		t.Fatal(err)
	}
	seen := threads{}
	g := newGame(seen)
	for i := range bards {
		g.wake(newNPC(g, fmt.Sprint("bard ", i), 0, 0, script), 1+i%3)
	}
	for range 20 {
		g.next()
		runtime.Gosched()
	}
	if here := syscall.Gettid(); seen[here] != 4*bards || len(seen) != 1 {
		t.Errorf("%d lines were said on the game's thread %d, want %d; by threads: %v", seen[here], here, 4*bards, seen)
	}
}
