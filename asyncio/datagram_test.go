//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// A gram is a DatagramProtocol that notes what it is told.
type gram struct {
	recorder
	tr   asyncio.DatagramTransport
	from []net.Addr
	errs []error
}

func newGram() *gram { return &gram{recorder: *newRecorder()} }

func (p *gram) ConnectionMade(t asyncio.DatagramTransport) { p.tr = t; p.note("made") }
func (p *gram) ErrorReceived(err error)                    { p.errs = append(p.errs, err); p.note("error") }
func (p *gram) DatagramReceived(data []byte, from net.Addr) {
	p.data.Write(data)
	p.from = append(p.from, from)
	p.note(fmt.Sprintf("%d", len(data)))
}

// grams makes an endpoint on the loopback.
func grams(t *testing.T, ctx context.Context, opts ...asyncio.DatagramOption) (asyncio.DatagramTransport, *gram) {
	t.Helper()
	tr, p, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "udp", opts...)
	require.NoError(t, err)
	return tr, p
}

const loopback = "127.0.0.1:0"

func addrOf(tr asyncio.BaseTransport) net.Addr { return tr.ExtraInfo("sockname").(net.Addr) }

func TestDatagrams(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		server, sp := grams(t, ctx, asyncio.WithLocalAddr(loopback))
		client, cp := grams(t, ctx, asyncio.WithRemoteAddr(addrOf(server).String()))
		if cp.tr != client || client.Protocol() != cp || server.ExtraInfo("peername") != nil || client.ExtraInfo("peername").(net.Addr).String() != addrOf(server).String() {
			t.Error("the transports do not know who they are")
		}
		for _, n := range []int{3, 0, 8000} { // each is whole, also one without data
			assert.NoError(t, client.SendTo(counted(n), nil))
		}
		sp.until(ctx, "8000")
		sp.check(t, "made 3 0 8000")
		if sp.from[0].String() != addrOf(client).String() {
			t.Errorf("from %v, the client is %v", sp.from[0], addrOf(client))
		}
		assert.NoError(t, server.SendTo([]byte("back"), sp.from[0]))
		cp.until(ctx, "4")

		// Addresses that are not those of the socket.
		if err := client.SendTo(nil, addrOf(server)); err != nil {
			t.Errorf("the address that it is connected to: %v", err)
		}
		var class interface{ PyName() string }
		if err := client.SendTo(nil, addrOf(client)); !errors.As(err, &class) || class.PyName() != "ValueError" {
			t.Errorf("another address: %v", err)
		}
		for _, a := range []net.Addr{&net.TCPAddr{}, (*net.UDPAddr)(nil), &net.UDPAddr{IP: net.IPv6loopback}, &net.UnixAddr{Name: "x"}} {
			if op := opOf(t, "SendTo", server.SendTo(nil, a)); op.Op != "write" {
				t.Errorf("to %T %v: %v", a, a, op)
			}
		}
		if err := server.SendTo(nil, nil); err == nil {
			t.Error("to nobody")
		}

		client.Close()
		client.Close()
		server.Abort()
		if err := errors.Join(cp.lost.Wait(ctx), sp.lost.Wait(ctx)); err != nil {
			return err
		}
		cp.check(t, "made 4 lost")
		if err := client.SendTo([]byte("late"), nil); err != nil || !client.IsClosing() || cp.lostErr != nil || sp.lostErr != nil {
			t.Errorf("after the end: %v, %v, %v", err, cp.lostErr, sp.lostErr)
		}
		return nil
	})
}

