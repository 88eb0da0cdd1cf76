package simnet

import (
	"net"
	"net/netip"
	"syscall"
	"time"
)

// A pair is the addresses of a connection, the host's own first.
type pair struct{ own, other netip.AddrPort }

// closing are the connections of a host that have ended, or were closed by it, and keep
// their addresses for Config.TimeWait.
type closing struct {
	until map[pair]time.Duration
	ports map[uint16]int // how many there are
	order []kept         // the one that ends first comes first
}

// kept is a pair that is kept.
type kept struct {
	pair
	until time.Duration
}

// keep keeps the addresses of e, which has closed first.
func (h *Host) keep(e *end) {
	wait := h.net.cfg.TimeWait
	if wait == 0 || e.kept {
		return
	}
	own, ok := e.local.(*net.TCPAddr)
	if !ok {
		return
	}
	e.kept = true
	p, c := pair{addrPort(own), addrPort(e.remote)}, &h.closing
	if c.until == nil {
		c.until, c.ports = make(map[pair]time.Duration), make(map[uint16]int)
	}
	if _, again := c.until[p]; !again {
		c.ports[p.own.Port()]++
	}
	c.until[p] = h.net.now() + wait
	c.order = append(c.order, kept{p, c.until[p]})
}

// release gives back the addresses that were kept for long enough.
func (c *closing) release(now time.Duration) {
	for len(c.order) > 0 && c.order[0].until <= now {
		p := c.order[0].pair
		c.order = c.order[1:]
		if c.until[p] > now {
			continue // it was kept again
		}
		delete(c.until, p)
		if c.ports[p.own.Port()]--; c.ports[p.own.Port()] == 0 {
			delete(c.ports, p.own.Port())
		}
	}
}

// keeps reports whether the port is that of a connection, or of one that has ended.
func (h *Host) keeps(port uint16) bool {
	h.closing.release(h.net.now())
	if h.closing.ports[port] > 0 {
		return true
	}
	for _, e := range h.ends {
		if own, ok := e.local.(*net.TCPAddr); ok && own.Port == int(port) {
			return true
		}
	}
	return false
}

// freeFor returns a port from which a connection to other can be made; 0 if there is none.
func (h *Host) freeFor(own netip.Addr, other netip.AddrPort) uint16 {
	if h.net.cfg.TimeWait == 0 {
		return h.tcp.free()
	}
	h.closing.release(h.net.now())
	for range lastFree - firstFree + 1 {
		port := h.tcp.free()
		if port == 0 {
			return 0
		}
		if _, kept := h.closing.until[pair{netip.AddrPortFrom(own, port), other}]; !kept {
			return port
		}
	}
	return 0
}

// refused records that an address is not free, and returns the error.
func (h *Host) refused(at netip.AddrPort, err syscall.Errno) error {
	h.net.record(Event{Kind: Refused, From: h, Text: at.String() + ": " + linuxWords(err)})
	return err
}
