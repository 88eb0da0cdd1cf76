package simnet

import (
	"context"
	"net"
	"net/netip"
	"strings"

	"github.com/go-greenlet/greenlet/asyncio"
)

// LookupNetIP returns the addresses of a host by its name. It switches.
func (n *Network) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if err := asyncio.Sleep(ctx, 0); err != nil {
		return nil, err
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" {
		if network == "ip6" {
			return []netip.Addr{netip.IPv6Loopback()}, nil
		}
		return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1})}, nil
	}
	h := n.named[name]
	if h == nil {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if network == "ip6" {
		return []netip.Addr{h.ip6}, nil
	}
	return []netip.Addr{h.ip4}, nil
}

// LookupAddr returns the name of the host that has an address. It switches.
func (n *Network) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := asyncio.Sleep(ctx, 0); err != nil {
		return nil, err
	}
	ip, err := netip.ParseAddr(addr)
	switch h := n.at[ip.Unmap()]; {
	case err == nil && ip.IsLoopback():
		return []string{"localhost."}, nil
	case err == nil && h != nil:
		return []string{h.name + "."}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: addr, IsNotFound: true}
}
