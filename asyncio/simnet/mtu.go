package simnet

import (
	"syscall"
	"time"
)

// knownMTU is what the sender's system has found out about a link.
type knownMTU struct {
	bytes int
	until time.Duration
}

// rememberMTU is how long it is remembered, as on Linux.
const rememberMTU = 10 * time.Minute

// pieces returns in how many pieces p, a datagram, arrives. It does not fit if a packet
// that must not be divided on the way is too long for it. Of IPv4 that is a datagram which
// its sender's system has sent whole; what it has divided itself may be divided once more.
// Of IPv6 it is every packet.
func (l *Link) pieces(p *packet) (n int, fits bool) {
	const udp = 8
	header, fragment := 20, 0 // in bytes, of IP
	is4 := addrPort(p.dst).Addr().Is4()
	if !is4 {
		header, fragment = 40, 8
	}
	load := udp + len(p.data)
	believes := l.net.cfg.MTU
	if k := l.known; k.bytes > 0 && l.net.now() < k.until && (believes == 0 || k.bytes < believes) {
		believes = k.bytes
	}
	if believes == 0 || header+load <= believes {
		return 1, l.mtu == 0 || header+load <= l.mtu
	}
	each := perPiece(believes, header+fragment)
	if l.mtu == 0 || header+fragment+min(each, load) <= l.mtu {
		return divided(load, each), true
	}
	if !is4 {
		return 0, false
	}
	most := perPiece(l.mtu, header)
	whole, rest := load/each, load%each
	return whole*divided(each, most) + divided(rest, most), true
}

// perPiece is how much of a datagram a piece carries.
func perPiece(mtu, headers int) int { return max(8, (mtu-headers)&^7) }

func divided(load, each int) int { return (load + each - 1) / each }

// tooBig loses p, and has its sender told.
func (l *Link) tooBig(p *packet) {
	answer := l.net.newPacket(tooBig)
	answer.target, answer.mtu = p.origin, l.mtu
	l.net.lose(p, "too big")
	l.net.Link(l.to, l.from).send(answer)
}

// learn is the arrival of that. It is about a socket: when that is closed, the system
// learns nothing.
func (h *Host) learn(m *packet) {
	p := m.target
	if p.closed || p.life != h.life {
		return
	}
	h.net.Link(h, m.link.from).known = knownMTU{m.mtu, h.net.now() + rememberMTU}
	if p.remote != nil {
		p.fail(syscall.EMSGSIZE)
	}
}

// forgetMTUs is what a new start of the system does.
func (h *Host) forgetMTUs() {
	for _, l := range h.links {
		if l != nil {
			l.known = knownMTU{}
		}
	}
}
