//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// An endpoint is what connections and listeners have in common.
type endpoint struct {
	descriptor
	network       string
	local, remote net.Addr
}

// takeOver makes s the endpoint of c, which is of package net and is closed. The
// descriptor is a duplicate: package net keeps its own.
func (s *endpoint) takeOver(l *Loop, c syscall.Conn) error {
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	fd, kind := -1, 0
	if e := raw.Control(func(of uintptr) {
		if fd, err = unix.FcntlInt(of, unix.F_DUPFD_CLOEXEC, 0); err != nil {
			err = os.NewSyscallError("fcntl", err)
		}
		kind, _ = unix.GetsockoptInt(int(of), unix.SOL_SOCKET, unix.SO_TYPE)
	}); e != nil {
		return e
	}
	if err != nil {
		return err
	}
	s.open(l, fd, kind != unix.SOCK_STREAM)
	return nil
}

// failed returns err as users see it: an *net.OpError. The end, a cancellation and
// what has become of the loop stay as they are. Inlined it would triple the frame of
// Read, which lies on the stack of each task that waits.
//
//go:noinline
func (s *endpoint) failed(op, call string, err error) error {
	switch e := err.(type) {
	case nil, *CancelledError, *classError:
		return err
	case syscall.Errno:
		err = os.NewSyscallError(call, e)
	default:
		if err == io.EOF {
			return err
		}
	}
	return &net.OpError{Op: op, Net: s.network, Source: s.source(), Addr: s.target(), Err: err}
}

func (s *endpoint) source() net.Addr {
	if s.remote == nil {
		return nil
	}
	return s.local
}

func (s *endpoint) target() net.Addr {
	if s.remote == nil {
		return s.local
	}
	return s.remote
}

func (s *endpoint) Close() error { return s.failed("close", "close", s.close()) }

func (s *endpoint) SetDeadline(t time.Time) error {
	err := s.setDeadline(&s.in, t)
	if err == nil {
		err = s.setDeadline(&s.out, t)
	}
	return s.failed("set", "", err)
}
func (s *endpoint) SetReadDeadline(t time.Time) error {
	return s.failed("set", "", s.setDeadline(&s.in, t))
}
func (s *endpoint) SetWriteDeadline(t time.Time) error {
	return s.failed("set", "", s.setDeadline(&s.out, t))
}

// control calls f, an operation that does not wait.
func (s *endpoint) control(f func(fd int) error) error {
	if !s.gate.enter() {
		return net.ErrClosed
	}
	defer s.exit()
	return f(s.gate.fd)
}

func (s *endpoint) setOption(level, option, value int) error {
	return s.failed("set", "setsockopt", s.control(func(fd int) error {
		return unix.SetsockoptInt(fd, level, option, value)
	}))
}

func (s *endpoint) SetReadBuffer(bytes int) error {
	return s.setOption(unix.SOL_SOCKET, unix.SO_RCVBUF, bytes)
}
func (s *endpoint) SetWriteBuffer(bytes int) error {
	return s.setOption(unix.SOL_SOCKET, unix.SO_SNDBUF, bytes)
}

