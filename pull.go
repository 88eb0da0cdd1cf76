package greenlet

import (
	"fmt"
	"iter"
	"runtime"
	"sync/atomic"
)

// Pull turns the push iterator seq into a pull iterator, as iter.Pull does: with
// its signature and its rules, several times faster.
//
//   - next returns the next value and true, or the zero value and false when
//     seq has ended. It may be called again then, to the same effect.
//   - stop ends the iteration: the yield in which seq waits returns false, and
//     seq should return. It may be called at any time, and several times. Who
//     does not read to the end should call it.
//   - If seq panics, the panic goes on, with its value, in the next or stop
//     that runs seq. If seq calls runtime.Goexit, its caller ends the same way.
//   - next and stop may be called by any goroutine, but not by two at a time
//     and not from inside seq: then they panic with an error that is
//     ErrReentrant. A call that comes while another has its value, but has not
//     returned yet, is not noticed: it is a data race with that one, as it is
//     with iter.Pull.
//   - If seq has started in a testing/synctest bubble, next and stop may only be
//     called in that bubble, and outside of all if seq has started there: else
//     they panic with an error that is ErrForeign.
//
// What differs from iter.Pull: seq runs on a greenlet of its caller's tree, and
// may switch to other greenlets of that tree while its caller waits. If another
// goroutine calls next the greenlet moves to that one's tree. A sequence that
// is abandoned before its end is ended after two cycles of the collector, on a
// goroutine of its own: its deferred calls run. LockOSThread is allowed
// anywhere.
//
// Any goroutine may call Pull; it does not switch. Cost: two allocations; five where
// the assembly switch is not built in.
func Pull[V any](seq iter.Seq[V]) (next func() (V, bool), stop func()) {
	p := newPuller[V, func(V, bool) (V, bool)](seq)
	p.leave = returns[func(V, bool) (V, bool)](fitsRegisters[V](), nil)
	k := p.state()
	k.words = p.leave != nil && areWords[V]()
	k.eight = functionsFit && k.words && areIntegers[V]()
	switch {
	case k.eight:
		return nextOfEight(p), p.ender()
	case functionsFit && k.words:
		return within(&p.next, stepperOfWords(p)), p.ender()
	case functionsFit:
		return within(&p.next, stepper(p)), p.ender()
	case k.words:
		return stepperOfWords(p), p.ender()
	}
	return stepper(p), p.ender()
}

// stepper makes next, which refers to p only.
func stepper[V any](p *puller[V, func(V, bool) (V, bool)]) func() (V, bool) {
	return func() (v V, ok bool) {
		k := p.state()
		call(&p.face)
		if !k.yielded {
			if k.never {
				go nothing()
			}
			k.ended()
			if p.leave == nil {
				return v, false
			}
			return p.leave(v, false)
		}
		v = k.value
		runtime.KeepAlive(p) // or seq could be ended before its value is copied
		if p.leave == nil {
			return v, true
		}
		return p.leave(v, true)
	}
}

// Pull2 is Pull for sequences of pairs, as iter.Pull2.
func Pull2[K, V any](seq iter.Seq2[K, V]) (next func() (K, V, bool), stop func()) {
	p := newPuller[both[K, V], func(K, V, bool) (K, V, bool)](nil)
	k := p.state()
	k.own = true
	k.seq = func(func(both[K, V]) bool) {
		if functionsFit {
			seq(within(&k.yields, yield2(k)))
			return
		}
		seq(yield2(k))
	}
	p.leave = returns[func(K, V, bool) (K, V, bool)](fitsRegisters[both[K, V]](), nil)
	if functionsFit {
		return within(&p.next, stepper2(p)), p.ender()
	}
	return stepper2(p), p.ender()
}

// stepper2 is stepper for pairs.
func stepper2[K, V any](p *puller[both[K, V], func(K, V, bool) (K, V, bool)]) func() (K, V, bool) {
	return func() (key K, value V, ok bool) {
		k := p.state()
		call(&p.face)
		if !k.yielded {
			if k.never {
				go nothing()
			}
			k.ended()
			if p.leave == nil {
				return key, value, false
			}
			return p.leave(key, value, false)
		}
		key, value = k.value.key, k.value.value
		runtime.KeepAlive(p)
		if p.leave == nil {
			return key, value, true
		}
		return p.leave(key, value, true)
	}
}

