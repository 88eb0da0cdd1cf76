//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// A socketState is a socket that is watched, by edge, from its first wait on.
type socketState struct {
	owner   owner
	d       fd.FD
	family  int
	kind    int // SOCK_STREAM or SOCK_DGRAM
	in, out direction
	cleanup runtime.Cleanup // closes one that is forgotten
}

func newSock(network string) (*Socket, error) {
	family, kind := unix.AF_INET, unix.SOCK_STREAM
	switch network {
	case "tcp", "tcp4":
	case "tcp6":
		family = unix.AF_INET6
	case "udp", "udp4":
		kind = unix.SOCK_DGRAM
	case "udp6":
		family, kind = unix.AF_INET6, unix.SOCK_DGRAM
	case "unix":
		family = unix.AF_UNIX
	case "unixgram":
		family, kind = unix.AF_UNIX, unix.SOCK_DGRAM
	default:
		return nil, net.UnknownNetworkError(network)
	}
	own, err := fd.Open(family, kind)
	if err != nil {
		return nil, err
	}
	return adoptSock(own, family, kind), nil
}

func adoptSock(fd, family, kind int) *Socket {
	s := &Socket{socketState{family: family, kind: kind}}
	s.d.FD = fd
	s.cleanup = runtime.AddCleanup(s, func(fd int) { sys.Close(fd) }, fd)
	return s
}

// SocketOf makes a Socket of a duplicate of c: a net.Conn, net.Listener or
// net.PacketConn of package net, or an *os.File of a socket. c can be closed
// afterwards. From then on the socket does not block, for c neither. Any goroutine
// may call it; it does not switch. Python: socket.socket(fileno=...).
func SocketOf(c syscall.Conn) (*Socket, error) {
	own, kind, err := fd.Duplicate(c, "dup")
	if err != nil {
		return nil, err
	}
	local, err := unix.Getsockname(own)
	if err == nil {
		err = unix.SetNonblock(own, true)
	}
	if err != nil {
		unix.Close(own)
		return nil, os.NewSyscallError("getsockname", err)
	}
	family := unix.AF_UNIX
	switch local.(type) {
	case *unix.SockaddrInet4:
		family = unix.AF_INET
	case *unix.SockaddrInet6:
		family = unix.AF_INET6
	}
	return adoptSock(own, family, kind), nil
}

// Fd returns the socket's descriptor, which Close closes. After that it is -1.
// Python: socket.fileno.
func (s *Socket) Fd() int {
	if s.d.IsShut() {
		return -1
	}
	return s.d.FD
}

// SyscallConn returns what calls functions with the socket's descriptor: for
// options of the system, and for those who take sockets of package net. Its Read
// and Write call them once; the error is errors.ErrUnsupported if they would wait.
func (s *Socket) SyscallConn() (syscall.RawConn, error) {
	if s.d.IsShut() {
		return nil, net.ErrClosed
	}
	return rawSock{s}, nil
}

// Bind gives the socket an address: "host:port" with numbers, where an empty
// host is every address of the machine and port 0 one that is free, or a path.
// Python: socket.bind.
func (s *Socket) Bind(addr string) error {
	sa, err := s.numeric(addr)
	if err != nil {
		return err
	}
	return s.call("bind", func() error { return unix.Bind(s.d.FD, sa) })
}

// Listen makes it a socket that accepts connections. backlog is how many may wait
// to be accepted; below one it is the system's most. Python: socket.listen.
func (s *Socket) Listen(backlog int) error {
	if backlog < 1 {
		backlog = unix.SOMAXCONN
	}
	return s.call("listen", func() error { return unix.Listen(s.d.FD, backlog) })
}

// Addr returns the socket's own address, or nil if that is not known. Python:
// socket.getsockname.
func (s *Socket) Addr() net.Addr { return s.address(unix.Getsockname) }

// RemoteAddr returns the address of the other side, or nil if there is none.
// Python: socket.getpeername.
func (s *Socket) RemoteAddr() net.Addr { return s.address(unix.Getpeername) }

func (s *Socket) address(of func(int) (unix.Sockaddr, error)) net.Addr {
	if s.d.IsShut() {
		return nil
	}
	sa, err := of(s.d.FD)
	if err != nil {
		return nil
	}
	return s.netAddr(sa)
}

// CloseWrite ends what is sent: the other side reads the end when it has read the
// rest. Python: socket.shutdown(SHUT_WR).
func (s *Socket) CloseWrite() error {
	return s.call("shutdown", func() error { return sys.Shutdown(s.d.FD, unix.SHUT_WR) })
}

// call makes a call of the system that does not wait.
func (s *Socket) call(name string, f func() error) error {
	if s.d.IsShut() {
		return net.ErrClosed
	}
	return os.NewSyscallError(name, f())
}

// Close closes the socket. Tasks that wait for it are woken, with net.ErrClosed.
// A second call does nothing. It does not switch. Python: socket.close.
func (s *Socket) Close() error {
	if s.d.IsShut() {
		return nil
	}
	s.owner.check()
	s.cleanup.Stop()
	err := s.d.Close()
	s.in.line.wake(everybody)
	s.out.line.wake(everybody)
	return os.NewSyscallError("close", err)
}

