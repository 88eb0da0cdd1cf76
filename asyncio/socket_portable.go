package asyncio

import (
	"context"
	"errors"
	"net"
	"os"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
	"github.com/go-greenlet/greenlet/sched"
)

// A portableSocket is a socket of package net. It is for systems whose descriptors
// the loop cannot watch: there Go's own poller waits, on goroutines that read ahead
// and write behind, and that post what is new. This file is all that knows that.
type portableSocket struct {
	anySocket

	// One of these is not nil.
	conn  net.Conn
	ln    *listening
	grams *fd.Packets

	in  fd.ReadAhead   // of conn
	out fd.WriteBehind // of conn
}

// portableSockets makes portableSockets.
type portableSockets struct{}

// openPortable makes a socket of network, which the loop closes at the latest.
func openPortable(l *Loop, network string) *portableSocket {
	s := &portableSocket{}
	s.can = sched.Writable
	s.open(l, s, network)
	return s
}

// openStream makes a socket of a connection.
func openStream(l *Loop, c net.Conn, network string) *portableSocket {
	s := openPortable(l, network)
	s.conn, s.local, s.remote = c, c.LocalAddr(), c.RemoteAddr()
	s.in.Init(l.s, c, func() { s.is(sched.Readable) })
	s.out.Init(l.s, &l.world().writers, c, func() { s.is(sched.Writable) })
	return s
}

// openListener makes a socket of a listener.
func openListener(l *Loop, ln net.Listener, network string) *portableSocket {
	if u, ok := ln.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false) // the server does that
	}
	s := openPortable(l, network)
	s.local = ln.Addr()
	s.ln = &listening{ln, fd.Ahead[net.Conn]{
		Loop: l.s,
		Get: func() (net.Conn, error) {
			c, err := ln.Accept()
			sys.Acquire()
			return c, err
		},
		Drop: func(c net.Conn) { c.Close() },
		Came: func() { s.is(sched.Readable) },
		Most: fd.AheadMost,
	}}
	return s
}

// listening is what a socket that listens has.
type listening struct {
	net.Listener
	conns fd.Ahead[net.Conn]
}