// A batch is not the end of what has come.
func TestDatagramsMany(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		server, p := grams(t, ctx, asyncio.WithLocalAddr(loopback))
		defer server.Close()
		c, err := netDial(ctx, "udp", addrOf(server).String())
		if err != nil {
			return err
		}
		defer c.Close()
		p.on = func(event string) {
			if event == "made" {
				return
			}
			if len(p.from) == 20 {
				panic("in the middle")
			}
		}
		reported := 0
		mustLoop(ctx).SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) { reported++ })
		for range 100 {
			if _, err := c.Write([]byte("x")); err != nil {
				return err
			}
		}
		for len(p.from) < 100 {
			if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
				return fmt.Errorf("%d have come: %w", len(p.from), err)
			}
		}
		if reported != 1 || server.IsClosing() {
			t.Errorf("a panic: %d reports, closing %v", reported, server.IsClosing())
		}
		return nil
	})
}

// What cannot be delivered is told by the system, with the next call.
func TestDatagramsToNobody(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		gone, err := netListenPacket(ctx, "udp", loopback)
		if err != nil {
			return err
		}
		addr := gone.LocalAddr().String()
		gone.Close()
		tr, p := grams(t, ctx, asyncio.WithRemoteAddr(addr))
		tr.SendTo([]byte("anybody?"), nil)
		p.until(ctx, "error")
		var op *net.OpError
		if !errors.As(p.errs[0], &op) || !errors.Is(op, syscall.ECONNREFUSED) || tr.IsClosing() {
			t.Errorf("%v, closing %v", p.errs[0], tr.IsClosing())
		}
		tr.SendTo(make([]byte, 1<<17), nil)
		p.until(ctx, "error error")
		if !errors.Is(p.errs[1], syscall.EMSGSIZE) {
			t.Errorf("one that is too long: %v", p.errs[1])
		}
		tr.Close()
		return p.lost.Wait(ctx)
	})
}

// A receiver who does not read fills the queue of a unix socket: whole datagrams
// wait then, in order, whether the sender is connected or not.
func TestDatagramsWait(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a full unix socket is an error, not a wait")
	}
	for _, connected := range []bool{true, false} {
		if !connected && !asyncio.WatchesDescriptors {
			continue // package net has no unix socket without an address
		}
		for _, end := range []string{"close", "abort"} {
			onSockets(t, func(ctx context.Context) error {
				to := &net.UnixAddr{Net: "unixgram", Name: filepath.Join(t.TempDir(), "to")}
				reader, err := net.ListenUnixgram("unixgram", to)
				if err != nil {
					return err
				}
				defer reader.Close()
				var opts []asyncio.DatagramOption
				if connected {
					opts = append(opts, asyncio.WithRemoteAddr(to.Name))
				}
				tr, p, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "unixgram", opts...)
				if err != nil {
					return err
				}
				if err := tr.SetWriteBufferLimits(1000, 100); err != nil {
					return err
				}
				sent := 0
				send := func() {
					assert.NoError(t, tr.SendTo(fmt.Appendf(nil, "%090d", sent), to))
					sent++
				}
				buf, got := make([]byte, 1000), 0
				receive := func() error {
					n, err := reader.Read(buf)
					if err != nil || string(buf[:n]) != fmt.Sprintf("%090d", got) {
						return fmt.Errorf("number %d is %q, %v", got, buf[:n], err)
					}
					got++
					return nil
				}
				// The system's own queue is full before, and more waits than a goroutine
				// that sends behind the loop may take at once: room for that would else
				// resume the protocol.
				other, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
				if err != nil {
					return err
				}
				defer unix.Close(other)
				if err := unix.SetNonblock(other, true); err != nil {
					return err
				}
				for unix.Sendto(other, fmt.Appendf(nil, "%090d", sent), 0, &unix.SockaddrUnix{Name: to.Name}) == nil {
					sent++
				}
				for tr.WriteBufferSize() < 70_000 {
					send()
				}
				p.check(t, "made pause")
				if size := tr.WriteBufferSize(); size <= 1000 || size%98 != 0 {
					t.Errorf("%d bytes wait", size)
				}
				turns := 0 // with something to do: somebody who only tries again has it in each
				for range 10 {
					asyncio.Sleep(ctx, 0)
					if ready, _ := mustLoop(ctx).Pending(); ready > 0 {
						turns++
					}
				}
				if turns == 10 {
					t.Errorf("connected %v: in each turn callbacks are ready while there is no room", connected)
				}
				if err := receive(); err != nil { // now there is room, but not for the next
					return err
				}
				send()
				want := sent
				if end == "close" {
					tr.Close()
				} else {
					want -= tr.WriteBufferSize() / 98
					tr.Abort()
				}
				tr.SendTo([]byte("late"), to)
				if err := asyncio.ToThreadFunc(ctx, func(context.Context) error {
					for got < want {
						if err := receive(); err != nil {
							return err
						}
					}
					return nil
				}); err != nil {
					return err
				}
				if err := p.lost.Wait(ctx); err != nil {
					return err
				}
				raw, err := reader.SyscallConn()
				if err != nil {
					return err
				}
				raw.Read(func(fd uintptr) bool {
					if n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT); err != unix.EAGAIN {
						t.Errorf("%s: more than %d have come: %q, %v", end, want, buf[:max(n, 0)], err)
					}
					return true
				})
				if end == "close" {
					p.check(t, "made pause resume lost")
				} else {
					p.check(t, "made pause lost")
				}
				if tr.WriteBufferSize() != 0 {
					t.Errorf("%d bytes wait at the end", tr.WriteBufferSize())
				}
				return p.lostErr
			})
		}
	}
}

