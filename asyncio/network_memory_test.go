package asyncio_test

import (
	"context"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/sched"
)

// A memNet is a network in memory, of one machine, on which everything takes a
// latency of the loop's clock. It is what holds the seam of WithNetwork.
type memNet struct {
	loop    *asyncio.Loop
	latency time.Duration
	skew    time.Duration // of the wall clock
	names   map[string]netip.Addr
	bound   map[string]any // by network and address: *memListener, *memPackets
	port    int
}

const memRoom = 64 << 10 // of a direction of a connection

func newMemNet(latency time.Duration) *memNet {
	return &memNet{latency: latency, bound: make(map[string]any), port: 40000,
		names: map[string]netip.Addr{"localhost": netip.AddrFrom4([4]byte{127, 0, 0, 1}), "elsewhere": netip.MustParseAddr("10.0.0.1")}}
}

func (n *memNet) attach(ctx context.Context) (err error) {
	if n.loop == nil {
		n.loop, err = asyncio.RunningLoop(ctx)
	}
	return err
}

// at returns the address that is bound, with a port, and what finds it.
func (n *memNet) at(network string, a net.Addr, v6only bool) (_ net.Addr, keys []string) {
	fill := func(port int) int {
		if port == 0 {
			n.port++
			port = n.port
		}
		return port
	}
	key := func(ip net.IP, port int) []string {
		kind := network[:3]
		v4, v6 := memKey(kind, net.IPv4(127, 0, 0, 1), port), memKey(kind, net.IPv6loopback, port)
		switch {
		case ip.Equal(net.IPv4zero):
			return []string{v4}
		case !ip.IsUnspecified():
			return []string{memKey(kind, ip, port)}
		case v6only:
			return []string{v6}
		}
		return []string{v4, v6}
	}
	switch a := a.(type) {
	case *net.TCPAddr:
		at := &net.TCPAddr{IP: a.IP, Port: fill(a.Port)}
		return at, key(at.IP, at.Port)
	case *net.UDPAddr:
		at := &net.UDPAddr{IP: a.IP, Port: fill(a.Port)}
		return at, key(at.IP, at.Port)
	case *net.UnixAddr:
		return a, []string{"unix " + a.Name}
	}
	at := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: fill(0)}
	return at, key(at.IP, at.Port)
}

func memKey(kind string, ip net.IP, port int) string {
	return kind + " " + netip.AddrPortFrom(netip.MustParseAddr(ip.String()), uint16(port)).String()
}

func (n *memNet) bind(what any, o asyncio.NetworkOptions) (_ net.Addr, unbind func(), err error) {
	at, keys := n.at(o.Network, o.Local, o.V6Only)
	for _, k := range keys {
		if _, taken := n.bound[k]; taken && !o.ReplacePath {
			return nil, nil, syscall.EADDRINUSE
		}
	}
	for _, k := range keys {
		n.bound[k] = what
	}
	return at, func() {
		for _, k := range keys {
			if n.bound[k] == what {
				delete(n.bound, k)
			}
		}
	}, nil
}

func (n *memNet) find(network string, a net.Addr) any {
	switch a := a.(type) {
	case *net.TCPAddr:
		return n.bound[memKey("tcp", a.IP, a.Port)]
	case *net.UDPAddr:
		return n.bound[memKey("udp", a.IP, a.Port)]
	}
	return n.bound["unix "+a.String()]
}

func (n *memNet) Connect(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkStream, error) {
	if err := n.attach(ctx); err != nil {
		return nil, err
	}
	if err := asyncio.Sleep(ctx, 2*n.latency); err != nil {
		return nil, err
	}
	ln, _ := n.find(o.Network, o.Remote).(*memListener)
	if ln == nil || !ln.listens {
		return nil, syscall.ECONNREFUSED
	}
	local := o.Local
	if tcp, ok := o.Remote.(*net.TCPAddr); ok && local == nil {
		n.port++
		local = &net.TCPAddr{IP: tcp.IP, Port: n.port}
	}
	here := &memStream{memEnd: memEnd{net: n, local: local}, remote: o.Remote}
	there := &memStream{memEnd: memEnd{net: n, local: o.Remote}, remote: local, peer: here}
	here.peer = there
	ln.queue = append(ln.queue, there)
	ln.tell(sched.Readable)
	return here, nil
}

func (n *memNet) Bind(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkListener, error) {
	if err := n.attach(ctx); err != nil {
		return nil, err
	}
	ln := &memListener{memEnd: memEnd{net: n}}
	var err error
	ln.local, ln.unbind, err = n.bind(ln, o)
	if err != nil {
		return nil, err
	}
	return ln, nil
}

func (n *memNet) BindPackets(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkPackets, error) {
	if err := n.attach(ctx); err != nil {
		return nil, err
	}
	p := &memPackets{memEnd: memEnd{net: n}, remote: o.Remote}
	var err error
	p.local, p.unbind, err = n.bind(p, o)
	if err != nil {
		return nil, err
	}
	return p, nil
}

