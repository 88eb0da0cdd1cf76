package simnet

// Partition cuts all links between hosts of different groups, in both directions.
// Links to hosts that are in no group stay as they are. It does not switch.
func (n *Network) Partition(groups ...[]*Host) {
	for i, group := range groups {
		for j, other := range groups {
			if i != j {
				n.eachLink(group, other, (*Link).Cut)
			}
		}
	}
}

// HealAll has everything in order again: links pass as the Config says, hosts go on
// that were paused, and those that are down are up again. Wall clocks stay as they
// are. It does not switch.
func (n *Network) HealAll() {
	for _, from := range n.hosts {
		for _, l := range from.links {
			if l != nil && l.from != l.to {
				l.heal()
			}
		}
	}
	for _, h := range n.hosts {
		h.Resume()
		if h.down {
			h.Restart()
		}
	}
}

func (l *Link) heal() {
	if l.held {
		l.Release()
	}
	l.set("healed", func() {
		l.cut = false
		l.restore()
	})
}

func (n *Network) eachLink(from, to []*Host, do func(*Link)) {
	for _, a := range from {
		for _, b := range to {
			if a != b {
				do(n.Link(a, b))
			}
		}
	}
}
