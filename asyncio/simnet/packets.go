package simnet

import (
	"context"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/sched"
)

// As on Linux, in bytes.
const (
	maxDatagram4    = 65507
	maxDatagram6    = 65527
	maxDatagramPath = packetsRoom - 32
	packetsRoom     = 212992 // of what was not received
)

// A packetsEnd is an end for datagrams.
type packetsEnd struct {
	host     *Host
	life     int // of the host
	local    net.Addr
	remote   net.Addr
	bound    *binding // nil for a unix path, or before something is sent
	options  asyncio.NetworkOptions
	watcher  sched.Watcher
	queue    []datagramCome
	err      error // that the next call returns: what was sent has met with it
	size     int   // of queue, in bytes
	coming   int   // bytes that are under way from other paths, and have their place
	closed   bool
	from     *net.UDPAddr // the last address that was sent from
	fromAddr netip.Addr
}

type datagramCome struct {
	data []byte
	from net.Addr
}

// BindPackets makes an end for datagrams.
func (n *Network) BindPackets(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkPackets, error) {
	h := n.running().hostOf(ctx)
	if h.down {
		return nil, syscall.ENETDOWN
	}
	p := &packetsEnd{host: h, life: h.life, local: o.Local, remote: o.Remote, options: o}
	if o.Network == "unixgram" {
		if u, ok := o.Remote.(*net.UnixAddr); ok && h.paths[u.Name] == nil {
			return nil, syscall.ENOENT
		}
		if u, ok := o.Local.(*net.UnixAddr); ok && u.Name != "" {
			return p, h.bindPath(u.Name, p, o.ReplacePath)
		}
		return p, nil
	}
	if o.Remote != nil && h.hostAt(addrPort(o.Remote).Addr()) == nil && !o.Broadcast {
		return nil, syscall.ENETUNREACH
	}
	if o.Local != nil || o.Remote != nil {
		return p, p.bind()
	}
	return p, nil
}

// bind gives p an address.
func (p *packetsEnd) bind() error {
	o := p.options
	if o.Local == nil {
		ip := netip.IPv4Unspecified()
		if o.Remote != nil {
			ip = p.host.sourceFor(addrPort(o.Remote).Addr())
		} else if o.Network == "udp6" {
			ip = netip.IPv6Unspecified()
		}
		o.Local = net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0))
	}
	b, err := p.host.bindingFor(o, p)
	if err == nil {
		err = p.host.udp.bind(b)
	}
	if err != nil {
		return err
	}
	at := b.ip
	if at.IsUnspecified() && o.Remote != nil {
		at = p.host.sourceFor(addrPort(o.Remote).Addr())
	}
	p.bound, p.local = b, net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, b.port))
	return nil
}

// LocalAddr returns the end's address.
func (p *packetsEnd) LocalAddr() net.Addr {
	if p.local == nil {
		return nil
	}
	return p.local
}

// RemoteAddr returns where the end is connected to.
func (p *packetsEnd) RemoteAddr() net.Addr { return p.remote }

// Watch has w told of datagrams.
func (p *packetsEnd) Watch(w sched.Watcher) { p.watcher = w }

// Now returns what the host's wall clock shows.
func (p *packetsEnd) Now() time.Time { return p.host.clock() }

// ReadFrom receives one.
func (p *packetsEnd) ReadFrom(b []byte) (int, net.Addr, error) {
	switch {
	case p.life != p.host.life:
		return 0, nil, syscall.ENETDOWN
	case p.err != nil:
		return 0, nil, p.failed()
	case len(p.queue) == 0:
		return 0, nil, asyncio.ErrWouldBlock
	}
	got := p.queue[0]
	p.queue[0] = datagramCome{}
	p.queue = p.queue[1:]
	p.size -= len(got.data)
	return copy(b, got.data), got.from, nil
}

// failed returns the error that p has, and takes it away.
func (p *packetsEnd) failed() error {
	err := p.err
	p.err = nil
	return err
}

// WriteTo sends one.
func (p *packetsEnd) WriteTo(b []byte, to net.Addr) error {
	h, n := p.host, p.host.net
	switch {
	case p.life != h.life:
		return syscall.ENETDOWN
	case to == nil:
		to = p.remote
	}
	if u, ok := to.(*net.UnixAddr); ok {
		return p.writePath(b, u)
	}
	if p.bound == nil {
		if err := p.bind(); err != nil {
			return err
		}
	}
	ap := addrPort(to)
	switch own := p.bound.ip; {
	case !own.IsUnspecified() && own.Is4() != ap.Addr().Is4():
		return syscall.ENETUNREACH
	case ap.Port() == 0:
		return syscall.EINVAL
	case len(b) > maxDatagram6, ap.Addr().Is4() && len(b) > maxDatagram4:
		return syscall.EMSGSIZE
	case p.err != nil: // this one is not sent
		return p.failed()
	}
	if isBroadcast(ap.Addr()) {
		if !p.options.Broadcast {
			return syscall.EACCES
		}
		for _, other := range n.hosts {
			if other != h {
				p.send(b, other, to, ap.Addr())
			}
		}
		return nil
	}
	there := h.hostAt(ap.Addr())
	if there == nil {
		return syscall.EHOSTUNREACH
	}
	p.send(b, there, to, ap.Addr())
	return nil
}

