package asyncio

import (
	"context"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A networkSocket is a socket of a Network.
type networkSocket struct {
	anySocket
	of      NetworkEnd
	stream  NetworkStream
	ln      NetworkListener
	packets NetworkPackets
}

// openNetwork makes a socket of end. A call finds out what can be done.
func openNetwork(l *Loop, end NetworkEnd, network string) *networkSocket {
	s := &networkSocket{of: end}
	s.stream, _ = end.(NetworkStream)
	s.ln, _ = end.(NetworkListener)
	s.packets, _ = end.(NetworkPackets)
	s.can = sched.Readable | sched.Writable
	s.open(l, s, network)
	end.Watch(s)
	return s
}

// socketsOfNetwork makes networkSockets, by the Network of the loop.
type socketsOfNetwork struct{}

func init() { networkSockets = socketsOfNetwork{} }

func (socketsOfNetwork) connect(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (*anySocket, error) {
	c, err := l.Network().Connect(ctx, NetworkOptions{Network: remote.Network(), Local: local, Remote: loopbackFor(remote), KeepAlive: o.keepAlive})
	if err != nil {
		return nil, dialError(remote, err)
	}
	return &openNetwork(l, c, remote.Network()).anySocket, nil
}

// dialError is err of Network.Connect: one of a system call in the words of package
// net, and that of the wait as it is.
func dialError(remote net.Addr, err error) error {
	if e, ok := err.(syscall.Errno); ok {
		return opError("dial", remote, os.NewSyscallError("connect", e))
	}
	return err
}

// loopbackFor returns a, or the loopback address if a is any address of the machine:
// there that is where a connection to it leads.
func loopbackFor(a net.Addr) net.Addr {
	any := func(ip net.IP) net.IP {
		switch {
		case ip.Equal(net.IPv4zero):
			return net.IPv4(127, 0, 0, 1)
		case len(ip) == 0 || ip.IsUnspecified():
			return net.IPv6loopback
		}
		return ip
	}
	switch a := a.(type) {
	case *net.TCPAddr:
		return &net.TCPAddr{IP: any(a.IP), Port: a.Port, Zone: a.Zone}
	case *net.UDPAddr:
		return &net.UDPAddr{IP: any(a.IP), Port: a.Port, Zone: a.Zone}
	}
	return a
}

func (socketsOfNetwork) bind(ctx context.Context, l *Loop, local net.Addr, o *serverOptions) (*anySocket, error) {
	tcp, ok := local.(*net.TCPAddr)
	ln, err := l.Network().Bind(ctx, NetworkOptions{
		Network:     local.Network(),
		Local:       local,
		V6Only:      ok && tcp.IP.To4() == nil,
		ReusePort:   o.reusePort,
		Exclusive:   o.noReuseAddress,
		ReplacePath: o.replacePath,
		KeepAlive:   o.keepAlive,
	})
	if err != nil {
		return nil, opError("listen", local, os.NewSyscallError("bind", err))
	}
	return &openNetwork(l, ln, local.Network()).anySocket, nil
}

func (socketsOfNetwork) datagrams(ctx context.Context, l *Loop, network string, r datagramRoute, o *datagramOptions) (*anySocket, error) {
	how := NetworkOptions{Network: network, Local: r.local, ReusePort: o.reusePort, ReplacePath: o.replacePath, Broadcast: o.broadcast}
	if r.remote != nil && !o.broadcast {
		how.Remote = loopbackFor(r.remote)
	}
	p, err := l.Network().BindPackets(ctx, how)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: os.NewSyscallError("bind", err)}
	}
	s := openNetwork(l, p, network)
	s.remote, s.connected = r.remote, how.Remote != nil
	return &s.anySocket, nil
}

// dupStream takes the connection out of a net.Conn of the loop. Others are refused.
func (socketsOfNetwork) dupStream(l *Loop, c syscall.Conn) (*anySocket, error) {
	if c, ok := c.(*networkConn); ok && c.loop == l {
		return c.asSocket()
	}
	return nil, l.onlySystem("WithSocket")
}

