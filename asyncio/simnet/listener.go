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

// maxBacklog is the most connections that wait to be accepted, as on Linux.
const maxBacklog = 4096

// A listener accepts connections.
type listener struct {
	host      *Host
	life      int // of the host
	local     net.Addr
	bound     *binding // nil for a unix path
	watcher   sched.Watcher
	keepAlive bool
	listens   bool
	closed    bool
	backlog   int
	queue     []*end // that wait to be accepted
	half      int    // how many are being made
}

// Bind makes a listener.
func (n *Network) Bind(ctx context.Context, o asyncio.NetworkOptions) (asyncio.NetworkListener, error) {
	h := n.running().hostOf(ctx)
	if h.down {
		return nil, syscall.ENETDOWN
	}
	l := &listener{host: h, life: h.life, local: o.Local, keepAlive: o.KeepAlive}
	if u, ok := o.Local.(*net.UnixAddr); ok {
		return l, h.bindPath(u.Name, l, o.ReplacePath)
	}
	b, err := h.bindingFor(o, l)
	switch {
	case err != nil:
	case o.Exclusive && b.port != 0 && h.net.cfg.TimeWait > 0 && h.keeps(b.port):
		err = h.refused(netip.AddrPortFrom(b.ip, b.port), syscall.EADDRINUSE)
	default:
		err = h.tcp.bind(b)
	}
	if err != nil {
		return nil, err
	}
	l.bound, l.local = b, &net.TCPAddr{IP: o.Local.(*net.TCPAddr).IP, Port: int(b.port)}
	return l, nil
}

// bindPath gives what a unix path.
func (h *Host) bindPath(path string, what any, replace bool) error {
	if h.paths == nil {
		h.paths = make(map[string]any)
	}
	if h.paths[path] != nil && !replace {
		return syscall.EADDRINUSE
	}
	h.paths[path] = what
	return nil
}

// LocalAddr returns the listener's address.
func (l *listener) LocalAddr() net.Addr { return l.local }

// Watch has w told of connections.
func (l *listener) Watch(w sched.Watcher) { l.watcher = w }

// Now returns what the host's wall clock shows.
func (l *listener) Now() time.Time { return l.host.clock() }

// Listen has connections made.
func (l *listener) Listen(backlog int) error {
	if l.life != l.host.life {
		return syscall.ENETDOWN
	}
	if backlog <= 0 {
		backlog = maxBacklog
	}
	l.listens, l.backlog = true, min(backlog, maxBacklog)
	l.host.net.record(Event{Kind: Listening, From: l.host, Text: l.local.String()})
	return nil
}

// Accept returns the next connection.
func (l *listener) Accept() (asyncio.NetworkStream, error) {
	switch {
	case l.life != l.host.life:
		return nil, syscall.ENETDOWN
	case len(l.queue) == 0:
		return nil, asyncio.ErrWouldBlock
	}
	e := l.queue[0]
	l.queue[0] = nil
	l.queue = l.queue[1:]
	e.listener = nil
	return e, nil
}

// Close ends it. Connections that were not accepted are reset.
func (l *listener) Close() error {
	if l.closed || l.life != l.host.life {
		return nil
	}
	l.closed = true
	if l.bound != nil {
		l.host.tcp.unbind(l.bound)
	} else if path := l.local.String(); l.host.paths[path] == l {
		delete(l.host.paths, path)
	}
	for _, e := range l.queue {
		e.reset()
	}
	l.queue = nil
	return nil
}

// listenerAt returns who accepts connections at to.
func (h *Host) listenerAt(to net.Addr, turn int) *listener {
	var l *listener
	if u, ok := to.(*net.UnixAddr); ok {
		l, _ = h.paths[u.Name].(*listener)
	} else {
		l, _ = h.tcp.find(addrPort(to), turn).(*listener)
	}
	if l == nil || !l.listens {
		return nil
	}
	return l
}

// asked is the arrival of a SYN.
func (h *Host) asked(from *end, to net.Addr) {
	if e := from.peer; e != nil && e.life == h.life {
		switch {
		case e.state == accepting:
			e.send(synAck, nil) // the first was lost, or is late
		case e.state == over && e.err != nil:
			h.refuse(from)
		}
		return
	}
	l := h.listenerAt(to, from.id)
	if l == nil {
		h.refuse(from)
		return
	}
	if len(l.queue)+l.half > l.backlog {
		h.net.record(Event{Kind: Lost, From: from.host, To: h, Conn: from.id, Text: "SYN: backlog full"})
		return
	}
	e := h.newEnd(from.id, h.net.Link(h, from.host))
	e.state, e.listener, e.peer, e.since = accepting, l, from, h.net.now()
	e.local, e.remote = from.remote, from.local
	e.keepAlive = l.keepAlive
	l.half++
	from.peer = e
	e.send(synAck, nil)
	e.retry.set(h.net.now() + e.patience())
}

// accepted is called when the other side has answered the SYN-ACK.
func (e *end) accepted() bool {
	l := e.listener
	if l.closed {
		e.reset()
		return false
	}
	l.half--
	e.state, e.tries = open, 0
	e.retry.clear()
	l.queue = append(l.queue, e)
	if l.watcher != nil {
		l.watcher.Happened(sched.Readable)
	}
	return true
}
