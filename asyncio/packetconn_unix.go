//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// A packetConn is a connection of datagrams. Each is whole, so none waits for
// another's turn.
type packetConn struct{ conn }

// ReadFrom receives one datagram. What p has no room for is lost.
func (c *packetConn) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	var sa unix.Sockaddr
	err = c.do(&c.in, false, func(fd int) (err error) {
		n, sa, err = again(func() (int, unix.Sockaddr, error) { return unix.Recvfrom(fd, p, 0) })
		return err
	})
	if err != nil {
		return 0, nil, c.failed("read", "recvfrom", err)
	}
	return n, address(c.network, sa), nil
}

// WriteTo sends one datagram.
func (c *packetConn) WriteTo(p []byte, to net.Addr) (int, error) {
	if c.remote != nil {
		return 0, c.failed("write", "", net.ErrWriteToConnected)
	}
	sa, err := sockaddr(c.network, c.local, to)
	if err == nil {
		err = c.do(&c.out, false, func(fd int) error {
			_, _, err := again(func() (int, unix.Sockaddr, error) { return 0, nil, unix.Sendto(fd, p, 0, sa) })
			return err
		})
	}
	if err != nil {
		e := c.failed("write", "sendto", err)
		if op, ok := e.(*net.OpError); ok {
			op.Addr = to
		}
		return 0, e
	}
	return len(p), nil
}

// Write sends one datagram to whom c is connected.
func (c *packetConn) Write(p []byte) (int, error) {
	if len(p) > sys.Max { // it must not be cut
		return 0, c.failed("write", "write", unix.EMSGSIZE)
	}
	return c.conn.Write(p)
}

// again repeats a call that a signal has interrupted.
func again(call func() (int, unix.Sockaddr, error)) (n int, sa unix.Sockaddr, err error) {
	for {
		if n, sa, err = call(); err != unix.EINTR {
			return max(n, 0), sa, err
		}
	}
}

// newPacketConn makes a connection of c, of which it takes possession.
func newPacketConn(l *Loop, c net.PacketConn) (net.PacketConn, error) {
	defer c.Close()
	made := &packetConn{}
	made.network, made.local = c.LocalAddr().Network(), c.LocalAddr()
	if err := made.takeOver(l, c.(syscall.Conn)); err != nil {
		return nil, err
	}
	return made, nil
}
