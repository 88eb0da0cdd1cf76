//go:build linux

package main

import (
	"sync"

	"github.com/dop251/goja"

	"github.com/go-greenlet/greenlet"
)

// game has characters, each with a script in an engine of its own. A script waits
// inside of a call of the host until the next tick of the game.
var game = program{
	name: "game", title: "10,000 scripts of a game in goja", unit: "step of a script", n: 10_000 * ticks, short: 50 * ticks,
	ways: []way{
		{name: "greenlets", run: gameOf(scriptGreenlet)},
		{name: "goroutines, channels", run: gameOf(scriptGoroutine)},
		{name: "goroutines, all at once", run: gameAtOnce},
	},
}

const ticks = 20

// script asks for work at each tick, and is done when there is none.
var script = goja.MustCompile("script.js", `
	let gold = 0;
	for (;;) {
		const found = work(gold);
		if (found < 0) break;
		gold = (gold * 31 + found) % 1000003;
	}
	gold`, true)

// play runs the script, for which work waits.
func play(work func(gold int) int) (gold int, err error) {
	engine := goja.New()
	err = engine.Set("work", func(c goja.FunctionCall) goja.Value { return engine.ToValue(work(int(c.Argument(0).ToInteger()))) })
	if err != nil {
		return 0, err
	}
	v, err := engine.RunProgram(script)
	if err != nil {
		return 0, err
	}
	return int(v.ToInteger()), nil
}

// found is what a script finds at a tick, or less than nothing after the last.
func found(tick, who int) int {
	if tick == ticks {
		return -1
	}
	return (tick*7 + who) % 100
}

// A town is what the scripts share. Only one of them runs at a time, so it needs no
// lock; and each tick goes the same way each time.
type town struct {
	sum    uint64
	failed error
}

func (t *town) see(gold int) { t.sum += uint64(gold) }

func (t *town) end(gold int, err error) {
	t.see(gold)
	if err != nil {
		t.failed = err
	}
}

// gameOf resumes one script after the other at each tick. start makes one, which begins
// when it is first resumed.
func gameOf(start func(t *town) (resume func(found int))) func(r run) (result, error) {
	return func(r run) (result, error) {
		return timed(r.n, func() (uint64, error) {
			t := new(town)
			all := make([]func(int), r.n/ticks)
			for who := range all {
				all[who] = start(t)
				all[who](0) // until it asks for work
			}
			for tick := range ticks + 1 {
				for who, resume := range all {
					resume(found(tick, who))
				}
			}
			return t.sum, t.failed
		})
	}
}

func scriptGreenlet(t *town) func(int) {
	c := greenlet.NewCoro(func(c *greenlet.Coro[int, struct{}], _ int) error {
		t.end(play(func(gold int) int { t.see(gold); return c.Yield(struct{}{}) }))
		return nil
	})
	return func(found int) { c.Resume(found) }
}

func scriptGoroutine(t *town) func(int) {
	wake, waits := make(chan int), make(chan struct{})
	go func() {
		<-wake
		t.end(play(func(gold int) int { t.see(gold); waits <- struct{}{}; return <-wake }))
		waits <- struct{}{}
	}()
	return func(found int) { wake <- found; <-waits }
}

// gameAtOnce lets all scripts run at once at each tick. They need a lock for what they
// share, and the game no longer goes the same way each time, which here one cannot see.
func gameAtOnce(r run) (result, error) {
	return timed(r.n, func() (uint64, error) {
		t := new(town)
		var lock sync.Mutex
		var waiting sync.WaitGroup
		all := make([]chan int, r.n/ticks)
		waiting.Add(len(all))
		for who := range all {
			wake := make(chan int, 1)
			all[who] = wake
			go func() {
				defer waiting.Done()
				gold, err := play(func(gold int) int {
					lock.Lock()
					t.see(gold)
					lock.Unlock()
					waiting.Done()
					return <-wake
				})
				lock.Lock()
				defer lock.Unlock()
				t.end(gold, err)
			}()
		}
		for tick := range ticks + 1 {
			waiting.Wait()
			waiting.Add(len(all))
			for who, wake := range all {
				wake <- found(tick, who)
			}
		}
		waiting.Wait()
		return t.sum, t.failed
	})
}
