package asyncio

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"slices"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-greenlet/greenlet/asyncio/internal/fd"
	"github.com/go-greenlet/greenlet/sched"
)

// A networkEndpoint is what connections and listeners of a Network have in common.
// Only the loop's tasks and callbacks come here, also for goroutines; so nothing is
// locked.
type networkEndpoint struct {
	loop          *Loop
	values        context.Context // of whom has made it: tasks that serve goroutines have its values
	end           NetworkEnd
	named         string // the network, by the program: "tcp4", say
	local, remote net.Addr
	listens       bool
	shut          bool
	closing       atomic.Bool // Close was called, by a goroutine perhaps
	in, out       direction
}

func (e *networkEndpoint) open(ctx context.Context, l *Loop, end NetworkEnd, named string) {
	e.loop, e.values, e.end, e.named, e.local = l, context.WithoutCancel(ctx), end, named, end.LocalAddr()
	e.in.ready, e.out.ready = true, true
	end.Watch(e)
}

// Happened is called by the network.
func (e *networkEndpoint) Happened(ev sched.Events) {
	if ev&(sched.Readable|sched.HungUp) != 0 {
		e.in.ready = true
		e.in.line.wake(1)
	}
	if ev&(sched.Writable|sched.HungUp) != 0 {
		e.out.ready = true
		e.out.line.wake(1)
	}
}

// caller returns the calling task, nil in a callback. The error refuses others.
func (e *networkEndpoint) caller() (*task, error) {
	if !e.loop.s.Owned() {
		return nil, errOutside
	}
	st := e.loop.s.Current()
	if st == nil {
		return nil, nil
	}
	st.Here()
	return taskIn(st), nil
}

// byTask has a task do call for a goroutine, which waits. op names it for an error that
// is not call's own, whose errors are as users see them.
func (e *networkEndpoint) byTask(op string, call func() error) error {
	err := e.loop.fromOutside(e.values, op+" of a goroutine", func(context.Context) error { return call() })
	if err == net.ErrClosed || err == errOutside {
		return e.failed(op, err)
	}
	return err
}

// wait suspends t until something can be done in the direction of w, or may be.
func (e *networkEndpoint) wait(t *task, w *direction) error {
	if e.loop.IsClosed() {
		return net.ErrClosed // with its network
	}
	if t == nil {
		return errCallbackWaits
	}
	if err := w.arm(e.loop, t); err != nil {
		return err
	}
	g, err := w.line.stand(t)
	if g != nil {
		if w.ready {
			w.line.choose(t)
		}
		_, err = g.Switch(nil)
	}
	return w.disarm(t, err)
}

// usable tells why a call of t, or of a callback, in the direction of w cannot be
// made.
func (e *networkEndpoint) usable(t *task, w *direction) error {
	switch {
	case t != nil && t.unheard:
		return t.refused()
	case e.shut:
		return net.ErrClosed
	case w.expired(e.loop):
		return os.ErrDeadlineExceeded
	}
	return nil
}

// do calls try until it returns another error than ErrWouldBlock, and returns that.
//
// A goroutine gets errOutside: a task is to do all that for it, by a function of its own,
// so that what try refers to is no allocation of each call.
func (e *networkEndpoint) do(w *direction, try func() error) (err error) {
	t, err := e.caller()
	for err == nil {
		if err = e.usable(t, w); err != nil {
			break
		}
		if err = try(); err != ErrWouldBlock {
			w.passOn()
			return err
		}
		w.ready = false
		err = e.wait(t, w)
	}
	return err
}

// failed returns err as users see it: see endpoint.failed.
func (e *networkEndpoint) failed(op string, err error) error {
	if err == nil || err == io.EOF {
		return err
	}
	of := e.opError(op, err)
	if !e.listens {
		of.Source, of.Addr = e.local, e.remote
	}
	return of
}

func (e *networkEndpoint) opError(op string, err error) *net.OpError {
	if errno, ok := err.(syscall.Errno); ok {
		err = os.NewSyscallError(op, errno)
	}
	return &net.OpError{Op: op, Net: e.named, Addr: e.local, Err: err}
}

// LocalAddr returns the end's own address.
func (e *networkEndpoint) LocalAddr() net.Addr { return e.local }

// RemoteAddr returns the other end's.
func (e *networkEndpoint) RemoteAddr() net.Addr { return e.remote }

