//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// A listener accepts connections of streams.
type listener struct {
	endpoint
	path string // of a unix socket, to be removed; or ""
}

func (n *listener) Addr() net.Addr { return n.local }

// Accept returns the next connection, which belongs to the listener's loop.
func (n *listener) Accept() (net.Conn, error) {
	came := -1
	err := n.do(&n.in, false, func(int) (err error) {
		came, err = n.FD.Accept()
		return err
	})
	if err != nil {
		return nil, n.failed("accept", "accept", err)
	}
	made, s := shape(n.network)
	n.accepted(s, came)
	if c, ok := made.(*tcpConn); ok && !acceptInherits {
		c.SetNoDelay(true)
		c.SetKeepAlive(true)
	}
	return made, nil
}

// acceptInherits tells that what listening has set goes for each connection.
const acceptInherits = runtime.GOOS == "linux"

func (n *listener) accepted(s *endpoint, came int) {
	s.network, s.named = n.network, n.named
	local, _ := unix.Getsockname(came)
	remote, _ := unix.Getpeername(came) // fails if it has been reset already
	s.local, s.remote = fd.Addr(n.network, local), fd.Addr(n.network, remote)
	s.open(n.loop, came, n.network == "unixpacket")
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

func (watchedConns) listener(l *Loop, network string, ln net.Listener, backlog int) (net.Listener, error) {
	defer ln.Close()
	made := &listener{}
	made.listens = true
	made.network, made.named, made.local = ln.Addr().Network(), network, ln.Addr()
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
		if name := u.Addr().String(); name != "" && name[0] != '@' {
			made.path = name
		}
	}
	if err := made.takeOver(l, ln.(syscall.Conn)); err != nil {
		return nil, err
	}
	own := made.FD.FD
	if made.network == "tcp" && acceptInherits {
		fd.KeepAliveByDefault(own)
		unix.SetsockoptInt(own, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
	}
	if backlog > 0 {
		if err := unix.Listen(own, backlog); err != nil {
			made.Close()
			return nil, os.NewSyscallError("listen", err)
		}
	}
	return made, nil
}
