package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A peer is the other side of a connection, of package net: what it does is done
// at once, because the kernel does the rest. On a simulated network it is one of the
// loop, and does it in the task that asks for it.
type peer struct {
	tcpConn
	t *testing.T
}

// A tcpConn is what *net.TCPConn and a loop's connection have.
type tcpConn interface {
	net.Conn
	CloseWrite() error
	SetLinger(seconds int) error
	SetNoDelay(on bool) error
}

// otherSide listens for one connection, has connect make it, and returns its other side.
func otherSide(t *testing.T, ctx context.Context, connect func(addr string) error) peer {
	t.Helper()
	ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer ln.Close()
	require.NoError(t, connect(ln.Addr().String()))
	c, err := ln.Accept()
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return peer{c.(tcpConn), t}
}

func (p peer) send(s string) {
	p.t.Helper()
	if _, err := p.Write([]byte(s)); err != nil {
		p.t.Error(err)
	}
}

// reset has the connection reset.
func (p peer) reset() {
	p.SetLinger(0)
	p.Close()
}

// receive reads n bytes elsewhere, while the loop goes on.
func (p peer) receive(ctx context.Context, n int) ([]byte, error) {
	b, got := make([]byte, n), 0
	if overNetwork != nil {
		got, err := io.ReadFull(p, b)
		return b[:got], err
	}
	err := asyncio.ToThreadFunc(ctx, func(context.Context) (err error) {
		got, err = io.ReadFull(p, b)
		return err
	})
	return b[:got], err
}

func TestTransportCloseFlushes(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, newRecorder)
		big := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB: more than the system takes
		tr.Write(big)
		if tr.WriteBufferSize() == 0 {
			t.Fatal("all was sent at once")
		}
		tr.Close()
		tr.Close()
		tr.Write([]byte("too late"))
		if !tr.IsClosing() || tr.IsReading() {
			t.Error("it is not closing, or reading")
		}
		p.check(t, "made pause")
		all, err := peer.receive(ctx, len(big)+1)
		if !bytes.Equal(all, big) || err != io.ErrUnexpectedEOF {
			t.Errorf("the peer got %d bytes of %d, %v", len(all), len(big), err)
		}
		p.lost.Wait(ctx)
		p.check(t, "made pause resume lost")
		if p.lostErr != nil {
			t.Error(p.lostErr)
		}
		return nil
	})
}

func TestTransportAbort(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, _ := dial(t, ctx, newRecorder)
		tr.Write(make([]byte, 8<<20))
		tr.Abort()
		if tr.WriteBufferSize() != 0 {
			t.Error("something is still to be sent")
		}
		p.check(t, "made pause") // not from inside
		p.lost.Wait(ctx)
		tr.Abort()
		tr.Close()
		asyncio.Sleep(ctx, 0)
		p.check(t, "made pause lost")
		if peer, ok := tr.ExtraInfo("peername").(net.Addr); !ok || !strings.HasPrefix(peer.String(), "127.0.0.1:") {
			t.Error("the address of the peer is forgotten")
		}
		return nil
	})
}

// Every Close and Abort, in any order and from any callback, ends in one
// ConnectionLost.
func TestTransportLostOnce(t *testing.T) {
	for _, at := range []string{"made", "data", "eof", "lost"} {
		for name, end := range map[string]func(asyncio.Transport){
			"Close": asyncio.Transport.Close, "Abort": asyncio.Transport.Abort,
		} {
			t.Run(name+" at "+at, func(t *testing.T) {
				onSockets(t, func(ctx context.Context) error {
					tr, p, peer := dial(t, ctx, func() *recorder {
						p := newRecorder()
						p.on = func(event string) {
							if event == at {
								end(p.tr)
								end(p.tr)
							}
						}
						return p
					})
					peer.Write([]byte("data"))
					peer.CloseWrite()
					p.lost.Wait(ctx)
					end(tr)
					asyncio.Sleep(ctx, 0)
					asyncio.Sleep(ctx, 0)
					if strings.Count(strings.Join(p.events, " "), "lost") != 1 || p.lostErr != nil {
						t.Error(p.events, p.lostErr)
					}
					return nil
				})
			})
		}
	}
}

