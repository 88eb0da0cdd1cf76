package sched

import (
	"errors"
	"fmt"
	"sync/atomic"
)

// A Descriptor is an open file of the system that a loop watches: a socket, a
// pipe, a terminal. It is meant to be part of what its user knows about the
// file, so that both are one allocation. The zero Descriptor is not watched.
type Descriptor struct {
	watcher Watcher
	loop    *Loop
	fd      int
	events  Events // what it is watched for, if by level
	serial  int32  // tells it from an earlier one with the same number
	gone    atomic.Bool
}

// Events tell what can be done with a descriptor. They are hints: a call on it
// may still have to wait, so it must be a non-blocking one.
type Events uint8

const (
	// Readable: a read will not wait. There is data, or a connection to accept,
	// or the end, or an error.
	Readable Events = 1 << iota

	// Writable: a write will not wait. There is room, or an error.
	Writable

	// HungUp: the other side has closed, at least its direction, or there is an
	// error. What has come before can still be read. It comes with the others.
	HungUp
)

// String names the events.
func (e Events) String() string {
	s := ""
	for i, name := range []string{"readable", "writable", "hung up"} {
		if e&(1<<i) != 0 {
			if s != "" {
				s += ", "
			}
			s += name
		}
	}
	return s
}

// A Watcher is told what happens to a descriptor.
type Watcher interface {
	// Happened is called when the loop asks its poller, between two steps. It
	// notes what it is told and makes ready who waits for it: Task.Ready,
	// Call.Soon. It must not wait, and must not watch descriptors or unwatch
	// them.
	Happened(ev Events)
}

// A DescriptorPoller is a Poller that can watch descriptors. Its methods are
// the owner's, and none switches.
type DescriptorPoller interface {
	Poller

	// Add begins to watch d. If ev is zero, its watcher is told of everything
	// that is new: once for each thing that comes ("edge"). Else it is told, each
	// time the loop asks, of those of ev that are so ("level"), and of HungUp.
	Add(d *Descriptor, ev Events) error

	// Change makes ev what d is watched for, by level.
	Change(d *Descriptor, ev Events) error

	// Remove ends it. Nothing is told about d afterwards.
	Remove(d *Descriptor) error
}

// ErrWatched is returned where a descriptor is watched already.
var ErrWatched = errors.New("sched: the descriptor is watched already")

var (
	errNoEvents = errors.New("sched: no events to watch the descriptor for")
	errNotLevel = errors.New("sched: the descriptor is not watched by level")
)

// Watch begins to watch the descriptor fd, which must be a non-blocking one, and
// has w told of what is new: data that has come, room that has been made, an end.
// At first everything there is counts as new. What was told is not told again,
// so w must go on until a call would have to wait, or a read has brought less
// than was asked for.
//
// The loop waits for descriptors as it waits for timers: they do not keep Run
// going. Unwatch must be called before fd is closed, or Gone and then Unwatch.
//
// Owner only; it does not switch. It costs a system call, and nothing after
// that. The error is ErrWatched, ErrClosed, errors.ErrUnsupported on systems
// where the loop has no poller for descriptors, or one of the system: files on
// disk cannot be watched.
func (l *Loop) Watch(d *Descriptor, fd int, w Watcher) error { return l.watch(d, fd, w, 0) }

// WatchLevel is Watch for those of ev: w is told in every turn of those that
// are so. Rewatch changes what it is told of. An error of the descriptor, or an
// end of both directions, counts as all of them. ev must not be zero.
//
// Python: loop.add_reader, loop.add_writer.
func (l *Loop) WatchLevel(d *Descriptor, fd int, w Watcher, ev Events) error {
	if ev == 0 {
		return errNoEvents
	}
	return l.watch(d, fd, w, ev)
}

func (l *Loop) watch(d *Descriptor, fd int, w Watcher, ev Events) error {
	switch {
	case l.closed:
		return ErrClosed
	case d.loop != nil:
		return ErrWatched
	}
	p, ok := l.poller.(DescriptorPoller)
	if !ok {
		return fmt.Errorf("sched: the loop's poller cannot watch descriptors: %w", errors.ErrUnsupported)
	}
	d.fd, d.watcher, d.events = fd, w, ev
	if err := p.Add(d, ev); err != nil {
		d.watcher = nil
		return err
	}
	d.loop, l.polls = l, true
	return nil
}

// Rewatch makes ev, which is not zero, what d is watched for. It must have been
// watched by WatchLevel. On one that is not watched any more the error is
// ErrClosed. Owner only; it does not switch. It costs a system call if it changes
// anything.
func (d *Descriptor) Rewatch(ev Events) error {
	switch {
	case d.loop == nil || d.loop.closed:
		return ErrClosed
	case d.events == 0:
		return errNotLevel
	case ev == 0:
		return errNoEvents
	case ev == d.events:
		return nil
	}
	if err := d.loop.poller.(DescriptorPoller).Change(d, ev); err != nil {
		return err
	}
	d.events = ev
	return nil
}

// Unwatch ends what Watch began. On a descriptor that is not watched it does
// nothing. Owner only; it does not switch.
func (d *Descriptor) Unwatch() error {
	if d.loop == nil {
		return nil
	}
	l := d.loop
	d.loop, d.watcher = nil, nil
	if l.closed {
		return nil
	}
	return l.poller.(DescriptorPoller).Remove(d)
}

// Gone notes that the descriptor is about to be closed by somebody who cannot
// call Unwatch: its number may then belong to another one before the owner does.
// Any goroutine may call it; it does not switch.
func (d *Descriptor) Gone() { d.gone.Store(true) }

// Fd returns the number of the descriptor that d is, or was, watched as. It is
// for pollers. Owner only; it does not switch.
func (d *Descriptor) Fd() int { return d.fd }

// Tell tells d's watcher. It is for pollers, which call it from inside Wait.
func (d *Descriptor) Tell(ev Events) { d.watcher.Happened(ev) }

// Watched reports whether d is being watched. Owner only; it does not switch.
func (d *Descriptor) Watched() bool { return d.loop != nil }

// Events returns what d is watched for by level; zero if it is watched for what
// is new. Owner only; it does not switch.
func (d *Descriptor) Events() Events { return d.events }
