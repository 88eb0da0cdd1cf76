package simnet

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A life is a host from when it is up until it goes down. Callbacks belong to one, and end
// with it.
type life struct {
	host   *Host
	nth    int                                      // host.life
	timers map[*asyncio.Handle]*asyncio.TimerHandle // that are set, and some that were cancelled
	swept  int                                      // how many were left when those were last taken out
}

// caller returns whose the callback is that is being arranged: nil, if it is of no host.
func (n *Network) caller() asyncio.CallbackOwner {
	if n.aside {
		return nil
	}
	t := asyncio.CurrentTask(context.Background())
	if t == nil && n.calling != nil {
		return n.calling
	}
	if t != nil {
		if h := hostOfTask(t); h != nil {
			return h.present()
		}
	}
	return nil
}

// present returns the life that the host has now: one that is over, if it is down.
func (h *Host) present() *life {
	if h.down {
		return &life{host: h, nth: -1}
	}
	if h.lives == nil || h.lives.nth != h.life {
		h.lives = &life{host: h, nth: h.life, timers: make(map[*asyncio.Handle]*asyncio.TimerHandle)}
	}
	return h.lives
}

// over reports whether v has ended.
func (v *life) over() bool { return v.nth != v.host.life }

// Calls is CallbackOwner's: fn is called if v goes on, now, or when the host does.
func (v *life) Calls(handle *asyncio.Handle, fn func()) {
	delete(v.timers, handle)
	h := v.host
	switch {
	case v.over() || handle.Cancelled():
		return
	case h.paused:
		h.frozen = append(h.frozen, func() {
			h.net.apart(func() {
				h.net.running().loop.CallSoon(func() { v.Calls(handle, fn) })
			})
		})
		return
	}
	before := h.net.calling
	h.net.calling = v
	defer func() { h.net.calling = before }()
	fn()
}

// Sets is CallbackOwner's.
func (v *life) Sets(t *asyncio.TimerHandle) {
	if v.over() { // by a deferred call of what has just ended
		t.Cancel()
		return
	}
	if len(v.timers) > 2*v.swept+16 {
		for h := range v.timers {
			if h.Cancelled() {
				delete(v.timers, h)
			}
		}
		v.swept = len(v.timers)
	}
	v.timers[&t.Handle] = t
}

// end cancels what v has set.
func (v *life) end() {
	for _, t := range v.timers {
		t.Cancel()
	}
	clear(v.timers)
}

// taskContext returns the context of a task that is made without one.
func (n *Network) taskContext() context.Context {
	if h := n.hostHere(context.Background()); h != nil {
		return h.Context(context.Background())
	}
	return context.Background()
}

// apart calls f, which arranges callbacks of the network's own: they are of no host.
func (n *Network) apart(f func()) {
	before := n.aside
	n.aside = true
	defer func() { n.aside = before }()
	f()
}

// whenDone has f called when t has ended, for the network.
func (n *Network) whenDone(t *asyncio.Task[asyncio.None], f func()) {
	n.apart(func() { t.AddDoneCallback(asyncio.NewCallback(func(asyncio.AnyFuture) { f() })) })
}
