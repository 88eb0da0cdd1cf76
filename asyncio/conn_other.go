//go:build !linux && !darwin && !dragonfly && !freebsd && !netbsd && !openbsd

package asyncio

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"syscall"
	"time"
)

// Where the loop's poller watches no descriptors, a connection is one of package
// net. What a task waits for is done by a goroutine, which posts that it is done;
// who is no task calls package net itself.

// A fetcher gets things one after the other: data, datagrams, connections. A task
// that is cancelled leaves at once: what is fetched then is kept for the next one.
type fetcher[T any] struct {
	line line // of tasks that wait; the owner's

	mu   sync.Mutex
	done chan struct{} // of the fetch that is under way; nil if none is
	has  bool          // there is something
	what T
	err  error
}

// next returns what was fetched, or what fetch returns.
func (q *fetcher[T]) next(l *Loop, fetch func() (T, error)) (T, error) {
	t, waits := callerOn(l)
	for {
		q.mu.Lock()
		switch {
		case q.has:
			what, err := q.what, q.err
			var none T
			q.has, q.what, q.err = false, none, nil
			q.mu.Unlock()
			return what, err
		case t == nil && !waits:
			q.mu.Unlock()
			var none T
			return none, errCallbackWaits
		case t == nil && q.done == nil:
			q.mu.Unlock()
			return fetch()
		case t == nil:
			done := q.done
			q.mu.Unlock()
			<-done
			continue
		case q.done == nil:
			q.done = make(chan struct{})
			go q.run(l, fetch)
		}
		q.mu.Unlock()
		if err := q.wait(t); err != nil {
			var none T
			return none, err
		}
	}
}

// wait suspends t until something was fetched.
func (q *fetcher[T]) wait(t *task) error {
	g, err := q.line.stand(t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	chosen, err := q.line.leave(t, err)
	if chosen && err != nil {
		q.line.wake(1)
	}
	return err
}

func (q *fetcher[T]) run(l *Loop, fetch func() (T, error)) {
	what, err := fetch()
	q.mu.Lock()
	q.has, q.what, q.err = true, what, err
	close(q.done)
	q.done = nil
	q.mu.Unlock()
	l.s.Post(func() { q.line.wake(1) })
}

// keep puts back what was not used up.
func (q *fetcher[T]) keep(l *Loop, what T) {
	q.mu.Lock()
	q.has, q.what = true, what
	q.mu.Unlock()
	l.s.Post(func() { q.line.wake(1) })
}

// forget drops a deadline that was over for somebody who did not wait for it.
func (q *fetcher[T]) forget() {
	q.mu.Lock()
	defer q.mu.Unlock()
	var late net.Error
	if q.has && errors.As(q.err, &late) && late.Timeout() {
		q.has, q.err = false, nil
	}
}

// callerOn returns the calling task, if it is one of l. Else it reports whether
// the caller may wait all the same: a callback may not.
func callerOn(l *Loop) (t *task, waits bool) {
	if !l.s.Owned() {
		return nil, true
	}
	st := l.s.Current()
	if st == nil {
		return nil, !l.s.Running()
	}
	st.Here()
	return taskIn(st), true
}

// A chunk is what one read has brought.
type chunk struct {
	data []byte
	from net.Addr
}

// A conn is a connection of package net for the tasks of a loop.
type conn struct {
	net.Conn
	loop *Loop
	in   fetcher[chunk]
	buf  []byte // for reads; whoever fetches has it

	mu    sync.Mutex
	until time.Time // the deadline of writes
}

const chunkSize = 64 << 10 // no datagram is larger

func (c *conn) read() (chunk, error) {
	if c.buf == nil {
		c.buf = make([]byte, chunkSize)
	}
	n, err := c.Conn.Read(c.buf)
	return chunk{data: c.buf[:n]}, err
}

func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return c.Conn.Read(p)
	}
	got, err := c.in.next(c.loop, c.read)
	n := copy(p, got.data)
	if n < len(got.data) {
		c.in.keep(c.loop, chunk{data: got.data[n:]})
		return n, nil
	}
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	return c.send(func() (int, error) { return c.Conn.Write(p) })
}

