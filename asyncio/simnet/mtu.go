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

// pieces returns in how many pieces the sender's system sends p, a datagram. It does not
// fit if it is sent whole, and must not be divided on the way.
func (l *Link) pieces(p *packet) (n int, fits bool) {
	ip := 20
	if !addrPort(p.dst).Addr().Is4() {
		ip = 40
	}
	const udp = 8
	size := ip + udp + len(p.data)
	believes := l.net.cfg.MTU
	if k := l.known; k.bytes > 0 && l.net.now() < k.until && (believes == 0 || k.bytes < believes) {
		believes = k.bytes
	}
	if believes > 0 && size > believes {
		each := max(8, (believes-ip)&^7)
		return (size - ip + each - 1) / each, true
	}
	return 1, l.mtu == 0 || size <= l.mtu
}

// tooBig loses p, and has its sender told.
func (l *Link) tooBig(p *packet) {
	answer := l.net.newPacket(tooBig)
	answer.target, answer.mtu = p.origin, l.mtu
	l.net.lose(p, "too big")
	l.net.Link(l.to, l.from).send(answer)
}

// learn is the arrival of that.
func (h *Host) learn(m *packet) {
	h.net.Link(h, m.link.from).known = knownMTU{m.mtu, h.net.now() + rememberMTU}
	if m.target.remote != nil {
		m.target.receive(received{err: syscall.EMSGSIZE})
	}
}