// fillPath sends datagrams to a path until there is no room, and returns how many.
func fillPath(ctx context.Context, to *net.UnixAddr) (full int, err error) {
	if overNetwork != nil {
		for _, size := range []int{1000, 1} {
			tr, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "unixgram")
			for err == nil && tr.WriteBufferSize() == 0 {
				err = tr.SendTo(make([]byte, size), to)
				full++
			}
			if err != nil {
				return 0, err
			}
			full-- // the last one waits
			tr.Abort()
		}
		return full, nil
	}
	other, err := unix.Socket(unix.AF_UNIX, unix.SOCK_DGRAM, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(other)
	if err := unix.SetNonblock(other, true); err != nil {
		return 0, err
	}
	for unix.Sendto(other, []byte("x"), 0, &unix.SockaddrUnix{Name: to.Name}) == nil {
		full++
	}
	return full, nil
}

// Of room that others have taken the system tells nobody who is not connected.
func TestDatagramsWaitForOthers(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("elsewhere a full unix socket is an error, not a wait")
	}
	if !asyncio.WatchesDescriptors {
		t.Skip("package net has no unix socket without an address")
	}
	onSockets(t, func(ctx context.Context) error {
		to := &net.UnixAddr{Net: "unixgram", Name: filepath.Join(t.TempDir(), "to")}
		reader, err := netListenPacket(ctx, "unixgram", to.Name)
		if err != nil {
			return err
		}
		defer reader.Close()
		full, err := fillPath(ctx, to)
		if err != nil {
			return err
		}
		tr, p, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "unixgram")
		if err != nil {
			return err
		}
		asyncio.Sleep(ctx, time.Millisecond) // what was new at first has been told
		tr.SendTo([]byte("mine"), to)
		if tr.WriteBufferSize() == 0 {
			t.Error("it does not wait")
		}
		tr.Close()
		err = asyncio.ToThreadFunc(ctx, func(context.Context) error {
			buf := make([]byte, 10)
			for range full {
				if _, _, err := reader.ReadFrom(buf); err != nil {
					return err
				}
			}
			n, _, err := reader.ReadFrom(buf)
			if string(buf[:n]) != "mine" {
				t.Errorf("the last is %q", buf[:n])
			}
			return err
		})
		return errors.Join(err, p.lost.Wait(ctx))
	})
}

