package greenlet

import (
	"runtime"
	"sync/atomic"
	"testing"
)

// A claim that is tried while somebody else has claimed waits for what he decides,
// and nothing that is claimed in vain stays so. Threads would have to meet by
// chance to show it; so the word is set by hand.
func TestSeize(t *testing.T) {
	here, elsewhere := new(hub), new(hub)
	aPaused := func(of *hub) (*carrier, *pair) {
		p := &pair{floats: true, paused: paused, hub: of}
		c := &carrier{hub: of, pair: p}
		p.c = c
		return c, p
	}
	is := func(what string, p *pair, word uint32) {
		t.Helper()
		if p.paused != word {
			t.Errorf("%s: the word is %d, want %d", what, p.paused, word)
		}
	}
	c, p := aPaused(here)
	if was, ok := c.seize(here); was != paused || !ok {
		t.Errorf("seize of a paused coroutine: %d, %v", was, ok)
	}
	is("seized", p, claimed)

	c, p = aPaused(elsewhere)
	if was, ok := c.seize(here); was != paused || ok {
		t.Errorf("seize of a coroutine of another tree: %d, %v", was, ok)
	}
	is("of another tree, seize", p, paused)
	if c.wakes(here) {
		t.Error("wakes has woken a coroutine of another tree")
	}
	is("of another tree, wakes", p, paused)
	if p.hub != elsewhere {
		t.Error("wakes has moved a coroutine of another tree")
	}

	c, p = aPaused(here)
	p.hub = &nowhere
	if !c.wakes(here) {
		t.Error("wakes has refused a paused coroutine")
	}
	is("woken", p, runs)
	if p.hub != here {
		t.Error("a coroutine that runs is nowhere")
	}

	// Whoever has claimed gives it back, or has it run, and then it has moved.
	for _, word := range []uint32{paused, runs} {
		c, p = aPaused(here)
		p.paused = claimed
		var decided atomic.Bool
		go func() {
			decided.Store(true)
			p.set(word)
		}()
		was, ok := c.seize(here)
		if !decided.Load() || was != word || !ok {
			t.Errorf("seize of one that is claimed: %d, %v, while whoever has claimed has decided: %v", was, ok, decided.Load())
		}
	}
}

// Who does not float needs no exchange, but must be paused.
func TestTake(t *testing.T) {
	for _, floats := range []bool{false, true} {
		for _, word := range []uint32{runs, paused, claimed} {
			p := &pair{floats: floats, paused: word}
			took := p.take()
			want := word
			if word == paused {
				want = claimed
			}
			if took != (word == paused) || p.paused != want {
				t.Errorf("floats %v, word %d: take is %v, then it is %d", floats, word, took, p.paused)
			}
		}
	}
}

// A call that meets a claim waits, too.
func TestCallOfTheClaimed(t *testing.T) {
	defer Close()
	p := newPuller[int, struct{}](func(yield func(int) bool) {
		for yield(1) {
		}
	})
	defer p.stop()
	call(&p.face)
	for range 10 {
		p.state().set(claimed)
		var decided atomic.Bool
		go func() {
			runtime.Gosched()
			decided.Store(true)
			p.state().set(paused)
		}()
		if _, err := call(&p.face); err != nil || !p.state().yielded || !decided.Load() {
			t.Fatalf("a call of one that is claimed: %v, yielded %v, given back %v", err, p.state().yielded, decided.Load())
		}
	}
}
