package sched

// NewIdler makes the poller of systems that have no other.
func NewIdler() Poller { return newIdler() }

// NewPoller makes the poller of this system.
func NewPoller() Poller { return systemPoller() }

// Added makes d a descriptor that p watches, without a loop.
func Added(p DescriptorPoller, d *Descriptor, fd int, w Watcher, ev Events) error {
	d.fd, d.watcher, d.events = fd, w, ev
	return p.Add(d, ev)
}

// Changed makes ev what p watches d for.
func Changed(p DescriptorPoller, d *Descriptor, ev Events) error {
	err := p.Change(d, ev)
	d.events = ev
	return err
}

// Idle is how many workers of l wait for a task.
func Idle(l *Loop) int { return len(l.idle.free) }
