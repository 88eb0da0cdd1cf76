//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"context"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// datagrams makes a socket for datagrams that goes by r.
func (watchedSockets) datagrams(_ context.Context, l *Loop, network string, r datagramRoute, o *datagramOptions) (*anySocket, error) {
	var family int
	var from, to unix.Sockaddr
	if r.local != nil {
		family, from = fd.RouteSockaddr(r.local)
	}
	if r.remote != nil {
		family, to = fd.RouteSockaddr(r.remote)
	}
	if r.local == nil && r.remote == nil {
		family = map[string]int{"udp4": unix.AF_INET, "udp6": unix.AF_INET6, "unixgram": unix.AF_UNIX}[network]
	}
	own, err := fd.Open(family, unix.SOCK_DGRAM)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: err}
	}
	s := openSocket(l, own, network)
	try := func(op, call string, err error) error {
		if err == nil {
			return nil
		}
		s.close()
		return &net.OpError{Op: op, Net: network, Source: r.local, Addr: r.remote, Err: os.NewSyscallError(call, err)}
	}
	if o.reusePort {
		if err := try("listen", "setsockopt", unix.SetsockoptInt(own, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)); err != nil {
			return nil, err
		}
	}
	if o.broadcast {
		if err := try("listen", "setsockopt", unix.SetsockoptInt(own, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)); err != nil {
			return nil, err
		}
	}
	if from != nil {
		if u, ok := r.local.(*net.UnixAddr); ok {
			if err := freePath(u, o.replacePath); err != nil {
				s.close()
				return nil, &net.OpError{Op: "listen", Net: network, Addr: u, Err: err}
			}
		}
		if err := try("listen", "bind", unix.Bind(own, from)); err != nil {
			return nil, err
		}
	}
	if to != nil {
		if !o.broadcast {
			if err := try("dial", "connect", sys.Connect(own, to)); err != nil {
				return nil, err
			}
			s.connected = true
		}
		s.remote = r.remote
	}
	s.noteDatagrams()
	return &s.anySocket, nil
}

func (watchedSockets) dupDatagrams(l *Loop, c syscall.Conn) (*anySocket, error) {
	s, err := dupSocket(l, c, "udp", unix.SOCK_DGRAM, "A UDP Socket was expected")
	if err != nil {
		return nil, err
	}
	if sa, err := unix.Getpeername(s.FD.FD); err == nil {
		s.connected = true
		s.remote = fd.DatagramAddr(sa)
	}
	s.noteDatagrams()
	return &s.anySocket, nil
}

// noteDatagrams notes of which family a socket for datagrams is.
func (s *watchedSocket) noteDatagrams() {
	sa, err := unix.Getsockname(s.FD.FD)
	if err != nil {
		return
	}
	switch sa.(type) {
	case *unix.SockaddrInet4:
		s.Family = unix.AF_INET
	case *unix.SockaddrInet6:
		s.Family = unix.AF_INET6
	case *unix.SockaddrUnix:
		s.Family, s.network = unix.AF_UNIX, "unixgram"
	}
}

// datagramLocal returns sa, the socket's own address. It is kept when it is known
// for good: one that is bound to nothing gets a port when it sends.
func (s *watchedSocket) datagramLocal(sa unix.Sockaddr) net.Addr {
	a := fd.DatagramAddr(sa)
	if udp, ok := a.(*net.UDPAddr); !ok || udp.Port != 0 {
		s.local = a
	}
	return a
}

// receiveFrom receives one datagram, without waiting: fd.ErrAgain if there is none.
func (s *watchedSocket) receiveFrom(p []byte) (int, net.Addr, error) {
	n, sa, err := sys.RecvFrom(s.FD.FD, p)
	switch {
	case err == fd.ErrAgain:
		s.can &^= sched.Readable | sched.HungUp
		return 0, nil, err
	case err != nil:
		return 0, nil, err
	case sa == nil && s.remote != nil:
		return n, s.remote, nil // some systems do not say
	}
	return n, fd.DatagramAddr(sa), nil
}

// sendTo sends one datagram, without waiting: fd.ErrAgain if there is no room. If the
// socket is not connected, checkAddr has passed to.
func (s *watchedSocket) sendTo(p []byte, to net.Addr) error {
	var sa unix.Sockaddr
	if !s.connected {
		sa = fd.DatagramSockaddr(s.Family == unix.AF_INET, to)
	}
	err := sys.SendTo(s.FD.FD, p, sa)
	if err == fd.ErrAgain {
		s.can &^= sched.Writable
	}
	return err
}

// checkAddr returns what is wrong with to as where a datagram goes.
func (s *watchedSocket) checkAddr(to net.Addr) error {
	return fd.CheckDatagramAddr(fd.FamilyNetwork(int(s.Family)), s.Family == unix.AF_INET, to)
}
