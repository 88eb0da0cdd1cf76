//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/sched"
)

// openDatagrams makes a socket for datagrams that goes by r.
func openDatagrams(l *Loop, network string, r datagramRoute, o *datagramOptions) (*socket, error) {
	var family int
	var from, to unix.Sockaddr
	var err error
	if r.local != nil {
		family, from, err = datagramSockaddr(r.local, 0)
	}
	if r.remote != nil && err == nil {
		family, to, err = datagramSockaddr(r.remote, 0)
	}
	if err != nil {
		return nil, err
	}
	if r.local == nil && r.remote == nil {
		family = map[string]int{"udp4": unix.AF_INET, "udp6": unix.AF_INET6, "unixgram": unix.AF_UNIX}[network]
	}
	fd, err := newDatagrams(family)
	if err != nil {
		return nil, &net.OpError{Op: "listen", Net: network, Source: r.local, Addr: r.remote, Err: err}
	}
	s := openSocket(l, fd, network)
	try := func(op, call string, err error) error {
		if err == nil {
			return nil
		}
		s.close()
		return &net.OpError{Op: op, Net: network, Source: r.local, Addr: r.remote, Err: os.NewSyscallError(call, err)}
	}
	if o.reusePort {
		if err := try("listen", "setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEPORT, 1)); err != nil {
			return nil, err
		}
	}
	if o.broadcast {
		if err := try("listen", "setsockopt", unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BROADCAST, 1)); err != nil {
			return nil, err
		}
	}
	if from != nil {
		if u, ok := r.local.(*net.UnixAddr); ok {
			removeStale(u.Name)
		}
		if err := try("listen", "bind", unix.Bind(fd, from)); err != nil {
			return nil, err
		}
	}
	if to != nil {
		if !o.broadcast {
			if err := try("dial", "connect", unix.Connect(fd, to)); err != nil {
				return nil, err
			}
			s.connected = true
		}
		s.remote = r.remote
	}
	s.noteDatagrams()
	return s, nil
}

// newDatagrams makes a descriptor that does not block.
func newDatagrams(family int) (int, error) {
	syscall.ForkLock.RLock() // no child inherits it
	fd, err := unix.Socket(family, unix.SOCK_DGRAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return -1, os.NewSyscallError("socket", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, os.NewSyscallError("setnonblock", err)
	}
	return fd, nil
}

// dupDatagrams returns a socket of the loop that is the same as c.
func dupDatagrams(l *Loop, c syscall.Conn) (*socket, error) {
	s, err := dupSocket(l, c, "udp", unix.SOCK_DGRAM, "A UDP Socket was expected")
	if err != nil {
		return nil, err
	}
	if sa, err := unix.Getpeername(s.fd); err == nil {
		s.connected = true
		s.remote = datagramAddr(sa)
	}
	s.noteDatagrams()
	return s, nil
}

// noteDatagrams notes of which family a socket for datagrams is.
func (s *socket) noteDatagrams() {
	sa, err := unix.Getsockname(s.fd)
	if err != nil {
		return
	}
	switch sa.(type) {
	case *unix.SockaddrInet4:
		s.family = unix.AF_INET
	case *unix.SockaddrInet6:
		s.family = unix.AF_INET6
	case *unix.SockaddrUnix:
		s.family, s.network = unix.AF_UNIX, "unixgram"
	}
}

// datagramLocal returns sa, the socket's own address. It is kept when it is known
// for good: one that is bound to nothing gets a port when it sends.
func (s *socket) datagramLocal(sa unix.Sockaddr) net.Addr {
	a := datagramAddr(sa)
	if udp, ok := a.(*net.UDPAddr); !ok || udp.Port != 0 {
		s.local = a
	}
	return a
}

// receiveFrom receives one datagram, without waiting: errAgain if there is none.
func (s *socket) receiveFrom(p []byte) (int, net.Addr, error) {
	for {
		n, sa, err := unix.Recvfrom(s.fd, p, 0)
		switch err {
		case nil:
			if sa == nil && s.remote != nil {
				return n, s.remote, nil // some systems do not say
			}
			return n, datagramAddr(sa), nil
		case unix.EINTR:
			continue
		case errAgain:
			s.can &^= sched.Readable | sched.HungUp
		}
		return 0, nil, err
	}
}

// sendTo sends one datagram, without waiting: errAgain if there is no room. The
// error is a *net.AddrError if to is no address for the socket.
func (s *socket) sendTo(p []byte, to net.Addr) error {
	var sa unix.Sockaddr
	if !s.connected {
		var err error
		if _, sa, err = datagramSockaddr(to, s.family); err != nil {
			return err
		}
	}
	for {
		var err error
		if s.connected {
			err = unix.Send(s.fd, p, 0)
		} else {
			err = unix.Sendto(s.fd, p, 0, sa)
		}
		switch err {
		case unix.EINTR:
			continue
		case errAgain:
			s.can &^= sched.Writable
		}
		return err
	}
}

// datagramSockaddr is a in the words of the system, for a socket of a family; of
// any if that is zero.
func datagramSockaddr(a net.Addr, family int) (int, unix.Sockaddr, error) {
	switch a := a.(type) {
	case *net.UnixAddr:
		if a != nil && (family == 0 || family == unix.AF_UNIX) {
			return unix.AF_UNIX, &unix.SockaddrUnix{Name: a.Name}, nil
		}
	case *net.UDPAddr:
		if a == nil {
			break
		}
		at := a.AddrPort()
		ip := at.Addr().Unmap()
		switch {
		case ip.Is4() && family != unix.AF_INET6 && family != unix.AF_UNIX:
			return unix.AF_INET, &unix.SockaddrInet4{Addr: ip.As4(), Port: a.Port}, nil
		case ip.IsValid() && family != unix.AF_INET && family != unix.AF_UNIX:
			return unix.AF_INET6, &unix.SockaddrInet6{Addr: ip.As16(), Port: a.Port, ZoneId: zoneID(a.Zone)}, nil
		}
	}
	text := "nil"
	if a != nil {
		text = a.String()
	}
	return 0, nil, &net.AddrError{Err: "not an address of this socket", Addr: text}
}

// datagramAddr is sa in the words of package net. A unix socket that has no name
// has an address without one.
func datagramAddr(sa unix.Sockaddr) net.Addr {
	switch sa.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		return address("udp", sa)
	}
	return address("unixgram", sa)
}