func (portableSockets) connect(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (*anySocket, error) {
	d := net.Dialer{LocalAddr: local, KeepAlive: keepAlivePeriod(o)}
	c, err := beside(ctx, func(ctx context.Context) (net.Conn, error) {
		sys.Release()
		return d.DialContext(ctx, remote.Network(), remote.String())
	})
	if err != nil {
		return nil, err
	}
	return &openStream(l, c, remote.Network()).anySocket, nil
}

// keepAlivePeriod is o's choice as package net takes it.
func keepAlivePeriod(o *socketOptions) time.Duration {
	if o.keepAlive {
		return 0 // its own
	}
	return -1
}

// bind returns a socket that is bound to local. As package net binds and listens in
// one, connections can be made already, and wait.
func (portableSockets) bind(_ context.Context, l *Loop, local net.Addr, o *serverOptions) (*anySocket, error) {
	network := local.Network()
	if tcp, ok := local.(*net.TCPAddr); ok { // both families have one socket otherwise
		network = "tcp6"
		if tcp.IP.To4() != nil {
			network = "tcp4"
		}
	}
	if o.reusePort {
		return nil, opError("listen", local, errors.ErrUnsupported)
	}
	var lc net.ListenConfig
	lc.KeepAlive = keepAlivePeriod(&o.socketOptions)
	ln, err := lc.Listen(context.Background(), network, local.String())
	if err != nil {
		return nil, opError("listen", local, inner(err))
	}
	return &openListener(l, ln, local.Network()).anySocket, nil
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

func (portableSockets) dupStream(l *Loop, c syscall.Conn) (*anySocket, error) {
	dup, err := duplicated(c, net.FileConn)
	if err != nil {
		return nil, err
	}
	network := dup.LocalAddr().Network()
	if network != "tcp" && network != "unix" {
		dup.Close()
		return nil, valueErrorf("A Stream Socket was expected")
	}
	s := openStream(l, dup, network)
	s.given.duplicated(l, c)
	return &s.anySocket, nil
}

func (portableSockets) dupListener(l *Loop, c syscall.Conn) (*anySocket, error) {
	dup, err := duplicated(c, net.FileListener)
	if err != nil {
		return nil, err
	}
	s := openListener(l, dup, dup.Addr().Network())
	s.given.duplicated(l, c)
	return &s.anySocket, nil
}

// duplicated makes something of package net of a duplicate of c.
func duplicated[T any](c syscall.Conn, open func(*os.File) (T, error)) (dup T, err error) {
	file, err := dupFile(c)
	if err != nil {
		return dup, err
	}
	defer file.Close() // open has one of its own
	return open(file)
}

// listen has connections accepted. How many may wait is package net's choice.
func (s *portableSocket) listen(int) error {
	if s.ln == nil {
		return opError("listen", s.local, syscall.EINVAL)
	}
	s.is(sched.Readable) // the first accept begins
	return nil
}

// accept returns the next connection. The error is fd.ErrAgain if there is none.
func (s *portableSocket) accept() (*anySocket, error) {
	var c net.Conn
	err := s.ln.conns.Take(func(came *net.Conn) bool {
		c = *came
		return true
	})
	switch {
	case err == fd.ErrAgain:
		s.can &^= sched.Readable
		return nil, fd.ErrAgain
	case err != nil:
		return nil, opError("accept", s.local, inner(err))
	}
	return &openStream(s.loop, c, s.network).anySocket, nil
}

// acceptLast ends listening, and returns the connections that were accepted
// already: nobody else would serve them.
func (s *portableSocket) acceptLast() (last []*anySocket) {
	s.ln.Close()
	for _, c := range s.ln.conns.Rest() {
		last = append(last, &openStream(s.loop, c, s.network).anySocket)
	}
	return last
}

// watch begins to read.
func (s *portableSocket) watch() error {
	switch {
	case s.shut:
		return net.ErrClosed
	case s.grams != nil:
		s.grams.Begin()
	default:
		s.in.Begin()
	}
	return nil
}

// read takes what has come, without waiting: fd.ErrAgain if there is nothing, 0 at
// the end.
func (s *portableSocket) read(p []byte) (int, error) {
	n, err := s.in.Read(p)
	if !s.in.Any() {
		s.can &^= sched.Readable
	}
	return n, bare(err)
}

// write takes what there is room for, without waiting: fd.ErrAgain if there is none.
// An error is that of an earlier write.
func (s *portableSocket) write(p []byte) (int, error) {
	n, err := s.out.Write(p)
	if n < len(p) && err == nil || err == fd.ErrAgain {
		s.can &^= sched.Writable
	}
	return n, bare(err)
}

// sendFile leaves it to write: a goroutine would have to wait for the file, too.
func (s *portableSocket) sendFile(*os.File, int64, int64) (int, error) { return 0, fd.ErrNoSendfile }

// bare is err as a system call would have returned it.
func bare(err error) error {
	err = inner(err)
	if e, ok := err.(*os.SyscallError); ok {
		return e.Err
	}
	return err
}

// closeWrite ends what is sent, when all is.
func (s *portableSocket) closeWrite() error {
	half, ok := s.conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	s.out.Finally(func() {
		sys.Release()
		half.CloseWrite()
	})
	return nil
}

// close gives the socket back. What was written goes out before, and has
// lingerTime for that.
func (s *portableSocket) close() {
	switch {
	case s.ln != nil:
		s.ln.conns.Close()
		s.ln.Close()
	case s.grams != nil:
		s.grams.Close()
	default:
		s.out.CloseAfter(s.conn)
	}
}

// localAddr returns the socket's own address, nil if it has none.
func (s *portableSocket) localAddr() net.Addr { return s.local }

// remoteAddr returns the address of the other side, nil if it is not known.
func (s *portableSocket) remoteAddr() net.Addr { return s.remote }

func (s *portableSocket) control(f func(fd uintptr)) error {
	var of any = s.conn
	switch {
	case s.ln != nil:
		of = s.ln.Listener
	case s.grams != nil:
		of = s.grams.Conn
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