func TestDatagramsUnix(t *testing.T) {
	dir := t.TempDir()
	onSockets(t, func(ctx context.Context) error {
		path := filepath.Join(dir, "server")
		stale, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Net: "unixgram", Name: path})
		if err != nil {
			return err
		}
		stale.Close() // its path stays
		server, sp, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "unixgram", asyncio.WithLocalAddr(path))
		if err != nil {
			return err
		}
		defer server.Close()
		client, cp, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "unixgram", asyncio.WithLocalAddr(filepath.Join(dir, "client")), asyncio.WithRemoteAddr(path))
		if err != nil {
			return err
		}
		defer client.Close()
		big := bytes.Repeat([]byte{7}, 1500)
		client.SendTo(big, nil)
		sp.until(ctx, "1500")
		server.SendTo([]byte("ok"), sp.from[0])
		cp.until(ctx, "2")
		if sp.from[0].String() != filepath.Join(dir, "client") || cp.data.String() != "ok" {
			t.Errorf("from %v; back came %q", sp.from[0], &cp.data)
		}
		return nil
	})
}

func TestDatagramOptions(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		if !asyncio.WatchesDescriptors && overNetwork == nil {
			if _, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "udp", asyncio.WithLocalAddr(loopback), asyncio.WithReusePort(true)); !errors.Is(err, errors.ErrUnsupported) {
				t.Errorf("a port is shared: %v", err)
			}
			return nil
		}
		a, _ := grams(t, ctx, asyncio.WithLocalAddr(loopback), asyncio.WithReusePort(true))
		b, _ := grams(t, ctx, asyncio.WithLocalAddr(addrOf(a).String()), asyncio.WithReusePort(true), asyncio.WithBroadcast(true))
		raw := b.ExtraInfo("socket").(syscall.RawConn)
		raw.Control(func(fd uintptr) {
			for _, opt := range []int{unix.SO_BROADCAST, unix.SO_REUSEPORT} {
				if v, err := unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, opt); v == 0 || err != nil {
					t.Errorf("option %d: %d, %v", opt, v, err)
				}
			}
		})
		if _, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "udp", asyncio.WithLocalAddr(addrOf(a).String())); !errors.Is(err, syscall.EADDRINUSE) {
			t.Errorf("an address in use: %v", err)
		}
		a.Close()
		b.Close()
		return nil
	})
}

func TestDatagramEnds(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		// With both ends; by a name; with an address that is sent to but not
		// connected to.
		server, sp := grams(t, ctx, asyncio.WithLocalAddr(loopback))
		_, port, _ := net.SplitHostPort(addrOf(server).String())
		for i, opts := range [][]asyncio.DatagramOption{
			{asyncio.WithLocalAddr(loopback), asyncio.WithRemoteAddr("localhost:" + port)},
			{asyncio.WithBroadcast(true), asyncio.WithRemoteAddr("127.0.0.1:" + port)},
		} {
			before := len(sp.from)
			c, cp := grams(t, ctx, opts...)
			c.SendTo([]byte("x"), nil)
			for len(sp.from) == before {
				if err := asyncio.Sleep(ctx, time.Millisecond); err != nil {
					return err
				}
			}
			if err := c.SendTo(nil, addrOf(c)); err == nil {
				t.Error("another address is accepted")
			}
			if i == 1 { // it receives from everywhere
				stranger, _ := grams(t, ctx, asyncio.WithLocalAddr(loopback))
				stranger.SendTo([]byte("1234567"), &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: addrOf(c).(*net.UDPAddr).Port})
				cp.until(ctx, "7")
				stranger.Close()
			}
			c.Close()
		}
		free, fp, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "udp4")
		if err != nil {
			return err
		}
		free.SendTo([]byte("12345"), addrOf(server))
		sp.until(ctx, "5")
		server.SendTo([]byte("123456"), sp.from[len(sp.from)-1])
		fp.until(ctx, "6")
		free.Close()
		server.Close()
		return nil
	})
}