func TestTransportHalfClose(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, func() *recorder { p := newRecorder(); p.keep = true; return p })
		peer.send("question")
		peer.CloseWrite()
		p.until(ctx, "eof")
		p.check(t, "made data eof")
		tr.Write([]byte("answer"))
		if !tr.CanWriteEOF() {
			t.Error("it cannot end what it sends")
		}
		tr.WriteEOF()
		tr.WriteEOF()
		wantPy(t, "Write after WriteEOF", tr.Write([]byte("x")), "RuntimeError", "")
		answer, err := peer.receive(ctx, 7)
		got(t, "the answer", answer, err, "answer", io.ErrUnexpectedEOF)
		if tr.IsClosing() {
			t.Error("it is closing")
		}
		tr.Close()
		return p.lost.Wait(ctx)
	})
}

func TestTransportWriteEOFAfterBuffer(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, newRecorder)
		big := bytes.Repeat([]byte("abc"), 3<<20)
		tr.Write(big)
		tr.WriteEOF()
		all, err := peer.receive(ctx, len(big)+1)
		if !bytes.Equal(all, big) || err != io.ErrUnexpectedEOF {
			t.Errorf("the peer got %d bytes of %d, %v", len(all), len(big), err)
		}
		peer.send("still heard")
		p.until(ctx, "data")
		if p.data.String() != "still heard" {
			t.Errorf("got %q", p.data.String())
		}
		tr.Close()
		return p.lost.Wait(ctx)
	})
}

func TestTransportFlowControl(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, newRecorder)
		if low, high := tr.WriteBufferLimits(); low != 16<<10 || high != 64<<10 {
			t.Error("the defaults are", low, high)
		}
		wantPy(t, "low above high", tr.SetWriteBufferLimits(1, 2), "ValueError", "")
		tr.SetWriteBufferLimits(-1, 100)
		if low, high := tr.WriteBufferLimits(); low != 100 || high != 400 {
			t.Error("from low alone:", low, high)
		}
		tr.SetWriteBufferLimits(1000, -1)
		if low, high := tr.WriteBufferLimits(); low != 250 || high != 1000 {
			t.Error("from high alone:", low, high)
		}
		tr.SetWriteBufferLimits(1<<20, 1000)
		p.on = func(event string) {
			if event == "resume" && tr.WriteBufferSize() > 1000 {
				t.Error("resumed with so much to send:", tr.WriteBufferSize())
			}
		}
		total := 0
		for tr.WriteBufferSize() <= 1<<20 {
			tr.Write(make([]byte, 1<<20))
			total += 1 << 20
		}
		tr.Write(make([]byte, 10))
		p.check(t, "made pause")
		if _, err := peer.receive(ctx, total+10); err != nil {
			return err
		}
		p.until(ctx, "resume")
		p.check(t, "made pause resume")
		tr.WriteLines([]byte("small "), []byte("pieces"))
		tr.WriteLines(make([]byte, 1<<19), nil, make([]byte, 1))
		if all, err := peer.receive(ctx, 12+1<<19+1); err != nil || string(all[:12]) != "small pieces" {
			t.Errorf("%q, %v", all[:12], err)
		}
		tr.Close()
		return p.lost.Wait(ctx)
	})
}

func TestTransportPauseReading(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, p, peer := dial(t, ctx, newRecorder)
		tr.PauseReading()
		tr.PauseReading()
		if tr.IsReading() {
			t.Error("it is reading")
		}
		peer.send("kept by the system")
		peer.CloseWrite()
		for range 20 {
			asyncio.Sleep(ctx, time.Millisecond)
		}
		p.check(t, "made")
		tr.ResumeReading()
		tr.ResumeReading()
		p.lost.Wait(ctx)
		p.check(t, "made data eof lost")
		if p.data.String() != "kept by the system" {
			t.Errorf("got %q", p.data.String())
		}
		tr.ResumeReading()
		return nil
	})
}

func TestTransportReset(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		_, p, peer := dial(t, ctx, newRecorder)
		peer.reset()
		p.lost.Wait(ctx)
		p.check(t, "made lost")
		var op *net.OpError
		if !errors.Is(p.lostErr, syscall.ECONNRESET) || !errors.As(p.lostErr, &op) || op.Op != "read" {
			t.Error(p.lostErr)
		}
		return nil
	})
}

