//go:build portable || !(linux || darwin || dragonfly || freebsd || netbsd || openbsd)

package asyncio

import (
	"errors"
	"fmt"
	"net"
	"os"
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

	mu    sync.Mutex
	done  chan struct{} // of the fetch that is under way; nil if none is
	tasks int           // that wait
	has   bool          // there is something
	what  T
	err   error
}

// next has take called with what was fetched, until it reports that it has left
// nothing. It fetches if there is nothing.
func (q *fetcher[T]) next(l *Loop, fetch func() (T, error), take func(what *T) (all bool)) error {
	t, waits := callerOn(l)
	for {
		q.mu.Lock()
		if q.has {
			err := q.take(l, take)
			q.mu.Unlock()
			return err
		}
		if t == nil && !waits {
			q.mu.Unlock()
			return errCallbackWaits
		}
		done := q.done
		fetches := done == nil
		if fetches {
			q.done = make(chan struct{})
		}
		if t != nil {
			q.tasks++
		}
		q.mu.Unlock()
		switch {
		case t != nil:
			if fetches {
				go q.run(l, fetch)
			}
			if err := q.wait(l, t); err != nil {
				return err
			}
		case fetches:
			q.run(l, fetch)
		default:
			<-done
		}
	}
}

// take is called with mu held.
func (q *fetcher[T]) take(l *Loop, take func(what *T) (all bool)) error {
	err := q.err
	if take(&q.what) {
		var none T
		q.has, q.what, q.err = false, none, nil
	} else {
		err = nil // it comes after the rest
	}
	if q.tasks > 0 { // the next one takes the rest, or fetches
		l.s.Post(func() { q.line.wake(1) })
	}
	return err
}

// wait suspends t until something was fetched.
func (q *fetcher[T]) wait(l *Loop, t *task) error {
	g, err := q.line.stand(t)
	if g != nil {
		_, err = g.Switch(nil)
	}
	chosen, err := q.line.leave(t, err)
	if chosen && err != nil {
		q.line.wake(1)
	}
	q.mu.Lock()
	q.tasks--
	q.mu.Unlock()
	return err
}

func (q *fetcher[T]) run(l *Loop, fetch func() (T, error)) {
	what, err := fetch()
	q.mu.Lock()
	q.has, q.what, q.err = true, what, err
	close(q.done)
	q.done = nil
	tasks := q.tasks
	q.mu.Unlock()
	if tasks > 0 {
		l.s.Post(func() { q.line.wake(1) })
	}
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

	sending bool       // a task writes; the owner's
	line    line       // of those that write after it
	writing sync.Mutex // held by the goroutine that writes

	mu          sync.Mutex
	until       time.Time // the deadline of writes
	interrupted bool      // it is not the connection's now
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
	n := 0
	err := c.in.next(c.loop, c.read, func(got *chunk) bool {
		n = copy(p, got.data)
		got.data = got.data[n:]
		return len(got.data) == 0
	})
	return n, err
}

func (c *conn) Write(p []byte) (int, error) {
	return c.send(func() (int, error) { return c.Conn.Write(p) })
}

// send calls write on a goroutine, if a task calls, which waits. If that is
// cancelled, write is interrupted, and says what it has done.
func (c *conn) send(write func() (int, error)) (int, error) {
	t, waits := callerOn(c.loop)
	switch {
	case t != nil:
	case !waits:
		return 0, errCallbackWaits
	default:
		c.writing.Lock()
		defer c.writing.Unlock()
		return write()
	}
	if err := c.queue(t); err != nil {
		return 0, err
	}
	defer c.handOn()
	var q line
	var w written
	done := make(chan struct{})
	go func() {
		c.perform(&w, write)
		close(done)
		c.loop.s.Post(func() { q.wake(1) })
	}()
	for {
		g, err := q.stand(t)
		if g != nil {
			_, err = g.Switch(nil)
		}
		if _, err = q.leave(t, err); err != nil {
			if c.interrupt(&w) {
				<-done // at once
				return w.n, err
			}
			return 0, err
		}
		select {
		case <-done:
			return w.n, w.err
		default: // it was woken for nothing
		}
	}
}

