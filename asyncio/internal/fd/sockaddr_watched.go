//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package fd

import (
	"net"
	"strconv"

	"golang.org/x/sys/unix"
)

// Addr returns sa in the words of package net.
func Addr(network string, sa unix.Sockaddr) net.Addr {
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

// ZoneID returns the number of a zone; 0 if it has none.
func ZoneID(name string) uint32 {
	if name == "" {
		return 0
	}
	if i, err := net.InterfaceByName(name); err == nil {
		return uint32(i.Index)
	}
	n, _ := strconv.Atoi(name)
	return uint32(n)
}

// DatagramSockaddr returns to, which CheckDatagramAddr has passed, in the words of
// the system, for a socket of IPv4 if v4.
func DatagramSockaddr(v4 bool, to net.Addr) unix.Sockaddr {
	switch to := to.(type) {
	case *net.UDPAddr:
		return inet(v4, to.IP, to.Port, to.Zone)
	case *net.IPAddr:
		return inet(v4, to.IP, 0, to.Zone)
	case *net.UnixAddr:
		return &unix.SockaddrUnix{Name: to.Name}
	}
	return nil
}

// inet returns an address as package net has it: of one of the other family, or of
// none, too.
func inet(v4 bool, ip net.IP, port int, zone string) unix.Sockaddr {
	if v4 {
		sa := &unix.SockaddrInet4{Port: port}
		copy(sa.Addr[:], ip.To4())
		return sa
	}
	sa := &unix.SockaddrInet6{Port: port, ZoneId: ZoneID(zone)}
	if v4 := ip.To4(); v4 == nil || !v4.Equal(net.IPv4zero) {
		copy(sa.Addr[:], ip.To16()) // :: otherwise
	}
	return sa
}

// StreamSockaddr is a in the words of the system.
func StreamSockaddr(a net.Addr) (family int, _ unix.Sockaddr, err error) {
	switch a := a.(type) {
	case *net.UnixAddr:
		return unix.AF_UNIX, &unix.SockaddrUnix{Name: a.Name}, nil
	case *net.TCPAddr:
		if ip := a.IP.To4(); ip != nil {
			return unix.AF_INET, &unix.SockaddrInet4{Port: a.Port, Addr: [4]byte(ip)}, nil
		}
		if ip := a.IP.To16(); ip != nil {
			return unix.AF_INET6, &unix.SockaddrInet6{Port: a.Port, Addr: [16]byte(ip), ZoneId: ZoneID(a.Zone)}, nil
		}
	}
	return 0, nil, &net.AddrError{Err: "not an address of a socket", Addr: a.String()}
}

// StreamAddr is the inverse of StreamSockaddr; nil of nil.
func StreamAddr(sa unix.Sockaddr) net.Addr {
	switch sa.(type) {
	case nil:
		return nil
	case *unix.SockaddrUnix:
		return Addr("unix", sa)
	}
	return Addr("tcp", sa)
}

// FamilyNetwork is the network of datagrams of a family.
func FamilyNetwork(family int) string {
	switch family {
	case unix.AF_INET:
		return "udp4"
	case unix.AF_INET6:
		return "udp6"
	}
	return "unixgram"
}

// RouteSockaddr is one end of a route in the words of the system.
func RouteSockaddr(a net.Addr) (family int, sa unix.Sockaddr) {
	family = unix.AF_INET6
	switch {
	case Is4(a):
		family = unix.AF_INET
	case a.Network() == "unixgram":
		family = unix.AF_UNIX
	}
	return family, DatagramSockaddr(family == unix.AF_INET, a)
}

// DatagramAddr is sa in the words of package net. A unix socket that has no name
// has an address without one.
func DatagramAddr(sa unix.Sockaddr) net.Addr {
	switch sa.(type) {
	case *unix.SockaddrInet4, *unix.SockaddrInet6:
		return Addr("udp", sa)
	}
	return Addr("unixgram", sa)
}
