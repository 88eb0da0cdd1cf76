package asyncio

import (
	"context"
	"net"
	"net/netip"
	"strconv"
)

// opError is err in the words of package net.
func opError(op string, a net.Addr, err error) error {
	if err == nil {
		return nil
	}
	return &net.OpError{Op: op, Net: a.Network(), Addr: a, Err: err}
}

// resolveAddr returns the addresses that addr stands for, in the order in which they
// are to be tried. A name is looked up on another goroutine, while the calling
// task is suspended. An empty host is every address of the machine if passive,
// else the loopback ones.
func resolveAddr(ctx context.Context, l *Loop, network, addr string, passive bool) ([]net.Addr, error) {
	switch network {
	case "unix":
		return []net.Addr{&net.UnixAddr{Net: network, Name: addr}}, nil
	case "tcp", "tcp4", "tcp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	ends, err := resolveHost(ctx, l, network, addr, passive)
	if err != nil {
		return nil, err
	}
	all := make([]net.Addr, len(ends))
	for i, end := range ends {
		all[i] = net.TCPAddrFromAddrPort(end)
	}
	return all, nil
}

// resolveDatagrams is resolveAddr for datagrams.
func resolveDatagrams(ctx context.Context, l *Loop, network, addr string, passive bool) ([]net.Addr, error) {
	switch network {
	case "unixgram":
		return []net.Addr{&net.UnixAddr{Net: network, Name: addr}}, nil
	case "udp", "udp4", "udp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	ends, err := resolveHost(ctx, l, network, addr, passive)
	if err != nil {
		return nil, err
	}
	all := make([]net.Addr, len(ends))
	for i, end := range ends {
		all[i] = net.UDPAddrFromAddrPort(end)
	}
	return all, nil
}

// resolveHost is what resolveAddr does for a network of IP.
func resolveHost(ctx context.Context, l *Loop, network, addr string, passive bool) ([]netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	var ips []netip.Addr
	if host == "" {
		ips = anyHost(passive)
	} else if ip, err := netip.ParseAddr(host); err == nil {
		ips = []netip.Addr{ip.Unmap()}
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if ips == nil || err != nil {
		if ips, port, err = lookUp(ctx, l, network, host, service, ips); err != nil {
			return nil, err
		}
	}
	var all []netip.AddrPort
	for _, ip := range ips {
		ip = ip.Unmap()
		if version := network[3:]; version == "" || ip.Is4() == (version == "4") {
			all = append(all, netip.AddrPortFrom(ip, uint16(port)))
		}
	}
	if len(all) == 0 {
		return nil, &net.AddrError{Err: "no suitable address found", Addr: addr}
	}
	return all, nil
}

func anyHost(passive bool) []netip.Addr {
	if passive {
		return []netip.Addr{netip.IPv4Unspecified(), netip.IPv6Unspecified()}
	}
	return []netip.Addr{netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()}
}

// A lookedUp is what a name and a service stand for.
type lookedUp struct {
	ips  []netip.Addr
	port int
}

// lookUp asks the system, or the network, for what is not a number.
func lookUp(ctx context.Context, l *Loop, network, host, service string, known []netip.Addr) ([]netip.Addr, uint64, error) {
	if l.Network() != nil {
		ips, err := known, error(nil)
		if known == nil {
			ips, err = l.Network().LookupNetIP(ctx, "ip"+network[3:], host)
		}
		if err != nil {
			return nil, 0, err
		}
		port, err := numberOf(ctx, network, service)
		return ips, uint64(port), err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	f := NewFuture[lookedUp](l)
	l.Hold()
	go func() {
		defer l.Release()
		found := lookedUp{ips: known}
		var err error
		if known == nil {
			found.ips, err = net.DefaultResolver.LookupNetIP(ctx, "ip"+network[3:], host)
		}
		if err == nil {
			found.port, err = net.DefaultResolver.LookupPort(ctx, network, service)
		}
		l.CallSoonThreadsafe(func() {
			if err != nil && !f.Done() {
				f.SetException(err)
			} else {
				f.SetResult(found)
			}
		})
	}()
	found, err := f.Await(ctx)
	return found.ips, uint64(found.port), err
}

// numberOf returns the number of a service, which the system's list has. No goroutine
// looks.
func numberOf(ctx context.Context, network, service string) (int, error) {
	if service == "" {
		return 0, nil
	}
	return (&net.Resolver{PreferGo: true}).LookupPort(ctx, network, service)
}

// interleaved returns addrs with the two families in turns, after first of the
// one that comes first.
func interleaved(addrs []net.Addr, first int) []net.Addr {
	if first <= 0 {
		return addrs
	}
	var families [2][]net.Addr // that which comes first, and the other
	is4 := func(a net.Addr) bool {
		tcp, ok := a.(*net.TCPAddr)
		return ok && tcp.IP.To4() != nil
	}
	for _, a := range addrs {
		i := 0
		if is4(a) != is4(addrs[0]) {
			i = 1
		}
		families[i] = append(families[i], a)
	}
	n := min(first-1, len(families[0]))
	mixed := append([]net.Addr(nil), families[0][:n]...)
	families[0] = families[0][n:]
	for len(families[0])+len(families[1]) > 0 {
		for i, f := range families {
			if len(f) > 0 {
				mixed, families[i] = append(mixed, f[0]), f[1:]
			}
		}
	}
	return mixed
}
