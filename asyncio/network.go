package asyncio

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"time"

	"github.com/go-greenlet/greenlet/sched"
)

// A Network is where the connections of a loop lead: see WithNetwork. Without one
// it is the system's. One that is simulated runs a distributed program in a test,
// the program unchanged: what Dial, Listen, ListenPacket, connections, streams,
// servers, transports, datagrams and the look-up of names ask of the world is in
// this interface, and in those of the ends that it makes.
//
// The loop calls its methods from its tasks: so they may wait as tasks do, with the
// ctx, whose error is returned then. RunningLoop tells the loop. A ctx need not
// come from the calling task, as a library may have kept it from elsewhere:
// CurrentTask(ctx).Context() is the task's own.
//
// Addresses are those of package net: *net.TCPAddr and *net.UDPAddr with an IP,
// *net.UnixAddr with a path that has a meaning in the network only. Errors are those
// of system calls, such as syscall.ECONNREFUSED; the words of package net come round
// them here.
//
// A Network that has a method AllowsGoroutines() bool, which returns true, is for
// goroutines that are not the loop's, too: they may dial, listen, and use connections. A
// task of the loop does for them what they call, and they wait for it; Close and the
// deadlines they only leave to the loop. When its run ends, what they wait for is
// net.ErrClosed. A clock that is not the system's goes forward while they compute: it
// gives them a moment after each call (see sched's Lend), no more. Such goroutines run
// in an order that nobody decides but Go's scheduler.
type Network interface {
	// Connect makes a connection to o.Remote. It waits until there is one.
	Connect(ctx context.Context, o NetworkOptions) (NetworkStream, error)

	// Bind makes a listener at o.Local, which refuses connections until its Listen
	// is called. It does not wait.
	Bind(ctx context.Context, o NetworkOptions) (NetworkListener, error)

	// BindPackets makes an end for datagrams. It does not wait.
	BindPackets(ctx context.Context, o NetworkOptions) (NetworkPackets, error)

	// LookupNetIP returns the addresses of a name, as net.Resolver does: network is
	// "ip", "ip4" or "ip6". It is not asked about numbers.
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)

	// LookupAddr returns the names of an address, as net.Resolver does.
	LookupAddr(ctx context.Context, addr string) (names []string, err error)

	// Now returns what the wall clock shows where the calling task runs: see the
	// function Now. It does not wait.
	Now(ctx context.Context) time.Time
}

// NetworkOptions say how a Network is to make an end.
type NetworkOptions struct {
	// Network is "tcp" or "unix"; for datagrams "udp", "udp4", "udp6" or
	// "unixgram".
	Network string

	// Local is the end's own address. Port 0 is one that is free. If it is nil, the
	// network chooses, and one for datagrams has none until it sends.
	Local net.Addr

	// Remote is the other end's address. It may be nil for datagrams: then each is
	// sent to an address of its own, and they are received from everywhere.
	Remote net.Addr

	V6Only      bool // a Local of [::] is not every address of IPv4, too
	ReusePort   bool // others may have the same address
	Exclusive   bool // an address whose former connections have just ended is taken
	ReplacePath bool // a unix path is taken from who has it
	KeepAlive   bool // the other side of an idle connection is asked whether it lives
	Broadcast   bool // datagrams may be sent to all of a network
}

// ErrWouldBlock is returned by an end of a Network where a call would have to wait:
// there is nothing to read, no room, no connection.
var ErrWouldBlock = errors.New("asyncio: the call would have to wait")

// A NetworkEnd has the methods that all ends of a Network have. They belong to the
// loop, whose tasks and callbacks alone call them, and nothing in them waits.
type NetworkEnd interface {
	// LocalAddr returns the end's own address; nil if it has none.
	LocalAddr() net.Addr

	// Watch has w told of what is new, from now on, in place of another. After a
	// call has returned ErrWouldBlock, or has written less than all, w is told once
	// when the call is worth trying again: Readable if there is something to read
	// or accept, the end or an error, Writable if there is room or an error. Telling
	// more often is no harm. It is told on the loop, in a callback of its own, or
	// by what a task does with the other end.
	Watch(w sched.Watcher)

	// Now returns what the wall clock shows where the end is: deadlines go by it.
	Now() time.Time

	// Close ends it. What was written before is still sent. It is called once, and
	// nothing after it.
	Close() error
}

// A NetworkStream is an end of a connection.
type NetworkStream interface {
	NetworkEnd

	// RemoteAddr returns the other end's address; nil if it has none.
	RemoteAddr() net.Addr

	// Read reads what has come. The error is io.EOF at the end, ErrWouldBlock if
	// there is nothing.
	Read(p []byte) (int, error)

	// Write takes what there is room for, which may be less than all, without an
	// error. The error is ErrWouldBlock if there is no room.
	Write(p []byte) (int, error)

	// CloseWrite ends what is sent.
	CloseWrite() error
}

// A NetworkListener accepts connections.
type NetworkListener interface {
	NetworkEnd

	// Listen has connections made, of which backlog may wait to be accepted. A
	// backlog of zero is the network's choice.
	Listen(backlog int) error

	// Accept returns the next connection, or ErrWouldBlock.
	Accept() (NetworkStream, error)
}

// NetworkPackets is an end for datagrams.
type NetworkPackets interface {
	NetworkEnd

	// RemoteAddr returns the address of NetworkOptions.Remote; nil if there is none.
	RemoteAddr() net.Addr

	// ReadFrom receives one datagram. What p has no room for is lost. The error is
	// ErrWouldBlock if there is none.
	ReadFrom(p []byte) (int, net.Addr, error)

	// WriteTo sends one datagram, to the remote address if to is nil. The error is
	// ErrWouldBlock if there is no room.
	WriteTo(p []byte, to net.Addr) error
}