// File returns a duplicate of the descriptor, which does not block.
func (s *endpoint) File() (*os.File, error) {
	fd := -1
	err := s.control(func(own int) (err error) {
		fd, err = unix.FcntlInt(uintptr(own), unix.F_DUPFD_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, s.failed("file", "fcntl", err)
	}
	return os.NewFile(uintptr(fd), s.network+":"+s.local.String()), nil
}

func (s *endpoint) SyscallConn() (syscall.RawConn, error) {
	if s.gate.isShut() {
		return nil, s.failed("raw-control", "", net.ErrClosed)
	}
	return (*rawConn)(s), nil
}

// A rawConn is a socket as a syscall.RawConn.
type rawConn endpoint

func (c *rawConn) Control(f func(fd uintptr)) error {
	s := (*endpoint)(c)
	return s.failed("raw-control", "", s.control(func(fd int) error { f(uintptr(fd)); return nil }))
}

func (c *rawConn) Read(f func(fd uintptr) (done bool)) error {
	s := (*endpoint)(c)
	return s.failed("raw-read", "", s.do(&s.in, true, untilDone(f)))
}

func (c *rawConn) Write(f func(fd uintptr) (done bool)) error {
	s := (*endpoint)(c)
	return s.failed("raw-write", "", s.do(&s.out, true, untilDone(f)))
}

func untilDone(f func(fd uintptr) bool) func(fd int) error {
	return func(fd int) error {
		if !f(uintptr(fd)) {
			return unix.EAGAIN
		}
		return nil
	}
}

// A conn is a connection of a stream.
type conn struct{ endpoint }

func (c *conn) LocalAddr() net.Addr  { return c.local }
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// Read makes one system call, if there is something to read. After one that has
// brought less than was asked for it does not make another before the poller says
// that there is more.
func (c *conn) Read(p []byte) (int, error) {
	t, waits := c.caller()
	if t == nil {
		return c.readOutside(p, waits)
	}
	w := &c.in
	for {
		if w.expired(c.loop) {
			return 0, c.failed("read", "", os.ErrDeadlineExceeded)
		}
		if w.ready || len(p) == 0 {
			if !c.gate.enter() {
				return 0, c.failed("read", "", net.ErrClosed)
			}
			n, err := 0, error(nil)
			if len(p) > 0 {
				n, err = sys.Read(c.gate.fd, p)
			}
			c.exit()
			if err == nil {
				if n < len(p) && n < sys.Max && !c.hungUp && !c.messages {
					w.ready = false
				}
				w.passOn()
				return n, c.end(n, p)
			}
			if err != unix.EAGAIN {
				w.passOn()
				return 0, c.failed("read", "read", err)
			}
			w.ready = false
		}
		if err := c.wait(t, w); err != nil {
			return 0, c.failed("read", "", err)
		}
	}
}

// end is the error of a read that has brought n bytes.
func (c *conn) end(n int, p []byte) error {
	if n == 0 && len(p) > 0 && !c.messages {
		return io.EOF
	}
	return nil
}

// readOutside is Read for a caller who is no task.
func (c *conn) readOutside(p []byte, waits bool) (n int, err error) {
	if len(p) == 0 && !c.gate.isShut() {
		return 0, nil
	}
	err = c.do(&c.in, true, func(fd int) (err error) {
		n, err = sys.Read(fd, p)
		return err
	})
	if err == nil {
		err = c.end(n, p)
	}
	return n, c.failed("read", "read", err)
}

// Write makes one system call, if there is room for all of p. The error tells how
// many bytes went out.
func (c *conn) Write(p []byte) (int, error) {
	t, waits := c.caller()
	if t == nil && !waits {
		return c.writeInCallback(p)
	}
	if !c.gate.take() {
		if err := c.turn(t); err != nil {
			return 0, c.failed("write", "", err)
		}
	}
	n, err := 0, error(nil)
	if t != nil && c.out.ready && !c.out.expired(c.loop) && c.gate.enter() {
		n, err = sys.Write(c.gate.fd, p)
		c.exit()
		if err == nil && n == len(p) {
			c.endTurn()
			return n, nil
		}
	}
	return c.writeRest(t, p, n, err)
}

// writeRest goes on after a Write that has written n bytes of p and then err.
func (c *conn) writeRest(t *task, p []byte, n int, err error) (int, error) {
	defer c.endTurn()
	if err != nil && err != unix.EAGAIN {
		return n, c.failed("write", "write", err)
	}
	if err == unix.EAGAIN || 0 < n && n < min(len(p), sys.Max) {
		c.out.ready = false
	}
	wrote := n == len(p) && len(p) > 0
	try := func(fd int) error {
		m, err := sys.Write(fd, p[n:])
		n += m
		wrote = n == len(p)
		if err == nil && !wrote && m < sys.Max {
			err = unix.EAGAIN // the rest would not fit
		}
		return err
	}
	for !wrote {
		if err := c.do(&c.out, t == nil, try); err != nil {
			return n, c.failed("write", "write", err)
		}
	}
	return n, nil
}

// writeInCallback writes what it can without waiting.
func (c *conn) writeInCallback(p []byte) (int, error) {
	if !c.gate.take() {
		err := errCallbackWaits
		if c.gate.isShut() {
			err = net.ErrClosed
		}
		return 0, c.failed("write", "", err)
	}
	return c.writeRest(nil, p, 0, nil)
}

// shutdown ends one direction.
func (c *conn) shutdown(how int) error {
	return c.failed("close", "shutdown", c.control(func(fd int) error { return unix.Shutdown(fd, how) }))
}

func (c *conn) CloseRead() error  { return c.shutdown(unix.SHUT_RD) }
func (c *conn) CloseWrite() error { return c.shutdown(unix.SHUT_WR) }

// A tcpConn is a conn with TCP's options.
type tcpConn struct{ conn }

func (c *tcpConn) SetNoDelay(on bool) error {
	return c.setOption(unix.IPPROTO_TCP, unix.TCP_NODELAY, boolInt(on))
}

func (c *tcpConn) SetKeepAlive(on bool) error {
	return c.setOption(unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(on))
}

func (c *tcpConn) SetLinger(seconds int) error {
	linger := unix.Linger{Onoff: int32(boolInt(seconds >= 0)), Linger: int32(max(seconds, 0))}
	return c.failed("set", "setsockopt", c.control(func(fd int) error {
		return unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &linger)
	}))
}

func boolInt(on bool) int {
	if on {
		return 1
	}
	return 0
}

// newConn makes a connection of c, of which it takes possession.
func newConn(l *Loop, c net.Conn) (net.Conn, error) {
	defer c.Close()
	made, s := shape(c)
	s.network, s.local, s.remote = c.LocalAddr().Network(), c.LocalAddr(), c.RemoteAddr()
	if err := s.takeOver(l, c.(syscall.Conn)); err != nil {
		return nil, err
	}
	return made, nil
}

// shape makes a connection of the kind that c is, without its socket.
func shape(c net.Conn) (net.Conn, *endpoint) {
	switch c.LocalAddr().Network() {
	case "tcp":
		made := &tcpConn{}
		return made, &made.endpoint
	case "udp", "unixgram", "ip":
		made := &packetConn{}
		return made, &made.endpoint
	default:
		made := &conn{}
		return made, &made.endpoint
	}
}
