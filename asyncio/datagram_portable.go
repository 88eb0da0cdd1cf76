package asyncio

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// datagrams makes a socket for datagrams that goes by r. One that goes
// nowhere is bound to any address.
func (portableSockets) datagrams(_ context.Context, l *Loop, network string, r datagramRoute, o *datagramOptions) (*anySocket, error) {
	c, err := dialDatagrams(network, r, o)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: inner(err)}
	}
	s := openPackets(l, c, network)
	if s.remote == nil {
		s.remote = r.remote
	}
	return &s.anySocket, nil
}

func dialDatagrams(network string, r datagramRoute, o *datagramOptions) (fd.PacketConn, error) {
	if u, ok := r.local.(*net.UnixAddr); ok {
		if err := freePath(u, o.replacePath); err != nil {
			return nil, err
		}
	}
	if r.remote != nil && !o.broadcast {
		if o.reusePort {
			return nil, errors.ErrUnsupported
		}
		c, err := (&net.Dialer{LocalAddr: r.local}).Dial(network, r.remote.String())
		if err != nil {
			return nil, err
		}
		return c.(fd.PacketConn), nil
	}
	at := ""
	switch local := r.local.(type) {
	case nil:
		if network == "unixgram" {
			return nil, errors.ErrUnsupported // package net has none without an address
		}
		if at = ":0"; network == "udp" {
			if network = "udp6"; fd.Is4(r.remote) {
				network = "udp4"
			}
		}
	case *net.UDPAddr:
		at = local.String()
		if network = "udp6"; fd.Is4(local) {
			network = "udp4"
		}
	default:
		at = local.String()
	}
	if o.reusePort {
		return nil, errors.ErrUnsupported
	}
	pc, err := new(net.ListenConfig).ListenPacket(context.Background(), network, at)
	if err != nil {
		return nil, err
	}
	if u, ok := pc.(*net.UnixConn); ok {
		return u, nil
	}
	return pc.(fd.PacketConn), nil
}

// openPackets makes a socket of a connection for datagrams.
func openPackets(l *Loop, c fd.PacketConn, network string) *portableSocket {
	s := openPortable(l, network)
	s.local = c.LocalAddr()
	if to := c.RemoteAddr(); to != nil {
		s.remote = to
	}
	longest := readBufferSize
	if network == "unixgram" {
		longest = unixDatagram
	}
	s.grams = fd.NewPackets(l.s, &l.world().writers, c, longest, func() { s.is(sched.Readable) }, func() { s.is(sched.Writable) })
	return s
}

func (portableSockets) dupDatagrams(l *Loop, c syscall.Conn) (*anySocket, error) {
	_, packets := c.(net.PacketConn)
	_, file := c.(*os.File)
	if !packets && !file {
		return nil, valueErrorf("A UDP Socket was expected")
	}
	dup, err := duplicated(c, net.FilePacketConn)
	if err != nil {
		return nil, err
	}
	both, ok := dup.(fd.PacketConn)
	if _, raw := dup.(*net.IPConn); !ok || raw {
		dup.Close()
		return nil, valueErrorf("A UDP Socket was expected")
	}
	s := openPackets(l, both, dup.LocalAddr().Network())
	s.given.duplicated(l, c)
	return &s.anySocket, nil
}

// receiveFrom takes one datagram, without waiting: fd.ErrAgain if there is none.
func (s *portableSocket) receiveFrom(p []byte) (int, net.Addr, error) {
	n, from, err := s.grams.ReceiveFrom(p)
	if err == fd.ErrAgain {
		s.can &^= sched.Readable
	}
	return n, from, err
}

// sendTo takes one datagram, without waiting: fd.ErrAgain if there is no room. If the
// socket is not connected, checkAddr has passed to.
func (s *portableSocket) sendTo(p []byte, to net.Addr) error {
	if s.grams.Send(p, to) {
		return nil
	}
	s.can &^= sched.Writable
	return fd.ErrAgain
}

// checkAddr returns what is wrong with to as where a datagram goes.
func (s *portableSocket) checkAddr(to net.Addr) error {
	return fd.CheckDatagramAddr(s.local.Network(), fd.Is4(s.local), to)
}
