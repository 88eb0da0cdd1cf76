package asyncio

import (
	"syscall"
	"time"
)

// A ConnectOption is a choice made for OpenConnection, CreateConnection and their
// likes for unix sockets.
type ConnectOption interface{ forConnect(o *connectOptions) }

// A ServerOption is a choice made for StartServer, CreateServer and their likes for
// unix sockets.
type ServerOption interface{ forServer(o *serverOptions) }

// A DatagramOption is a choice made for CreateDatagramEndpoint. Of the
// SocketOptions WithSocket is one, with a net.PacketConn of package net.
type DatagramOption interface{ forDatagrams(o *datagramOptions) }

// A SocketOption is a choice that connections, servers and datagrams have.
type SocketOption interface {
	ConnectOption
	ServerOption
	DatagramOption
}

// A LocalOption is a choice about the own address of what sends to another.
type LocalOption interface {
	ConnectOption
	DatagramOption
}

// A ListenOption is a choice about an address at which others are waited for.
type ListenOption interface {
	ServerOption
	DatagramOption
}

// What an option says of a socket is in the part that the choices for connections,
// servers and datagrams have in common, so a socketOption is an option of all three;
// which of them take it is said by the interface that is returned.
type (
	socketOption   func(*socketOptions)
	connectOption  func(*connectOptions)
	serverOption   func(*serverOptions)
	datagramOption func(*datagramOptions)
)

func (f socketOption) forConnect(o *connectOptions)      { f(&o.socketOptions) }
func (f socketOption) forServer(o *serverOptions)        { f(&o.socketOptions) }
func (f socketOption) forDatagrams(o *datagramOptions)   { f(&o.socketOptions) }
func (f connectOption) forConnect(o *connectOptions)     { f(o) }
func (f serverOption) forServer(o *serverOptions)        { f(o) }
func (f datagramOption) forDatagrams(o *datagramOptions) { f(o) }

type socketOptions struct {
	limit     int // of a StreamReader; 0: the default
	existing  syscall.Conn
	keepAlive bool
	tls       *tlsChoice // nil: none

	local       string // where it is bound
	reusePort   bool
	replacePath bool
}

type connectOptions struct {
	socketOptions
	delay      time.Duration
	staggered  bool
	interleave int
	allErrors  bool
}

type serverOptions struct {
	socketOptions
	backlog        int
	noReuseAddress bool
	idle           bool // it does not serve yet
	keepPath       bool
}

// WithLimit sets the limit of the StreamReader: how long a line may be, in bytes,
// and half of what is kept for a program that does not read. The default is 64
// KiB. Python: limit.
func WithLimit(bytes int) SocketOption {
	return socketOption(func(o *socketOptions) { o.limit = bytes })
}

// WithSocket takes c, a net.Conn of package net, in place of a new connection; or
// a net.Listener in place of new sockets that listen, one that was inherited,
// say; or a net.PacketConn in place of a new socket for datagrams: then network and address are not looked at. A duplicate of it is used, so
// c can be closed afterwards, and should be: as long as it is open nothing ends with the
// transport or the server. Debug mode says so. An *os.File of a socket will do, too.
// On js package net duplicates nothing, which is an error. Python: sock.
func WithSocket(c syscall.Conn) SocketOption {
	return socketOption(func(o *socketOptions) { o.existing = c })
}

// WithKeepAlive tells whether the system asks now and then whether the other side
// of an idle TCP connection is still there. It does not unless this says so.
// Python: keep_alive.
func WithKeepAlive(on bool) SocketOption {
	return socketOption(func(o *socketOptions) { o.keepAlive = on })
}

// WithLocalAddr sets the local address of a connection: a "host:port" in which the
// port may be 0 and the host empty. Python: local_addr. It is where a socket for
// datagrams receives, too: there it is a path with "unixgram".
func WithLocalAddr(addr string) LocalOption {
	return socketOption(func(o *socketOptions) { o.local = addr })
}