// both is a pair that Pull2 passes. Its parts are returned in the registers in
// which it would be.
type both[K, V any] struct {
	key   K
	value V
}

// A puller is what next and stop refer to; pulled is what seq's stack does.
type puller[V, Leave any] struct {
	face        // of a pulled[V]
	leave Leave // how next returns; nil: plainly

	next, ends function // next and stop themselves
}

type pulled[V any] struct {
	pulledState
	value  V
	yields function // yield itself
	seq    func(yield func(V) bool)
}

// pulledState is what does not depend on the type of the values.
type pulledState struct {
	pair
	passed atomic.Pointer[any] // what seq panicked with, until a call has passed it on
}

func newPuller[V, Leave any](seq func(yield func(V) bool)) *puller[V, Leave] {
	parent := Current()
	h := parent.hub
	both := &struct {
		puller[V, Leave]
		g Greenlet
	}{g: Greenlet{hub: h, parent: parent, body: runPair, id: h.nextID()}}
	k := &pulled[V]{pulledState: pulledState{pair: pair{hub: h, paused: paused, floats: true}}, seq: seq}
	k.script = scriptOf(k)
	both.p = &k.pair
	both.setHandle(&both.g)
	return &both.puller
}

// run is seq's greenlet.
func (k *pulled[V]) run() {
	k.begin()
	defer k.over()
	switch {
	case k.own:
		k.seq(nil)
	case k.eight:
		k.seq(k.yieldEight())
	case functionsFit && k.words:
		k.seq(within(&k.yields, k.yieldWords()))
	case functionsFit:
		k.seq(within(&k.yields, k.yield()))
	case k.words:
		k.seq(k.yieldWords())
	default:
		k.seq(k.yield())
	}
}

func (k *pulled[V]) keep() func() {
	value := k.value
	return func() { k.value = value }
}

// over is the deferred call at the end of seq's greenlet.
func (k *pulled[V]) over() {
	if !k.c.killed {
		if e := recover(); e != nil {
			with := e // or there would be an object for nil, too
			k.passed.Store(&with)
			k.panicked = true
		}
	}
	var none V
	k.value = none
	k.end()
}

// leaveYield is how yield returns. The assembly backend makes it a jump.
var leaveYield = func(more bool) bool { return more }

// yield makes the function that seq yields to.
func (k *pulled[V]) yield() func(V) bool {
	return func(v V) bool {
		if k.stopped {
			if k.never {
				go nothing()
			}
			return false
		}
		k.value = v
		back(&k.pair)
		return leaveYield(!k.stopped)
	}
}

// yield2 is yield for pairs.
func yield2[K, V any](k *pulled[both[K, V]]) func(K, V) bool {
	return func(key K, value V) bool {
		if k.stopped {
			if k.never {
				go nothing()
			}
			return false
		}
		k.value.key, k.value.value = key, value
		back(&k.pair)
		return leaveYield(!k.stopped)
	}
}

// ended is called by a call that has got no value. It returns if seq has ended, and
// has not panicked.
func (k *pulledState) ended() {
	if !k.finished {
		panic(fmt.Errorf("greenlet: a greenlet that waits in next was switched to (%w)", ErrReentrant))
	}
	if k.passed.Load() != nil {
		if e := k.passed.Swap(nil); e != nil {
			panic(*e)
		}
	}
}

// step lets seq run, which c has claimed, and reports whether it has yielded.
func (p *puller[V, Leave]) step(c *carrier, g *Greenlet) bool {
	p.p.run(c, g, nil)
	if !p.p.yielded {
		p.state().ended()
		return false
	}
	return true
}

// ender makes stop, which refers to p only.
func (p *puller[V, Leave]) ender() func() {
	if functionsFit {
		return within(&p.ends, func() { p.stop() })
	}
	return p.stop
}

func (p *puller[V, Leave]) stop() {
	k := p.state()
	if k.finished { // most are stopped after their end: it costs nothing then
		return
	}
	c := self()
	g, _ := k.claim(c, p.g)
	switch {
	case g == nil: // it has ended
	case !k.started:
		k.discard(g)
	default:
		k.stopped = true
		p.step(c, g)
	}
}

// nothing is never called. A go statement keeps the compiler from inlining a
// function, also when a profile says that it should.
func nothing() {}
