package fd

import (
	"errors"
	"net"
	"strings"
	"syscall"
)

// CheckDatagramAddr returns what package net says of to as where a datagram is sent
// by a socket of network, which is of IPv4 if v4 and is not connected. Of what it
// passes the system decides.
func CheckDatagramAddr(network string, v4 bool, to net.Addr) error {
	var ip net.IP
	switch to := to.(type) {
	case *net.UDPAddr:
		switch {
		case !strings.HasPrefix(network, "udp"):
			return syscall.EINVAL
		case to == nil:
			return errMissingAddress
		}
		ip = to.IP
	case *net.IPAddr:
		switch {
		case !strings.HasPrefix(network, "ip"):
			return syscall.EINVAL
		case to == nil:
			return errMissingAddress
		}
		ip = to.IP
	case *net.UnixAddr:
		switch {
		case !strings.HasPrefix(network, "unix"):
			return syscall.EINVAL
		case to == nil:
			return errMissingAddress
		}
		return nil
	default:
		return syscall.EINVAL
	}
	switch {
	case len(ip) == 0: // this machine
	case v4 && ip.To4() == nil:
		return &net.AddrError{Err: "non-IPv4 address", Addr: ip.String()}
	case ip.To16() == nil:
		return &net.AddrError{Err: "non-IPv6 address", Addr: ip.String()}
	}
	return nil
}

var errMissingAddress = errors.New("missing address")

// SendError is err of a datagram to an address, in the words of package net.
func SendError(network string, from, to net.Addr, err error) error {
	switch a := to.(type) { // a nil pointer has no text
	case *net.UDPAddr:
		if a == nil {
			to = nil
		}
	case *net.IPAddr:
		if a == nil {
			to = nil
		}
	case *net.UnixAddr:
		if a == nil {
			to = nil
		}
	}
	return &net.OpError{Op: "write", Net: network, Source: from, Addr: to, Err: err}
}

// Is4 reports whether a is an address of IPv4.
func Is4(a net.Addr) bool {
	switch a := a.(type) {
	case *net.UDPAddr:
		return a.IP.To4() != nil
	case *net.IPAddr:
		return a.IP.To4() != nil
	}
	return false
}
