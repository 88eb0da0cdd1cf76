package asyncio

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/internal/sys"
)

// Where the loop's poller watches no descriptors, a connection is one of package
// net. What a task waits for is done by a goroutine, which posts that it is done;
// who is no task calls package net itself.

// An inbox is what has come, data, datagrams or connections, one at a time, for tasks
// and for others. A task that is cancelled leaves at once: what is got then is kept for
// the next one.
type inbox[T any] struct {
	fd.Ahead[T]
	line  line         // of tasks that wait; the owner's
	tasks atomic.Int32 // how many do
}

// init has get called when somebody waits.
func (q *inbox[T]) init(l *Loop, get func() (T, error)) {
	q.Loop, q.Get, q.Came, q.Most, q.OnlyFor = l.s, get, func() { q.line.wake(1) }, 1, true
}

// next has take called with what has come, until it reports that it has left nothing.
func (q *inbox[T]) next(l *Loop, take func(what *T) (all bool)) error {
	t, waits := callerOn(l)
	if t != nil && t.unheard {
		return t.refused()
	}
	for {
		err := q.Take(take)
		switch {
		case err != fd.ErrAgain:
			if q.tasks.Load() > 0 { // the next one takes the rest, or gets
				l.s.Post(q.Came)
			}
			return err
		case t != nil:
			if err := q.wait(t); err != nil {
				return err
			}
		case waits:
			q.Wait()
		default:
			return errCallbackWaits
		}
	}
}

// wait suspends t until something has come.
func (q *inbox[T]) wait(t *task) error {
	q.tasks.Add(1)
	q.Begin()
	chosen, err := q.line.pass(t)
	q.tasks.Add(-1)
	if chosen && err != nil {
		q.line.wake(1)
	}
	return err
}

// forget drops a deadline that was over for somebody who did not wait for it.
func (q *inbox[T]) forget() {
	q.Forget(func(_ T, err error) bool {
		var late net.Error
		return errors.As(err, &late) && late.Timeout()
	})
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

// A portableConn is a connection of package net for the tasks of a loop.
type portableConn struct {
	net.Conn
	network string // as the program has named it
	loop    *Loop
	in      inbox[chunk]
	buf     []byte // for reads; whoever fetches has it

	sending bool       // a task writes; the owner's
	line    line       // of those that write after it
	writing sync.Mutex // held by the goroutine that writes

	mu          sync.Mutex
	until       time.Time // the deadline of writes
	interrupted bool      // it is not the connection's now
}

const chunkSize = 64 << 10 // no datagram is larger

func (c *portableConn) read() (chunk, error) {
	if c.buf == nil {
		c.buf = make([]byte, chunkSize)
	}
	n, err := c.Conn.Read(c.buf)
	return chunk{data: c.buf[:n]}, err
}

func (c *portableConn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return c.Conn.Read(p)
	}
	n := 0
	err := c.in.next(c.loop, func(got *chunk) bool {
		n = copy(p, got.data)
		got.data = got.data[n:]
		return len(got.data) == 0
	})
	return n, c.failed("read", err)
}

func (c *portableConn) Write(p []byte) (int, error) {
	n, err := c.send(func() (int, error) { return c.Conn.Write(p) })
	return n, c.failed("write", err)
}

// failed returns err as users see it: an *net.OpError, also of a cancellation, by
// which a library knows that it is the connection that has failed. What package net
// has returned is one, or the end.
func (c *portableConn) failed(op string, err error) error {
	if isNets(err) {
		return err
	}
	return &net.OpError{Op: op, Net: c.network, Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: err}
}

// isNets reports whether err is one as the connections of package net have.
func isNets(err error) bool {
	_, is := err.(*net.OpError)
	return is || err == nil || err == io.EOF
}

// send calls write on a goroutine, if a task calls, which waits. If that is
// cancelled, write is interrupted, and says what it has done.
func (c *portableConn) send(write func() (int, error)) (int, error) {
	t, waits := callerOn(c.loop)
	switch {
	case t != nil && t.unheard:
		return 0, t.refused()
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
		if _, err := q.pass(t); err != nil {
			if !c.interrupt(&w) {
				return 0, err
			}
			<-done // at once
			if w.err == nil {
				t.unheard = false // it has written all, so nobody is told
				return w.n, nil
			}
			return w.n, err
		}
		select {
		case <-done:
			return w.n, w.err
		default: // it was woken for nothing
		}
	}
}

