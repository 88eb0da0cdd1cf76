package asyncio

import (
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// acceptPause is how long nothing is accepted after the system has run out of
// descriptors or memory. Python: ACCEPT_RETRY_DELAY.
const acceptPause = time.Second

// An acceptor accepts connections for a server.
type acceptor struct {
	server *Server
	sock   *anySocket
	turn   *sched.Call
	pause  *TimerHandle // nil unless it has run out of something
	next   func() (*anySocket, error)
}

func newAcceptor(srv *Server, s *anySocket) *acceptor {
	ln := &acceptor{server: srv, sock: s}
	ln.next = s.end.accept
	ln.turn = srv.loop.newCall(ln.accept)
	s.on = ln
	return ln
}

// Happened has connections accepted in the loop's next turn.
func (ln *acceptor) Happened(sched.Events) {
	if ln.pause == nil {
		ln.turn.Soon()
	}
}

// accept accepts the connections of a turn. Each has its protocol and transport
// made in the next, as by a callback.
func (ln *acceptor) accept() {
	srv := ln.server
	for range max(srv.opts.backlog, 1) {
		if ln.sock.shut {
			return
		}
		s, err := ln.next()
		if err == fd.ErrAgain {
			return
		}
		if err != nil {
			ln.rest(err)
			return
		}
		srv.arrived(s)
	}
	ln.turn.Soon() // there may be more
}

// arrived has a connection served.
func (srv *Server) arrived(s *anySocket) {
	srv.arriving++
	srv.loop.callSoon(func() { srv.welcome(s) })
}

// rest reports err, and has accepting tried again after a while: what is lacking
// may be there then.
func (ln *acceptor) rest(err error) {
	l := ln.server.loop
	message := "socket.accept() failed"
	if fd.OutOfResources(err) {
		message = "socket.accept() out of system resource"
	}
	ln.pause = l.callLater(acceptPause, func() {
		ln.pause = nil
		ln.turn.Soon()
	})
	l.CallExceptionHandler(ExceptionContext{Message: message, Exception: err})
}

// close ends listening.
func (ln *acceptor) close() {
	if ln.pause != nil {
		ln.pause.Cancel()
	}
	ln.turn.Cancel()
	ln.sock.close()
}

// welcome makes the protocol and the transport of a connection. One that has come
// before Close is served, unless ServeForever has ended.
func (srv *Server) welcome(s *anySocket) {
	defer func() {
		srv.arriving--
		if p := recover(); p != nil {
			s.close()
			err := panicError(p, "a protocol's factory")
			if endsRun(err) {
				srv.loop.s.Abort(err)
			} else {
				srv.refuse(err)
			}
		}
		srv.checkEnd()
	}()
	if err := srv.connect(s, srv.factory()); err != nil {
		s.close()
		srv.refuse(err)
	}
}

// connect makes the transport of a connection.
func (srv *Server) connect(s *anySocket, p BaseProtocol) error {
	if srv.secure != nil {
		over, err := newTLSTransport(srv.loop, p, srv.secure, false)
		if err != nil {
			return err
		}
		p = over.asProtocol()
	}
	t, err := newSocketTransport(srv.loop, s, p, &srv.clients)
	if err == nil && srv.leaving {
		outermost(t).Close()
	}
	return err
}

func (srv *Server) refuse(err error) {
	srv.loop.CallExceptionHandler(ExceptionContext{Message: "Error on transport creation for incoming connection", Exception: err})
}
