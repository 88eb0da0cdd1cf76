//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What has come through a socket or a pipe was sent before: what the sender did
// before that is done, for the race detector as for the program. These tests say
// something under -race only. x is written before something is sent and read after
// it has arrived, and nothing else orders the two.

// An end is something that one side sends or receives.
type end func(ctx context.Context) error

// ordered runs send on one side and receive on the other, with x in between.
func ordered(t *testing.T, ctx context.Context, from, to side, send, receive end) {
	t.Helper()
	x := 0
	received := to.run(ctx, func(ctx context.Context) {
		if err := receive(ctx); err != nil || x != 1 {
			t.Error("received:", x, err)
		}
	})
	sent := from.run(ctx, func(ctx context.Context) {
		x = 1
		if err := send(ctx); err != nil {
			t.Error("sent:", err)
		}
	})
	received() // first: waiting for the other orders the loop after it
	sent()
}

// otherLoop runs a function in a task of a loop on another goroutine.
var otherLoop = side{"other loop", func(ctx context.Context, f func(ctx context.Context)) func() {
	return sides[1].run(ctx, func(context.Context) {
		asyncio.RunFunc(context.Background(), func(ctx context.Context) error { f(ctx); return nil })
	})
}}

// eachOrder runs f for each pair of sides. A task's and a task's of one loop are
// ordered by the loop.
func eachOrder(t *testing.T, f func(t *testing.T, ctx context.Context, from, to side)) {
	all := append([]side{otherLoop}, sides...)
	for _, from := range all {
		for _, to := range all {
			t.Run(from.name+" to "+to.name, func(t *testing.T) {
				inTask(t, func(ctx context.Context, l *asyncio.Loop) { f(t, ctx, from, to) })
			})
		}
	}
}

func receives(c io.Reader) end {
	return func(context.Context) error {
		_, err := io.ReadFull(c, make([]byte, 2))
		return err
	}
}

func sends(c io.Writer) end {
	return func(context.Context) error {
		_, err := c.Write([]byte("go"))
		return err
	}
}

// readsEnd reads the end.
func receivesEnd(c io.Reader) end {
	return func(context.Context) error {
		if n, err := c.Read(make([]byte, 2)); n != 0 || err != io.EOF {
			return fmt.Errorf("read %d, %w", n, err)
		}
		return nil
	}
}

