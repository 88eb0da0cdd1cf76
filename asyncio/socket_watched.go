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

// A watchedSocket is a socket of the system that the loop watches, for its life, for
// what is new. This file is all that knows what a socket is on a system whose
// descriptors the loop can watch.
type watchedSocket struct {
	anySocket
	fd.FD
}

// watchedSockets makes watchedSockets.
type watchedSockets struct{}

func init() { systemSockets = watchedSockets{} }

// newSocket makes a socket for connections with addresses like a.
func newSocket(l *Loop, a net.Addr) (*watchedSocket, unix.Sockaddr, error) {
	family, sa, err := fd.StreamSockaddr(a)
	if err != nil {
		return nil, nil, err
	}
	own, err := fd.Open(family, unix.SOCK_STREAM)
	if err != nil {
		return nil, nil, err
	}
	return openSocket(l, own, a.Network()), sa, nil
}

// openSocket makes a socket of a descriptor, which the loop closes at the latest.
func openSocket(l *Loop, own int, network string) *watchedSocket {
	s := &watchedSocket{}
	s.FD.FD = own
	s.open(l, s, network)
	return s
}

func (watchedSockets) connect(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (_ *anySocket, err error) {
	s, sa, err := newSocket(l, remote)
	if err != nil {
		return nil, opError("dial", remote, err)
	}
	connected := false
	defer func() {
		if !connected {
			s.close()
		}
	}()
	if local != nil {
		_, from, err := fd.StreamSockaddr(local)
		if err == nil {
			err = os.NewSyscallError("bind", unix.Bind(s.FD.FD, from))
		}
		if err != nil {
			return nil, opError("bind", local, err)
		}
	}
	if err := s.prepare(o); err != nil {
		return nil, opError("dial", remote, err)
	}
	switch err := sys.Connect(s.FD.FD, sa); err {
	case nil:
	case unix.EINPROGRESS, unix.EINTR:
		if err := s.finish(ctx); err != nil {
			if errno, ok := err.(syscall.Errno); ok {
				err = opError("dial", remote, os.NewSyscallError("connect", errno))
			}
			return nil, err
		}
	default:
		return nil, opError("dial", remote, os.NewSyscallError("connect", err))
	}
	s.remote = remote
	connected = true
	return &s.anySocket, nil
}

// finish suspends the calling task until the connection is made, or not.
func (s *watchedSocket) finish(ctx context.Context) error {
	w := &connecting{loop: s.loop, owner: owner{loop: s.loop}}
	s.on = w
	defer func() { s.on = nil }()
	if err := s.watch(); err != nil {
		return err
	}
	for {
		for s.can&sched.Writable == 0 {
			if err := w.wait(ctx); err != nil {
				return err
			}
		}
		err := s.Connected()
		if err == fd.ErrAgain && s.HungUp {
			return nil // what is wrong, the first read tells
		}
		if err != fd.ErrAgain {
			return err
		}
		s.can &^= sched.Writable // told too early
	}
}

// connecting is told when a connection is made, or not.
type connecting struct {
	loop  *Loop
	owner owner
	line  line
}

// Happened wakes the task by way of the ready queue, as a callback would.
func (c *connecting) Happened(sched.Events) { c.loop.s.Soon(func() { c.line.wake(1) }) }

func (c *connecting) wait(ctx context.Context) error {
	t, err := c.owner.caller(ctx, "a connection")
	if err != nil {
		return err
	}
	_, err = c.line.wait(ctx, t)
	return err
}

// prepare sets what a connection of this kind has.
func (s *watchedSocket) prepare(o *socketOptions) error {
	if s.network == "unix" {
		return nil
	}
	// What is written goes out at once: whoever writes in pieces has WriteLines.
	if err := unix.SetsockoptInt(s.FD.FD, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if o.keepAlive {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.FD.FD, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	}
	return nil
}

func (watchedSockets) bind(_ context.Context, l *Loop, local net.Addr, o *serverOptions) (*anySocket, error) {
	s, sa, err := newSocket(l, local)
	if err != nil {
		return nil, opError("listen", local, err)
	}
	set := func(on bool, level, name int) {
		if on && err == nil {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.FD.FD, level, name, 1))
		}
	}
	_, v6 := sa.(*unix.SockaddrInet6)
	tcp := s.network != "unix"
	set(tcp && !o.noReuseAddress, unix.SOL_SOCKET, unix.SO_REUSEADDR)
	set(tcp && o.reusePort, unix.SOL_SOCKET, unix.SO_REUSEPORT)
	set(v6, unix.IPPROTO_IPV6, unix.IPV6_V6ONLY)
	if err == nil {
		err = s.prepare(&o.socketOptions) // which its connections inherit
	}
	if err == nil {
		err = os.NewSyscallError("bind", unix.Bind(s.FD.FD, sa))
	}
	if err != nil {
		s.close()
		return nil, opError("listen", local, err)
	}
	return &s.anySocket, nil
}

