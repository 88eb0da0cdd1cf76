//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"io"
	"net"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
)

// An endpoint is what connections and listeners have in common.
type endpoint struct {
	descriptor
	network       string // "tcp", say
	named         string // by the program: "tcp4", say
	local, remote net.Addr
	listens       bool // for connections
}

// takeOver makes s the endpoint of c, which is of package net and is closed. The
// descriptor is a duplicate: package net keeps its own.
func (s *endpoint) takeOver(l *Loop, c syscall.Conn) error {
	own, kind, err := fd.Duplicate(c, "fcntl")
	if err != nil {
		return err
	}
	s.open(l, own, kind != unix.SOCK_STREAM)
	return nil
}

// failed returns err as users see it: an *net.OpError, also of a cancellation, by
// which a library knows that it is the connection that has failed. The end stays as
// it is. Inlined it would triple the frame of Read, which lies on the stack of each
// task that waits.
//
//go:noinline
func (s *endpoint) failed(op, call string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	e := s.opError(op, call, err)
	if !s.listens {
		e.Source, e.Addr = s.local, s.remote
	}
	return e
}

// refused is failed for what concerns one end only.
func (s *endpoint) refused(op, call string, err error) error {
	if err == nil {
		return nil
	}
	return s.opError(op, call, err)
}

func (s *endpoint) opError(op, call string, err error) *net.OpError {
	if e, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(call, e)
	}
	return &net.OpError{Op: op, Net: s.named, Addr: s.local, Err: err}
}

func (s *endpoint) Close() error { return s.failed("close", "close", s.close()) }

func (s *endpoint) SetDeadline(t time.Time) error {
	err := s.setDeadline(&s.in, t)
	if err == nil {
		err = s.setDeadline(&s.out, t)
	}
	return s.refused("set", "", err)
}
func (s *endpoint) SetReadDeadline(t time.Time) error {
	return s.refused("set", "", s.setDeadline(&s.in, t))
}
func (s *endpoint) SetWriteDeadline(t time.Time) error {
	return s.refused("set", "", s.setDeadline(&s.out, t))
}

// control calls f, an operation that does not wait.
func (s *endpoint) control(f func(fd int) error) error {
	if !s.Enter() {
		return net.ErrClosed
	}
	defer s.exit()
	return f(s.FD.FD)
}

