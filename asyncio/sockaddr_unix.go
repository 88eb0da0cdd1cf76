//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// address returns sa in the words of package net.
func address(network string, sa unix.Sockaddr) net.Addr {
	var ip net.IP
	var port int
	var zone string
	switch sa := sa.(type) {
	case *unix.SockaddrInet4:
		ip, port = sa.Addr[:], sa.Port
	case *unix.SockaddrInet6:
		ip, port, zone = sa.Addr[:], sa.Port, zoneName(sa.ZoneId)
	case *unix.SockaddrUnix:
		return &net.UnixAddr{Name: sa.Name, Net: network}
	}
	switch network {
	case "tcp":
		return &net.TCPAddr{IP: ip, Port: port, Zone: zone}
	case "udp":
		return &net.UDPAddr{IP: ip, Port: port, Zone: zone}
	case "ip":
		return &net.IPAddr{IP: ip, Zone: zone}
	}
	return &net.UnixAddr{Net: network}
}

func zoneName(id uint32) string {
	if id == 0 {
		return ""
	}
	if i, err := net.InterfaceByIndex(int(id)); err == nil {
		return i.Name
	}
	return strconv.Itoa(int(id))
}

func zoneID(name string) uint32 {
	if name == "" {
		return 0
	}
	if i, err := net.InterfaceByName(name); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.Atoi(name)
	return uint32(n)
}

// sockaddr returns to in the words of the system, for a socket at local.
func sockaddr(network string, local, to net.Addr) (unix.Sockaddr, error) {
	switch to := to.(type) {
	case *net.UnixAddr:
		if to != nil && to.Net == network {
			return &unix.SockaddrUnix{Name: to.Name}, nil
		}
	case *net.UDPAddr:
		if own, ok := local.(*net.UDPAddr); ok && to != nil {
			return inet(own.IP, to.IP, to.Port, to.Zone)
		}
	case *net.IPAddr:
		if own, ok := local.(*net.IPAddr); ok && to != nil {
			return inet(own.IP, to.IP, 0, to.Zone)
		}
	}
	return nil, unix.EINVAL
}

// inet returns an address of the family that own is of.
func inet(own, ip net.IP, port int, zone string) (unix.Sockaddr, error) {
	if own.To4() != nil {
		sa := &unix.SockaddrInet4{Port: port}
		v4 := ip.To4()
		if v4 == nil && len(ip) > 0 && !ip.Equal(net.IPv6zero) {
			return nil, &net.AddrError{Err: "non-IPv4 address", Addr: ip.String()}
		}
		copy(sa.Addr[:], v4)
		return sa, nil
	}
	sa := &unix.SockaddrInet6{Port: port, ZoneId: zoneID(zone)}
	if v4 := ip.To4(); v4 == nil || !v4.Equal(net.IPv4zero) {
		copy(sa.Addr[:], ip.To16()) // :: otherwise
	}
	return sa, nil
}