// Close ends it. All who wait are woken.
func (e *networkEndpoint) Close() error { return e.failed("close", e.close()) }

func (e *networkEndpoint) close() error {
	if _, err := e.caller(); err != nil {
		if !allowsGoroutines(e.loop.Network()) {
			return err
		}
		if e.closing.Swap(true) {
			return net.ErrClosed
		}
		return e.loop.leaveTo(func() { e.closeEnd() })
	}
	if e.closing.Swap(true) || e.shut {
		return net.ErrClosed
	}
	return e.closeEnd()
}

// closeEnd ends it, unless it was somebody else's meanwhile.
func (e *networkEndpoint) closeEnd() error {
	if e.shut {
		return net.ErrClosed
	}
	err := e.end.Close()
	e.leave()
	return err
}

// leave has all who wait go on: the end is not theirs any more.
func (e *networkEndpoint) leave() {
	e.shut = true
	e.in.line.wake(everybody)
	e.out.line.wake(everybody)
}

// SetDeadline is net.Conn's, by the wall clock of the network.
func (e *networkEndpoint) SetDeadline(t time.Time) error { return e.setDeadline(t, &e.in, &e.out) }

// SetReadDeadline is net.Conn's.
func (e *networkEndpoint) SetReadDeadline(t time.Time) error { return e.setDeadline(t, &e.in) }

// SetWriteDeadline is net.Conn's.
func (e *networkEndpoint) SetWriteDeadline(t time.Time) error { return e.setDeadline(t, &e.out) }

func (e *networkEndpoint) setDeadline(when time.Time, directions ...*direction) error {
	_, err := e.caller()
	switch {
	case err != nil && e.closing.Load():
		err = net.ErrClosed
	case err != nil:
		if err = e.leaveDeadline(when, directions); err == nil {
			return nil
		}
	case e.shut:
		err = net.ErrClosed
	}
	if err != nil {
		return e.opError("set", err)
	}
	now := wallFor(when, e.end.Now())
	for _, w := range directions {
		w.deadline.Store(deadlineOf(e.loop, when, now))
		w.rearm(e.loop)
	}
	return nil
}

// leaveDeadline is setDeadline for a goroutine.
func (e *networkEndpoint) leaveDeadline(when time.Time, directions []*direction) error {
	all := slices.Clone(directions) // the caller's are on its stack
	return e.loop.leaveTo(func() { e.setDeadline(when, all...) })
}

// wallFor returns what clock it is that a program goes by that sets a deadline: now, of
// the network, or the system's, if it has used time.Now. Libraries do that. Then what
// matters is how far off the deadline is, without the moment that has passed since: so
// that equal programs have equal deadlines.
func wallFor(when, now time.Time) time.Time {
	if when == when.Round(0) { // it has no monotonic clock reading, so it is not from time.Now
		return now
	}
	left := time.Until(when)
	exact := time.Millisecond
	for exact < time.Second && left >= 1000*exact {
		exact *= 10
	}
	if left > 0 {
		left = (left + exact - 1) / exact * exact
	}
	return when.Add(-left)
}

// SyscallConn is refused: there is no descriptor.
func (e *networkEndpoint) SyscallConn() (syscall.RawConn, error) {
	return nil, e.opError("raw-control", e.loop.onlySystem("SyscallConn"))
}

// File is refused: there is no descriptor.
func (e *networkEndpoint) File() (*os.File, error) {
	return nil, e.opError("file", e.loop.onlySystem("File"))
}

// A networkConn is a connection of a Network, of a stream.
type networkConn struct {
	networkEndpoint
	stream  NetworkStream
	ended   bool // CloseRead was called
	sending bool // somebody writes
	turns   line // of those that write after him
}

func newNetworkConn(ctx context.Context, l *Loop, named string, s NetworkStream) *networkConn {
	c := &networkConn{stream: s}
	c.remote = s.RemoteAddr()
	c.open(ctx, l, s, named)
	return c
}

// Read is net.Conn's.
func (c *networkConn) Read(p []byte) (int, error) {
	t, err := c.caller()
	if err == errOutside {
		var n int
		err = c.byTask("read", func() (err error) {
			n, err = c.Read(p)
			return err
		})
		return n, err
	}
	w := &c.in
	for err == nil {
		if err = c.usable(t, w); err != nil {
			break
		}
		if len(p) == 0 {
			return 0, nil
		}
		if c.ended {
			return 0, io.EOF
		}
		n, e := c.stream.Read(p)
		if e == nil {
			w.passOn()
			return n, nil
		}
		if err = e; e == ErrWouldBlock {
			w.ready = false
			err = c.wait(t, w)
		} else {
			w.passOn()
		}
	}
	return 0, c.failed("read", err)
}

