package stack

import (
	"sync"
	"sync/atomic"
)

// Idle is a parked goroutine that waits for the next greenlet.
type Idle interface {
	// Retire lets the goroutine end. It does not wait for that.
	Retire()
}

const (
	localMax   = 64           // idle goroutines a tree keeps for itself
	localBatch = localMax / 2 // how many move to or from the depot at once

	defaultLimit = 4096
)

// Local is the idle goroutines of one tree of greenlets, the last one in first
// out, so that warm stacks are used first. Owner only.
type Local[C Idle] struct {
	depot *Depot[C]
	free  []C
}

// NewLocal makes a tree's store, which draws from depot and overflows into it.
func NewLocal[C Idle](depot *Depot[C]) *Local[C] { return &Local[C]{depot: depot} }

// Get returns an idle goroutine. It reports false if there is none, here or in
// the depot.
func (l *Local[C]) Get() (c C, ok bool) {
	if len(l.free) == 0 && !l.depot.supply(l) {
		return c, false
	}
	last := len(l.free) - 1
	c = l.free[last]
	var none C
	l.free[last] = none
	l.free = l.free[:last]
	return c, true
}

// Put stores c, which may still be running: nobody else sees it before the
// owner calls Get, Put or Flush again, and by then it has parked.
func (l *Local[C]) Put(c C) {
	if len(l.free) >= localMax {
		l.overflow()
	}
	l.free = append(l.free, c)
}

//go:noinline
func (l *Local[C]) overflow() {
	n := len(l.free) - localBatch
	l.depot.Take(l.free[:n])
	copy(l.free, l.free[n:])
	clear(l.free[localBatch:])
	l.free = l.free[:localBatch]
}

// Flush gives everything to the depot.
func (l *Local[C]) Flush() {
	l.depot.Take(l.free)
	clear(l.free)
	l.free = l.free[:0]
}

// Len is the number of idle goroutines in l.
func (l *Local[C]) Len() int { return len(l.free) }

// Depot is the idle goroutines that all trees share. Any goroutine may call
// its methods.
type Depot[C Idle] struct {
	mu   sync.Mutex
	free []C
	idle int // free when last trimmed; what is still there then was not needed
}

// supply moves a batch from d to l.
func (d *Depot[C]) supply(l *Local[C]) bool {
	if pooled.Load() == 0 {
		return false
	}
	d.mu.Lock()
	n := min(localBatch, len(d.free))
	keep := len(d.free) - n
	l.free = append(l.free, d.free[keep:]...)
	clear(d.free[keep:])
	d.free = d.free[:keep]
	d.idle = min(d.idle, keep)
	d.mu.Unlock()
	pooled.Add(int64(-n))
	return n > 0
}

// Take moves all of from into d, and retires what is beyond the limit.
func (d *Depot[C]) Take(from []C) {
	d.mu.Lock()
	room := max(0, min(len(from), int(limit.Load())-len(d.free)))
	d.free = append(d.free, from[:room]...)
	d.mu.Unlock()
	pooled.Add(int64(room))
	for _, c := range from[room:] {
		retired.Add(1)
		c.Retire()
	}
}

// Tick is called once for every cycle of the collector: it retires half of
// what has not been needed since the last call.
func (d *Depot[C]) Tick() {
	d.mu.Lock()
	drop := (d.idle + 1) / 2
	d.idle = len(d.free) - drop
	d.mu.Unlock()
	d.Drop(drop)
}

// Drop retires up to n idle goroutines and returns how many.
func (d *Depot[C]) Drop(n int) int {
	d.mu.Lock()
	n = max(0, min(n, len(d.free)))
	// The oldest are at the front.
	gone := append([]C(nil), d.free[:n]...)
	d.free = append(d.free[:0], d.free[n:]...)
	clear(d.free[len(d.free):cap(d.free)])
	d.idle = min(d.idle, len(d.free))
	d.mu.Unlock()
	pooled.Add(int64(-n))
	retired.Add(int64(n))
	for _, c := range gone {
		c.Retire()
	}
	return n
}

// Len is the number of idle goroutines in d.
func (d *Depot[C]) Len() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.free)
}

var limit atomic.Int64

func init() { limit.Store(defaultLimit) }

// SetLimit sets how many idle goroutines are kept for all trees together,
// besides the up to 64 that each tree keeps for itself, and returns the old
// limit. 0 keeps none; the limit at start is 4096. A higher limit makes waves
// of greenlets cheaper, at about 2.6 KiB for each goroutine kept. Any goroutine
// may call it; it does not switch.
func SetLimit(n int) (old int) {
	n = max(0, n)
	old = int(limit.Swap(int64(n)))
	if over := int(pooled.Load()) - n; over > 0 {
		trim(over)
	}
	return old
}

// Trim ends the idle goroutines that all trees share and returns how many it
// has told to end. Those that a living tree keeps for itself stay; the tree's
// greenlet.Close gives them back. Any goroutine may call it; it does not
// switch.
func Trim() int { return trim(int(pooled.Load())) }

// trim is set by the depot in use.
var trim = func(int) int { return 0 }

// Trims makes d the depot that SetLimit and Trim act on.
func (d *Depot[C]) Trims() { trim = d.Drop }
