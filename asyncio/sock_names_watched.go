//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
)

// netAddr is sa in the words of package net; nil of nil.
func (s *Socket) netAddr(sa unix.Sockaddr) net.Addr {
	switch {
	case sa == nil:
		return nil
	case s.kind == unix.SOCK_DGRAM:
		return fd.DatagramAddr(sa)
	}
	return fd.StreamAddr(sa)
}

// systemAddr is addr in the words of the system.
func (s *Socket) systemAddr(addr net.Addr) (unix.Sockaddr, error) {
	switch addr := addr.(type) {
	case *net.UnixAddr:
		if addr != nil && s.family == unix.AF_UNIX {
			return &unix.SockaddrUnix{Name: addr.Name}, nil
		}
	case interface{ AddrPort() netip.AddrPort }: // of TCP and UDP
		return s.inet(addr.AddrPort())
	}
	return nil, s.unfit(fmt.Sprint(addr))
}

func (s *Socket) inet(at netip.AddrPort) (unix.Sockaddr, error) {
	ip := at.Addr().Unmap()
	switch {
	case s.family == unix.AF_INET && ip.Is4():
		return &unix.SockaddrInet4{Addr: ip.As4(), Port: int(at.Port())}, nil
	case s.family == unix.AF_INET6 && ip.IsValid():
		return &unix.SockaddrInet6{Addr: ip.As16(), Port: int(at.Port()), ZoneId: fd.ZoneID(ip.Zone())}, nil
	}
	return nil, s.unfit(at.String())
}

func (s *Socket) unfit(addr string) error {
	return &net.AddrError{Err: "the address is not one of the socket's family", Addr: addr}
}

// numeric is addr, of which only the host may be missing, in the words of the
// system.
func (s *Socket) numeric(addr string) (unix.Sockaddr, error) {
	if s.family == unix.AF_UNIX {
		return &unix.SockaddrUnix{Name: addr}, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	number, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, &net.AddrError{Err: "invalid port", Addr: addr}
	}
	ip := netip.IPv6Unspecified()
	if s.family == unix.AF_INET {
		ip = netip.IPv4Unspecified()
	}
	if host != "" {
		if ip, err = netip.ParseAddr(host); err != nil {
			return nil, &net.AddrError{Err: "no address of numbers", Addr: addr}
		}
	}
	return s.inet(netip.AddrPortFrom(ip, uint16(number)))
}

// resolve is numeric of an addr that may be a name.
func (s *Socket) resolve(ctx context.Context, addr string) (unix.Sockaddr, error) {
	sa, err := s.numeric(addr)
	if err == nil {
		return sa, nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	network := "tcp"
	if s.kind == unix.SOCK_DGRAM {
		network = "udp"
	}
	if s.family == unix.AF_INET {
		network += "4"
	} else {
		network += "6"
	}
	all, err := GetAddrInfo(ctx, network, host, port)
	if err != nil {
		return nil, err
	}
	return s.inet(all[0])
}
