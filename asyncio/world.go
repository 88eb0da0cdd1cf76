package asyncio

import (
	"context"
	"errors"
	"net"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// A world is where the sockets, connections and pipes of a loop come from, and to
// whom it leaves what is to be written.
type world struct {
	network Network // nil: the system's
	sockets sockets
	conns   conns // without a Network
	pipes   pipes
	writers fd.Writers // who write what was taken
}

// conns makes connections as Dial and Listen return them, of those of package net, of
// which it takes possession.
type conns interface {
	conn(l *Loop, network string, c net.Conn) (net.Conn, error)
	listener(l *Loop, network string, ln net.Listener, backlog int) (net.Listener, error)
	packets(l *Loop, network string, c net.PacketConn) (net.PacketConn, error)
}

// The kinds that there are: each is set by the file that has it.
var (
	systemSockets  sockets // of a loop without a Network
	systemConns    conns
	systemPipes    pipes
	networkSockets sockets // of a loop with one
)

var worldPart = newPart(endWrites,
	func() *world { return &world{sockets: systemSockets, conns: systemConns, pipes: systemPipes} },
	func(w *world) { w.writers.Linger() })

func (l *Loop) world() *world { return worldPart.in(l.parts) }

// WithNetwork makes the connections of the loop, and what it knows of names and of
// the wall clock, n's in place of the system's.
//
// Then only the loop's tasks and callbacks may use its connections, unless n allows it
// to goroutines, too (see Network), and what only the system has is refused, with an error that is errors.ErrUnsupported: Sockets,
// AddReader and AddWriter, pipes, child processes, jobs of a ProcessPool, WithSocket
// and the like with a connection of the system, SyscallConn and File of a connection,
// and of Dialer and ListenConfig the fields Control, ControlContext and Resolver.
func WithNetwork(n Network) LoopOption {
	return loopOption(func(o *loopOptions) {
		w := worldPart.in(o.parts)
		if w.network = n; n != nil {
			w.sockets = networkSockets
		}
	})
}

// Network returns what WithNetwork has set; nil is the system's network. Any
// goroutine may call it; it does not switch.
func (l *Loop) Network() Network { return l.world().network }

// Now returns what the wall clock shows: time.Now, or that of the Network of the
// loop that ctx comes from, where the hosts may have clocks of their own, which go
// wrong. A program that is to be simulated asks it in place of time.Now. It does not
// switch. Python has no such call.
func Now(ctx context.Context) time.Time {
	if t := taskOf(ctx); t != nil && t.loop.world().network != nil {
		return t.loop.world().network.Now(ctx)
	}
	if l, err := RunningLoop(ctx); err == nil && l.Network() != nil {
		return l.Network().Now(ctx)
	}
	return time.Now()
}

// onlySystem refuses what another network than the system's does not have.
func (l *Loop) onlySystem(what string) error {
	if l.Network() == nil {
		return nil
	}
	return unsupported(what, "only the system's network has it, and the loop has another")
}

func unsupported(what, why string) error {
	return errorf("NotImplementedError", errors.ErrUnsupported, "%s: %s", what, why)
}

// errOutside is what a goroutine gets that uses a connection of another network than
// the system's.
var errOutside = unsupported("a connection used by another goroutine", "only the loop has its network, which allows no goroutines")