// WithHappyEyeballs has the next address of a name tried already when the one
// before has not answered after delay (RFC 8305 recommends 250 ms). The
// first to answer is taken. Without it the next is tried when the one before has
// failed. Python: happy_eyeballs_delay.
func WithHappyEyeballs(delay time.Duration) ConnectOption {
	return connectOption(func(o *connectOptions) { o.delay, o.staggered = delay, true })
}

// WithInterleave has addresses of the two families tried in turns, after first of
// the one that comes first. With WithHappyEyeballs the default is 1, else 0: as
// the system gives them. Python: interleave.
func WithInterleave(first int) ConnectOption {
	return connectOption(func(o *connectOptions) { o.interleave = first })
}

// WithAllErrors has the error of a connection that cannot be made be an
// *ExceptionGroup of those of all addresses. Python: all_errors.
func WithAllErrors() ConnectOption {
	return connectOption(func(o *connectOptions) { o.allErrors = true })
}

// WithBacklog sets how many connections may wait to be accepted, and how many are
// accepted in a turn. The default is 100. Python: backlog.
func WithBacklog(n int) ServerOption { return serverOption(func(o *serverOptions) { o.backlog = n }) }

// WithReuseAddress tells whether an address can be listened on whose former
// connections have just ended. It can unless this says otherwise. Python:
// reuse_address.
func WithReuseAddress(on bool) ServerOption {
	return serverOption(func(o *serverOptions) { o.noReuseAddress = !on })
}

// WithReusePort tells whether others may listen on the same port, who share the
// connections or datagrams: servers of other loops or processes. Where the loop
// watches no descriptors it is errors.ErrUnsupported. Python: reuse_port.
func WithReusePort(on bool) ListenOption {
	return socketOption(func(o *socketOptions) { o.reusePort = on })
}

// WithStartServing tells whether the server accepts connections at once. It does
// unless this says otherwise: see Server.StartServing. Python: start_serving.
func WithStartServing(on bool) ServerOption {
	return serverOption(func(o *serverOptions) { o.idle = !on })
}

// WithCleanupSocket tells whether Close removes the path of a unix socket. It
// does unless this says otherwise. Python: cleanup_socket.
func WithCleanupSocket(on bool) ServerOption {
	return serverOption(func(o *serverOptions) { o.keepPath = !on })
}

// WithReplacePath tells whether the path of a unix socket is taken also from one that
// is alive: new connections and datagrams come to this one, and the other, which is
// not told, gets no more. It is not unless this says so: the error is that of an
// address in use. Python takes it, always.
func WithReplacePath(on bool) ListenOption {
	return socketOption(func(o *socketOptions) { o.replacePath = on })
}

func connectChoices(opts []ConnectOption) *connectOptions {
	o := &connectOptions{}
	choose(o, opts, ConnectOption.forConnect)
	if o.staggered && o.interleave == 0 {
		o.interleave = 1
	}
	return o
}

func serverChoices(opts []ServerOption) *serverOptions {
	o := &serverOptions{backlog: 100}
	choose(o, opts, ServerOption.forServer)
	return o
}

type datagramOptions struct {
	socketOptions
	remote    string
	broadcast bool
}

// WithRemoteAddr has datagrams sent to addr and received from there only; with
// WithBroadcast they are received from everywhere. Python: remote_addr.
func WithRemoteAddr(addr string) DatagramOption {
	return datagramOption(func(o *datagramOptions) { o.remote = addr })
}

// WithBroadcast tells whether datagrams may be sent to all of a network. They may
// not unless this says so. Python: allow_broadcast.
func WithBroadcast(on bool) DatagramOption {
	return datagramOption(func(o *datagramOptions) { o.broadcast = on })
}

func datagramChoices(opts []DatagramOption) *datagramOptions {
	o := &datagramOptions{}
	choose(o, opts, DatagramOption.forDatagrams)
	return o
}