func (s *endpoint) setOption(level, option, value int) error {
	return s.refused("set", "setsockopt", s.control(func(fd int) error {
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
	if s.IsShut() {
		return nil, s.refused("raw-control", "", net.ErrClosed)
	}
	return (*rawConn)(s), nil
}

// A rawConn is a socket as a syscall.RawConn.
type rawConn endpoint

func (c *rawConn) Control(f func(fd uintptr)) error {
	s := (*endpoint)(c)
	return s.refused("raw-control", "", s.control(func(fd int) error {
		sys.Release()
		f(uintptr(fd))
		sys.Acquire()
		return nil
	}))
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
		sys.Release() // what f does is not known
		if !f(uintptr(fd)) {
			return unix.EAGAIN
		}
		sys.Acquire()
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
	if t.unheard {
		return 0, c.failed("read", "", t.refused())
	}
	w := &c.in
	for {
		if w.expired(c.loop) {
			return 0, c.failed("read", "", os.ErrDeadlineExceeded)
		}
		if w.ready || len(p) == 0 {
			if !c.Enter() {
				return 0, c.failed("read", "", net.ErrClosed)
			}
			n, more, err := 0, w.ready, error(nil)
			if len(p) > 0 {
				n, more, err = c.FD.Read(p)
			}
			c.exit()
			w.ready = more
			if err == nil {
				w.passOn()
				return n, c.end(n, p)
			}
			if err != unix.EAGAIN {
				w.passOn()
				return 0, c.failed("read", "read", err)
			}
		}
		if err := c.wait(t, w); err != nil {
			return 0, c.failed("read", "", err)
		}
	}
}

// end is the error of a read that has brought n bytes.
func (c *conn) end(n int, p []byte) error {
	if n == 0 && len(p) > 0 && (!c.Messages || c.network == "unixpacket") {
		return io.EOF
	}
	return nil
}

// WaitReadable waits as Read does, for something to read or the end, and takes
// nothing: who waits for long needs no buffer meanwhile. It may return before there
// is something; a Read that follows waits for the rest of the time. The errors are
// those of Read, but not the end's.
func (c *conn) WaitReadable() error {
	t, _ := c.caller()
	if t == nil {
		return c.waitOutside()
	}
	w := &c.in
	for !w.ready {
		if err := c.wait(t, w); err != nil {
			return c.failed("read", "", err)
		}
	}
	switch {
	case w.expired(c.loop):
		return c.failed("read", "", os.ErrDeadlineExceeded)
	case c.IsShut():
		return c.failed("read", "", net.ErrClosed)
	}
	w.passOn()
	return nil
}

// NotifyReadable arranges that f is called once, on the loop, when there is something to
// read or the end, or when the connection is closed: it is for who would otherwise have a
// task wait for what seldom comes. f must not wait; another f takes its place, and nil
// takes it back. It reports false, and arranges nothing, if there may be something now, or
// if it cannot be known. Only the tasks and callbacks of the loop may call it; it does not
// switch.
func (c *conn) NotifyReadable(f func()) bool {
	c.told = nil
	if f == nil {
		return true
	}
	if c.in.ready || !c.Watched() && c.watch() != nil {
		return false
	}
	c.told = f
	return true
}

// waitOutside is WaitReadable for a caller who is no task.
func (c *conn) waitOutside() error {
	var p [1]byte
	return c.failed("read", "", c.do(&c.in, true, func(fd int) error {
		_, _, err := unix.Recvfrom(fd, p[:], unix.MSG_PEEK)
		return err
	}))
}

// readOutside is Read for a caller who is no task. One who may wait has the twin
// read: other than a call by do that allocates nothing.
func (c *conn) readOutside(p []byte, waits bool) (n int, err error) {
	switch {
	case len(p) == 0 && !c.IsShut():
		return 0, nil
	case !waits:
		return c.readInCallback(p)
	}
	twin, _, err := c.double()
	if err == nil {
		n, err = twin.Read(p)
		if err == io.EOF { // so it calls an empty message, too
			err = c.end(n, p)
		}
	}
	if err != nil {
		err = c.failed("read", "read", c.twinError(err))
	}
	return n, err
}

// readInCallback reads what there is.
func (c *conn) readInCallback(p []byte) (n int, err error) {
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
	if !c.Take() {
		if err := c.turn(t); err != nil {
			return 0, c.failed("write", "", err)
		}
	}
	if t == nil {
		return c.writeOutside(p)
	}
	n, err := 0, error(nil)
	if !t.unheard && c.out.ready && !c.out.expired(c.loop) && c.Enter() {
		n, _, err = c.FD.Write(p)
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

// writeOutside is Write for a caller who is no task, may wait, and has the turn.
func (c *conn) writeOutside(p []byte) (n int, err error) {
	defer c.endTurn()
	twin, _, err := c.double()
	if err == nil {
		n, err = twin.Write(p)
	}
	if err != nil {
		err = c.failed("write", "write", c.twinError(err))
	}
	return n, err
}

// writeInCallback writes what it can without waiting.
func (c *conn) writeInCallback(p []byte) (int, error) {
	if !c.Take() {
		err := errCallbackWaits
		if c.IsShut() {
			err = net.ErrClosed
		}
		return 0, c.failed("write", "", err)
	}
	return c.writeRest(nil, p, 0, nil)
}

// shutdown ends one direction.
func (c *conn) shutdown(how int) error {
	return c.failed("close", "shutdown", c.control(func(fd int) error { return sys.Shutdown(fd, how) }))
}

func (c *conn) CloseRead() error  { return c.shutdown(unix.SHUT_RD) }
func (c *conn) CloseWrite() error { return c.shutdown(unix.SHUT_WR) }

// A tcpConn is a conn with TCP's options.
type tcpConn struct{ conn }

func (c *tcpConn) SetNoDelay(on bool) error {
	return c.set(unix.IPPROTO_TCP, unix.TCP_NODELAY, boolInt(on))
}

// set sets an option of TCP's, whose errors name both ends, as package net's do.
func (c *tcpConn) set(level, option, value int) error {
	return c.failed("set", "setsockopt", c.control(func(fd int) error {
		return unix.SetsockoptInt(fd, level, option, value)
	}))
}

func (c *tcpConn) SetKeepAlive(on bool) error {
	return c.set(unix.SOL_SOCKET, unix.SO_KEEPALIVE, boolInt(on))
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

// watchedConns makes connections that the loop watches.
type watchedConns struct{}

func init() { systemConns = watchedConns{} }

func (watchedConns) conn(l *Loop, network string, c net.Conn) (net.Conn, error) {
	defer c.Close()
	made, s := shape(c.LocalAddr().Network())
	s.network, s.named, s.local, s.remote = c.LocalAddr().Network(), network, c.LocalAddr(), c.RemoteAddr()
	if err := s.takeOver(l, c.(syscall.Conn)); err != nil {
		return nil, err
	}
	return made, nil
}

// shape makes a connection of the kind that network has, without its socket.
func shape(network string) (net.Conn, *endpoint) {
	switch network {
	case "tcp":
		made := &tcpConn{}
		return made, &made.endpoint
	case "udp", "unixgram", "unixpacket", "ip":
		made := &packetConn{}
		return made, &made.endpoint
	default:
		made := &conn{}
		return made, &made.endpoint
	}
}
