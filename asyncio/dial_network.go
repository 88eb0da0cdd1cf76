package asyncio

import (
	"context"
	"net"
	"os"
	"strings"
)

// dialNetwork is DialContext by the Network of l.
func (d *Dialer) dialNetwork(ctx context.Context, l *Loop, network, addr string) (c net.Conn, err error) {
	switch {
	case d.Net.Control != nil || d.Net.ControlContext != nil:
		return nil, l.onlySystem("Dialer.Net.Control")
	case d.Net.Resolver != nil:
		return nil, l.onlySystem("Dialer.Net.Resolver")
	}
	if !l.s.Owned() {
		err := l.fromOutside(ctx, "Dial of a goroutine", func(ctx context.Context) (err error) {
			c, err = d.dialNetwork(ctx, l, network, addr)
			return err
		})
		return c, err
	}
	if ctx, err = l.asTask(ctx); err != nil {
		return nil, err
	}
	within := NoTimeout
	if d.Net.Timeout != 0 {
		within = d.Net.Timeout
	}
	if !d.Net.Deadline.IsZero() {
		within = min(within, d.Net.Deadline.Sub(wallFor(d.Net.Deadline, l.Network().Now(ctx))))
	}
	err = taskIn(l.s.Current()).below(func() error {
		if within == NoTimeout {
			c, err = d.connect(ctx, l, network, addr)
			return err
		}
		err := WithTimeout(ctx, max(within, 0), func(ctx context.Context, _ *Timeout) error {
			c, err = d.connect(ctx, l, network, addr)
			return err
		})
		if c != nil && err != nil {
			c.Close()
		}
		if err == ErrTimeout {
			err = os.ErrDeadlineExceeded
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return c, nil
}

// connect tries the addresses that addr stands for, one after the other. The error
// is that of the first.
func (d *Dialer) connect(ctx context.Context, l *Loop, network, addr string) (net.Conn, error) {
	stream := isStream(network)
	resolve := resolveDatagrams
	if stream {
		resolve = resolveAddr
	}
	addrs, err := resolve(ctx, l, network, addr, false)
	if err != nil {
		return nil, err
	}
	var first error
	for _, a := range addrs {
		o := NetworkOptions{Network: a.Network(), Local: d.Net.LocalAddr, Remote: loopbackFor(a), KeepAlive: d.Net.KeepAlive >= 0 || d.Net.KeepAliveConfig.Enable}
		if stream {
			var s NetworkStream
			if s, err = l.Network().Connect(ctx, o); err == nil {
				return newNetworkConn(ctx, l, network, s), nil
			}
		} else {
			var p NetworkPackets
			if p, err = l.Network().BindPackets(ctx, o); err == nil {
				return newNetworkPackets(ctx, l, network, p), nil
			}
		}
		if err = dialError(a, err); !isConnectError(err) {
			return nil, err
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// isStream reports whether network is one of connections.
func isStream(network string) bool {
	return network == "unix" || strings.HasPrefix(network, "tcp")
}

// listenNetwork is ListenConfig.Listen by the Network of l.
func (c *ListenConfig) listenNetwork(ctx context.Context, l *Loop, network, addr string) (made net.Listener, err error) {
	if !l.s.Owned() {
		err := l.fromOutside(ctx, "Listen of a goroutine", func(ctx context.Context) (err error) {
			made, err = c.listenNetwork(ctx, l, network, addr)
			return err
		})
		return made, err
	}
	ctx, a, err := c.at(ctx, l, resolveAddr, network, addr)
	if err != nil {
		return nil, err
	}
	ln, err := l.Network().Bind(ctx, NetworkOptions{Network: a.Network(), Local: a, ReusePort: c.ReusePort, KeepAlive: c.Net.KeepAlive >= 0})
	if err != nil {
		return nil, opError("listen", a, os.NewSyscallError("bind", err))
	}
	if err := ln.Listen(c.Backlog); err != nil {
		ln.Close()
		return nil, opError("listen", a, os.NewSyscallError("listen", err))
	}
	of := &networkListener{ln: ln}
	of.listens = true
	of.open(ctx, l, ln, network)
	return of, nil
}

// listenPacketNetwork is ListenConfig.ListenPacket by the Network of l.
func (c *ListenConfig) listenPacketNetwork(ctx context.Context, l *Loop, network, addr string) (made net.PacketConn, err error) {
	if !l.s.Owned() {
		err := l.fromOutside(ctx, "ListenPacket of a goroutine", func(ctx context.Context) (err error) {
			made, err = c.listenPacketNetwork(ctx, l, network, addr)
			return err
		})
		return made, err
	}
	ctx, a, err := c.at(ctx, l, resolveDatagrams, network, addr)
	if err != nil {
		return nil, err
	}
	p, err := l.Network().BindPackets(ctx, NetworkOptions{Network: a.Network(), Local: a, ReusePort: c.ReusePort})
	if err != nil {
		return nil, opError("listen", a, os.NewSyscallError("bind", err))
	}
	return newNetworkPackets(ctx, l, network, p), nil
}

// at returns the address that addr stands for to listen at, and the ctx to do it
// with. As in package net an empty host is every address, of both families.
func (c *ListenConfig) at(
	ctx context.Context,
	l *Loop,
	resolve func(ctx context.Context, l *Loop, network, addr string, passive bool) ([]net.Addr, error),
	network, addr string,
) (context.Context, net.Addr, error) {
	if c.Net.Control != nil {
		return nil, nil, l.onlySystem("ListenConfig.Net.Control")
	}
	if strings.HasPrefix(addr, ":") && !strings.HasSuffix(network, "4") && !strings.HasPrefix(network, "unix") {
		addr = "[::]" + addr
	}
	var t *task
	switch {
	case !l.s.Owned() || !l.s.Running():
		return nil, nil, errOutside
	case l.s.Current() != nil:
		t = taskIn(l.s.Current())
		ctx = waitContext(ctx, l)
	case !isNumeric(network, addr):
		return nil, nil, errCallbackWaits
	}
	var all []net.Addr
	err := t.below(func() (err error) {
		all, err = resolve(ctx, l, network, addr, true)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return ctx, all[0], nil
}