func (socketsOfNetwork) dupListener(l *Loop, _ syscall.Conn) (*anySocket, error) {
	return nil, l.onlySystem("WithSocket")
}

func (socketsOfNetwork) dupDatagrams(l *Loop, _ syscall.Conn) (*anySocket, error) {
	return nil, l.onlySystem("WithSocket")
}

func (s *networkSocket) watch() error { return nil } // it does from the beginning

// Happened notes what can be done now.
func (s *networkSocket) Happened(ev sched.Events) { s.is(ev) }

// tried notes that a call has found out that it would have to wait.
func (s *networkSocket) tried(ev sched.Events, err error) error {
	if err == ErrWouldBlock {
		s.can &^= ev
		return fd.ErrAgain
	}
	return err
}

func (s *networkSocket) read(p []byte) (int, error) {
	n, err := s.stream.Read(p)
	if err == io.EOF {
		return 0, nil
	}
	return n, s.tried(sched.Readable|sched.HungUp, err)
}

func (s *networkSocket) write(p []byte) (int, error) {
	n, err := s.stream.Write(p)
	if n < len(p) && err == nil {
		s.can &^= sched.Writable
	}
	return n, s.tried(sched.Writable, err)
}

func (s *networkSocket) sendFile(*os.File, int64, int64) (int, error) { return 0, fd.ErrNoSendfile }

func (s *networkSocket) closeWrite() error {
	return os.NewSyscallError("shutdown", s.stream.CloseWrite())
}

func (s *networkSocket) listen(backlog int) error {
	if err := s.ln.Listen(backlog); err != nil {
		return opError("listen", s.localAddr(), os.NewSyscallError("listen", err))
	}
	s.is(sched.Readable)
	return nil
}

func (s *networkSocket) accept() (*anySocket, error) {
	c, err := s.ln.Accept()
	switch {
	case err == ErrWouldBlock:
		return nil, s.tried(sched.Readable, err)
	case err != nil:
		return nil, opError("accept", s.localAddr(), os.NewSyscallError("accept", err))
	}
	return &openNetwork(s.loop, c, s.network).anySocket, nil
}

func (s *networkSocket) acceptLast() []*anySocket { return nil }

func (s *networkSocket) receiveFrom(p []byte) (int, net.Addr, error) {
	n, from, err := s.packets.ReadFrom(p)
	return n, from, s.tried(sched.Readable|sched.HungUp, err)
}

func (s *networkSocket) sendTo(p []byte, to net.Addr) error {
	if s.connected {
		to = nil
	} else {
		to = loopbackFor(to)
	}
	return s.tried(sched.Writable, s.packets.WriteTo(p, to))
}

func (s *networkSocket) checkAddr(to net.Addr) error {
	return fd.CheckDatagramAddr(s.network, fd.Is4(s.localAddr()), to)
}

// localAddr asks until there is an address: one for datagrams may get it when it
// sends.
func (s *networkSocket) localAddr() net.Addr {
	if s.local == nil && !s.shut {
		a := s.of.LocalAddr()
		if udp, ok := a.(*net.UDPAddr); ok && udp.Port == 0 {
			return a
		}
		s.local = a
	}
	return s.local
}

func (s *networkSocket) remoteAddr() net.Addr {
	if s.remote == nil && !s.shut {
		switch {
		case s.stream != nil:
			s.remote = s.stream.RemoteAddr()
		case s.packets != nil:
			s.remote = s.packets.RemoteAddr()
		}
	}
	return s.remote
}

func (s *networkSocket) control(func(fd uintptr)) error {
	return s.loop.onlySystem("the descriptor of a socket")
}

func (s *networkSocket) close() {
	s.localAddr() // known from now on
	s.remoteAddr()
	s.of.Close()
}
