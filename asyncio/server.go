package asyncio

import (
	"context"
	"fmt"
	"net"
	"os"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// A Server listens, and has a transport and a protocol made for each connection
// that it accepts. It belongs to its loop, and so do its methods. What it listens
// on is closed with the loop at the latest.
//
// Python: asyncio.Server.
type Server struct {
	loop    *Loop
	owner   owner
	factory func() BaseProtocol
	opts    *serverOptions
	secure  *tlsOptions // nil: no TLS

	listeners []*acceptor // nil when it is closed
	addrs     []net.Addr  // of those there were
	serving   bool
	forever   *Future[None] // while ServeForever runs
	leaving   bool          // ServeForever has ended: what still arrives is closed
	path      os.FileInfo   // of the unix socket that it has made

	arriving int // connections that were accepted and have no transport yet
	clients  clients
	closers  line // those in WaitClosed
	opened   inList[openThing]
}

// CreateServer makes a server that listens on addr. factory makes the protocol of
// each connection. network and addr are those of CreateConnection; an empty host is
// every address of the machine, and port 0 a free port: see Server.Addr. The path
// of a unix socket is taken over if nobody listens there any more; if somebody does
// it is in use, unless WithReplacePath says otherwise.
//
// If it serves at once, the calling task goes on in the next turn. The error is a
// *net.OpError if an address cannot be listened on, a ValueError of the options of
// TLS, or one of a wait. With an error nothing is left open. Only a
// task may call it.
//
// Python: loop.create_server.
func CreateServer[P BaseProtocol](ctx context.Context, factory func() P, network, addr string, opts ...ServerOption) (*Server, error) {
	return createServer(ctx, func() BaseProtocol { return factory() }, network, addr, serverChoices(opts))
}

// CreateUnixServer is CreateServer on a unix socket. Python:
// loop.create_unix_server.
func CreateUnixServer[P BaseProtocol](ctx context.Context, factory func() P, path string, opts ...ServerOption) (*Server, error) {
	return CreateServer(ctx, factory, "unix", path, opts...)
}

func createServer(ctx context.Context, factory func() BaseProtocol, network, addr string, o *serverOptions) (*Server, error) {
	me, err := current(ctx)
	if err != nil {
		return nil, err
	}
	secure, err := o.tls.options(true, "")
	if err != nil {
		return nil, err
	}
	srv := &Server{loop: me.loop, owner: owner{loop: me.loop}, factory: factory, opts: o, secure: secure}
	srv.clients.left = srv.checkEnd
	if err := srv.bind(ctx, network, addr); err != nil {
		srv.release()
		return nil, err
	}
	me.loop.holds(&srv.opened, srv)
	if !o.idle {
		if err := srv.StartServing(ctx); err != nil {
			srv.Close()
			return nil, err
		}
	}
	return srv, nil
}

// bind makes the sockets.
func (srv *Server) bind(ctx context.Context, network, addr string) error {
	l := srv.loop
	if c := srv.opts.existing; c != nil {
		s, err := l.world().sockets.dupListener(l, c)
		if err == nil {
			srv.add(s)
		}
		return err
	}
	addrs, err := resolveAddr(ctx, srv.loop, network, addr, true)
	if err != nil {
		return err
	}
	var first error
	port := 0
	for _, a := range addrs {
		if tcp, ok := a.(*net.TCPAddr); ok && tcp.Port == 0 {
			tcp.Port = port // all have the same
		}
		u, unix := a.(*net.UnixAddr)
		if unix && l.Network() == nil {
			if err := freePath(u, srv.opts.replacePath); err != nil {
				return opError("listen", u, err)
			}
		}
		s, err := l.world().sockets.bind(ctx, l, a, srv.opts)
		if err != nil {
			if first == nil {
				first = err
			}
			if len(addrs) > 1 && fd.Absent(err) {
				continue // the machine lacks one of the families
			}
			return err
		}
		srv.add(s)
		if tcp, ok := s.end.localAddr().(*net.TCPAddr); ok {
			port = tcp.Port
		}
		if unix && l.Network() == nil && !srv.opts.keepPath {
			srv.path, _ = os.Lstat(u.Name)
		}
	}
	if len(srv.listeners) == 0 {
		return first
	}
	return nil
}

func (srv *Server) add(s *anySocket) {
	srv.listeners = append(srv.listeners, newAcceptor(srv, s))
	srv.addrs = append(srv.addrs, s.end.localAddr())
}

// StartServing begins to accept connections, if the server does not yet, and lets
// everything run that is ready. The error is that of the system, a RuntimeError
// after Close, or one of a wait. Only a task may call it. Python: Server.start_serving.
func (srv *Server) StartServing(ctx context.Context) error {
	if err := srv.start(); err != nil {
		return err
	}
	return Sleep(ctx, 0)
}

func (srv *Server) start() error {
	if srv.listeners == nil {
		return runtimeErrorf("server %s is closed", srv)
	}
	if srv.serving {
		return nil
	}
	for _, ln := range srv.listeners {
		if err := ln.sock.end.listen(srv.opts.backlog); err != nil {
			return err
		}
	}
	srv.serving = true
	return nil
}

// ServeForever accepts connections until the calling task is cancelled, ctx ends, or
// Close is called. Then it closes the server, and its connections as CloseClients
// does: what was written is still sent. After a cancel and Close it waits for their
// end as WaitClosed does. It returns the CancelledError, or the error of ctx, and
// never nil. A server whose requests in flight are to be finished waits for
// something else than ServeForever, and calls Shutdown.
//
// While it runs, or after Close, a second call is refused with a RuntimeError.
// Python: Server.serve_forever, of 3.15.
func (srv *Server) ServeForever(ctx context.Context) error {
	if srv.forever != nil {
		return runtimeErrorf("server %s is already being awaited on serve_forever()", srv)
	}
	if err := srv.start(); err != nil {
		return err
	}
	f := NewFuture[None](srv.loop)
	srv.forever = f
	_, err := f.Await(ctx)
	srv.forever = nil
	srv.leaving = true
	srv.Close()
	srv.CloseClients()
	if asCancelled(err) != nil {
		srv.WaitClosed(ctx)
	}
	return err
}

// Close ends listening. Connections go on: see CloseClients, AbortClients and
// Shutdown. A second call does nothing. It does not switch. Python: Server.close.
func (srv *Server) Close() {
	if srv.listeners == nil {
		return
	}
	if !srv.loop.s.Closed() {
		for _, ln := range srv.listeners {
			for _, s := range ln.sock.end.acceptLast() {
				srv.arrived(s)
			}
		}
	}
	srv.release()
	srv.opened.leave()
	if srv.forever != nil {
		srv.forever.Cancel()
	}
	srv.checkEnd()
}

// abandon gives back the sockets when the loop is closed.
func (srv *Server) abandon() {
	srv.loop.unclosed(srv)
	srv.release()
}

// release gives back the sockets, and tells nobody.
func (srv *Server) release() {
	for _, ln := range srv.listeners {
		ln.close()
	}
	srv.listeners, srv.serving = nil, false
	if srv.path != nil {
		name := srv.addrs[0].(*net.UnixAddr).Name
		if now, err := os.Lstat(name); err == nil && os.SameFile(now, srv.path) {
			os.Remove(name)
		}
	}
}

// checkEnd wakes those who wait for the end of the last connection.
func (srv *Server) checkEnd() {
	if srv.over() {
		srv.closers.wake(everybody)
	}
}

// over reports whether the server is closed and has no connections.
func (srv *Server) over() bool {
	return srv.listeners == nil && srv.clients.n == 0 && srv.arriving == 0
}

// WaitClosed suspends the calling task until the server is closed and its last
// connection is over. If that is so it does not switch. The error is
// one of a wait. Only a task may call it. Python: Server.wait_closed, of 3.12.
func (srv *Server) WaitClosed(ctx context.Context) error {
	if srv.over() {
		return nil
	}
	t, err := srv.owner.caller(ctx, "Server")
	if err != nil {
		return err
	}
	_, err = srv.closers.wait(ctx, t)
	return err
}

// CloseClients closes the transports of all connections: what was written is
// sent. It does not switch. Python: Server.close_clients, of 3.13.
func (srv *Server) CloseClients() {
	for _, t := range srv.clients.all() {
		outermost(t).Close()
	}
}

// AbortClients closes the transports of all connections at once: what was not
// sent is dropped. It does not switch. Python: Server.abort_clients, of 3.13.
func (srv *Server) AbortClients() {
	for _, t := range srv.clients.all() {
		t.Abort()
	}
}

// Shutdown ends the server in an orderly way: it closes it, and waits until its
// connections are over. If ctx ends before, or the calling task is cancelled, it
// aborts those that are left, waits until they are gone, and returns the error.
// Only a task may call it. Python has no such call.
func (srv *Server) Shutdown(ctx context.Context) error {
	srv.Close()
	err := srv.WaitClosed(ctx)
	if err == nil {
		return nil
	}
	for !srv.over() {
		srv.AbortClients()
		t, e := srv.owner.caller(ctx, "Server")
		if e != nil {
			return e
		}
		g, e := srv.closers.stand(t)
		if g != nil {
			_, e = g.Switch(nil)
		}
		if _, e = srv.closers.leave(t, e); e != nil {
			return e
		}
	}
	return err
}

// IsServing reports whether the server accepts connections. Python:
// Server.is_serving.
func (srv *Server) IsServing() bool { return srv.serving }

// Addrs returns the addresses that the server listens on: none after Close.
// Python: Server.sockets.
func (srv *Server) Addrs() []net.Addr {
	if srv.listeners == nil {
		return nil
	}
	return append([]net.Addr(nil), srv.addrs...)
}

// Addr returns the first of the addresses that the server listens on, or has
// listened on.
func (srv *Server) Addr() net.Addr { return srv.addrs[0] }

// Loop returns the server's loop. Any goroutine may call it. Python:
// Server.get_loop.
func (srv *Server) Loop() *Loop { return srv.loop }

// String describes the server for people.
func (srv *Server) String() string { return fmt.Sprintf("Server%v", srv.addrs) }