// send calls write on a goroutine, if a task calls, which waits. If that is
// cancelled, write is interrupted, and says what it has done.
func (c *conn) send(write func() (int, error)) (n int, err error) {
	t, waits := callerOn(c.loop)
	if t == nil {
		if !waits {
			return 0, errCallbackWaits
		}
		return write()
	}
	var q line
	done := make(chan struct{})
	go func() {
		n, err = write()
		close(done)
		c.loop.s.Post(func() { q.wake(1) })
	}()
	for {
		g, waited := q.stand(t)
		if g != nil {
			_, waited = g.Switch(nil)
		}
		_, waited = q.leave(t, waited)
		if waited != nil {
			c.mu.Lock()
			c.Conn.SetWriteDeadline(time.Unix(1, 0))
			<-done
			c.Conn.SetWriteDeadline(c.until)
			c.mu.Unlock()
			return n, waited
		}
		select {
		case <-done:
			return n, err
		default: // it was woken for nothing
		}
	}
}

func (c *conn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *conn) SetReadDeadline(t time.Time) error {
	c.in.forget()
	return c.Conn.SetReadDeadline(t)
}

func (c *conn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	return c.Conn.SetWriteDeadline(t)
}

// SyscallConn is the connection's own: its Read and Write wait with the goroutine.
func (c *conn) SyscallConn() (syscall.RawConn, error) {
	if raw, ok := c.Conn.(syscall.Conn); ok {
		return raw.SyscallConn()
	}
	return nil, syscall.EINVAL
}

func (c *conn) CloseRead() error {
	if half, ok := c.Conn.(interface{ CloseRead() error }); ok {
		return half.CloseRead()
	}
	return fmt.Errorf("asyncio: CloseRead: %w", errors.ErrUnsupported)
}

func (c *conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return fmt.Errorf("asyncio: CloseWrite: %w", errors.ErrUnsupported)
}

// A packetConn is a conn of datagrams.
type packetConn struct {
	conn
	pc net.PacketConn
}

func (c *packetConn) readFrom() (chunk, error) {
	if c.buf == nil {
		c.buf = make([]byte, chunkSize)
	}
	n, from, err := c.pc.ReadFrom(c.buf)
	return chunk{c.buf[:n], from}, err
}

func (c *packetConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	return n, err
}

func (c *packetConn) ReadFrom(p []byte) (int, net.Addr, error) {
	got, err := c.in.next(c.loop, c.readFrom)
	return copy(p, got.data), got.from, err
}

func (c *packetConn) WriteTo(p []byte, to net.Addr) (int, error) {
	return c.send(func() (int, error) { return c.pc.WriteTo(p, to) })
}

// A listener is one of package net for the tasks of a loop.
type listener struct {
	net.Listener
	loop *Loop
	in   fetcher[net.Conn]
}

func (n *listener) Accept() (net.Conn, error) {
	c, err := n.in.next(n.loop, n.Listener.Accept)
	if err != nil {
		return nil, err
	}
	return newConn(n.loop, c)
}

// Close ends it, and closes the connection that a cancelled Accept has left.
func (n *listener) Close() error {
	err := n.Listener.Close()
	n.in.mu.Lock()
	defer n.in.mu.Unlock()
	if n.in.has && n.in.what != nil {
		n.in.what.Close()
		n.in.has, n.in.what = false, nil
	}
	return err
}

func (n *listener) SetDeadline(t time.Time) error {
	n.in.forget()
	if d, ok := n.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return errors.ErrUnsupported
}

func newConn(l *Loop, c net.Conn) (net.Conn, error) {
	if pc, ok := c.(net.PacketConn); ok {
		return &packetConn{conn: conn{Conn: c, loop: l}, pc: pc}, nil
	}
	return &conn{Conn: c, loop: l}, nil
}

func newListener(l *Loop, ln net.Listener, backlog int) (net.Listener, error) {
	return &listener{Listener: ln, loop: l}, nil
}

func newPacketConn(l *Loop, c net.PacketConn) (net.PacketConn, error) {
	both, ok := c.(net.Conn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("asyncio: %T is no net.Conn: %w", c, errors.ErrUnsupported)
	}
	return &packetConn{conn: conn{Conn: both, loop: l}, pc: c}, nil
}

func reusePort(int) error {
	return fmt.Errorf("asyncio: several listeners at one address: %w", errors.ErrUnsupported)
}
