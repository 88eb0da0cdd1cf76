//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"context"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// watchesDescriptors says that the loop learns of what happens to a descriptor
// without reading or writing.
const watchesDescriptors = true

// A socket is one of the system, a connection or one that listens, without the
// rules of a transport or a server. This file is all that knows what a socket is
// on a system whose descriptors the loop can watch.
//
// It is watched once, for its life, for what is new. So it keeps what it was told
// until a call finds that it is so no more: see can.
type socket struct {
	loop    *Loop
	watched sched.Descriptor
	on      sched.Watcher // told of what is new, when it is noted in can; may be nil
	fd      int           // -1 when it is closed

	// What is worth trying: a read while it has Readable, a write while it has
	// Writable. HungUp stays: nothing new may be told after it, so reads go on
	// until the end.
	can sched.Events

	network       string
	local, remote net.Addr // as far as they are known
	family        int      // of a socket for datagrams; else 0
	connected     bool     // one for datagrams that has a remote address of the system

	opened inList[openThing] // the loop's, of the socket or the transport that has it
}

// errAgain is the error of a call that would have to wait.
const errAgain = unix.EAGAIN

// newSocket makes a socket for connections with addresses like a.
func newSocket(l *Loop, a net.Addr) (*socket, unix.Sockaddr, error) {
	family, sa, err := sockaddrOf(a)
	if err != nil {
		return nil, nil, err
	}
	syscall.ForkLock.RLock() // no child inherits it
	fd, err := unix.Socket(family, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fd)
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socket", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return nil, nil, os.NewSyscallError("setnonblock", err)
	}
	return openSocket(l, fd, a.Network()), sa, nil
}

// openSocket makes a socket of a descriptor, which the loop closes at the latest.
func openSocket(l *Loop, fd int, network string) *socket {
	s := &socket{loop: l, fd: fd, network: network}
	l.open.add(&s.opened, s)
	return s
}

// connectSocket returns a socket that is connected to remote, from local if that
// is not nil. It suspends the calling task while that takes time.
func connectSocket(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (_ *socket, err error) {
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
		_, from, err := sockaddrOf(local)
		if err == nil {
			err = os.NewSyscallError("bind", unix.Bind(s.fd, from))
		}
		if err != nil {
			return nil, opError("bind", local, err)
		}
	}
	if err := s.prepare(o); err != nil {
		return nil, opError("dial", remote, err)
	}
	switch err := unix.Connect(s.fd, sa); err {
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
	return s, nil
}

// finish suspends the calling task until the connection is made, or not.
func (s *socket) finish(ctx context.Context) error {
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
		code, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
		switch {
		case err != nil:
			return err
		case code != 0:
			return syscall.Errno(code)
		}
		if _, err := unix.Getpeername(s.fd); err != unix.ENOTCONN || s.can&sched.HungUp != 0 {
			return nil // what is wrong now, the first read tells
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
func (s *socket) prepare(o *socketOptions) error {
	if s.network == "unix" {
		return nil
	}
	// What is written goes out at once: whoever writes in pieces has WriteLines.
	if err := unix.SetsockoptInt(s.fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1); err != nil {
		return os.NewSyscallError("setsockopt", err)
	}
	if o.keepAlive {
		return os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1))
	}
	return nil
}

// bindSocket returns a socket that is bound to local. It does not listen yet.
func bindSocket(l *Loop, local net.Addr, o *serverOptions) (*socket, error) {
	s, sa, err := newSocket(l, local)
	if err != nil {
		return nil, opError("listen", local, err)
	}
	set := func(on bool, level, name int) {
		if on && err == nil {
			err = os.NewSyscallError("setsockopt", unix.SetsockoptInt(s.fd, level, name, 1))
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
		err = os.NewSyscallError("bind", unix.Bind(s.fd, sa))
	}
	if err != nil {
		s.close()
		return nil, opError("listen", local, err)
	}
	return s, nil
}

// listen has connections made, of which backlog may wait to be accepted, and
// watches for them.
func (s *socket) listen(backlog int) error {
	if err := unix.Listen(s.fd, backlog); err != nil {
		return opError("listen", s.localAddr(), os.NewSyscallError("listen", err))
	}
	return s.watch()
}

// accept returns the next connection. The error is errAgain if there is none.
func (s *socket) accept() (*socket, error) {
	for {
		fd, err := sys.Accept(s.fd)
		switch err {
		case nil:
			return openSocket(s.loop, fd, s.network), nil
		case errAgain:
			s.can &^= sched.Readable
			return nil, errAgain
		case unix.ECONNABORTED: // it is gone again
			continue
		}
		return nil, opError("accept", s.localAddr(), os.NewSyscallError("accept", err))
	}
}

// acceptLast returns what was accepted ahead: nothing. Others wait with the system.
func (s *socket) acceptLast() []*socket { return nil }

// dupStream returns a socket of the loop that is the same as c.
func dupStream(l *Loop, c syscall.Conn) (*socket, error) {
	s, err := dupSocket(l, c, "tcp", unix.SOCK_STREAM, "A Stream Socket was expected")
	if err != nil {
		return nil, err
	}
	if _, ok := s.localAddr().(*net.UnixAddr); ok {
		s.network = "unix"
	}
	return s, nil
}

// dupListener is dupStream for one that listens.
func dupListener(l *Loop, c syscall.Conn) (*socket, error) { return dupStream(l, c) }

// dupSocket returns a socket of the loop that is the same as c, which must be of
// the kind that is wanted.
func dupSocket(l *Loop, c syscall.Conn, network string, wanted int, otherwise string) (*socket, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}
	fd := -1
	if failed := raw.Control(func(of uintptr) {
		fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0)
	}); failed != nil {
		return nil, failed
	}
	if err != nil {
		return nil, os.NewSyscallError("dup", err)
	}
	s := openSocket(l, fd, network)
	kind, err := unix.GetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TYPE)
	switch {
	case err != nil:
		err = os.NewSyscallError("getsockopt", err)
	case kind != wanted:
		err = valueErrorf("%s", otherwise)
	default:
		err = os.NewSyscallError("setnonblock", unix.SetNonblock(fd, true))
	}
	if err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

