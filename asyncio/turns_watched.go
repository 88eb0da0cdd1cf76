//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import "net"

// turns is who waits for the turn to write: of several Writes each is whole, and
// one may need many system calls.
type turns struct {
	tasks  line            // the owner's
	count  int             // how many tasks wait, or have; guarded by the descriptor's mu
	others []chan struct{} // of those who are no tasks; guarded by it, too
}

// turn waits until t has the turn, or if t is nil the calling goroutine.
func (d *descriptor) turn(t *task) error {
	for !d.Take() {
		d.mu.Lock()
		if !d.Want() {
			d.mu.Unlock()
			if d.IsShut() {
				return net.ErrClosed
			}
			continue
		}
		if t == nil {
			turn := make(chan struct{}, 1)
			d.turns.others = append(d.turns.others, turn)
			d.mu.Unlock()
			<-turn
			if d.IsShut() {
				return net.ErrClosed
			}
			return nil
		}
		d.turns.count++
		d.tasks = true
		d.mu.Unlock()
		has, err := d.queue(t)
		switch {
		case d.IsShut():
			return net.ErrClosed
		case err != nil && has:
			d.handOn(true)
			return err
		case err != nil || has:
			return err
		}
	}
	return nil
}

// queue suspends t until it is given the turn.
func (d *descriptor) queue(t *task) (has bool, err error) {
	returned := false
	defer func() {
		d.mu.Lock()
		d.turns.count--
		d.mu.Unlock()
		if !returned && t.wait == woken { // it was killed on its way
			d.handOn(false)
		}
	}()
	has, err = d.turns.tasks.pass(t)
	returned = true
	return has, err
}

// endTurn gives the turn back, or to who waits for it: after a task it goes to
// somebody else first, and after somebody else to a task.
func (d *descriptor) endTurn() {
	if d.Give() {
		return
	}
	if d.loop.s.Owned() {
		d.handOn(true)
		return
	}
	d.mu.Lock()
	tasks := d.turns.count > 0
	d.mu.Unlock()
	if tasks {
		if _, err := d.loop.s.Post(func() { d.handOn(false) }); err == nil {
			return
		}
	}
	d.handOnOutside()
}

// handOn gives the turn to a task, or to somebody else. Owner only.
func (d *descriptor) handOn(othersFirst bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if othersFirst && d.turns.other() {
		return
	}
	if t := d.turns.tasks.next(); t != nil {
		d.turns.tasks.choose(t)
	} else if !d.turns.other() {
		d.Free()
	}
}

// handOnOutside gives the turn to somebody who is no task.
func (d *descriptor) handOnOutside() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.turns.other() {
		d.Free()
	}
}

// other gives the turn to who waits longest of those who are no tasks.
func (q *turns) other() bool {
	if len(q.others) == 0 {
		return false
	}
	q.others[0] <- struct{}{}
	q.others = q.others[1:]
	return true
}