// mixed connects one end of ours with one of package net.
func mixed(t *testing.T, ctx context.Context, network string) (ours, nets net.Conn) {
	t.Helper()
	addr := "127.0.0.1:0"
	if network != "tcp" {
		addr = filepath.Join(t.TempDir(), "s")
	}
	ln, err := net.Listen(network, addr)
	require.NoError(t, err)
	defer ln.Close()
	if ours, err = asyncio.Dial(ctx, network, ln.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if nets, err = ln.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, nets
}

func TestRaceOrderStreams(t *testing.T) {
	goroutine := sides[1]
	eachOrder(t, func(t *testing.T, ctx context.Context, from, to side) {
		for _, network := range []string{"tcp", "unix"} {
			a, b := connected(network)(t, ctx)
			ordered(t, ctx, from, to, sends(a), receives(b))
			half := func(context.Context) error { return a.(interface{ CloseWrite() error }).CloseWrite() }
			ordered(t, ctx, from, to, half, receivesEnd(b))
			ordered(t, ctx, from, to, func(context.Context) error { return b.Close() }, receivesEnd(a))
			a.Close()

			a, b = mixed(t, ctx, network)
			ordered(t, ctx, from, goroutine, sends(a), receives(b))
			ordered(t, ctx, goroutine, to, sends(b), receives(a))
			ordered(t, ctx, from, goroutine, func(context.Context) error { return a.Close() }, receivesEnd(b))
			b.Close()
		}
	})
}

// A connection that was accepted was dialed before. Package net's own does not say
// so, and neither does its Dial to an Accept of ours.
func TestRaceOrderAccept(t *testing.T) {
	eachOrder(t, func(t *testing.T, ctx context.Context, from, to side) {
		l, _ := asyncio.RunningLoop(ctx)
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		dialer := &asyncio.Dialer{Loop: l}
		var a, b net.Conn
		ordered(t, ctx, from, to, func(ctx context.Context) (err error) {
			a, err = dialer.DialContext(ctx, "tcp", ln.Addr().String())
			return err
		}, func(context.Context) (err error) {
			b, err = ln.Accept()
			return err
		})
		if a != nil && b != nil {
			a.Close()
			b.Close()
		}
	})
}

func TestRaceOrderDatagrams(t *testing.T) {
	goroutine := sides[1]
	eachOrder(t, func(t *testing.T, ctx context.Context, from, to side) {
		a, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer a.Close()
		b, err := asyncio.ListenPacket(ctx, "udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer b.Close()
		c, err := net.Dial("udp", a.LocalAddr().String())
		require.NoError(t, err)
		defer c.Close()
		d, err := asyncio.Dial(ctx, "udp", b.LocalAddr().String())
		require.NoError(t, err)
		defer d.Close()
		receivesFrom := func(c net.PacketConn) end {
			return func(context.Context) error {
				_, _, err := c.ReadFrom(make([]byte, 2))
				return err
			}
		}
		sendsTo := func(c net.PacketConn, to net.Addr) end {
			return func(context.Context) error {
				_, err := c.WriteTo([]byte("go"), to)
				return err
			}
		}
		ordered(t, ctx, from, to, sendsTo(a, b.LocalAddr()), receivesFrom(b))
		ordered(t, ctx, from, to, sends(d), receivesFrom(b))
		ordered(t, ctx, from, to, sendsTo(b, d.LocalAddr()), receives(d))
		ordered(t, ctx, from, goroutine, sendsTo(a, c.LocalAddr()), receives(c))
		ordered(t, ctx, goroutine, to, sends(c), receivesFrom(a))
	})
}

// What reads and writes of transports bring, too.
func TestRaceOrderTransports(t *testing.T) {
	goroutine, task := sides[1], sides[0]
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", ln.Addr().String())
		require.NoError(t, err)
		c, err := ln.Accept()
		require.NoError(t, err)
		read := func(ctx context.Context) error { _, err := r.ReadExactly(ctx, 2); return err }
		write := func(ctx context.Context) error {
			w.Write([]byte("go"))
			return w.Drain(ctx)
		}
		ordered(t, ctx, task, goroutine, write, receives(c))
		ordered(t, ctx, goroutine, task, sends(c), read)
		ordered(t, ctx, task, goroutine, func(context.Context) error { w.Close(); return nil }, receivesEnd(c))
		c.Close()

		from, to, err := os.Pipe()
		require.NoError(t, err)
		in, _, err := asyncio.ConnectWritePipe(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, to)
		require.NoError(t, err)
		ordered(t, ctx, task, goroutine, func(context.Context) error { return in.Write([]byte("go")) }, receives(from))
		ordered(t, ctx, task, goroutine, func(context.Context) error { in.Close(); return nil }, receivesEnd(from))
		from.Close()
	})
}

// The calls of a Socket.
func TestRaceOrderSockets(t *testing.T) {
	watchesOnly(t)
	goroutine, task := sides[1], sides[0]
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for _, kind := range []int{unix.SOCK_STREAM, unix.SOCK_DGRAM} {
			fds, err := unix.Socketpair(unix.AF_UNIX, kind, 0)
			require.NoError(t, err)
			file, other := os.NewFile(uintptr(fds[0]), "a"), os.NewFile(uintptr(fds[1]), "b")
			s, err := asyncio.SocketOf(file)
			require.NoError(t, err)
			c, err := net.FileConn(other)
			require.NoError(t, err)
			file.Close()
			other.Close()
			ordered(t, ctx, task, goroutine, func(ctx context.Context) error { return s.SendAll(ctx, []byte("go")) }, receives(c))
			ordered(t, ctx, goroutine, task, sends(c), func(ctx context.Context) error { _, err := s.Recv(ctx, 2); return err })
			ordered(t, ctx, goroutine, task, sends(c), func(ctx context.Context) error { _, _, err := s.RecvFrom(ctx, 2); return err })
			if kind == unix.SOCK_STREAM {
				ordered(t, ctx, task, goroutine, func(context.Context) error { return s.CloseWrite() }, receivesEnd(c))
			}
			s.Close()
			c.Close()
		}
	})
}