func (n *memNet) LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error) {
	if err := asyncio.Sleep(ctx, n.latency); err != nil {
		return nil, err
	}
	if ip, ok := n.names[host]; ok && network != "ip6" {
		return []netip.Addr{ip}, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

func (n *memNet) LookupAddr(ctx context.Context, addr string) ([]string, error) {
	if err := asyncio.Sleep(ctx, n.latency); err != nil {
		return nil, err
	}
	for name, ip := range n.names {
		if ip.String() == addr {
			return []string{name + "."}, nil
		}
	}
	return nil, &net.DNSError{Err: "no such address", Name: addr, IsNotFound: true}
}

func (n *memNet) Now(context.Context) time.Time { return time.Now().Add(n.skew) }

type memEnd struct {
	net     *memNet
	local   net.Addr
	watcher sched.Watcher
	unbind  func()
	closed  bool
}

func (e *memEnd) LocalAddr() net.Addr   { return e.local }
func (e *memEnd) Watch(w sched.Watcher) { e.watcher = w }
func (e *memEnd) Now() time.Time        { return e.net.Now(context.Background()) }

func (e *memEnd) tell(ev sched.Events) {
	if e.watcher != nil && !e.closed {
		e.watcher.Happened(ev)
	}
}

// later has f called when what is sent now arrives.
func (e *memEnd) later(f func()) {
	if !e.net.loop.IsClosed() {
		e.net.loop.CallLater(e.net.latency, f)
	}
}

func (e *memEnd) Close() error {
	e.closed = true
	if e.unbind != nil {
		e.unbind()
	}
	return nil
}

type memListener struct {
	memEnd
	listens bool
	queue   []*memStream
}

func (l *memListener) Listen(int) error { l.listens = true; return nil }

func (l *memListener) Accept() (asyncio.NetworkStream, error) {
	if len(l.queue) == 0 {
		return nil, asyncio.ErrWouldBlock
	}
	s := l.queue[0]
	l.queue = l.queue[1:]
	return s, nil
}

func (l *memListener) Close() error {
	for _, s := range l.queue {
		s.Close()
	}
	return l.memEnd.Close()
}

type memStream struct {
	memEnd
	peer   *memStream
	remote net.Addr
	in     []byte
	coming int // bytes
	ended  bool
	wroteE bool
	broken error
}

func (s *memStream) RemoteAddr() net.Addr { return s.remote }

func (s *memStream) Read(p []byte) (int, error) {
	switch {
	case len(s.in) > 0:
		n := copy(p, s.in)
		s.in = s.in[n:]
		s.peer.later(func() { s.peer.tell(sched.Writable) })
		return n, nil
	case s.broken != nil:
		return 0, s.broken
	case s.ended:
		return 0, io.EOF
	}
	return 0, asyncio.ErrWouldBlock
}

func (s *memStream) Write(p []byte) (int, error) {
	switch {
	case s.wroteE, s.broken != nil:
		return 0, syscall.EPIPE
	}
	to := s.peer
	room := memRoom - to.coming - len(to.in)
	if room <= 0 {
		return 0, asyncio.ErrWouldBlock
	}
	data := append([]byte(nil), p[:min(len(p), room)]...)
	to.coming += len(data)
	s.later(func() {
		to.coming -= len(data)
		if to.closed {
			s.later(func() { s.breaks(syscall.ECONNRESET) })
			return
		}
		to.in = append(to.in, data...)
		to.tell(sched.Readable)
	})
	return len(data), nil
}

func (s *memStream) breaks(err error) {
	s.broken = err
	s.tell(sched.Readable | sched.Writable | sched.HungUp)
}

func (s *memStream) CloseWrite() error {
	if !s.wroteE {
		s.wroteE = true
		s.later(func() {
			s.peer.ended = true
			s.peer.tell(sched.Readable)
		})
	}
	return nil
}

func (s *memStream) Close() error {
	if len(s.in) > 0 { // it was not read
		s.later(func() { s.peer.breaks(syscall.ECONNRESET) })
	}
	s.CloseWrite()
	return s.memEnd.Close()
}

type memPackets struct {
	memEnd
	remote net.Addr
	queue  []memPacket
}

type memPacket struct {
	data []byte
	from net.Addr
	err  error
}

func (p *memPackets) RemoteAddr() net.Addr { return p.remote }

func (p *memPackets) ReadFrom(b []byte) (int, net.Addr, error) {
	if len(p.queue) == 0 {
		return 0, nil, asyncio.ErrWouldBlock
	}
	got := p.queue[0]
	p.queue = p.queue[1:]
	return copy(b, got.data), got.from, got.err
}

func (p *memPackets) WriteTo(b []byte, to net.Addr) error {
	if to == nil {
		to = p.remote
	}
	if len(b) > 65507 {
		return syscall.EMSGSIZE
	}
	data := append([]byte(nil), b...)
	p.later(func() {
		there, _ := p.net.find("udp", to).(*memPackets)
		switch {
		case there == nil && p.remote != nil:
			p.queue = append(p.queue, memPacket{err: syscall.ECONNREFUSED})
			p.tell(sched.Readable)
		case there != nil && len(there.queue) < 100 && (there.remote == nil || there.remote.String() == p.local.String()):
			there.queue = append(there.queue, memPacket{data: data, from: p.local})
			there.tell(sched.Readable)
		}
	})
	return nil
}