// listen has connections made, of which backlog may wait to be accepted, and
// watches for them.
func (s *watchedSocket) listen(backlog int) error {
	if err := unix.Listen(s.FD.FD, backlog); err != nil {
		return opError("listen", s.localAddr(), os.NewSyscallError("listen", err))
	}
	return s.watch()
}

// accept returns the next connection. The error is fd.ErrAgain if there is none.
func (s *watchedSocket) accept() (*anySocket, error) {
	came, err := s.Accept()
	switch err {
	case nil:
		return &openSocket(s.loop, came, s.network).anySocket, nil
	case fd.ErrAgain:
		s.can &^= sched.Readable
		return nil, fd.ErrAgain
	}
	return nil, opError("accept", s.localAddr(), os.NewSyscallError("accept", err))
}

// acceptLast returns what was accepted ahead: nothing. Others wait with the system.
func (s *watchedSocket) acceptLast() []*anySocket { return nil }

func (watchedSockets) dupStream(l *Loop, c syscall.Conn) (*anySocket, error) {
	s, err := dupSocket(l, c, "tcp", unix.SOCK_STREAM, "A Stream Socket was expected")
	if err != nil {
		return nil, err
	}
	if _, ok := s.localAddr().(*net.UnixAddr); ok {
		s.network = "unix"
	}
	return &s.anySocket, nil
}

func (w watchedSockets) dupListener(l *Loop, c syscall.Conn) (*anySocket, error) {
	return w.dupStream(l, c)
}

// dupSocket returns a socket of the loop that is the same as c, which must be of
// the kind that is wanted.
func dupSocket(l *Loop, c syscall.Conn, network string, wanted int, otherwise string) (*watchedSocket, error) {
	own, kind, err := fd.Duplicate(c, "dup")
	if err != nil {
		return nil, err
	}
	s := openSocket(l, own, network)
	if kind != wanted {
		err = valueErrorf("%s", otherwise)
	} else {
		err = os.NewSyscallError("setnonblock", unix.SetNonblock(own, true))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	s.given.duplicated(l, c)
	return s, nil
}

// watch begins to note what can be done. On a socket that is watched it does
// nothing.
func (s *watchedSocket) watch() error {
	return loopError(s.Watch(s.loop.s, s))
}

// Happened notes what can be done now.
func (s *watchedSocket) Happened(ev sched.Events) {
	s.Note(ev)
	s.is(ev)
}

// read reads what has come, without waiting: fd.ErrAgain if there is nothing, 0 at
// the end. It is one system call.
func (s *watchedSocket) read(p []byte) (int, error) {
	n, more, err := s.FD.Read(p)
	if !more {
		s.can &^= sched.Readable
	}
	if err == fd.ErrAgain {
		s.can &^= sched.HungUp
	}
	return n, err
}

// write sends what there is room for, without waiting: fd.ErrAgain if there is none.
// It is one system call.
func (s *watchedSocket) write(p []byte) (int, error) {
	n, more, err := s.FD.Write(p)
	if !more {
		s.can &^= sched.Writable
	}
	return n, err
}

// closeWrite ends what is sent.
func (s *watchedSocket) closeWrite() error {
	return os.NewSyscallError("shutdown", sys.Shutdown(s.FD.FD, unix.SHUT_WR))
}

// close gives back the descriptor.
func (s *watchedSocket) close() {
	s.FD.Close()
}

// localAddr returns the socket's own address, nil if it has none.
func (s *watchedSocket) localAddr() net.Addr {
	if s.local == nil && !s.shut {
		sa, err := unix.Getsockname(s.FD.FD)
		switch {
		case err != nil:
		case s.Family != 0:
			return s.datagramLocal(sa)
		default:
			s.local = fd.StreamAddr(sa)
		}
	}
	return s.local
}

// remoteAddr returns the address of the other side, nil if it is not known.
func (s *watchedSocket) remoteAddr() net.Addr {
	if s.remote == nil && !s.shut {
		if sa, err := unix.Getpeername(s.FD.FD); err == nil {
			s.remote = fd.StreamAddr(sa)
		}
	}
	return s.remote
}

func (s *watchedSocket) control(f func(fd uintptr)) error { return s.FD.Control(f) }