// Descriptors that go from one to the other, by calls of the program's own.
func TestRaceOrderDescriptors(t *testing.T) {
	watchesOnly(t)
	eachOrder(t, func(t *testing.T, ctx context.Context, from, to side) {
		a, b := connected("unix")(t, ctx)
		defer a.Close()
		defer b.Close()
		raw := func(c net.Conn) syscall.RawConn {
			raw, err := c.(syscall.Conn).SyscallConn()
			require.NoError(t, err)
			return raw
		}
		out, in := raw(a), raw(b)
		ordered(t, ctx, from, to, func(context.Context) (err error) {
			e := out.Write(func(fd uintptr) bool {
				err = unix.Sendmsg(int(fd), []byte("x"), unix.UnixRights(int(os.Stdin.Fd())), nil, 0)
				return err != unix.EAGAIN
			})
			if err == nil {
				err = e
			}
			return err
		}, func(context.Context) (err error) {
			oob := make([]byte, unix.CmsgSpace(4))
			n := 0
			e := in.Read(func(fd uintptr) bool {
				_, n, _, _, err = unix.Recvmsg(int(fd), make([]byte, 1), oob, 0)
				return err != unix.EAGAIN
			})
			if err != nil || e != nil {
				return fmt.Errorf("%w, %w", err, e)
			}
			messages, err := unix.ParseSocketControlMessage(oob[:n])
			if err != nil || len(messages) != 1 {
				return fmt.Errorf("%d messages, %w", len(messages), err)
			}
			got, err := unix.ParseUnixRights(&messages[0])
			for _, fd := range got {
				unix.Close(fd)
			}
			return err
		})
	})
}

// A callback that is told of news has them, before it reads.
func TestRaceOrderReaders(t *testing.T) {
	watchesOnly(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		defer w.Close()
		news := asyncio.NewEvent()
		require.NoError(t, l.AddReader(int(r.Fd()), news.Set))
		ordered(t, ctx, sides[1], sides[0], sends(w), func(ctx context.Context) error { return news.Wait(ctx) })
		l.RemoveReader(int(r.Fd()))
	})
}

// A signal makes a child say something, which arrives elsewhere; so does its end.
func TestRaceOrderChildren(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		r, w, err := os.Pipe()
		require.NoError(t, err)
		defer r.Close()
		var p *asyncio.Process
		ordered(t, ctx, sides[0], sides[1], func(ctx context.Context) (err error) {
			p, err = asyncio.CreateSubprocessShell(ctx, `trap 'printf go' USR1; printf go; until read x; do :; done`, asyncio.WithStdin(asyncio.Pipe), asyncio.WithStdoutFile(w))
			w.Close()
			return err
		}, receives(r))
		ordered(t, ctx, sides[0], sides[1], func(context.Context) error { return p.SendSignal(syscall.SIGUSR1) }, receives(r))
		ordered(t, ctx, sides[0], sides[1], func(context.Context) error { return p.Kill() }, receivesEnd(r))
		p.Wait(ctx)
	})
}

// watchesOnly skips a test of what there is only where loops watch descriptors.
func watchesOnly(t *testing.T) {
	t.Helper()
	if !asyncio.WatchesDescriptors {
		t.Skip("the loop watches no descriptors")
	}
}
