package asyncio

import (
	"context"
	"net"
	"time"

	"github.com/go-greenlet/greenlet/internal/sys"
)

// Dial connects to addr, and returns a connection on which only the calling task
// waits, while the loop goes on: what package net has is Go's interface, and any
// library that takes a net.Conn can be given this one. network and addr are those
// of net.Dial: "tcp" and "127.0.0.1:80", "unix" and a path, "udp", and so on.
// Names are looked up, and several addresses tried, as package net does it.
//
// The connection belongs to the loop that ctx comes from. Its methods:
//
//   - Read waits for data, Write until all of p was taken by the system. Neither
//     switches where it need not wait. Of several Writes at a time each is whole.
//     They allocate nothing.
//   - A cancel of the waiting task ends a wait: the error is a *net.OpError with
//     the CancelledError in it, as a library knows by that type that it is the
//     connection that has failed. Nothing is lost: what was not read can be read
//     later, and Write tells how much it has written.
//   - Deadlines go by the loop's clock. The error of one that is over is
//     os.ErrDeadlineExceeded, that of a connection that was closed net.ErrClosed,
//     inside a *net.OpError as in package net. The end is io.EOF.
//   - Any goroutine may call all of them, also when the loop does not run or is
//     closed: one that is not of the loop waits without it, by Go's own poller.
//     Close and the deadlines reach those who wait, wherever they are. A task of
//     another loop waits as a goroutine does, and its loop with it.
//   - A callback of the loop must not wait: where it would have to, the error is
//     ErrNoRunningLoop, in a *net.OpError as every other.
//
// It is a syscall.Conn, too, except on systems where package net's is none, and
// has CloseRead, CloseWrite, SetReadBuffer, SetWriteBuffer and File as package
// net's connections do; one of TCP has SetNoDelay, SetKeepAlive and SetLinger; where
// the loop watches descriptors one of a stream has WaitReadable, which waits as Read
// does and takes nothing, and NotifyReadable, which has a function called in place of
// the wait. One of datagrams is also a net.PacketConn, with net's types as addresses. Keep-alive
// and TCP's no-delay are on, as in package net.
//
// It switches if a task calls; else the goroutine waits. The error is a *net.OpError:
// package net's, or one with an error of a wait in it. That is ErrNoRunningLoop if
// ctx comes from no loop and none runs here.
func Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return new(Dialer).DialContext(ctx, network, addr)
}

// A Dialer is Dial with options. Its DialContext is what libraries take as a hook.
// The zero Dialer is Dial itself.
type Dialer struct {
	// Net has the options of package net: the time it may take, the local
	// address, the resolver, keep-alive, the delay between families of addresses.
	Net net.Dialer

	// Loop is the loop that the connections belong to. nil stands for the loop of
	// the ctx, or else for the one that runs on the calling goroutine.
	Loop *Loop
}

// Dial is DialContext without a context: for hooks that have none. The loop is the
// Dialer's, or the one that runs on the calling goroutine.
func (d *Dialer) Dial(network, addr string) (net.Conn, error) {
	return d.DialContext(context.Background(), network, addr)
}

// DialTimeout is Dial that takes no longer than timeout, by the system's clock, as
// net.DialTimeout.
func (d *Dialer) DialTimeout(network, addr string, timeout time.Duration) (net.Conn, error) {
	within := *d
	within.Net.Timeout = timeout
	return within.Dial(network, addr)
}

// DialContext is Dial with the options of d. Any goroutine may call it: with a
// Loop, or a ctx that comes from one. So a library that dials on goroutines of its
// own, too, needs a Dialer with a Loop; the task or goroutine that calls is the one
// that waits. If ctx ends before there is a connection, its error is returned;
// afterwards it has no effect.
func (d *Dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	c, err := d.dial(ctx, network, addr)
	if err != nil {
		return nil, netError("dial", network, err)
	}
	return c, nil
}

func (d *Dialer) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	l, err := boundTo(d.Loop, ctx)
	if err != nil {
		return nil, err
	}
	if l.Network() != nil {
		return d.dialNetwork(ctx, l, network, addr)
	}
	return hook(ctx, func(ctx context.Context) (net.Conn, error) {
		sys.Release()
		c, err := d.Net.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return l.world().conns.conn(l, network, c)
	})
}

// netError returns err as package net would: an *net.OpError.
func netError(op, network string, err error) error {
	if _, ok := err.(*net.OpError); ok {
		return err
	}
	return &net.OpError{Op: op, Net: network, Err: err}
}
