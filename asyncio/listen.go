package asyncio

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// Listen announces at addr, and returns a listener whose Accept suspends only the
// calling task. network and addr are those of net.Listen: "tcp" and
// "127.0.0.1:8080", or ":0" for a port that is free, or "unix" and a path.
//
// What is accepted are connections as Dial makes them, of the listener's loop.
// Accept, Close and SetDeadline may be called by any goroutine, as those of a
// connection: http.Server's Serve works with it, on goroutines. An Accept that
// fails for want of descriptors has an error that is Temporary, and may be called
// again. Close removes the file of a unix socket. Connections that nobody has
// accepted yet are lost with it.
//
// It belongs to the loop that ctx comes from. It switches if addr has a name that
// is to be looked up. Errors are those of Dial.
func Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	return new(ListenConfig).Listen(ctx, network, addr)
}

// ListenPacket is Listen for datagrams: network is "udp", "unixgram" or "ip" with
// a protocol. Its ReadFrom and WriteTo suspend only the calling task. It is a
// net.Conn, too, with no remote address.
func ListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	return new(ListenConfig).ListenPacket(ctx, network, addr)
}

// A ListenConfig is Listen and ListenPacket with options. The zero ListenConfig
// has none.
type ListenConfig struct {
	// Net has the options of package net. Its KeepAlive settings go for systems
	// where connections do not inherit those of the listener; on Linux they do.
	Net net.ListenConfig

	// Loop is the loop that the listener belongs to. nil stands for the loop of
	// the ctx, or else for the one that runs on the calling goroutine.
	Loop *Loop

	// Backlog is how many connections may wait to be accepted. Zero is the most
	// that the system allows.
	Backlog int

	// ReusePort lets several listeners have one address, of loops on other
	// threads, say; the system spreads the connections. Where it cannot, Listen
	// returns errors.ErrUnsupported.
	ReusePort bool
}

// Listen is the function Listen with the options of c. Any goroutine may call it:
// with a Loop, or a ctx that comes from one.
func (c *ListenConfig) Listen(ctx context.Context, network, addr string) (net.Listener, error) {
	l, err := boundTo(c.Loop, ctx)
	if err != nil {
		return nil, netError("listen", network, err)
	}
	if l.Network() != nil {
		ln, err := c.listenNetwork(ctx, l, network, addr)
		if err != nil {
			return nil, netError("listen", network, err)
		}
		return ln, nil
	}
	return announce(ctx, network, addr, func(ctx context.Context) (net.Listener, error) {
		ln, err := c.net().Listen(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return l.world().conns.listener(l, network, ln, c.Backlog)
	})
}

// ListenPacket is the function ListenPacket with the options of c, of which
// Backlog means nothing here.
func (c *ListenConfig) ListenPacket(ctx context.Context, network, addr string) (net.PacketConn, error) {
	l, err := boundTo(c.Loop, ctx)
	if err != nil {
		return nil, netError("listen", network, err)
	}
	if l.Network() != nil {
		pc, err := c.listenPacketNetwork(ctx, l, network, addr)
		if err != nil {
			return nil, netError("listen", network, err)
		}
		return pc, nil
	}
	return announce(ctx, network, addr, func(ctx context.Context) (net.PacketConn, error) {
		pc, err := c.net().ListenPacket(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return l.world().conns.packets(l, network, pc)
	})
}

// net returns the options as package net takes them.
func (c *ListenConfig) net() *net.ListenConfig {
	lc := c.Net
	if !c.ReusePort {
		return &lc
	}
	before := lc.Control
	lc.Control = func(network, addr string, raw syscall.RawConn) (err error) {
		if before != nil {
			if err := before(network, addr, raw); err != nil {
				return err
			}
		}
		failed := raw.Control(func(of uintptr) { err = fd.SharePort(int(of)) })
		return errors.Join(failed, err)
	}
	return &lc
}

// announce calls f, beside the loop if it may have to wait for a name.
func announce[C closable](ctx context.Context, network, addr string, f func(ctx context.Context) (C, error)) (c C, err error) {
	if isNumeric(network, addr) {
		c, err = f(threadContext{ctx})
	} else {
		c, err = hook(ctx, f)
	}
	if err != nil {
		err = netError("listen", network, err)
	}
	return c, err
}

// isNumeric reports whether addr has no name that is to be looked up.
func isNumeric(network, addr string) bool {
	if strings.HasPrefix(network, "unix") {
		return true
	}
	host := addr
	if !strings.HasPrefix(network, "ip") {
		var err error
		if host, _, err = net.SplitHostPort(addr); err != nil {
			return true // an error, at once
		}
	}
	_, err := netip.ParseAddr(host)
	return host == "" || err == nil
}
