package main

import (
	"time"

	"github.com/go-greenlet/greenlet"
)

// An event is what happens to the telephone: what its user does, a key, or what
// the exchange reports.
type event string

const (
	lift      event = "lift"
	hangUp    event = "hang up"
	ring      event = "ring"
	answered  event = "answered"
	busy      event = "busy"
	otherGone event = "other hangs up"
	tick      event = "tick" // a second has passed
)

// A telephone is told events and says after each what is to be heard.
type telephone = greenlet.Coro[event, string]

// newTelephone makes a telephone that hangs up as often as wanted. Its state is
// where in the code it is, and its memory is plain variables: there is no table
// of states and no variable that names one.
func newTelephone() *telephone {
	return greenlet.NewCoro(func(t *telephone, e event) error {
		p := phone{t}
		for {
			for e != lift && e != ring {
				e = t.Yield("nothing")
			}
			if e == lift {
				p.call()
			} else {
				p.beCalled()
			}
			e = hangUp
		}
	})
}

// phone is the telephone from the inside. Each method is a part of the machine
// and returns when the receiver is down again.
type phone struct{ *telephone }

// call is what follows when the user lifts the receiver.
func (p phone) call() {
	number, ok := p.dial()
	if !ok {
		return
	}
	for {
		switch p.Yield("calling " + number) {
		case hangUp:
			return
		case busy:
			p.untilDown("engaged tone")
			return
		case answered:
			p.talk()
			return
		}
	}
}

// dial collects three digits. Who takes too long between two gets no further;
// ok is false when the receiver is down.
func (p phone) dial() (number string, ok bool) {
	const patience = 5 * time.Second
	heard := "dial tone"
	for left := patience; len(number) < 3; {
		switch e := p.Yield(heard); {
		case e == hangUp:
			return "", false
		case e == tick:
			if left -= time.Second; left <= 0 {
				p.untilDown("howler")
				return "", false
			}
		case len(e) == 1 && '0' <= e[0] && e[0] <= '9':
			number += string(e)
			heard, left = "dialled "+number, patience
		}
	}
	return number, true
}

// beCalled is what follows the first ring.
func (p phone) beCalled() {
	for {
		switch p.Yield("the bell") {
		case lift:
			p.talk()
			return
		case otherGone:
			return
		}
	}
}

func (p phone) talk() {
	for {
		switch p.Yield("a voice") {
		case hangUp:
			return
		case otherGone:
			p.untilDown("dial tone")
			return
		}
	}
}

// untilDown lets the user hear a sound until the receiver is down.
func (p phone) untilDown(sound string) {
	for p.Yield(sound) != hangUp {
	}
}
