//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
)

// A packetConn is a connection of datagrams, or of whole messages ("unixpacket").
type packetConn struct{ conn }

// ReadFrom receives one datagram. What p has no room for is lost.
func (c *packetConn) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	var sa unix.Sockaddr
	err = c.do(&c.in, false, func(fd int) (err error) {
		n, sa, err = sys.RecvFrom(fd, p)
		return err
	})
	if err == nil {
		err = c.end(n, p)
	}
	if err != nil {
		return 0, nil, c.failed("read", "recvfrom", err)
	}
	from = fd.Addr(c.network, sa)
	if u, ok := from.(*net.UnixAddr); ok && u.Name == "" {
		from = nil // as package net has it
	}
	return n, from, nil
}

// WriteTo sends one datagram.
func (c *packetConn) WriteTo(p []byte, to net.Addr) (int, error) {
	err := c.checkAddr(to)
	if err == nil {
		sa := fd.DatagramSockaddr(fd.Is4(c.local), to)
		err = c.do(&c.out, false, func(fd int) error { return sys.SendTo(fd, p, sa) })
		if e, ok := err.(syscall.Errno); ok {
			err = os.NewSyscallError("sendto", e)
		}
	}
	if err != nil {
		return 0, fd.SendError(c.named, c.local, to, err)
	}
	return len(p), nil
}

func (c *packetConn) checkAddr(to net.Addr) error {
	switch err := fd.CheckDatagramAddr(c.network, fd.Is4(c.local), to); {
	case err == syscall.EINVAL: // of a wrong type
		return err
	case c.remote != nil:
		return net.ErrWriteToConnected
	case err != nil:
		return err
	}
	if u, ok := to.(*net.UnixAddr); ok && u.Net != c.network {
		return syscall.EAFNOSUPPORT
	}
	return nil
}

// Write sends one datagram to whom c is connected.
func (c *packetConn) Write(p []byte) (int, error) {
	if len(p) > sys.Max { // it must not be cut
		return 0, c.failed("write", "write", unix.EMSGSIZE)
	}
	return c.conn.Write(p)
}

func (watchedConns) packets(l *Loop, network string, c net.PacketConn) (net.PacketConn, error) {
	defer c.Close()
	made := &packetConn{}
	made.network, made.named, made.local = c.LocalAddr().Network(), network, c.LocalAddr()
	if err := made.takeOver(l, c.(syscall.Conn)); err != nil {
		return nil, err
	}
	return made, nil
}
