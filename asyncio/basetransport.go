package asyncio

// A BaseTransport is what all transports have. A transport is the loop's side of
// a connection, a pipe, a socket for datagrams or a child process; it tells its
// protocol what happens. Transports belong to their loop: only its tasks and
// callbacks may call them, and no method switches.
//
// Python: asyncio.BaseTransport.
type BaseTransport interface {
	// Close closes the transport when what was written is sent. Nothing is
	// received any more. The protocol's ConnectionLost(nil) is called later, not
	// from inside. A second call does nothing. Python: close.
	Close()

	// IsClosing reports whether the transport is closed, or about to be. Python:
	// is_closing.
	IsClosing() bool

	// ExtraInfo returns what is known by a name, or fallback (nil without one) if
	// there is nothing: "peername" and "sockname" are a net.Addr, "socket" is a
	// syscall.RawConn; with TLS, "sslcontext" is the *tls.Config, "ssl_object" the
	// tls.ConnectionState, "peercert" the *x509.Certificate of the other side and
	// "cipher" the name of the suite; of a pipe, "pipe" is a syscall.RawConn; of a child
	// process, "subprocess" is its *os.Process. Python: get_extra_info.
	ExtraInfo(name string, fallback ...any) any

	// SetProtocol makes p the one that is told from now on. It must be of the
	// same kind as the one before; else it panics with a TypeError. Python:
	// set_protocol.
	SetProtocol(p BaseProtocol)

	// Protocol returns the protocol. Python: get_protocol.
	Protocol() BaseProtocol

	// Loop returns the loop that the transport belongs to.
	Loop() *Loop
}

// A BaseProtocol has the callbacks that all protocols have, with which a transport
// tells a program what happens to its connection. The loop calls them as it calls
// callbacks: one at a time, in no task, so they must not wait. If one panics, the
// exception handler is told and the transport is aborted; a socket for datagrams
// stays open, as one datagram has nothing to do with the next.
//
// Python: asyncio.BaseProtocol.
type BaseProtocol interface {
	// ConnectionLost is called when the connection is over, once, and last of
	// all. err is nil after an end that one of the two sides has asked for: Close,
	// or the end of what the other side sends.
	ConnectionLost(err error)
}
