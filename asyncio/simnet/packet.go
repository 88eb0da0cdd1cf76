package simnet

import (
	"net"
	"time"
)

// A packet is under way from one host to another.
type packet struct {
	net  *Network
	kind packetKind
	link *Link
	sent time.Duration
	late time.Duration // of one that is held: how long it still takes

	// Of a connection: between which ends, which of the sender's it is, the segment it
	// carries, and how far the sender has got what was sent to it, and has room.
	from, to  *end
	nth       uint64
	seg       *segment
	got, edge uint64

	data     []byte      // of a datagram
	src, dst net.Addr    // of a datagram
	origin   *packetsEnd // of a datagram
	target   *packetsEnd // of an answer that nobody is there, or that one was too big
	mtu      int         // of that: what passes
	damaged  bool        // of a datagram: Config.Corrupt
}

type packetKind uint8

const (
	syn packetKind = iota
	synAck
	ack
	data
	fin
	rst
	probe
	datagram
	unreachable
	tooBig
)

var packetNames = [...]string{"SYN", "SYN-ACK", "ACK", "data", "FIN", "RST", "probe", "datagram", "unreachable", "too big"}

func (n *Network) newPacket(kind packetKind) *packet {
	if last := len(n.packets) - 1; last >= 0 {
		p := n.packets[last]
		n.packets = n.packets[:last]
		p.kind = kind
		return p
	}
	return &packet{net: n, kind: kind}
}

// free takes p back.
func (n *Network) free(p *packet) {
	*p = packet{net: n}
	n.packets = append(n.packets, p)
}

func (p *packet) payload() []byte {
	if p.seg != nil {
		return p.seg.data
	}
	return p.data
}

func (p *packet) size() int { return len(p.payload()) }

// damaged is what is said of a datagram that arrives so.
const damaged = "a bit has turned over"

// tell records what becomes of p; why is for what else there is to say.
func (n *Network) tell(k Kind, p *packet, why string) {
	e := Event{Kind: k, Sent: p.sent, From: p.link.from, To: p.link.to, Size: p.size(), Text: packetNames[p.kind] + why}
	if p.from != nil {
		e.Conn = p.from.id
	}
	if p.seg != nil {
		e.Sum = p.seg.checksum()
	} else if e.Size > 0 {
		e.Sum = sumOf(p.data)
	}
	n.record(e)
}

// lose records that p is lost, and takes it back.
func (n *Network) lose(p *packet, why string) {
	n.tell(Lost, p, ": "+why)
	n.drop(p)
}

// drop takes p back, which does not arrive.
func (n *Network) drop(p *packet) {
	if p.to != nil {
		p.to.missed(p.nth)
	}
	p.leave()
}

// leave gives back what p carries, and p.
func (p *packet) leave() {
	if p.seg != nil {
		p.net.release(p.seg)
	}
	p.net.free(p)
}

// happen is the arrival.
func (p *packet) happen(time.Duration) {
	n, h := p.net, p.link.to
	switch {
	case h.down:
		n.lose(p, "host is down")
		return
	case h.paused:
		h.waiting = append(h.waiting, p)
		return
	}
	if p.damaged {
		n.tell(Delivered, p, ": "+damaged)
	} else {
		n.tell(Delivered, p, "")
	}
	switch {
	case p.kind == datagram || p.kind == unreachable:
		h.datagram(p)
	case p.kind == tooBig:
		h.learn(p)
	case p.kind == syn:
		h.asked(p.from, p.dst)
	default:
		h.segment(p)
	}
	p.leave()
}
