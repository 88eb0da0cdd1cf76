package simnet

import (
	"net"
	"net/netip"
	"syscall"

	"github.com/go-greenlet/greenlet/asyncio"
)

// ports are those of a host, of one protocol, and who has them.
type ports struct {
	taken map[uint16][]*binding
	last  uint16 // that was chosen
}

// A binding is an address that something has.
type binding struct {
	ip     netip.Addr // an unspecified one is all of its family
	both   bool       // and of the other one, too
	port   uint16
	shared bool // ReusePort
	what   any  // *listener or *packetsEnd
}

const (
	firstFree = 32768 // the ports that the system chooses from, as on Linux
	lastFree  = 60999
)

// covers reports whether what is sent to ip is b's.
func (b *binding) covers(ip netip.Addr) bool {
	return b.ip == ip || b.ip.IsUnspecified() && (b.both || b.ip.Is4() == ip.Is4())
}

func (b *binding) meets(c *binding) bool {
	return b.covers(c.ip) || c.covers(b.ip) || b.both && c.ip.IsUnspecified() || c.both && b.ip.IsUnspecified()
}

// bind gives b its port, one that is free if it is zero.
func (p *ports) bind(b *binding) error {
	if p.taken == nil {
		p.taken = make(map[uint16][]*binding)
	}
	if b.port == 0 {
		if b.port = p.free(); b.port == 0 {
			return syscall.EADDRINUSE
		}
	}
	for _, c := range p.taken[b.port] {
		if b.meets(c) && !(b.shared && c.shared) {
			return syscall.EADDRINUSE
		}
	}
	p.taken[b.port] = append(p.taken[b.port], b)
	return nil
}

// free returns a port that nobody has; 0 if there is none.
func (p *ports) free() uint16 {
	for range lastFree - firstFree + 1 {
		if p.last++; p.last < firstFree || p.last > lastFree {
			p.last = firstFree
		}
		if len(p.taken[p.last]) == 0 {
			return p.last
		}
	}
	return 0
}

func (p *ports) unbind(b *binding) {
	all := p.taken[b.port]
	for i, c := range all {
		if c == b {
			if len(all) == 1 {
				delete(p.taken, b.port)
			} else {
				p.taken[b.port] = append(append([]*binding(nil), all[:i]...), all[i+1:]...)
			}
			return
		}
	}
}

// find returns who has the address. Of several who share it, turn chooses.
func (p *ports) find(to netip.AddrPort, turn int) any {
	var found, wide []*binding
	for _, b := range p.taken[to.Port()] {
		switch {
		case b.ip == to.Addr():
			found = append(found, b)
		case b.covers(to.Addr()):
			wide = append(wide, b)
		}
	}
	if found == nil {
		found = wide
	}
	if found == nil {
		return nil
	}
	return found[turn%len(found)].what
}

// addrPort returns the IP and the port of an address of package net.
func addrPort(a net.Addr) (ap netip.AddrPort) {
	switch a := a.(type) {
	case *net.TCPAddr:
		ap = a.AddrPort()
	case *net.UDPAddr:
		ap = a.AddrPort()
	}
	ip := ap.Addr().Unmap()
	if !ip.IsValid() {
		ip = netip.IPv4Unspecified()
	}
	return netip.AddrPortFrom(ip.WithZone(""), ap.Port())
}

// isOwn reports whether ip leads to h itself.
func (h *Host) isOwn(ip netip.Addr) bool {
	return ip.IsLoopback() || ip.IsUnspecified() || h.net.at[ip] == h
}

// hostAt returns the host that ip leads to from h, or nil.
func (h *Host) hostAt(ip netip.Addr) *Host {
	if h.isOwn(ip) {
		return h
	}
	return h.net.at[ip]
}

// sourceFor returns the address of h that packets to ip come from.
func (h *Host) sourceFor(ip netip.Addr) netip.Addr {
	switch {
	case ip.IsLoopback() || ip.IsUnspecified():
		if ip.Is4() {
			return netip.AddrFrom4([4]byte{127, 0, 0, 1})
		}
		return netip.IPv6Loopback()
	case h.net.at[ip] == h:
		return ip
	case ip.Is4():
		return h.ip4
	}
	return h.ip6
}

// bindingFor checks that the address of o is one that h can have.
func (h *Host) bindingFor(o asyncio.NetworkOptions, what any) (*binding, error) {
	ap := addrPort(o.Local)
	ip := ap.Addr()
	if !h.isOwn(ip) {
		return nil, syscall.EADDRNOTAVAIL
	}
	b := &binding{ip: ip, port: ap.Port(), shared: o.ReusePort, what: what}
	b.both = ip == netip.IPv6Unspecified() && !o.V6Only && o.Network != "udp6"
	return b, nil
}
