//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// watchesDescriptors says that what happens to a descriptor is learnt from reads and
// writes only.
const watchesDescriptors = false

// A socket is one of package net, a connection or one that listens, without the
// rules of a transport or a server. It is for systems whose descriptors the loop
// cannot watch: there Go's own poller waits, on goroutines that read ahead and
// write behind, and that post what is new. This file is all that knows that.
type socket struct {
	loop *Loop
	on   sched.Watcher // told of what is new, when it is noted in can; may be nil

	// What is worth trying: a read while it has Readable, a write while it has
	// Writable.
	can sched.Events

	network       string
	local, remote net.Addr
	shut          bool // close was called

	// One of these is not nil.
	conn  net.Conn
	ln    *listening
	grams *datagrams

	in     readAhead   // of conn
	out    writeBehind // of conn
	opened inList[openThing]
}

// errAgain is the error of a call that would have to wait.
var errAgain = errors.New("asyncio: the call would have to wait")

// openSocket makes a socket of network, which the loop closes at the latest.
func openSocket(l *Loop, network string) *socket {
	s := &socket{loop: l, network: network, can: sched.Writable}
	l.open.add(&s.opened, s)
	return s
}

// openStream makes a socket of a connection.
func openStream(l *Loop, c net.Conn, network string) *socket {
	s := openSocket(l, network)
	s.conn, s.local, s.remote = c, c.LocalAddr(), c.RemoteAddr()
	s.in.init(l, c, func() { s.is(sched.Readable) })
	s.out.init(l, c, func() { s.is(sched.Writable) })
	return s
}

// openListener makes a socket of a listener.
func openListener(l *Loop, ln net.Listener, network string) *socket {
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the server does that
	}
	s := openSocket(l, network)
	s.local = ln.Addr()
	s.ln = &listening{ln, ahead[net.Conn]{
		loop: l,
		get:  ln.Accept,
		drop: func(c net.Conn) { c.Close() },
		came: func() { s.is(sched.Readable) },
	}}
	return s
}

// listening is what a socket that listens has.
type listening struct {
	net.Listener
	conns ahead[net.Conn]
}

// is notes what can be done now.
func (s *socket) is(ev sched.Events) {
	if s.shut {
		return
	}
	s.can |= ev
	if s.on != nil {
		s.on.Happened(ev)
	}
}