func isBroadcast(ip netip.Addr) bool {
	return ip == netip.AddrFrom4([4]byte{255, 255, 255, 255}) || ip == netip.AddrFrom4([4]byte{10, 0, 255, 255})
}

func (p *packetsEnd) send(b []byte, there *Host, to net.Addr, ip netip.Addr) {
	n := p.host.net
	at := p.bound.ip
	if at.IsUnspecified() {
		at = p.host.sourceFor(ip)
	}
	if p.from == nil || p.fromAddr != at {
		p.from, p.fromAddr = net.UDPAddrFromAddrPort(netip.AddrPortFrom(at, p.bound.port)), at
	}
	m := n.newPacket(datagram)
	m.data, m.src, m.dst, m.origin = append([]byte(nil), b...), p.from, to, p
	n.Link(p.host, there).send(m)
}

// writePath sends to a unix path. Such datagrams do not get lost: there is no room
// as long as the receiver has none.
func (p *packetsEnd) writePath(b []byte, to *net.UnixAddr) error {
	there, _ := p.host.paths[to.Name].(*packetsEnd)
	if there == nil {
		if p.remote != nil {
			return syscall.ECONNREFUSED
		}
		return syscall.ENOENT
	}
	if len(b) > maxDatagramPath {
		return syscall.EMSGSIZE
	}
	if there.size+there.coming+len(b) > packetsRoom {
		p.host.net.schedule(p.host.net.now()+time.Millisecond, p)
		return asyncio.ErrWouldBlock
	}
	n := p.host.net
	m := n.newPacket(datagram)
	m.data, m.src, m.dst, m.origin, m.target = append([]byte(nil), b...), p.local, to, p, there
	there.coming += len(b)
	n.Link(p.host, p.host).send(m)
	return nil
}

// happen has the program try again to send.
func (p *packetsEnd) happen(time.Duration) { p.happened(sched.Writable) }

func (p *packetsEnd) happened(ev sched.Events) {
	if p.watcher != nil && !p.closed && p.life == p.host.life {
		p.watcher.Happened(ev)
	}
}

// Close ends it.
func (p *packetsEnd) Close() error {
	if p.closed || p.life != p.host.life {
		return nil
	}
	p.closed = true
	if p.bound != nil {
		p.host.udp.unbind(p.bound)
	} else if u, ok := p.local.(*net.UnixAddr); ok && p.host.paths[u.Name] == p {
		delete(p.host.paths, u.Name)
	}
	return nil
}

// datagram is the arrival of one, or of the answer that nobody has received one.
func (h *Host) datagram(m *packet) {
	if m.kind == unreachable {
		m.target.fail(syscall.ECONNREFUSED)
		return
	}
	var p *packetsEnd
	if u, ok := m.dst.(*net.UnixAddr); ok {
		m.target.coming -= len(m.data)
		p, _ = h.paths[u.Name].(*packetsEnd)
	} else {
		to := addrPort(m.dst)
		if isBroadcast(to.Addr()) {
			to = netip.AddrPortFrom(h.ip4, to.Port())
		}
		p, _ = h.udp.find(to, addrPort(m.src).Addr().BitLen()+int(addrPort(m.src).Port())).(*packetsEnd)
	}
	switch from := m.origin; {
	case p == nil && from.remote != nil && m.dst != nil && from.life == from.host.life:
		answer := h.net.newPacket(unreachable)
		answer.target = from
		h.net.Link(h, from.host).send(answer)
	case p != nil && (p.remote == nil || p.remote.String() == m.src.String()):
		p.receive(datagramCome{m.data, m.src})
	}
}

// fail has the next call of p return err. As on Linux that is before what has come, the
// call may be one that sends, and of several errors the last one is left.
func (p *packetsEnd) fail(err error) {
	if p.closed || p.life != p.host.life {
		return
	}
	p.err = err
	p.happened(sched.Readable)
}

func (p *packetsEnd) receive(r datagramCome) {
	if p.closed || p.life != p.host.life {
		return
	}
	if p.size+len(r.data) > packetsRoom {
		p.host.net.record(Event{Kind: Lost, From: p.host, Size: len(r.data), Text: "datagram: no room"})
		return
	}
	p.queue = append(p.queue, r)
	p.size += len(r.data)
	p.happened(sched.Readable)
}