// WaitReadable waits for something to read or the end, and takes nothing.
func (c *networkConn) WaitReadable() error {
	t, err := c.caller()
	if err == errOutside {
		return c.byTask("read", c.WaitReadable)
	}
	w := &c.in
	for err == nil {
		if err = c.usable(t, w); err == nil {
			if w.ready || c.ended {
				w.passOn()
				return nil
			}
			err = c.wait(t, w)
		}
	}
	return c.failed("read", err)
}

// Write is net.Conn's. Of several at a time each is whole.
func (c *networkConn) Write(p []byte) (n int, err error) {
	t, err := c.caller()
	if err == errOutside {
		return c.writeByTask(p)
	}
	if err == nil {
		err = c.turn(t)
	}
	if err != nil {
		return 0, c.failed("write", err)
	}
	defer c.endTurn()
	w := &c.out
	for {
		if err = c.usable(t, w); err != nil {
			break
		}
		if n == len(p) {
			return n, nil
		}
		m, e := c.stream.Write(p[n:])
		if n += m; e == nil && n == len(p) {
			return n, nil
		}
		if e != nil && e != ErrWouldBlock {
			err = e
			break
		}
		w.ready = false
		if err = c.wait(t, w); err != nil {
			break
		}
	}
	return n, c.failed("write", err)
}

// writeByTask is Write for a goroutine: apart, so that what its function refers to is no
// allocation of each Write.
func (c *networkConn) writeByTask(p []byte) (n int, err error) {
	err = c.byTask("write", func() (err error) {
		n, err = c.Write(p)
		return err
	})
	return n, err
}

// turn waits until t may write.
func (c *networkConn) turn(t *task) error {
	switch {
	case !c.sending:
	case t == nil:
		return errCallbackWaits
	case t.unheard:
		return t.refused()
	default:
		has, err := c.turns.pass(t)
		if has && err != nil {
			c.endTurn()
		}
		return err
	}
	c.sending = true
	return nil
}

// endTurn lets the next one write.
func (c *networkConn) endTurn() {
	if t := c.turns.next(); t != nil {
		c.turns.choose(t)
	} else {
		c.sending = false
	}
}

// CloseRead ends what is read.
func (c *networkConn) CloseRead() error {
	return c.whileOpen("close", func() error {
		c.ended = true
		c.Happened(sched.Readable)
		return nil
	})
}

// CloseWrite ends what is sent.
func (c *networkConn) CloseWrite() error { return c.whileOpen("close", c.stream.CloseWrite) }

// whileOpen calls f for op, unless c is closed or somebody else's.
func (c *networkConn) whileOpen(op string, f func() error) error {
	_, err := c.caller()
	switch {
	case err == errOutside:
		return c.byTask(op, func() error { return c.whileOpen(op, f) })
	case c.shut:
		err = net.ErrClosed
	default:
		err = f()
	}
	return c.failed(op, err)
}

// SetNoDelay means nothing: what is written goes out at once.
func (c *networkConn) SetNoDelay(bool) error { return c.whileOpen("set", func() error { return nil }) }

// SetKeepAlive is for a stream that has such a method.
func (c *networkConn) SetKeepAlive(on bool) error {
	return c.whileOpen("set", func() error {
		if s, ok := c.stream.(interface{ SetKeepAlive(on bool) error }); ok {
			return s.SetKeepAlive(on)
		}
		return nil
	})
}

// SetLinger is for a stream that has such a method.
func (c *networkConn) SetLinger(seconds int) error {
	return c.whileOpen("set", func() error {
		if s, ok := c.stream.(interface{ SetLinger(seconds int) error }); ok {
			return s.SetLinger(seconds)
		}
		return nil
	})
}

// SetReadBuffer means nothing.
func (c *networkConn) SetReadBuffer(int) error {
	return c.whileOpen("set", func() error { return nil })
}

// SetWriteBuffer means nothing.
func (c *networkConn) SetWriteBuffer(int) error {
	return c.whileOpen("set", func() error { return nil })
}

