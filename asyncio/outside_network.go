package asyncio

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Goroutines that are not the loop's call methods of a Network's connections, where the
// Network allows it: each call is done by a task of the loop, and the goroutine waits
// for that task. A Close and a deadline it only leaves to the loop: libraries hold locks
// when they call these, and the loop may be about to take one.

// allowsGoroutines reports whether goroutines may use connections of n: see Network.
func allowsGoroutines(n Network) bool {
	a, ok := n.(interface{ AllowsGoroutines() bool })
	return ok && a.AllowsGoroutines()
}

// An outsideCall is a call that a goroutine waits for.
type outsideCall struct {
	over  chan struct{} // closed when it is done, or never will be
	back  func()        // of sched's Lend
	task  AnyTask       // that does it; nil: it has not begun. The loop's.
	begun atomic.Bool   // the loop has come to it
}

// outsidePatience is how long a goroutine waits until the log is told that the loop does
// not come to its call.
var outsidePatience = 10 * time.Second

// overdue tells the log, if the loop has not come to c yet.
func (c *outsideCall) overdue(name string) {
	if !c.begun.Load() {
		slog.Warn("asyncio: a goroutine waits for the loop, which does not come to it: a task of the loop may wait for that goroutine in a channel or a lock, which stops the loop; ToThread waits without", "call", name)
	}
}

// outsideCalls are those that are under way. Any goroutine may use them.
type outsideCalls struct {
	mu      sync.Mutex
	all     map[*outsideCall]struct{}
	refuses bool // the run ends, or the loop has ended
}

var outsideCallsPart = newPart(endOutside, nil, (*outsideCalls).end)

// add adds a call, unless calls are refused.
func (o *outsideCalls) add(l *Loop) (*outsideCall, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.refuses {
		return nil, false
	}
	if o.all == nil {
		o.all = make(map[*outsideCall]struct{})
	}
	c := &outsideCall{over: make(chan struct{}), back: l.s.Lend()}
	o.all[c] = struct{}{}
	return c, true
}

// refused reports whether calls are refused by now.
func (o *outsideCalls) refused() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.refuses
}

// done has the goroutine go on that waits for c. A second call does nothing.
func (o *outsideCalls) done(c *outsideCall) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.goOn(c)
}

func (o *outsideCalls) goOn(c *outsideCall) {
	if _, ok := o.all[c]; ok {
		delete(o.all, c)
		c.back()
		close(c.over)
	}
}

// refuse is called on the loop's goroutine when a run ends, and its tasks have ended: it
// cancels the calls that goroutines have begun since, which would keep the run, and has
// further ones fail.
func (o *outsideCalls) refuse() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuses = true
	for c := range o.all {
		if c.task != nil {
			c.task.Cancel()
		}
	}
}

// end has all go on: nothing is done for them any more.
func (o *outsideCalls) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.refuses = true
	for c := range o.all {
		o.goOn(c)
	}
}

// fromOutside calls f in a task of l, with that task's context, which has the values
// and the end of ctx, and waits until f has returned. The error is f's; net.ErrClosed,
// as it is, if the loop is closed or its run ends, whose cancel no goroutine asked for.
func (l *Loop) fromOutside(ctx context.Context, name string, f func(ctx context.Context) error) error {
	if !allowsGoroutines(l.Network()) {
		return errOutside
	}
	calls := outsideCallsPart.in(l.parts)
	c, ok := calls.add(l)
	if !ok {
		return net.ErrClosed
	}
	err := net.ErrClosed
	late := time.AfterFunc(outsidePatience, func() { c.overdue(name) })
	defer late.Stop()
	_, closed := l.s.Post(func() {
		c.begun.Store(true)
		if calls.refused() {
			calls.done(c)
			return
		}
		t := newTask(l, context.Background(), func(ctx context.Context) (None, error) {
			err = f(ctx)
			return None{}, nil
		}, []TaskOption{WithTaskContext(ctx), WithTaskName(name)})
		t.AddDoneCallback(NewCallback(func(AnyFuture) { calls.done(c) }))
		c.task = t
	})
	if closed != nil {
		calls.done(c)
	}
	<-c.over
	if asCancelled(err) != nil {
		return net.ErrClosed
	}
	return err
}

// leaveTo has the loop do f soon. Nobody waits for it.
func (l *Loop) leaveTo(f func()) error {
	if !allowsGoroutines(l.Network()) {
		return errOutside
	}
	if _, err := l.s.Post(f); err != nil {
		return net.ErrClosed
	}
	return nil
}
