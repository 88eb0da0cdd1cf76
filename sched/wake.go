package sched

import (
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-greenlet/greenlet"
)

// This file is all that other goroutines may call.

// An inbox holds what other goroutines want the loop to do.
type inbox struct {
	mu     sync.Mutex
	mail   []*Handle
	spare  []*Handle // the slice that was read last, for the next mail
	closed bool
	posts  uint64 // how many there have been
}

// The reasons for which a new turn must begin in the hub.
const (
	mailCame uint32 = 1 << iota
	stopAsked
)

// Post arranges that fn runs on the hub in the loop's next turn, and wakes the
// loop if it waits. It returns ErrClosed if the loop is closed.
//
// Any goroutine may call it; it does not switch. Calls of one goroutine keep
// their order. The handle's Cancel belongs to the owner.
//
// Python: loop.call_soon_threadsafe.
func (l *Loop) Post(fn func()) (*Handle, error) {
	h := &Handle{fn: fn}
	l.inbox.mu.Lock()
	if l.inbox.closed {
		l.inbox.mu.Unlock()
		return nil, ErrClosed
	}
	l.inbox.mail = append(l.inbox.mail, h)
	l.inbox.posts++
	l.inbox.mu.Unlock()
	l.attention.Or(mailCame)
	if l.waits.Load() {
		l.poller.Wake()
	}
	return h, nil
}

// collect makes ready what was posted.
func (l *Loop) collect() {
	if l.attention.Load()&mailCame == 0 {
		return
	}
	l.attention.And(^mailCame)
	in := &l.inbox
	in.mu.Lock()
	mail := in.mail
	in.mail, in.spare = in.spare[:0], nil
	in.mu.Unlock()
	for _, h := range mail {
		l.ready.push(entry{handle: h})
	}
	clear(mail)
	in.mu.Lock()
	in.spare = mail[:0]
	in.mu.Unlock()
}

// Hold notes that something is under way outside that will Post: a call on
// another goroutine, say. A clock that is not real does not go forward
// meanwhile. Release takes it back, after the Post. Any goroutine may call them;
// they do not switch.
func (l *Loop) Hold() { l.held.Add(1) }

// Release ends what Hold began. It panics if Hold did not.
func (l *Loop) Release() {
	switch n := l.held.Add(-1); {
	case n < 0:
		panic("sched: Release without Hold")
	case n <= l.lent.Load() && l.waits.Load():
		l.poller.Wake() // the clock may go forward now
	}
}

// Lend notes that another goroutine waits for something of the loop, and that who
// holds the loop may be waiting for that goroutine: meanwhile a clock that is not real
// goes forward as if there was a Hold less. The function that it returns takes that
// back, once, when the goroutine is about to go on. From then on it has a moment to do
// something with what it has got, before such a clock goes forward: where all
// goroutines share a thread, until they have had a hundred turns, elsewhere a
// millisecond. Any goroutine may call both; they do not switch.
func (l *Loop) Lend() (back func()) {
	l.lent.Add(1)
	if l.waits.Load() {
		l.poller.Wake() // the clock may go forward now
	}
	return func() {
		if l.jumps {
			l.stir()
		}
		l.lent.Add(-1)
	}
}

// stir keeps the clock where it is for a moment.
func (l *Loop) stir() {
	l.stirred.Add(1)
	over := func() {
		if l.stirred.Add(-1) == 0 && l.waits.Load() {
			l.poller.Wake() // the clock may go forward now
		}
	}
	if runtime.GOARCH != "wasm" {
		time.AfterFunc(time.Millisecond, over)
		return
	}
	go func() {
		for range 100 {
			runtime.Gosched()
		}
		over()
	}()
}

// alone reports whether nothing outside is known to be under way.
func (l *Loop) alone() bool {
	if !l.jumps {
		return l.held.Load() == 0
	}
	return l.stirred.Load() == 0 && l.held.Load() <= l.lent.Load()
}

// Stop makes Run and RunForever return at the end of the present turn; if none
// of them runs, the next one makes just one turn. Any goroutine may call it; it
// does not switch.
//
// Python: loop.stop.
func (l *Loop) Stop() {
	l.attention.Or(stopAsked)
	if l.waits.Load() {
		l.poller.Wake()
	}
}

// shared is what all goroutines may touch.
type shared struct {
	inbox     inbox
	attention atomic.Uint32
	held      atomic.Int64
	lent      atomic.Int64                      // to others that wait for the loop
	stirred   atomic.Int64                      // how many of them have just gone on
	waits     atomic.Bool                       // the loop is in Poller.Wait, or about to be
	runner    atomic.Pointer[greenlet.Greenlet] // the hub, while the loop runs
}
