package asyncio

import (
	"bufio"
	"context"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// GetAddrInfo returns the addresses of host with the port of service, in the
// order in which they are to be tried. The network is "tcp" or "udp", with 4 or 6
// at its end if only such addresses are wanted. host may be a name or an address;
// an empty one is this machine, by its loopback addresses. service may be a name
// or a number; an empty one is 0.
//
// Only a task may call it. It always switches: the look-up is made on another
// goroutine, by net.DefaultResolver, and ends when ctx ends or the task is
// cancelled. The error is a *net.DNSError, a *net.AddrError or net.UnknownNetworkError
// where Python has socket.gaierror, or one of a wait. Python: loop.getaddrinfo.
func GetAddrInfo(ctx context.Context, network, host, service string) ([]netip.AddrPort, error) {
	switch network {
	case "tcp", "tcp4", "tcp6", "udp", "udp4", "udp6":
	default:
		return nil, net.UnknownNetworkError(network)
	}
	if l, err := loopOf(ctx); err == nil && l.Network() != nil {
		return l.addrInfo(ctx, network, host, service)
	}
	resolver := net.DefaultResolver // as it is now: the look-up may outlive the call
	return offLoop(ctx, func(ctx context.Context) ([]netip.AddrPort, error) {
		port := 0
		if service != "" {
			var err error
			if port, err = resolver.LookupPort(ctx, network, service); err != nil {
				return nil, err
			}
		}
		family := "ip" + network[3:]
		if host == "" {
			return loopback(family, port), nil
		}
		ips, err := resolver.LookupNetIP(ctx, family, host)
		if err != nil {
			return nil, err
		}
		all := make([]netip.AddrPort, 0, len(ips))
		for _, ip := range ips {
			all = append(all, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
		}
		if len(all) == 0 {
			return nil, &net.AddrError{Err: "no suitable address found", Addr: host}
		}
		return all, nil
	})
}

// addrInfo is GetAddrInfo by the loop's Network.
func (l *Loop) addrInfo(ctx context.Context, network, host, service string) (all []netip.AddrPort, err error) {
	if _, err := current(ctx); err != nil {
		return nil, err
	}
	port, err := numberOf(ctx, network, service)
	if err != nil {
		return nil, err
	}
	if host == "" {
		return loopback("ip"+network[3:], port), nil
	}
	return resolveHost(ctx, l, network, net.JoinHostPort(host, strconv.Itoa(port)), false)
}

func loopback(family string, port int) (all []netip.AddrPort) {
	if family != "ip4" {
		all = append(all, netip.AddrPortFrom(netip.IPv6Loopback(), uint16(port)))
	}
	if family != "ip6" {
		all = append(all, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)))
	}
	return all
}

// NameInfoFlags are choices of GetNameInfo.
type NameInfoFlags uint8

const (
	// NumericHost wants the host as an address. Python: socket.NI_NUMERICHOST.
	NumericHost NameInfoFlags = 1 << iota
	// NumericService wants the service as a number. Python:
	// socket.NI_NUMERICSERV.
	NumericService
	// NameRequired makes it an error that the host has no name. Python:
	// socket.NI_NAMEREQD.
	NameRequired
	// DatagramService wants the name of a service of UDP, not of TCP. Python:
	// socket.NI_DGRAM.
	DatagramService
)

// GetNameInfo returns the names of the host and the service at addr. What has no
// name is given as a number. It waits and fails as GetAddrInfo does. Python:
// loop.getnameinfo.
func GetNameInfo(ctx context.Context, addr netip.AddrPort, flags NameInfoFlags) (host, service string, err error) {
	if !addr.IsValid() {
		return "", "", &net.AddrError{Err: "no address", Addr: addr.String()}
	}
	lookUp, inside := net.DefaultResolver.LookupAddr, offLoop[[2]string]
	if l, err := loopOf(ctx); err == nil && l.Network() != nil {
		lookUp = l.Network().LookupAddr
		inside = func(ctx context.Context, f func(ctx context.Context) ([2]string, error)) ([2]string, error) {
			if _, err := current(ctx); err != nil {
				return [2]string{}, err
			}
			return f(ctx)
		}
	}
	names, err := inside(ctx, func(ctx context.Context) (names [2]string, err error) {
		names = [2]string{addr.Addr().String(), strconv.Itoa(int(addr.Port()))}
		if flags&NumericHost == 0 {
			found, err := lookUp(ctx, addr.Addr().WithZone("").String())
			switch {
			case len(found) > 0:
				names[0] = strings.TrimSuffix(found[0], ".")
			case flags&NameRequired != 0:
				return names, err
			}
		}
		if flags&NumericService == 0 {
			protocol := "tcp"
			if flags&DatagramService != 0 {
				protocol = "udp"
			}
			if name := serviceName(names[1] + "/" + protocol); name != "" {
				names[1] = name
			}
		}
		return names, nil
	})
	return names[0], names[1], err
}

// serviceName looks up "80/tcp" in the system's list of services.
func serviceName(number string) string {
	f, err := os.Open("/etc/services")
	if err != nil {
		return ""
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if words := strings.Fields(line); len(words) >= 2 && words[1] == number {
			return words[0]
		}
	}
	return ""
}

// offLoop calls f on a goroutine of its own, and waits for its result. The
// context that f is given ends with the wait.
func offLoop[T any](ctx context.Context, f func(ctx context.Context) (T, error)) (T, error) {
	var none T
	if _, err := current(ctx); err != nil {
		return none, err
	}
	inside, stop := context.WithCancel(threadContext{presently(ctx)})
	defer stop()
	c := NewConcurrentFuture[T]()
	go c.compute(func() (T, error) { return f(inside) })
	return c.awaitHeld(ctx)
}
