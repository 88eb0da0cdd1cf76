//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// A listener accepts connections of streams.
type listener struct {
	endpoint
	path string // of a unix socket, to be removed; or ""
}

func (n *listener) Addr() net.Addr { return n.local }

// Accept returns the next connection, which belongs to the listener's loop.
func (n *listener) Accept() (net.Conn, error) {
	fd := -1
	err := n.do(&n.in, false, func(own int) (err error) {
		fd, err = sys.Accept(own)
		return err
	})
	if err != nil {
		return nil, n.failed("accept", "accept", err)
	}
	if n.network != "tcp" {
		c := &conn{}
		n.accepted(&c.endpoint, fd)
		return c, nil
	}
	c := &tcpConn{}
	n.accepted(&c.endpoint, fd)
	if !acceptInherits {
		c.SetNoDelay(true)
		c.SetKeepAlive(true)
	}
	return c, nil
}

// acceptInherits tells that what listening has set goes for each connection.
const acceptInherits = runtime.GOOS == "linux"

func (n *listener) accepted(s *endpoint, fd int) {
	s.network = n.network
	local, _ := unix.Getsockname(fd)
	remote, _ := unix.Getpeername(fd) // fails if it has been reset already
	s.local, s.remote = address(n.network, local), address(n.network, remote)
	s.open(n.loop, fd, false)
}

// Close ends it. The file of a unix socket is removed.
func (n *listener) Close() error {
	err := n.close()
	if err == nil && n.path != "" {
		os.Remove(n.path)
	}
	return n.failed("close", "close", err)
}

// keepPath has Close leave the file of a unix socket.
func (n *listener) keepPath() { n.path = "" }

// newListener makes a listener of ln, of which it takes possession.
func newListener(l *Loop, ln net.Listener, backlog int) (net.Listener, error) {
	defer ln.Close()
	made := &listener{}
	made.network, made.local = ln.Addr().Network(), ln.Addr()
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
		if name := u.Addr().String(); name != "" && name[0] != '@' {
			made.path = name
		}
	}
	if err := made.takeOver(l, ln.(syscall.Conn)); err != nil {
		return nil, err
	}
	fd := made.gate.fd
	if made.network == "tcp" && acceptInherits {
		keepAliveByDefault(fd)
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if backlog > 0 {
		if err := unix.Listen(fd, backlog); err != nil {
			made.Close()
			return nil, os.NewSyscallError("listen", err)
		}
	}
	return made, nil
}