// queue suspends t until it has the turn to write.
func (c *portableConn) queue(t *task) error {
	for c.sending {
		has, err := c.line.pass(t)
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
func (c *portableConn) handOn() {
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
func (c *portableConn) perform(w *written, write func() (int, error)) {
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
func (c *portableConn) interrupt(w *written) bool {
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

func (c *portableConn) SetDeadline(t time.Time) error {
	return errors.Join(c.SetReadDeadline(t), c.SetWriteDeadline(t))
}

func (c *portableConn) SetReadDeadline(t time.Time) error {
	c.in.forget()
	return c.Conn.SetReadDeadline(t)
}

func (c *portableConn) SetWriteDeadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.until = t
	if c.interrupted {
		return nil // it is set afterwards
	}
	return c.Conn.SetWriteDeadline(t)
}

// SyscallConn is the connection's own: its Read and Write wait with the goroutine.
func (c *portableConn) SyscallConn() (syscall.RawConn, error) { return rawOf(c.Conn) }

// File returns a duplicate of the connection's file.
func (c *portableConn) File() (*os.File, error) { return fileOf(c.Conn) }

func (c *portableConn) Close() error {
	sys.Release() // the end is something that is sent, too
	return c.Conn.Close()
}

func (c *portableConn) CloseRead() error {
	if half, ok := c.Conn.(interface{ CloseRead() error }); ok {
		return half.CloseRead()
	}
	return fmt.Errorf("asyncio: CloseRead: %w", errors.ErrUnsupported)
}

func (c *portableConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		sys.Release()
		return half.CloseWrite()
	}
	return fmt.Errorf("asyncio: CloseWrite: %w", errors.ErrUnsupported)
}

// A portablePacketConn is a portableConn of datagrams.
type portablePacketConn struct {
	portableConn
	pc net.PacketConn
}

func (c *portablePacketConn) readFrom() (chunk, error) {
	if c.buf == nil {
		c.buf = make([]byte, chunkSize)
	}
	n, from, err := c.pc.ReadFrom(c.buf)
	sys.Acquire() // package net does not tell the race detector of datagrams
	return chunk{c.buf[:n], from}, err
}

func (c *portablePacketConn) Read(p []byte) (int, error) {
	n, _, err := c.ReadFrom(p)
	if op, ok := err.(*net.OpError); ok && op.Err == io.EOF {
		err = io.EOF // bare, as Read has it
	}
	return n, err
}

func (c *portablePacketConn) ReadFrom(p []byte) (int, net.Addr, error) {
	var n int
	var from net.Addr
	err := c.in.next(c.loop, func(got *chunk) bool {
		n, from = copy(p, got.data), got.from
		return true
	})
	return n, from, c.failed("read", err)
}

func (c *portablePacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	n, err := c.send(func() (int, error) {
		sys.Release()
		return c.pc.WriteTo(p, to)
	})
	if !isNets(err) {
		err = &net.OpError{Op: "write", Net: c.network, Source: c.LocalAddr(), Addr: to, Err: err}
	}
	return n, err
}

// A portableListener is one of package net for the tasks of a loop.
type portableListener struct {
	net.Listener
	network string // as the program has named it
	loop    *Loop
	in      inbox[net.Conn]
}

func (n *portableListener) Accept() (net.Conn, error) {
	var c net.Conn
	err := n.in.next(n.loop, func(got *net.Conn) bool {
		c = *got
		return true
	})
	if err != nil {
		if !isNets(err) {
			err = &net.OpError{Op: "accept", Net: n.network, Addr: n.Addr(), Err: err}
		}
		return nil, err
	}
	return portableConns{}.conn(n.loop, n.network, c)
}

func (n *portableListener) accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	sys.Acquire()
	return c, err
}

// Close ends it, and closes the connection that a cancelled Accept has left.
func (n *portableListener) Close() error {
	err := n.Listener.Close()
	n.in.Forget(func(c net.Conn, err error) bool {
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return err
}

func (n *portableListener) SetDeadline(t time.Time) error {
	n.in.forget()
	if d, ok := n.Listener.(interface{ SetDeadline(time.Time) error }); ok {
		return d.SetDeadline(t)
	}
	return errors.ErrUnsupported
}

// keepPath has Close leave the file of a unix socket.
func (n *portableListener) keepPath() {
	if u, ok := n.Listener.(*net.UnixListener); ok {
		u.SetUnlinkOnClose(false)
	}
}

// SyscallConn is the listener's own.
func (n *portableListener) SyscallConn() (syscall.RawConn, error) { return rawOf(n.Listener) }

// File returns a duplicate of the listener's file.
func (n *portableListener) File() (*os.File, error) { return fileOf(n.Listener) }

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

// portableConns makes portableConns.
type portableConns struct{}

func (portableConns) conn(l *Loop, network string, c net.Conn) (net.Conn, error) {
	if c.LocalAddr().Network() != "unix" { // a stream, but of a type that can be both
		if pc, ok := c.(net.PacketConn); ok {
			return newPortablePackets(l, network, c, pc), nil
		}
	}
	made := &portableConn{Conn: c, network: network, loop: l}
	made.in.init(l, made.read)
	return made, nil
}

func newPortablePackets(l *Loop, network string, c net.Conn, pc net.PacketConn) *portablePacketConn {
	made := &portablePacketConn{portableConn: portableConn{Conn: c, network: network, loop: l}, pc: pc}
	made.in.init(l, made.readFrom)
	return made
}

func (portableConns) listener(l *Loop, network string, ln net.Listener, backlog int) (net.Listener, error) {
	made := &portableListener{Listener: ln, network: network, loop: l}
	made.in.init(l, made.accept)
	return made, nil
}

func (portableConns) packets(l *Loop, network string, c net.PacketConn) (net.PacketConn, error) {
	both, ok := c.(net.Conn)
	if !ok {
		c.Close()
		return nil, fmt.Errorf("asyncio: %T is no net.Conn: %w", c, errors.ErrUnsupported)
	}
	return newPortablePackets(l, network, both, c), nil
}
