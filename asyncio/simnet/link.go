package simnet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"syscall"
	"time"
)

// withinHost is how long a packet takes within a host.
const withinHost = 10 * time.Microsecond

// A Link is the way from one host to another, in one direction. Its methods are
// faults that begin, and end, at once; what is under way already arrives.
type Link struct {
	net      *Network
	from, to *Host
	random   *rand.Rand // drawn from for each packet that is sent

	latency   Latency
	loss      float64
	corrupt   float64
	bandwidth int
	mtu       int // 0: that of the sender
	known     knownMTU
	cut, held bool
	waiting   []*packet // held
	free      time.Duration
}

// Cut has everything lost that is sent over l, until Mend.
func (l *Link) Cut() { l.set("cut", func() { l.cut = true }) }

// Mend ends Cut.
func (l *Link) Mend() { l.set("mended", func() { l.cut = false }) }

// Hold has everything wait that is sent over l, until Release.
func (l *Link) Hold() { l.set("held", func() { l.held = true }) }

// Release ends Hold. What has waited is under way now, in its order.
func (l *Link) Release() {
	l.set("released", func() { l.held = false })
	waiting := l.waiting
	l.waiting = nil
	for _, p := range waiting {
		l.net.schedule(l.net.now()+p.late, p)
	}
}

// Waiting returns how many packets wait for Release.
func (l *Link) Waiting() int { return len(l.waiting) }

// SetLatency has what is sent from now on take another time. The zero Latency is that
// of the Config again.
func (l *Link) SetLatency(to Latency) {
	if to == (Latency{}) {
		to = l.net.cfg.Latency
	}
	l.set("latency "+to.String(), func() { l.latency = to })
}

// SetLoss has a part of the packets lost, 0 to 1.
func (l *Link) SetLoss(part float64) {
	l.set(fmt.Sprintf("loss %g", part), func() { l.loss = part })
}

// SetBandwidth sets how many bytes a second l takes; zero is no limit.
func (l *Link) SetBandwidth(bytes int) {
	l.set(fmt.Sprintf("bandwidth %d", bytes), func() { l.bandwidth = bytes })
}

// SetCorruption has a part of the datagrams damaged, 0 to 1: see Config.Corrupt. Zero is
// none, whatever the Config says.
func (l *Link) SetCorruption(part float64) {
	l.set(fmt.Sprintf("corruption %g", part), func() { l.corrupt = part })
}

// SetMTU has no packet of datagrams pass that has more bytes than that, its headers
// included: somewhere on the way there is a narrow network. A longer one is lost; then
// the system of the sender is told, if what is sent back to it arrives while the end is
// open, and sends longer datagrams in pieces for ten minutes. Of an end that is connected
// the next call fails with EMSGSIZE, be it one that sends, and of several such errors one
// is left. What was sent in pieces may be divided further on the way, but not with IPv6.
// All of it is as on Linux. Zero is what the Config says.
func (l *Link) SetMTU(bytes int) {
	l.set(fmt.Sprintf("MTU %d", bytes), func() { l.mtu = bytes })
}

// Reset breaks all connections between the two hosts that l is of, as a firewall does
// that has forgotten them: both sides are reset.
func (l *Link) Reset() {
	l.set("reset", func() {})
	for _, e := range slices.Clone(l.from.ends) {
		if p := e.peer; e.link == l && p != nil && e.state == open {
			e.fail(syscall.ECONNRESET)
			if p.life == p.host.life {
				p.fail(syscall.ECONNRESET)
			}
		}
	}
}

// set changes l. What passes within a host is never changed.
func (l *Link) set(text string, change func()) {
	if l.from == l.to {
		return
	}
	change()
	l.net.record(Event{Kind: LinksSet, From: l.from, To: l.to, Text: text})
	if !l.passes() {
		l.from.suspectAll(l.to)
		l.to.suspectAll(l.from)
	}
}

// suspectAll has the ends of connections with another host ask whether they live.
func (h *Host) suspectAll(other *Host) {
	for _, e := range h.ends {
		if e.link.to == other {
			e.suspect()
		}
	}
}

// Link returns the way from one host to another.
func (n *Network) Link(from, to *Host) *Link {
	if to.index < len(from.links) {
		if l := from.links[to.index]; l != nil {
			return l
		}
	}
	for len(from.links) <= to.index {
		from.links = append(from.links, nil)
	}
	l := &Link{net: n, from: from, to: to}
	l.restore()
	if from == to {
		l.latency, l.loss, l.corrupt, l.bandwidth = Constant(withinHost), 0, 0, 0
	} else {
		l.random = n.stream("link " + from.name + " " + to.name)
	}
	from.links[to.index] = l
	return l
}

// restore gives l what the Config says.
func (l *Link) restore() {
	c := &l.net.cfg
	l.latency, l.loss, l.corrupt, l.bandwidth, l.mtu = c.Latency, c.Loss, c.Corrupt, c.Bandwidth, 0
}

// send sets p out. It takes p.
func (l *Link) send(p *packet) {
	n := l.net
	p.link, p.sent = l, n.now()
	if n.log.steps { // so that a difference is seen where the program sends it
		n.tell(SetOut, p, "")
	}
	if l.from.down {
		n.drop(p) // what its last calls send
		return
	}
	if l.from == l.to {
		n.schedule(p.sent+withinHost, p)
		return
	}
	if l.cut {
		n.lose(p, "cut")
		return
	}
	// Always as many numbers, so that a changed setting moves no others.
	chance, takes := l.random.Float64(), l.latency.draw(l.random)
	if chance < l.loss {
		n.lose(p, "by chance")
		return
	}
	size := p.size() + headerSize
	if p.kind == datagram && (n.cfg.MTU > 0 || l.mtu > 0 || l.known.bytes > 0) {
		pieces, fits := l.pieces(p)
		if !fits {
			l.tooBig(p)
			return
		}
		for range pieces - 1 {
			chance, more := l.random.Float64(), l.latency.draw(l.random)
			if chance < l.loss {
				n.lose(p, "a piece of it, by chance")
				return
			}
			takes = max(takes, more)
			size += headerSize
		}
	}
	arrives := p.sent + takes
	if l.bandwidth > 0 {
		begins := max(p.sent, l.free)
		if int64(begins-p.sent)*int64(l.bandwidth) > int64(n.cfg.Queue)*int64(time.Second) {
			n.lose(p, "queue full")
			return
		}
		l.free = begins + time.Duration(int64(size)*int64(time.Second)/int64(l.bandwidth))
		arrives += l.free - p.sent
	}
	if p.kind == datagram && n.cfg.Duplicate > 0 && l.random.Float64() < n.cfg.Duplicate {
		twin := n.newPacket(datagram)
		*twin = *p
		n.schedule(p.sent+l.latency.draw(l.random), twin)
	}
	if p.kind == datagram && l.corrupt > 0 && l.random.Float64() < l.corrupt && len(p.data) > 0 {
		p.data = slices.Clone(p.data) // the twin has it, too
		i := l.random.IntN(8 * len(p.data))
		p.data[i/8] ^= 1 << (i % 8)
		p.damaged = true
	}
	if l.held {
		p.late = arrives - p.sent
		l.waiting = append(l.waiting, p)
		n.tell(Held, p, "")
		return
	}
	n.schedule(arrives, p)
}

// headerSize is what a packet has besides its payload, in bytes.
const headerSize = 40

// passes reports whether packets arrive, as a rule.
func (l *Link) passes() bool { return !l.cut && !l.held && l.loss < 1 }