// A socketWatcher is a Socket as the loop's poller knows it.
type socketWatcher socketState

// Happened is called by the loop's poller.
func (s *socketWatcher) Happened(ev sched.Events) {
	if ev&sched.Readable != 0 {
		s.in.told()
	}
	if ev&sched.Writable != 0 {
		s.out.told()
	}
}

// told wakes all: each tries, and who finds nothing waits again.
func (w *direction) told() {
	w.ready = true
	w.line.wake(everybody)
}

// do calls try until it returns another error than EAGAIN, and returns that. In
// between the task waits for w.
func (s *Socket) do(ctx context.Context, w *direction, name string, try func() error) error {
	t, err := s.owner.caller(ctx, "Socket")
	if err == nil {
		err = t.loop.onlySystem("a Socket")
	}
	if err != nil {
		return err
	}
	for {
		if s.d.IsShut() {
			return net.ErrClosed
		}
		w.ready = false
		switch err := try(); err {
		case nil:
			return nil
		case unix.EAGAIN:
		case unix.EINTR:
			continue
		case io.EOF:
			return err
		default:
			return os.NewSyscallError(name, err)
		}
		if err := s.wait(ctx, t, w); err != nil {
			return err
		}
	}
}

// wait suspends t until something has happened in the direction of w.
func (s *Socket) wait(ctx context.Context, t *task, w *direction) error {
	if err := s.d.Watch(t.loop.s, (*socketWatcher)(&s.socketState)); err != nil {
		return fmt.Errorf("asyncio: the socket cannot be watched: %w", loopError(err))
	}
	g, err := w.line.enter(ctx, t)
	if g != nil {
		if w.ready { // enter may have asked the poller
			w.line.wake(everybody)
		}
		_, err = g.Switch(nil)
	}
	_, err = w.line.leave(t, err)
	return err
}

func (s *Socket) recv(ctx context.Context, p []byte) (n int, err error) {
	err = s.do(ctx, &s.in, "recv", func() (err error) {
		if n, err = sys.Read(s.d.FD, p); n == 0 && err == nil && s.ends(p) {
			err = io.EOF
		}
		return err
	})
	return n, err
}

// ends reports whether it is the end when nothing was read into p.
func (s *Socket) ends(p []byte) bool { return s.kind == unix.SOCK_STREAM && len(p) > 0 }

func (s *Socket) recvFrom(ctx context.Context, p []byte) (n int, from net.Addr, err error) {
	err = s.do(ctx, &s.in, "recvfrom", func() error {
		var sa unix.Sockaddr
		var err error
		n, sa, err = sys.RecvFrom(s.d.FD, p)
		switch {
		case err != nil:
			n = 0
			return err
		case n == 0 && s.ends(p):
			return io.EOF
		}
		from = s.netAddr(sa)
		return nil
	})
	return n, from, err
}

func (s *Socket) sendAll(ctx context.Context, p []byte) error {
	return s.do(ctx, &s.out, "send", func() error {
		for {
			n, err := sys.Write(s.d.FD, p)
			if p = p[n:]; err != nil || len(p) == 0 {
				return err
			}
		}
	})
}

func (s *Socket) sendTo(ctx context.Context, p []byte, addr net.Addr) (int, error) {
	var sa unix.Sockaddr
	var err error
	if s.kind == unix.SOCK_DGRAM {
		if err = fd.CheckDatagramAddr(fd.FamilyNetwork(s.family), s.family == unix.AF_INET, addr); err != nil {
			return 0, fd.SendError(fd.FamilyNetwork(s.family), s.Addr(), addr, err)
		}
		sa = fd.DatagramSockaddr(s.family == unix.AF_INET, addr)
	} else if sa, err = s.systemAddr(addr); err != nil {
		return 0, err
	}
	err = s.do(ctx, &s.out, "sendto", func() error { return sys.SendTo(s.d.FD, p, sa) })
	if _, failed := err.(*os.SyscallError); failed && s.kind == unix.SOCK_DGRAM {
		err = fd.SendError(fd.FamilyNetwork(s.family), s.Addr(), addr, err)
	}
	if err != nil {
		return 0, err
	}
	return len(p), nil
}

func (s *Socket) connect(ctx context.Context, addr string) error {
	sa, err := s.resolve(ctx, addr)
	if err != nil {
		return err
	}
	begun := false
	return s.do(ctx, &s.out, "connect", func() error {
		if begun {
			return s.d.Connected()
		}
		err := sys.Connect(s.d.FD, sa)
		if err == unix.EINPROGRESS || err == unix.EINTR {
			begun = true
			return unix.EAGAIN
		}
		if err == unix.EAGAIN { // no event would tell when it no longer is
			return fmt.Errorf("the queue of %s is full: %w", addr, unix.EAGAIN)
		}
		return err
	})
}

func (s *Socket) accept(ctx context.Context) (*Socket, net.Addr, error) {
	fd := -1
	err := s.do(ctx, &s.in, "accept", func() (err error) {
		fd, err = s.d.Accept()
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	c := adoptSock(fd, s.family, s.kind)
	return c, c.RemoteAddr(), nil
}