// watch begins to note what can be done. On a socket that is watched it does
// nothing.
func (s *socket) watch() error {
	if s.watched.Watched() {
		return nil
	}
	return loopError(s.loop.s.Watch(&s.watched, s.fd, s))
}

// Happened notes what can be done now.
func (s *socket) Happened(ev sched.Events) {
	s.can |= ev
	if s.on != nil {
		s.on.Happened(ev)
	}
}

// read reads what has come, without waiting: errAgain if there is nothing, 0 at
// the end. It is one system call.
func (s *socket) read(p []byte) (int, error) {
	n, err := sys.Read(s.fd, p)
	switch {
	case err == errAgain:
		s.can &^= sched.Readable | sched.HungUp
	case n < min(len(p), sys.Max) && s.can&sched.HungUp == 0:
		s.can &^= sched.Readable
	}
	return n, err
}

// write sends what there is room for, without waiting: errAgain if there is none.
// It is one system call.
func (s *socket) write(p []byte) (int, error) {
	n, err := sys.Write(s.fd, p)
	if err == errAgain || n < min(len(p), sys.Max) {
		s.can &^= sched.Writable
	}
	return n, err
}

// closeWrite ends what is sent.
func (s *socket) closeWrite() error {
	return os.NewSyscallError("shutdown", unix.Shutdown(s.fd, unix.SHUT_WR))
}

// close gives the socket back. Closing twice is once.
func (s *socket) close() {
	if s.fd >= 0 {
		s.watched.Unwatch()
		unix.Close(s.fd)
		s.fd, s.on, s.can = -1, nil, 0
		s.opened.leave()
	}
}

func (s *socket) abandon() { s.close() }

// closed reports whether close was called.
func (s *socket) closed() bool { return s.fd < 0 }

// localAddr returns the socket's own address, nil if it has none.
func (s *socket) localAddr() net.Addr {
	if s.local == nil && s.fd >= 0 {
		sa, err := unix.Getsockname(s.fd)
		switch {
		case err != nil:
		case s.family != 0:
			return s.datagramLocal(sa)
		default:
			s.local = addrOf(sa)
		}
	}
	return s.local
}

// remoteAddr returns the address of the other side, nil if it is not known.
func (s *socket) remoteAddr() net.Addr {
	if s.remote == nil && s.fd >= 0 {
		if sa, err := unix.Getpeername(s.fd); err == nil {
			s.remote = addrOf(sa)
		}
	}
	return s.remote
}

// Control calls f with the descriptor: it is a syscall.RawConn's.
func (s *socket) Control(f func(fd uintptr)) error {
	if s.fd < 0 {
		return net.ErrClosed
	}
	f(uintptr(s.fd))
	return nil
}

// Read calls f with the descriptor, once: nobody can wait here.
func (s *socket) Read(f func(fd uintptr) bool) error { return s.once(f) }

// Write is as Read.
func (s *socket) Write(f func(fd uintptr) bool) error { return s.once(f) }

func (s *socket) once(f func(fd uintptr) bool) error {
	if s.fd < 0 {
		return net.ErrClosed
	}
	if !f(uintptr(s.fd)) {
		return os.NewSyscallError("wait", errAgain)
	}
	return nil
}

// sockaddrOf is a in the words of the system.
func sockaddrOf(a net.Addr) (family int, _ unix.Sockaddr, err error) {
	switch a := a.(type) {
	case *net.UnixAddr:
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: a.Name}, nil
	case *net.TCPAddr:
		if ip := a.IP.To4(); ip != nil {
			return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip)}, nil
		}
		if ip := a.IP.To16(); ip != nil {
			return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(ip), ZoneId: zoneID(a.Zone)}, nil
		}
	}
	return 0, nil, &net.AddrError{Err: "not an address of a socket", Addr: a.String()}
}

// addrOf is the inverse of sockaddrOf; nil of nil.
func addrOf(sa unix.Sockaddr) net.Addr {
	switch sa.(type) {
	case nil:
		return nil
	case *unix.SockaddrUnix:
		return address("unix", sa)
	}
	return address("tcp", sa)
}

// writersBehind are none: the system itself takes what is written.
type writersBehind struct{}

func (*writersBehind) linger() {}