// After the end a program may write for a while without noticing; then the log
// says so.
func TestTransportWritesAfterLoss(t *testing.T) {
	logged := captureLog(t)
	onSockets(t, func(ctx context.Context) error {
		tr, p, _ := dial(t, ctx, newRecorder)
		tr.Abort()
		p.lost.Wait(ctx)
		for range 4 {
			assert.NoError(t, tr.Write([]byte("x")))
		}
		if s := logged.String(); s != "" {
			t.Error("logged too early:", s)
		}
		tr.Write([]byte("x"))
		if s := logged.String(); !strings.Contains(s, "data is written to a connection that is over") {
			t.Errorf("the log is %q", s)
		}
		return nil
	})
}

// A callback that panics ends its connection, and nothing else.
func TestTransportCallbackPanics(t *testing.T) {
	for event, call := range map[string]string{
		"made": "connection_made", "data": "data_received", "eof": "eof_received",
	} {
		t.Run(call, func(t *testing.T) {
			onSockets(t, func(ctx context.Context) error {
				var told []asyncio.ExceptionContext
				l := asyncio.CurrentTask(ctx).Loop()
				l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { told = append(told, c) })
				ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
				if err != nil {
					return err
				}
				defer ln.Close()
				p := newRecorder()
				p.on = func(e string) {
					if e == event {
						panic("deliberately")
					}
				}
				tr, _, err := asyncio.CreateConnection(ctx, func() *recorder { return p }, "tcp", ln.Addr().String())
				var panicked *asyncio.PanicError
				if event == "made" {
					if !errors.As(err, &panicked) {
						t.Error("CreateConnection:", err)
					}
				} else if err != nil {
					return err
				}
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				defer c.Close()
				c.Write([]byte("data"))
				c.(tcpConn).CloseWrite()
				p.lost.Wait(ctx)
				if len(told) != 1 || told[0].Message != "Fatal error: protocol."+call+"() call failed." ||
					!errors.As(told[0].Exception, &panicked) || told[0].Protocol != asyncio.BaseProtocol(p) || told[0].Transport != asyncio.BaseTransport(p.tr) {
					t.Errorf("the handler was told %v", told)
				}
				if !errors.As(p.lostErr, &panicked) || tr != nil && !tr.IsClosing() {
					t.Error("ConnectionLost was told", p.lostErr)
				}
				return nil
			})
		})
	}
}

// A panic in ConnectionLost, or in flow control, is reported; nothing leaks.
func TestTransportLateCallbackPanics(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		var messages []string
		l := asyncio.CurrentTask(ctx).Loop()
		l.SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { messages = append(messages, c.Message) })
		tr, p, peer := dial(t, ctx, newRecorder)
		p.on = func(e string) {
			if e == "pause" || e == "resume" || e == "lost" {
				panic("deliberately")
			}
		}
		tr.Write(make([]byte, 8<<20))
		if _, err := peer.receive(ctx, 8<<20); err != nil {
			return err
		}
		p.until(ctx, "resume")
		tr.Close()
		for len(messages) < 3 {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return err
			}
		}
		if want := "protocol.pause_writing() failed, protocol.resume_writing() failed, Exception in callback"; strings.Join(messages, ", ") != want {
			t.Error(messages)
		}
		if _, err := peer.receive(ctx, 1); err != io.EOF {
			t.Error("the socket was not closed:", err)
		}
		return nil
	})
}

// A bufferer is a BufferedProtocol with a small buffer.
type bufferer struct {
	recorder
	buffer []byte
}

func (p *bufferer) GetBuffer(hint int) []byte {
	if hint != -1 {
		panic("another hint")
	}
	return p.buffer
}
func (p *bufferer) BufferUpdated(n int) { p.data.Write(p.buffer[:n]); p.note("updated") }

func TestBufferedProtocol(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		_, p, peer := dial(t, ctx, func() *bufferer {
			return &bufferer{*newRecorder(), make([]byte, 4)}
		})
		peer.send("0123456789")
		peer.Close()
		p.lost.Wait(ctx)
		p.check(t, "made updated updated updated eof lost")
		if p.data.String() != "0123456789" {
			t.Errorf("got %q", p.data.String())
		}
		var message string
		asyncio.CurrentTask(ctx).Loop().SetExceptionHandler(func(_ *asyncio.Loop, c asyncio.ExceptionContext) { message = c.Message })
		_, p, peer = dial(t, ctx, func() *bufferer { return &bufferer{recorder: *newRecorder()} })
		peer.send("0")
		p.lost.Wait(ctx)
		if message != "Fatal error: protocol.get_buffer() call failed." {
			t.Errorf("an empty buffer: the handler was told %q", message)
		}
		return nil
	})
}

