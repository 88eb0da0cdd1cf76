//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/sched"
)

// datagrams is what a socket for datagrams has. It receives some ahead and sends
// behind. As the error of one that could not be sent comes late, it is told as one
// of receiving.
type datagrams struct {
	conn      datagramConn
	connected bool
	in        ahead[received]
	buf       []byte // who receives has it

	out  behind
	took []datagram // what is not being sent yet
	size int        // of these
}

// datagramConn is a connection of package net for datagrams.
type datagramConn interface {
	net.Conn
	net.PacketConn
}

// received is a datagram that has come.
type received struct {
	data []byte
	from net.Addr
}

// openDatagrams makes a socket for datagrams that goes by r. One that goes
// nowhere is bound to any address.
func openDatagrams(l *Loop, network string, r datagramRoute, o *datagramOptions) (*socket, error) {
	c, err := dialDatagrams(network, r, o)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: inner(err)}
	}
	s := openPackets(l, c, network)
	if s.remote == nil {
		s.remote = r.remote
	}
	return s, nil
}

func dialDatagrams(network string, r datagramRoute, o *datagramOptions) (datagramConn, error) {
	if u, ok := r.local.(*net.UnixAddr); ok {
		removeStale(u.Name)
	}
	if r.remote != nil && !o.broadcast {
		if o.reusePort {
			return nil, errors.ErrUnsupported
		}
		c, err := (&net.Dialer{LocalAddr: r.local}).Dial(network, r.remote.String())
		if err != nil {
			return nil, err
		}
		return c.(datagramConn), nil
	}
	at := ""
	switch local := r.local.(type) {
	case nil:
		if network == "unixgram" {
			return nil, errors.ErrUnsupported // package net has none without an address
		}
		if at = ":0"; network == "udp" {
			if network = "udp6"; is4(r.remote) {
				network = "udp4"
			}
		}
	case *net.UDPAddr:
		at = local.String()
		if network = "udp6"; is4(local) {
			network = "udp4"
		}
	default:
		at = local.String()
	}
	pc, err := (&ListenConfig{ReusePort: o.reusePort}).net().ListenPacket(context.Background(), network, at)
	if err != nil {
		return nil, err
	}
	if u, ok := pc.(*net.UnixConn); ok {
		return u, nil
	}
	return pc.(datagramConn), nil
}

// openPackets makes a socket of a connection for datagrams.
func openPackets(l *Loop, c datagramConn, network string) *socket {
	s := openSocket(l, network)
	s.local = c.LocalAddr()
	g := &datagrams{conn: c, buf: make([]byte, readBufferSize)}
	if to := c.RemoteAddr(); to != nil {
		s.remote, g.connected = to, true
	}
	if network == "unixgram" {
		g.buf = make([]byte, unixDatagram)
	}
	g.in = ahead[received]{loop: l, get: g.receive, drop: func(received) {}, came: func() { s.is(sched.Readable) }}
	g.out = behind{loop: l, room: func() { s.is(sched.Writable) }, run: g.sendAll}
	s.grams = g
	return s
}

// dupDatagrams returns a socket of the loop that is the same as c.
func dupDatagrams(l *Loop, c syscall.Conn) (*socket, error) {
	_, packets := c.(net.PacketConn)
	_, file := c.(*os.File)
	if !packets && !file {
		return nil, valueErrorf("A UDP Socket was expected")
	}
	dup, err := duplicated(c, net.FilePacketConn)
	if err != nil {
		return nil, err
	}
	both, ok := dup.(datagramConn)
	if _, raw := dup.(*net.IPConn); !ok || raw {
		dup.Close()
		return nil, valueErrorf("A UDP Socket was expected")
	}
	return openPackets(l, both, dup.LocalAddr().Network()), nil
}

// begin begins to receive.
func (g *datagrams) begin() {
	g.in.mu.Lock()
	g.in.begin()
	g.in.mu.Unlock()
}

// receive waits for a datagram.
func (g *datagrams) receive() (received, error) {
	n, from, err := g.conn.ReadFrom(g.buf)
	if err != nil {
		return received{}, err
	}
	return received{append([]byte(nil), g.buf[:n]...), from}, nil
}

// receiveFrom takes one datagram, without waiting: errAgain if there is none.
func (s *socket) receiveFrom(p []byte) (int, net.Addr, error) {
	got, err := s.grams.in.take()
	if err == errAgain {
		s.can &^= sched.Readable
	}
	return copy(p, got.data), got.from, err
}

// sendTo takes one datagram, without waiting: errAgain if there is no room. The
// error is a *net.AddrError if to is no address for the socket.
func (s *socket) sendTo(p []byte, to net.Addr) error {
	g := s.grams
	if !g.connected && !s.reaches(to) {
		text := "nil"
		if to != nil {
			text = to.String()
		}
		return &net.AddrError{Err: "not an address of this socket", Addr: text}
	}
	if g.send(p, to) {
		return nil
	}
	s.can &^= sched.Writable
	return errAgain
}

// reaches reports whether to is of the family of the socket.
func (s *socket) reaches(to net.Addr) bool {
	switch to := to.(type) {
	case *net.UDPAddr:
		_, udp := s.local.(*net.UDPAddr)
		return udp && to != nil && is4(to) == is4(s.local)
	case *net.UnixAddr:
		_, unix := s.local.(*net.UnixAddr)
		return unix && to != nil
	}
	return false
}

// send reports false if there is no room.
func (g *datagrams) send(p []byte, to net.Addr) bool {
	g.out.mu.Lock()
	defer g.out.mu.Unlock()
	if g.size > 0 && g.size+len(p) > behindMost {
		g.out.refused = true
		return false
	}
	g.took = append(g.took, datagram{append([]byte(nil), p...), to})
	g.size += len(p) + datagramHeader
	g.out.begin()
	return true
}

// sendAll sends until nothing is left.
func (g *datagrams) sendAll() {
	g.out.mu.Lock()
	for len(g.took) > 0 {
		all := g.took
		g.took, g.size = nil, 0
		g.out.tell()
		g.out.mu.Unlock()
		for _, d := range all {
			var err error
			if g.connected {
				_, err = g.conn.Write(d.data)
			} else {
				_, err = g.conn.WriteTo(d.data, d.to)
			}
			if err != nil {
				g.in.tell(err)
			}
		}
		g.out.mu.Lock()
	}
	g.out.end()
}

// close ends it, when what was taken is sent.
func (g *datagrams) close() {
	g.in.close()
	g.out.closeAfter(g.conn)
}
