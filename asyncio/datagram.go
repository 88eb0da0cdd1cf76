package asyncio

import (
	"context"
	"net"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// CreateDatagramEndpoint makes a socket for datagrams and a transport for it.
// factory makes the protocol; its ConnectionMade was called when
// CreateDatagramEndpoint returns. network is "udp", "udp4", "udp6" or "unixgram".
// WithLocalAddr says where it receives: "host:port" or a path; a path at which
// another socket receives is in use, unless WithReplacePath says otherwise.
// WithRemoteAddr says where it sends to, and has it receive from there only. With
// neither it receives nothing until it has sent something, and network must name a
// family.
//
// Datagrams that have come are received some at a time. If DatagramReceived or
// ErrorReceived panics, the exception handler is told, and the socket stays open.
//
// The calling task is suspended meanwhile. The error is a *net.OpError of the
// first address if none can be used, with errors.ErrUnsupported in it for a unix
// socket without an address, or WithReusePort, where the loop watches no
// descriptors; a ValueError of the options; the PanicError of ConnectionMade; or
// one of a wait. With an error
// nothing is left open. Only a task may call it.
//
// Python: loop.create_datagram_endpoint.
func CreateDatagramEndpoint[P DatagramProtocol](ctx context.Context, factory func() P, network string, opts ...DatagramOption) (DatagramTransport, P, error) {
	t, p, err := createDatagrams(ctx, func() DatagramProtocol { return factory() }, network, datagramChoices(opts))
	if err != nil {
		var none P
		return nil, none, err
	}
	return t, p.(P), nil
}

// check refuses choices that do not go together.
func (o *datagramOptions) check(network string) error {
	addressed := o.local != "" || o.remote != ""
	switch {
	case o.tls != nil, o.limit != 0, o.keepAlive:
		return valueErrorf("WithTLS, WithLimit and WithKeepAlive are not for datagrams")
	case o.existing != nil && (addressed || o.reusePort || o.broadcast || o.replacePath):
		return valueErrorf("WithSocket goes with no option that says how to make a socket: WithLocalAddr, WithRemoteAddr, WithReusePort, WithBroadcast, WithReplacePath")
	case o.existing == nil && !addressed && network == "udp":
		return valueErrorf("unexpected address family: WithLocalAddr or WithRemoteAddr must say which")
	}
	return nil
}

func createDatagrams(ctx context.Context, factory func() DatagramProtocol, network string, o *datagramOptions) (_ DatagramTransport, _ DatagramProtocol, err error) {
	me, err := current(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := o.check(network); err != nil {
		return nil, nil, err
	}
	s, err := datagramSocket(ctx, me.loop, network, o)
	if err != nil {
		return nil, nil, err
	}
	var t *datagramTransport
	defer func() {
		if t == nil {
			s.close() // factory has panicked
		}
	}()
	p := factory()
	t = newDatagramTransport(me.loop, s, p)
	if err := t.waitMade(ctx); err != nil {
		return nil, nil, err
	}
	return t, p, nil
}

// datagramSocket returns a socket as o wants it.
func datagramSocket(ctx context.Context, l *Loop, network string, o *datagramOptions) (*anySocket, error) {
	if o.existing != nil {
		return l.world().sockets.dupDatagrams(l, o.existing)
	}
	routes, err := datagramRoutes(ctx, l, network, o)
	if err != nil {
		return nil, err
	}
	var first error
	for _, r := range routes {
		s, err := l.world().sockets.datagrams(ctx, l, network, r, o)
		if err == nil {
			return s, nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, first
}

// datagramRoutes returns the routes that may be tried, in order. Both ends of one
// are of a family.
func datagramRoutes(ctx context.Context, l *Loop, network string, o *datagramOptions) (routes []datagramRoute, err error) {
	var locals, remotes []net.Addr
	if o.local != "" {
		if locals, err = resolveDatagrams(ctx, l, network, o.local, true); err != nil {
			return nil, err
		}
	}
	if o.remote != "" {
		if remotes, err = resolveDatagrams(ctx, l, network, o.remote, false); err != nil {
			return nil, err
		}
	}
	switch {
	case locals == nil && remotes == nil:
		if network != "unixgram" && network != "udp4" && network != "udp6" {
			return nil, net.UnknownNetworkError(network)
		}
		return []datagramRoute{{}}, nil
	case remotes == nil:
		for _, a := range locals {
			routes = append(routes, datagramRoute{local: a})
		}
	case locals == nil:
		for _, a := range remotes {
			routes = append(routes, datagramRoute{remote: a})
		}
	default:
		for _, a := range remotes {
			for _, from := range locals {
				if fd.Is4(a) == fd.Is4(from) {
					routes = append(routes, datagramRoute{from, a})
					break
				}
			}
		}
	}
	if routes == nil {
		return nil, valueErrorf("can not get address information")
	}
	return routes, nil
}