func TestSetProtocol(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		tr, first, peer := dial(t, ctx, newRecorder)
		second := newRecorder()
		tr.SetProtocol(second)
		if tr.Protocol() != asyncio.BaseProtocol(second) {
			t.Error("it is another")
		}
		if p := panicked(func() { tr.SetProtocol(onlyLost{}) }); p == nil {
			t.Error("one that cannot be told of data is taken")
		}
		peer.send("x")
		peer.Close()
		second.lost.Wait(ctx)
		first.check(t, "made")
		second.check(t, "data eof lost")
		return nil
	})
}

func TestCreateConnectionRefuses(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		addr := ln.Addr().String()
		_, _, err = asyncio.CreateConnection(ctx, func() onlyLost { return onlyLost{} }, "tcp", addr)
		wantPy(t, "a protocol that is none", err, "TypeError", "")
		if p := panicked(func() { asyncio.CreateConnection(ctx, func() *recorder { panic("deliberately") }, "tcp", addr) }); p != "deliberately" {
			t.Error("a factory that panics:", p)
		}
		ln.Close()
		_, _, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", addr)
		var op *net.OpError
		if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Op != "dial" || op.Addr.String() != addr {
			t.Error("nobody listens:", err)
		}
		_, _, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", addr, asyncio.WithAllErrors())
		var group *asyncio.ExceptionGroup
		if !errors.As(err, &group) || len(group.Exceptions) != 1 || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("nobody listens, with all errors:", err)
		}
		_, _, err = asyncio.CreateConnection(ctx, newRecorder, "unix", filepath.Join(t.TempDir(), "none"))
		if !errors.Is(err, syscall.ENOENT) {
			t.Error("no such path:", err)
		}
		for _, bad := range [][2]string{{"udp", addr}, {"tcp", "no port"}, {"tcp6", "127.0.0.1:1"}} {
			if _, _, err = asyncio.CreateConnection(ctx, newRecorder, bad[0], bad[1]); err == nil {
				t.Errorf("connected to %q", bad)
			}
		}
		_, _, err = asyncio.CreateConnection(context.Background(), newRecorder, "tcp", addr)
		if !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Error("without a loop:", err)
		}
		return nil
	})
}

func TestCreateConnectionByName(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		server, err := asyncio.CreateServer(ctx, newRecorder, "tcp4", "localhost:0")
		if err != nil {
			t.Skip("the machine has no name localhost:", err)
		}
		_, port, _ := net.SplitHostPort(server.Addr().String())
		for _, opts := range [][]asyncio.ConnectOption{
			nil,
			{asyncio.WithHappyEyeballs(time.Second)},
			{asyncio.WithHappyEyeballs(0), asyncio.WithLocalAddr("127.0.0.1:0"), asyncio.WithKeepAlive(true)},
		} {
			tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", "localhost:"+port, opts...)
			if err != nil {
				return err
			}
			tr.Close()
			p.lost.Wait(ctx)
		}
		_, _, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", "name.invalid:1")
		var dns *net.DNSError
		if !errors.As(err, &dns) {
			t.Error("a name that nobody has:", err)
		}
		lookup := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", "localhost:1")
			return err
		})
		asyncio.Sleep(ctx, 0)
		lookup.Cancel()
		if _, err := lookup.Await(ctx); !errors.Is(err, asyncio.ErrCancelled) {
			t.Error("a lookup that was cancelled:", err)
		}
		server.Close()
		return server.WaitClosed(ctx)
	})
}

