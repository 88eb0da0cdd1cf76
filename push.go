package greenlet

import (
	"fmt"
	"iter"
)

// Push is the inverse of Pull: it turns recv, a function that wants to range
// over a sequence, into something that values can be pushed into.
//
//   - push gives recv the next value and returns true when recv asks for one
//     more. It returns false when recv wants no more: the value was its last,
//     or was not wanted.
//   - stop ends the sequence for recv and returns when recv has returned. It
//     may be called several times. If nothing was pushed, recv ranges over an
//     empty sequence.
//   - If recv panics, the panic goes on, with its value, in the push or stop
//     that runs recv. If recv calls runtime.Goexit, its caller ends the same way.
//   - push and stop may be called by any goroutine, but not by two at a time
//     and not from inside recv, and in the testing/synctest bubble where recv
//     has started only: see Pull.
//
// A recv that ranges over the sequence again goes on with the next value. So one
// that asks for a value here and there, in the Read of a reader, say, ranges anew
// each time and breaks. Only recv itself can range over it: Pull of it panics.
//
// Any goroutine may call Push; it does not switch.
func Push[V any](recv func(seq iter.Seq[V])) (push func(V) bool, stop func()) {
	p := newPuller[V, struct{}](nil)
	k := p.state()
	k.own = true
	k.seq = func(func(V) bool) { recv(k.pushed) }
	push = func(v V) bool {
		if !k.started && !p.asks() {
			return false
		}
		if reserve(&p.face) {
			k.value = v
			proceed(&p.face)
			if !k.yielded {
				k.ended()
				return false
			}
			return leaveYield(true)
		}
		if k.never {
			go nothing()
		}
		c := self()
		g, _ := k.claim(c, p.g)
		if g == nil {
			return false
		}
		k.value = v
		return p.step(c, g)
	}
	stop = func() {
		if k.started || p.asks() {
			p.stop()
		}
	}
	return push, stop
}

// asks lets recv run to where it asks for a value, and reports whether it does.
func (p *puller[V, Leave]) asks() bool {
	c := self()
	g, _ := p.p.claim(c, p.g)
	return g != nil && p.step(c, g)
}

// pushed is the sequence that recv ranges over.
func (k *pulled[V]) pushed(body func(V) bool) {
	for {
		if k.c != self() {
			panic(fmt.Errorf("greenlet: a pushed sequence is ranged over outside of its receiver, by a Pull or another goroutine (%w)", ErrReentrant))
		}
		if k.stopped {
			return
		}
		back(&k.pair)
		if k.stopped || !body(k.value) {
			return
		}
	}
}
