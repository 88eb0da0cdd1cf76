package simnet

import (
	"context"
	"net"
	"net/netip"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Connect makes a connection. It switches.
func (n *Network) Connect(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkStream, error) {
	h := n.running().hostOf(ctx)
	if h.down {
		return nil, syscall.ENETDOWN
	}
	to, local, err := h.route(o)
	if err != nil {
		return nil, err
	}
	n.conns++
	e := h.newEnd(n.conns, n.Link(h, to))
	e.local, e.remote, e.keepAlive, e.since = local, o.Remote, o.KeepAlive, n.now()
	e.opened = asyncio.NewFuture[asyncio.None](n.loop)
	e.askFor()
	e.retry.set(n.now() + e.patience())
	defer func() {
		e.opened = nil
		if e.state != open { // also if the task was killed
			e.Close()
		}
	}()
	if _, err = e.opened.Await(ctx); err != nil {
		e.Close()
		return nil, err
	}
	return e, nil
}

// route returns the host that o leads to, and the address from which it goes there.
func (h *Host) route(o asyncio.NetworkOptions) (*Host, net.Addr, error) {
	if u, ok := o.Remote.(*net.UnixAddr); ok {
		if h.paths[u.Name] == nil {
			return nil, nil, syscall.ENOENT
		}
		return h, o.Local, nil
	}
	ip := addrPort(o.Remote).Addr()
	to := h.hostAt(ip)
	if to == nil {
		return nil, nil, syscall.EHOSTUNREACH
	}
	from := netip.AddrPortFrom(h.sourceFor(ip), 0)
	if o.Local != nil {
		if wants := addrPort(o.Local); !wants.Addr().IsUnspecified() {
			from = wants
		} else {
			from = netip.AddrPortFrom(from.Addr(), wants.Port())
		}
		if !h.isOwn(from.Addr()) || from.Addr().Is4() != ip.Is4() {
			return nil, nil, syscall.EADDRNOTAVAIL
		}
	}
	switch other := addrPort(o.Remote); {
	case from.Port() == 0:
		port := h.freeFor(from.Addr(), other)
		if port == 0 {
			return nil, nil, h.refused(other, syscall.EADDRNOTAVAIL)
		}
		from = netip.AddrPortFrom(from.Addr(), port)
	case h.net.cfg.TimeWait > 0 && h.keeps(from.Port()):
		return nil, nil, h.refused(from, syscall.EADDRINUSE)
	}
	return to, net.TCPAddrFromAddrPort(from), nil
}

// askFor sends a SYN.
func (e *end) askFor() {
	p := e.net.newPacket(syn)
	p.from, p.dst = e, e.remote
	e.link.send(p)
}

// establish is called when the other side has answered the SYN.
func (e *end) establish(peer *end) {
	e.state, e.peer, e.tries = open, peer, 0
	e.retry.clear()
	e.net.record(Event{Kind: Connected, From: e.host, To: e.link.to, Conn: e.id, Text: e.remote.String()})
	if e.opened != nil {
		e.opened.SetResult(asyncio.None{})
	}
}