// A connection that is not made yet can be cancelled at any point, and leaves
// nothing.
func TestCreateConnectionCancelled(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		ln, err := netListen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer ln.Close()
		for turns := range 8 {
			p := newRecorder()
			making := asyncio.Go(ctx, func(ctx context.Context) error {
				tr, _, err := asyncio.CreateConnection(ctx, func() *recorder { return p }, "tcp", ln.Addr().String())
				if err == nil {
					tr.Close()
				}
				return err
			})
			for range turns {
				asyncio.Sleep(ctx, 0)
			}
			making.Cancel()
			making.Await(ctx)
			if len(p.events) > 0 {
				p.lost.Wait(ctx)
				p.check(t, "made lost")
			}
			c, err := acceptSoon(ln)
			if err == nil { // it was under way
				if _, err := (peer{c.(tcpConn), t}).receive(ctx, 1); err == nil {
					t.Error("something was sent")
				}
				c.Close()
			}
		}
		return nil
	})
}

// acceptSoon accepts a connection, if there is one.
func acceptSoon(ln net.Listener) (net.Conn, error) {
	ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(20 * time.Millisecond))
	return ln.Accept()
}

// If two addresses answer, one connection is taken and the other closed.
func TestCreateConnectionBothAnswer(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		server, err := asyncio.CreateServer(ctx, newRecorder, "tcp", ":0")
		if err != nil {
			return err
		}
		_, port, _ := net.SplitHostPort(server.Addr().String())
		for range 20 {
			tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", ":"+port, asyncio.WithHappyEyeballs(0))
			if err != nil {
				return err
			}
			tr.Close()
			p.lost.Wait(ctx)
		}
		// Nor does anything stay open if the task is cancelled at any point.
		for turns := range 12 {
			making := asyncio.Go(ctx, func(ctx context.Context) error {
				tr, _, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", ":"+port, asyncio.WithHappyEyeballs(0))
				if err == nil {
					tr.Close()
				}
				return err
			})
			for range turns {
				asyncio.Sleep(ctx, 0)
			}
			making.Cancel()
			making.Await(ctx)
		}
		server.Close()
		return server.WaitClosed(ctx)
	})
}

// Of several addresses the first is taken that answers, and with none the error
// tells all of them.
func TestCreateConnectionSeveralAddresses(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		server, err := asyncio.CreateServer(ctx, newRecorder, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		_, port, _ := net.SplitHostPort(server.Addr().String())
		// An empty host is both loopback addresses; at ::1 nobody listens.
		for _, opts := range [][]asyncio.ConnectOption{
			nil,
			{asyncio.WithHappyEyeballs(0)},
			{asyncio.WithHappyEyeballs(time.Hour)},
			{asyncio.WithHappyEyeballs(time.Hour), asyncio.WithInterleave(2)},
		} {
			tr, p, err := asyncio.CreateConnection(ctx, newRecorder, "tcp", ":"+port, opts...)
			if err != nil {
				t.Error(err)
				continue
			}
			tr.Close()
			p.lost.Wait(ctx)
		}
		server.Close()
		for _, opts := range [][]asyncio.ConnectOption{nil, {asyncio.WithHappyEyeballs(0)}} {
			_, _, err = asyncio.CreateConnection(ctx, newRecorder, "tcp", ":"+port, opts...)
			if err == nil || !strings.HasPrefix(pyMessage(err), "Multiple exceptions: ") || !errors.Is(err, syscall.ECONNREFUSED) {
				t.Error("none answers:", err)
			}
		}
		return server.WaitClosed(ctx)
	})
}

func TestConnectAcceptedSocket(t *testing.T) {
	onUnix(t)
	onSockets(t, func(ctx context.Context) error {
		ln, err := netListen(ctx, "unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			return err
		}
		defer ln.Close()
		c, err := netDial(ctx, "unix", ln.Addr().String())
		if err != nil {
			return err
		}
		defer c.Close()
		accepted, err := ln.Accept()
		if err != nil {
			return err
		}
		_, p, err := asyncio.ConnectAcceptedSocket(ctx, newRecorder, accepted)
		if err != nil {
			return err
		}
		if _, err := accepted.Write([]byte("x")); !errors.Is(err, net.ErrClosed) {
			t.Error("the connection that was handed over still works:", err)
		}
		c.Write([]byte("hello"))
		c.Close()
		p.lost.Wait(ctx)
		if p.data.String() != "hello" {
			t.Errorf("got %q", p.data.String())
		}
		a, b := net.Pipe()
		defer a.Close()
		defer b.Close()
		_, _, err = asyncio.ConnectAcceptedSocket(ctx, newRecorder, a)
		wantPy(t, "a connection without a descriptor", err, "TypeError", "")
		return nil
	})
}
