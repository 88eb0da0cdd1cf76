package simnet

import (
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// due is what is to happen at a time.
type due interface{ happen(at time.Duration) }

// A queue is what is to happen in a network, the earliest first, and of equal times
// the one that was put in first. The loop's timers stand for its beginning only.
type queue struct {
	heap  []queued
	count uint64
	armed []armed // the earliest is the last
}

type queued struct {
	at   time.Duration
	nth  uint64
	what due
}

func (a *queued) before(b *queued) bool { return a.at < b.at || a.at == b.at && a.nth < b.nth }

// armed is a timer of the loop.
type armed struct {
	at    time.Duration
	timer *asyncio.TimerHandle
}

// at has what happen when the loop's clock reaches t.
func (n *Network) schedule(t time.Duration, what due) {
	if n.ended {
		return
	}
	q := &n.queue
	q.push(queued{t, q.count, what})
	q.count++
	n.arm(q.heap[0].at)
}

// arm sees to it that n looks at its queue at t, if not before.
func (n *Network) arm(t time.Duration) {
	q := &n.queue
	if last := len(q.armed) - 1; n.busy || last >= 0 && q.armed[last].at <= t || n.loop.IsClosed() {
		return // in a loop that is closed nothing happens any more
	}
	n.aside = true // as in apart, which would be an allocation
	q.armed = append(q.armed, armed{t, n.loop.CallAt(t, n.look)})
	n.aside = false
}

// run is called by the loop's timers, the earliest of which is over: all that is due
// happens.
func (n *Network) run() {
	q, now := &n.queue, n.now()
	for last := len(q.armed) - 1; last >= 0 && q.armed[last].at <= now; last-- {
		q.armed[last].timer.Cancel()
		q.armed = q.armed[:last]
	}
	n.busy = true
	for len(q.heap) > 0 && q.heap[0].at <= now {
		first := q.pop()
		first.what.happen(first.at)
	}
	n.busy = false
	if len(q.heap) > 0 {
		n.arm(q.heap[0].at)
	}
}

// end has nothing happen any more.
func (q *queue) end() {
	for _, a := range q.armed {
		a.timer.Cancel()
	}
	*q = queue{}
}

// The heap has four children to a node: as many as a look at one line of memory
// tells of.
func (q *queue) push(e queued) {
	q.heap = append(q.heap, e)
	h, i := q.heap, len(q.heap)-1
	for i > 0 {
		up := (i - 1) / 4
		if h[up].before(&e) {
			break
		}
		h[i] = h[up]
		i = up
	}
	h[i] = e
}

func (q *queue) pop() queued {
	h := q.heap
	first, last := h[0], len(h)-1
	e := h[last]
	h[last] = queued{}
	q.heap = h[:last]
	if h = q.heap; last == 0 {
		return first
	}
	i := 0
	for {
		least, child := -1, 4*i+1
		for c := child; c < min(child+4, last); c++ {
			if least < 0 || h[c].before(&h[least]) {
				least = c
			}
		}
		if least < 0 || e.before(&h[least]) {
			break
		}
		h[i] = h[least]
		i = least
	}
	h[i] = e
	return first
}
