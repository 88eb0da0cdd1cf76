package asyncio

import (
	"context"
	"net"
	"sync"
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
	over chan struct{} // closed when it is done, or never will be
	back func()        // of sched's Lend
}

// outsideCalls are those that are under way. Any goroutine may use them.
type outsideCalls struct {
	mu  sync.Mutex
	all map[*outsideCall]struct{} // nil after the end of the loop
}

var outsideCallsPart = newPart(endOutside,
	func() *outsideCalls { return &outsideCalls{all: make(map[*outsideCall]struct{})} },
	(*outsideCalls).end)

// begin adds a call, unless the loop has ended.
func (o *outsideCalls) begin(l *Loop) (*outsideCall, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		return nil, false
	}
	c := &outsideCall{over: make(chan struct{}), back: l.s.Lend()}
	o.all[c] = struct{}{}
	return c, true
}

// done has the goroutine go on that waits for c. A second call does nothing.
func (o *outsideCalls) done(c *outsideCall) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, ok := o.all[c]; ok {
		delete(o.all, c)
		c.back()
		close(c.over)
	}
}

// end has all go on: nothing is done for them any more.
func (o *outsideCalls) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.all {
		c.back()
		close(c.over)
	}
	o.all = nil
}

// fromOutside calls f in a task of l, with that task's context, which has the values
// and the end of ctx, and waits until f has returned. The error is f's; net.ErrClosed if
// the loop is closed, or if the task was killed.
func (l *Loop) fromOutside(ctx context.Context, name string, f func(ctx context.Context) error) error {
	if !allowsGoroutines(l.Network()) {
		return errOutside
	}
	calls := outsideCallsPart.in(l.parts)
	c, ok := calls.begin(l)
	if !ok {
		return net.ErrClosed
	}
	err := net.ErrClosed
	_, closed := l.s.Post(func() {
		t := newTask(l, context.Background(), func(ctx context.Context) (None, error) {
			err = f(ctx)
			return None{}, nil
		}, []TaskOption{WithTaskContext(ctx), WithTaskName(name)})
		t.AddDoneCallback(NewCallback(func(AnyFuture) { calls.done(c) }))
	})
	if closed != nil {
		calls.done(c)
	}
	<-c.over
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
