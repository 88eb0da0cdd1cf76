package fd

import (
	"net"

	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// Packets receives datagrams, some ahead, and sends behind. As the error of one that
// could not be sent comes late, it is told as one of receiving.
type Packets struct {
	Conn      PacketConn // whose datagrams they are
	connected bool
	in        Ahead[received]
	buf       []byte // who receives has it

	out  behind
	took []packet // what is not being sent yet
	size int      // of these
}

// A PacketConn is a connection of package net for datagrams.
type PacketConn interface {
	net.Conn
	net.PacketConn
}

// received is a datagram that has come.
type received struct {
	data []byte
	from net.Addr
}

// A packet is one that is to be sent.
type packet struct {
	data []byte
	to   net.Addr
}

// packetHeader is what one counts for besides its data.
const packetHeader = 8

// NewPackets makes Packets of c, none longer than longest. readable and writable are
// called on l when there is something to receive again, or room.
func NewPackets(l *sched.Loop, of *Writers, c PacketConn, longest int, readable, writable func()) *Packets {
	g := &Packets{Conn: c, connected: c.RemoteAddr() != nil, buf: make([]byte, longest)}
	g.in = Ahead[received]{Loop: l, Get: g.receive, Drop: func(received) {}, Came: readable, Most: AheadMost}
	g.out = behind{loop: l, of: of, room: writable, run: g.sendAll}
	return g
}

// Begin begins to receive.
func (g *Packets) Begin() { g.in.Begin() }

// receive waits for a datagram.
func (g *Packets) receive() (received, error) {
	n, from, err := g.Conn.ReadFrom(g.buf)
	sys.Acquire()
	if err != nil {
		return received{}, err
	}
	return received{append([]byte(nil), g.buf[:n]...), from}, nil
}

// ReceiveFrom takes one datagram, without waiting: ErrAgain if there is none.
func (g *Packets) ReceiveFrom(p []byte) (n int, from net.Addr, err error) {
	err = g.in.Take(func(got *received) bool {
		n, from = copy(p, got.data), got.from
		return true
	})
	return n, from, err
}

// Send takes one datagram. It reports false if there is no room.
func (g *Packets) Send(p []byte, to net.Addr) bool {
	g.out.mu.Lock()
	defer g.out.mu.Unlock()
	if g.size > 0 && g.size+len(p) > behindMost {
		g.out.refused = true
		return false
	}
	g.took = append(g.took, packet{append([]byte(nil), p...), to})
	g.size += len(p) + packetHeader
	g.out.begin()
	return true
}

// sendAll sends until nothing is left.
func (g *Packets) sendAll() {
	g.out.mu.Lock()
	for len(g.took) > 0 {
		all := g.took
		g.took, g.size = nil, 0
		g.out.tell()
		g.out.mu.Unlock()
		for _, d := range all {
			var err error
			sys.Release()
			if g.connected {
				_, err = g.Conn.Write(d.data)
			} else {
				_, err = g.Conn.WriteTo(d.data, d.to)
			}
			if err != nil {
				g.in.Tell(err)
			}
		}
		g.out.mu.Lock()
	}
	g.out.end()
}

// Close ends it, when what was taken is sent.
func (g *Packets) Close() {
	g.in.Close()
	g.out.CloseAfter(g.Conn)
}
