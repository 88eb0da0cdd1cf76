package asyncio

import (
	"context"
	"net"
	"os"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// An anySocket is a socket of any kind, below a transport or a server: the end of a
// connection, or a listener, or an end for datagrams, without their rules. (A Socket,
// in sock.go, is one of the system that a program calls by itself.) What it does is done by its end, of
// which there are three kinds: one of the system that the loop watches
// (socket_watched.go), one of the system that goroutines wait for
// (socket_portable.go), and one of another network (socket_network.go). What is
// above does not know which.
//
// An end tells what is new once. So the socket keeps what it was told until a call
// finds that it is so no more: see can.
type anySocket struct {
	end  socketEnd
	loop *Loop
	on   sched.Watcher // told of what is new, when it is noted in can; may be nil

	// What is worth trying: a read while it has Readable, a write while it has
	// Writable. HungUp stays: nothing new may be told after it, so reads go on
	// until the end.
	can sched.Events

	shut      bool // close was called
	connected bool // one for datagrams that has a remote address of the system

	network       string
	local, remote net.Addr // as far as they are known

	given  original          // by WithSocket
	opened inList[openThing] // the loop's, of the socket or the transport that has it
}

// A socketEnd does what a socket does. Nothing in it waits: the error of what would
// have to is fd.ErrAgain.
type socketEnd interface {
	// watch begins to note what can be done. If it has begun it does nothing.
	watch() error
	// read reads what has come: 0 is the end.
	read(p []byte) (int, error)
	// write sends what there is room for.
	write(p []byte) (int, error)
	// sendFile sends up to n bytes of f from at on: fd.ErrNoSendfile if it does not
	// send f, 0 at the end of the file.
	sendFile(f *os.File, at, n int64) (int, error)
	// closeWrite ends what is sent.
	closeWrite() error

	// listen has connections made, of which backlog may wait to be accepted, and
	// watches for them.
	listen(backlog int) error
	// accept returns the next connection.
	accept() (*anySocket, error)
	// acceptLast ends listening, and returns what was accepted ahead: nobody else
	// would serve it.
	acceptLast() []*anySocket

	// receiveFrom receives one datagram.
	receiveFrom(p []byte) (int, net.Addr, error)
	// sendTo sends one datagram. If the socket is not connected, checkAddr has
	// passed to.
	sendTo(p []byte, to net.Addr) error
	// checkAddr returns what is wrong with to as where a datagram goes.
	checkAddr(to net.Addr) error

	// localAddr and remoteAddr return nil if there is none.
	localAddr() net.Addr
	remoteAddr() net.Addr
	// control calls f with the descriptor.
	control(f func(fd uintptr)) error
	// close gives back what it has. It is called once.
	close()
}

// sockets makes the sockets of a loop, of one kind.
type sockets interface {
	// connect returns a socket that is connected to remote, from local if that is not
	// nil. It suspends the calling task while that takes time.
	connect(ctx context.Context, l *Loop, remote, local net.Addr, o *socketOptions) (*anySocket, error)
	// bind returns a socket that is bound to local. It may not listen yet.
	bind(ctx context.Context, l *Loop, local net.Addr, o *serverOptions) (*anySocket, error)
	// datagrams returns a socket for datagrams that goes by r.
	datagrams(ctx context.Context, l *Loop, network string, r datagramRoute, o *datagramOptions) (*anySocket, error)

	// dupStream, dupListener and dupDatagrams return a socket that is the same as c.
	dupStream(l *Loop, c syscall.Conn) (*anySocket, error)
	dupListener(l *Loop, c syscall.Conn) (*anySocket, error)
	dupDatagrams(l *Loop, c syscall.Conn) (*anySocket, error)
}

// A datagramRoute is where a socket is bound and where it sends to; nil is
// anywhere.
type datagramRoute struct{ local, remote net.Addr }

// open makes s a socket of l, which closes it at the latest.
func (s *anySocket) open(l *Loop, end socketEnd, network string) {
	s.end, s.loop, s.network = end, l, network
	l.holds(&s.opened, s)
}

// is notes what can be done now.
func (s *anySocket) is(ev sched.Events) {
	if s.shut {
		return
	}
	s.can |= ev
	if s.on != nil {
		s.on.Happened(ev)
	}
}

// close gives the socket back. A second call does nothing.
func (s *anySocket) close() {
	if s.shut {
		return
	}
	s.end.close()
	s.shut, s.on, s.can = true, nil, 0
	s.opened.leave()
	s.given.duplicateClosed()
}

func (s *anySocket) abandon() { s.close() }

// info is what a transport of the socket knows by name: fallback[0] if that is
// nothing.
func (s *anySocket) info(name string, fallback []any) any {
	switch name {
	case "peername":
		if a := s.end.remoteAddr(); a != nil {
			return a
		}
	case "sockname":
		if a := s.end.localAddr(); a != nil {
			return a
		}
	case "socket":
		return s
	}
	if len(fallback) > 0 {
		return fallback[0]
	}
	return nil
}

// Control calls f with the descriptor: it is a syscall.RawConn's.
func (s *anySocket) Control(f func(fd uintptr)) error {
	if s.shut {
		return net.ErrClosed
	}
	return s.end.control(f)
}

// Read calls f with the descriptor, once: nobody can wait here.
func (s *anySocket) Read(f func(fd uintptr) bool) error { return s.once(f) }

// Write is as Read.
func (s *anySocket) Write(f func(fd uintptr) bool) error { return s.once(f) }

func (s *anySocket) once(f func(fd uintptr) bool) error {
	done := false
	err := s.Control(func(fd uintptr) { done = f(fd) })
	if err == nil && !done {
		err = os.NewSyscallError("wait", fd.ErrAgain)
	}
	return err
}