// connectSocket returns a socket that is connected to remote, from local if that
// is not nil. It suspends the calling task while that takes time.
func connectSocket(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (*socket, error) {
	d := net.Dialer{LocalAddr: local, KeepAlive: keepAlivePeriod(o)}
	c, err := beside(ctx, func(ctx context.Context) (net.Conn, error) {
		return d.DialContext(ctx, remote.Network(), remote.String())
	})
	if err != nil {
		return nil, err
	}
	return openStream(l, c, remote.Network()), nil
}

// keepAlivePeriod is o's choice as package net takes it.
func keepAlivePeriod(o *socketOptions) time.Duration {
	if o.keepAlive {
		return 0 // its own
	}
	return -1
}

// bindSocket returns a socket that is bound to local. As package net binds and
// listens in one, connections can be made already, and wait.
func bindSocket(l *Loop, local net.Addr, o *serverOptions) (*socket, error) {
	network := local.Network()
	if tcp, ok := local.(*net.TCPAddr); ok { // both families have one socket otherwise
		network = "tcp6"
		if tcp.IP.To4() != nil {
			network = "tcp4"
		}
	}
	lc := (&ListenConfig{ReusePort: o.reusePort}).net()
	lc.KeepAlive = keepAlivePeriod(&o.socketOptions)
	ln, err := lc.Listen(context.Background(), network, local.String())
	if err != nil {
		return nil, opError("listen", local, inner(err))
	}
	return openListener(l, ln, local.Network()), nil
}

// inner is what packages net and os have put their own words around.
func inner(err error) error {
	switch e := err.(type) {
	case *net.OpError:
		return e.Err
	case *os.PathError:
		return e.Err
	}
	return err
}

// dupStream returns a socket of the loop that is the same as c.
func dupStream(l *Loop, c syscall.Conn) (*socket, error) {
	dup, err := duplicated(c, net.FileConn)
	if err != nil {
		return nil, err
	}
	network := dup.LocalAddr().Network()
	if network != "tcp" && network != "unix" {
		dup.Close()
		return nil, valueErrorf("A Stream Socket was expected")
	}
	return openStream(l, dup, network), nil
}

// dupListener is dupStream for one that listens.
func dupListener(l *Loop, c syscall.Conn) (*socket, error) {
	dup, err := duplicated(c, net.FileListener)
	if err != nil {
		return nil, err
	}
	return openListener(l, dup, dup.Addr().Network()), nil
}

// duplicated makes something of package net of a duplicate of c.
func duplicated[T any](c syscall.Conn, open func(*os.File) (T, error)) (dup T, err error) {
	file, ok := c.(*os.File)
	if !ok {
		has, ok := c.(interface{ File() (*os.File, error) })
		if !ok {
			return dup, typeErrorf("a socket of package net was expected, got %T", c)
		}
		if file, err = has.File(); err != nil {
			return dup, err
		}
		defer file.Close()
	}
	return open(file)
}

// listen has connections accepted. How many may wait is package net's choice.
func (s *socket) listen(int) error {
	if s.ln == nil {
		return opError("listen", s.local, syscall.EINVAL)
	}
	s.is(sched.Readable) // the first accept begins
	return nil
}

// accept returns the next connection. The error is errAgain if there is none.
func (s *socket) accept() (*socket, error) {
	c, err := s.ln.conns.take()
	switch {
	case err == errAgain:
		s.can &^= sched.Readable
		return nil, errAgain
	case err != nil:
		return nil, opError("accept", s.local, inner(err))
	}
	return openStream(s.loop, c, s.network), nil
}

// acceptLast ends listening, and returns the connections that were accepted
// already: nobody else would serve them.
func (s *socket) acceptLast() (last []*socket) {
	s.ln.Close()
	for _, c := range s.ln.conns.rest() {
		last = append(last, openStream(s.loop, c, s.network))
	}
	return last
}

// watch begins to read.
func (s *socket) watch() error {
	switch {
	case s.shut:
		return net.ErrClosed
	case s.grams != nil:
		s.grams.begin()
	default:
		s.in.begin()
	}
	return nil
}

// read takes what has come, without waiting: errAgain if there is nothing, 0 at
// the end.
func (s *socket) read(p []byte) (int, error) {
	n, err := s.in.read(p)
	if !s.in.any() {
		s.can &^= sched.Readable
	}
	return n, bare(err)
}

// write takes what there is room for, without waiting: errAgain if there is none.
// An error is that of an earlier write.
func (s *socket) write(p []byte) (int, error) {
	n, err := s.out.write(p)
	if n < len(p) && err == nil || err == errAgain {
		s.can &^= sched.Writable
	}
	return n, bare(err)
}

// sendFile leaves it to write: a goroutine would have to wait for the file, too.
func (s *socket) sendFile(*os.File, int64, int64) (int, error) { return 0, errNoSendfile }

// bare is err as a system call would have returned it.
func bare(err error) error {
	err = inner(err)
	if e, ok := err.(*os.SyscallError); ok {
		return e.Err
	}
	return err
}

// closeWrite ends what is sent, when all is.
func (s *socket) closeWrite() error {
	half, ok := s.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	s.out.finally(func() { half.CloseWrite() })
	return nil
}

// close gives the socket back. What was written goes out before, and has
// lingerTime for that. Closing twice is once.
func (s *socket) close() {
	if s.shut {
		return
	}
	s.shut, s.on, s.can = true, nil, 0
	s.opened.leave()
	switch {
	case s.ln != nil:
		s.ln.conns.close()
		s.ln.Close()
	case s.grams != nil:
		s.grams.close()
	default:
		s.out.closeAfter(s.conn)
	}
}

func (s *socket) abandon() { s.close() }

// closed reports whether close was called.
func (s *socket) closed() bool { return s.shut }

// localAddr returns the socket's own address, nil if it has none.
func (s *socket) localAddr() net.Addr { return s.local }

// remoteAddr returns the address of the other side, nil if it is not known.
func (s *socket) remoteAddr() net.Addr { return s.remote }

// Control calls f with the descriptor: it is a syscall.RawConn's.
func (s *socket) Control(f func(fd uintptr)) error {
	if s.shut {
		return net.ErrClosed
	}
	var of any = s.conn
	switch {
	case s.ln != nil:
		of = s.ln.Listener
	case s.grams != nil:
		of = s.grams.conn
	}
	c, ok := of.(syscall.Conn)
	if !ok {
		return errors.ErrUnsupported
	}
	raw, err := c.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Control(f)
}

// Read calls f with the descriptor, once: nobody can wait here.
func (s *socket) Read(f func(fd uintptr) bool) error { return s.once(f) }

// Write is as Read.
func (s *socket) Write(f func(fd uintptr) bool) error { return s.once(f) }

func (s *socket) once(f func(fd uintptr) bool) error {
	done := false
	err := s.Control(func(fd uintptr) { done = f(fd) })
	if err == nil && !done {
		err = os.NewSyscallError("wait", errAgain)
	}
	return err
}