// queue suspends t until it has the turn to write.
func (c *conn) queue(t *task) error {
	for c.sending {
		g, err := c.line.stand(t)
		if g != nil {
			_, err = g.Switch(nil)
		}
		has, err := c.line.leave(t, err)
		if has && err != nil {
			c.handOn()
		}
		if has || err != nil {
			return err
		}
	}
	c.sending = true
	return nil
}

// handOn gives the turn to the next task.
func (c *conn) handOn() {
	if t := c.line.next(); t != nil {
		c.line.choose(t)
	} else {
		c.sending = false
	}
}

// written is a write of a task, and what has come of it.
type written struct {
	state writeState // guarded by the connection's mu
	n     int
	err   error
}

type writeState uint8

const (
	writeWaits writeState = iota // for another
	writeBegun
	writeDone
	writeDropped // before it began
)

// perform writes, when it is its turn.
func (c *conn) perform(w *written, write func() (int, error)) {
	c.writing.Lock()
	defer c.writing.Unlock()
	c.mu.Lock()
	if w.state == writeDropped {
		c.mu.Unlock()
		return
	}
	w.state = writeBegun
	c.mu.Unlock()
	w.n, w.err = write()
	c.mu.Lock()
	defer c.mu.Unlock()
	w.state = writeDone
	if c.interrupted {
		c.interrupted = false
		c.Conn.SetWriteDeadline(c.until)
	}
}

// interrupt ends w, and reports whether it had begun.
func (c *conn) interrupt(w *written) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch w.state {
	case writeWaits:
		w.state = writeDropped
		return false
	case writeBegun:
		c.interrupted = true
		c.Conn.SetWriteDeadline(time.Unix(1, 0))
	}
	return true
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
	if c.interrupted {
		return nil // it is set afterwards
	}
	return c.Conn.SetWriteDeadline(t)
}

// SyscallConn is the connection's own: its Read and Write wait with the goroutine.
func (c *conn) SyscallConn() (syscall.RawConn, error) { return rawOf(c.Conn) }

// File returns a duplicate of the connection's file.
func (c *conn) File() (*os.File, error) { return fileOf(c.Conn) }

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
	var n int
	var from net.Addr
	err := c.in.next(c.loop, c.readFrom, func(got *chunk) bool {
		n, from = copy(p, got.data), got.from
		return true
	})
	return n, from, err
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
	var c net.Conn
	err := n.in.next(n.loop, n.Listener.Accept, func(got *net.Conn) bool {
		c = *got
		return true
	})
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

// keepPath has Close leave the file of a unix socket.
func (n *listener) keepPath() {
	if u, ok := n.Listener.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
}

// SyscallConn is the listener's own.
func (n *listener) SyscallConn() (syscall.RawConn, error) { return rawOf(n.Listener) }

// File returns a duplicate of the listener's file.
func (n *listener) File() (*os.File, error) { return fileOf(n.Listener) }

// rawOf is of's RawConn, if package net gives it one.
func rawOf(of any) (syscall.RawConn, error) {
	if c, ok := of.(syscall.Conn); ok {
		return c.SyscallConn()
	}
	return nil, syscall.EINVAL
}

// fileOf is of's File, if package net gives it one.
func fileOf(of any) (*os.File, error) {
	if c, ok := of.(interface{ File() (*os.File, error) }); ok {
		return c.File()
	}
	return nil, fmt.Errorf("asyncio: File: %w", errors.ErrUnsupported)
}

func newConn(l *Loop, c net.Conn) (net.Conn, error) {
	if c.LocalAddr().Network() != "unix" { // a stream, but of a type that can be both
		if pc, ok := c.(net.PacketConn); ok {
			return &packetConn{conn: conn{Conn: c, loop: l}, pc: pc}, nil
		}
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

func sharePort(int) error {
	return fmt.Errorf("asyncio: several listeners at one address: %w", errors.ErrUnsupported)
}