func TestDatagramsWithSocket(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		c, err := net.ListenPacket("udp", loopback)
		if err != nil {
			return err
		}
		tr, p, err := asyncio.CreateDatagramEndpoint(ctx, newGram, "", asyncio.WithSocket(c.(*net.UDPConn)))
		if err != nil {
			return err
		}
		c.Close()
		tr.SendTo([]byte("myself"), addrOf(tr))
		p.until(ctx, "6")
		tr.Close()

		ln, err := net.Listen("tcp", loopback)
		if err != nil {
			return err
		}
		defer ln.Close()
		_, _, err = asyncio.CreateDatagramEndpoint(ctx, newGram, "", asyncio.WithSocket(ln.(*net.TCPListener)))
		if err == nil || !strings.Contains(err.Error(), "A UDP Socket was expected") {
			t.Errorf("a listener: %v", err)
		}
		return nil
	})
}

func TestDatagramsRefused(t *testing.T) {
	onSockets(t, func(ctx context.Context) error {
		value := func(network string, opts ...asyncio.DatagramOption) {
			t.Helper()
			_, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, network, opts...)
			var class interface{ PyName() string }
			if !errors.As(err, &class) || class.PyName() != "ValueError" {
				t.Errorf("%s: %v", network, err)
			}
		}
		value("udp")
		value("udp", asyncio.WithLocalAddr(loopback), asyncio.WithLimit(1))
		value("udp", asyncio.WithLocalAddr(loopback), asyncio.WithTLS(nil))
		value("udp", asyncio.WithLocalAddr("[::1]:0"), asyncio.WithRemoteAddr("127.0.0.1:1"))
		value("", asyncio.WithSocket(&net.UDPConn{}), asyncio.WithBroadcast(true))
		var unknown net.UnknownNetworkError
		for _, network := range []string{"tcp", "unix", ""} {
			if _, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, network, asyncio.WithLocalAddr(loopback)); !errors.As(err, &unknown) {
				t.Errorf("%q: %v", network, err)
			}
			if _, _, err := asyncio.CreateDatagramEndpoint(ctx, newGram, network); !errors.As(err, &unknown) {
				t.Errorf("%q without an address: %v", network, err)
			}
		}
		if _, _, err := asyncio.CreateConnection(ctx, newRecorder, "udp", loopback); !errors.As(err, &unknown) {
			t.Errorf("a connection: %v", err)
		}
		mustLoop(ctx).SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
		_, _, err := asyncio.CreateDatagramEndpoint(ctx, func() *gram {
			p := newGram()
			p.on = func(string) { panic("at once") }
			return p
		}, "udp", asyncio.WithLocalAddr(loopback))
		var panicked *asyncio.PanicError
		if !errors.As(err, &panicked) {
			t.Errorf("ConnectionMade panics: %v", err)
		}
		_, _, err = asyncio.CreateDatagramEndpoint(context.Background(), newGram, "udp4")
		if !errors.Is(err, asyncio.ErrNoRunningLoop) {
			t.Errorf("in no task: %v", err)
		}
		tr, _ := grams(t, ctx, asyncio.WithLocalAddr(loopback))
		defer func() {
			if recover() == nil {
				t.Error("a protocol of bytes is accepted")
			}
			tr.Close()
		}()
		tr.SetProtocol(newRecorder())
		return nil
	})
}

// A loop that is closed gives back its sockets.
func TestDatagramsLoopClosed(t *testing.T) {
	before := openDescriptors(t)
	l := asyncio.NewLoop(loopBeneath()...)
	_, err := asyncio.RunUntilComplete(l, asyncio.Coro[asyncio.None](func(ctx context.Context) (asyncio.None, error) {
		grams(t, ctx, asyncio.WithLocalAddr(loopback))
		return asyncio.None{}, nil
	}))
	assert.NoError(t, err)
	assert.NoError(t, l.Close())
	if after := openDescriptors(t); after > before {
		t.Errorf("%d descriptors are open, before %d", after, before)
	}
}