// asSocket returns a socket of the stream, and ends c, whose it was.
func (c *networkConn) asSocket() (*anySocket, error) {
	if c.shut {
		return nil, net.ErrClosed
	}
	c.leave()
	return &openNetwork(c.loop, c.stream, c.local.Network()).anySocket, nil
}

// A networkListener is a listener of a Network.
type networkListener struct {
	networkEndpoint
	ln NetworkListener
}

// Addr is net.Listener's.
func (n *networkListener) Addr() net.Addr { return n.local }

// Accept is net.Listener's. The connection is made where it is accepted, by the loop,
// which has its end watched from then on.
func (n *networkListener) Accept() (net.Conn, error) {
	var c *networkConn
	err := n.do(&n.in, func() error {
		s, err := n.ln.Accept()
		if err == nil {
			c = newNetworkConn(n.values, n.loop, n.named, s)
		}
		return err
	})
	switch {
	case err == errOutside:
		return n.acceptByTask()
	case err != nil:
		return nil, n.failed("accept", err)
	}
	return c, nil
}

func (n *networkListener) acceptByTask() (c net.Conn, err error) {
	err = n.byTask("accept", func() (err error) {
		c, err = n.Accept()
		return err
	})
	return c, err
}

// A networkPacketConn is an end of a Network for datagrams.
type networkPacketConn struct {
	networkEndpoint
	packets NetworkPackets
}

func newNetworkPackets(ctx context.Context, l *Loop, named string, p NetworkPackets) *networkPacketConn {
	c := &networkPacketConn{packets: p}
	c.remote = p.RemoteAddr()
	c.open(ctx, l, p, named)
	return c
}

// ReadFrom is net.PacketConn's.
func (c *networkPacketConn) ReadFrom(p []byte) (n int, from net.Addr, err error) {
	err = c.do(&c.in, func() (err error) {
		n, from, err = c.packets.ReadFrom(p)
		return err
	})
	switch {
	case err == errOutside:
		return c.readFromByTask(p)
	case err != nil:
		return 0, nil, c.failed("read", err)
	}
	return n, from, nil
}

func (c *networkPacketConn) readFromByTask(p []byte) (n int, from net.Addr, err error) {
	err = c.byTask("read", func() (err error) {
		n, from, err = c.ReadFrom(p)
		return err
	})
	return n, from, err
}

// Read is net.Conn's.
func (c *networkPacketConn) Read(p []byte) (int, error) {
	if len(p) == 0 { // takes none, and does not wait
		err := c.do(&c.in, func() error { return nil })
		if err == errOutside {
			return 0, c.byTask("read", func() error { _, err := c.Read(nil); return err })
		}
		return 0, c.failed("read", err)
	}
	n, _, err := c.ReadFrom(p)
	return n, err
}

// WriteTo is net.PacketConn's.
func (c *networkPacketConn) WriteTo(p []byte, to net.Addr) (int, error) {
	err := c.checkAddr(to)
	if err == nil {
		err = c.do(&c.out, func() error { return c.packets.WriteTo(p, loopbackFor(to)) })
		if errno, ok := err.(syscall.Errno); ok {
			err = os.NewSyscallError("sendto", errno)
		}
	}
	switch {
	case err == errOutside:
		return c.writeByTask(p, func() (int, error) { return c.WriteTo(p, to) })
	case err != nil:
		return 0, fd.SendError(c.named, c.local, to, err)
	}
	return len(p), nil
}

func (c *networkPacketConn) checkAddr(to net.Addr) error {
	err := fd.CheckDatagramAddr(c.named, fd.Is4(c.local), to)
	if !errors.Is(err, syscall.EINVAL) && c.remote != nil {
		return net.ErrWriteToConnected
	}
	return err
}

// Write is net.Conn's, to whom c is connected.
func (c *networkPacketConn) Write(p []byte) (int, error) {
	err := c.do(&c.out, func() error {
		if c.remote == nil {
			return syscall.EDESTADDRREQ
		}
		return c.packets.WriteTo(p, nil)
	})
	switch {
	case err == errOutside:
		return c.writeByTask(p, func() (int, error) { return c.Write(p) })
	case err != nil:
		return 0, c.failed("write", err)
	}
	return len(p), nil
}

func (c *networkPacketConn) writeByTask(p []byte, write func() (int, error)) (n int, err error) {
	err = c.byTask("write", func() (err error) {
		n, err = write()
		return err
	})
	return n, err
}
