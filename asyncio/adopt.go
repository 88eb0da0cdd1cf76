package asyncio

import (
	"context"
	"net"
	"syscall"
)

// Adopt makes c, a connection of package net or of another loop, one of the loop
// that ctx comes from: what Dial would have returned. c itself is closed; what has
// come and was not read yet is read from the new one. So a loop can hand a
// connection over to another, see Worker.
//
// Any goroutine may call it, with a ctx that comes from a loop; it does not
// switch. The error is a TypeError for a connection that has no descriptor of the
// system, such as one of TLS or net.Pipe; c stays open then.
func Adopt(ctx context.Context, c net.Conn) (net.Conn, error) {
	l, err := boundTo(nil, ctx)
	if err != nil {
		return nil, err
	}
	if err := l.onlySystem("Adopt"); err != nil {
		return nil, err
	}
	if _, ok := c.(syscall.Conn); !ok || c.LocalAddr() == nil {
		return nil, typeErrorf("only a connection of the system can be adopted, not a %T", c)
	}
	return l.world().conns.conn(l, c.LocalAddr().Network(), c)
}

// AdoptListener is Adopt for a listener: one that a process has inherited, say.
func AdoptListener(ctx context.Context, ln net.Listener) (net.Listener, error) {
	l, err := boundTo(nil, ctx)
	if err != nil {
		return nil, err
	}
	if err := l.onlySystem("AdoptListener"); err != nil {
		return nil, err
	}
	if _, ok := ln.(syscall.Conn); !ok {
		return nil, typeErrorf("only a listener of the system can be adopted, not a %T", ln)
	}
	return l.world().conns.listener(l, ln.Addr().Network(), ln, 0)
}
