//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// listening returns a socket that accepts connections.
func listening(t *testing.T, network, addr string) *asyncio.Socket {
	t.Helper()
	s := newSocket(t, network)
	t.Cleanup(func() { s.Close() })
	require.NoError(t, s.Bind(addr))
	require.NoError(t, s.Listen(5))
	return s
}

// connectedSockets returns both sides of a connection.
func connectedSockets(ctx context.Context, t *testing.T) (a, b *asyncio.Socket) {
	t.Helper()
	ls := listening(t, "tcp", "127.0.0.1:0")
	a = newSocket(t, "tcp")
	require.NoError(t, a.Connect(ctx, ls.Addr().String()))
	b, from, err := ls.Accept(ctx)
	require.NoError(t, err)
	if from.String() != a.Addr().String() || a.RemoteAddr().String() != b.Addr().String() {
		t.Errorf("%v is connected to %v, %v to %v", a.Addr(), a.RemoteAddr(), from, b.Addr())
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// Every kind of socket carries data there and back.
func TestSockNetworks(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		dir := t.TempDir()
		for network, addr := range map[string]string{
			"tcp": "127.0.0.1:0", "tcp4": "127.0.0.1:0", "tcp6": "[::1]:0", "unix": filepath.Join(dir, "s"),
		} {
			ls := newSocket(t, network)
			if err := ls.Bind(addr); network == "tcp6" && err != nil {
				t.Log("no IPv6 here: ", err)
				ls.Close()
				continue
			}
			assert.NoError(t, ls.Listen(0))
			c := newSocket(t, network)
			assert.NoError(t, c.Connect(ctx, ls.Addr().String()))
			s, _, err := ls.Accept(ctx)
			assert.NoError(t, err)
			assert.NoError(t, c.SendAll(ctx, []byte("there")))
			got, err := s.Recv(ctx, 3)
			if string(got) != "the" || err != nil {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			got, from, err := s.RecvFrom(ctx, 10)
			if string(got) != "re" || err != nil {
				t.Errorf("%s: %q from %v, %v", network, got, from, err)
			}
			assert.NoError(t, c.CloseWrite())
			got, err = s.Recv(ctx, 3)
			if got != nil || err != io.EOF {
				t.Errorf("%s: the end is %q, %v", network, got, err)
			}
			if _, _, err := s.RecvFrom(ctx, 3); err != io.EOF {
				t.Errorf("%s: the end is %v", network, err)
			}
			for _, s := range []*asyncio.Socket{c, s, ls} {
				assert.NoError(t, s.Close())
				assert.NoError(t, s.Close())
			}
			if s.Fd() != -1 || s.Addr() != nil {
				t.Error("a closed socket has a descriptor")
			}
		}
		for network, addrs := range map[string][2]string{
			"udp":      {"127.0.0.1:0", "127.0.0.1:0"},
			"unixgram": {filepath.Join(dir, "a"), filepath.Join(dir, "b")},
		} {
			a, b := newSocket(t, network), newSocket(t, network)
			assert.NoError(t, a.Bind(addrs[0]))
			assert.NoError(t, b.Bind(addrs[1]))
			waits := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
				p := make([]byte, 10)
				n, from, err := b.RecvFromInto(ctx, p)
				return fmt.Sprint(string(p[:n]), " ", from), err
			})
			turns(ctx, 2)
			n, err := a.SendTo(ctx, []byte("datagram"), b.Addr())
			if n != 8 || err != nil {
				t.Error(n, err)
			}
			if got, err := waits.Await(ctx); got != "datagram "+a.Addr().String() || err != nil {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			a.SendTo(ctx, nil, b.Addr())
			if got, err := b.Recv(ctx, 5); len(got) != 0 || err != nil {
				t.Errorf("%s: an empty datagram is %q, %v", network, got, err)
			}
			_, err = a.SendTo(ctx, nil, nil)
			opOf(t, network+": to no address", err)
			a.Close()
			b.Close()
		}
		if _, err := asyncio.NewSocket("ipx"); err == nil {
			t.Error("what is no network has a socket")
		}
	})
}

// What does not fit is sent as the other side makes room, and all arrives.
func TestSockSendAll(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		sent := bytes.Repeat([]byte("0123456789abcdef"), 1<<18) // 4 MiB
		sender := asyncio.Go(ctx, func(ctx context.Context) error {
			defer a.Close()
			return a.SendAll(ctx, sent)
		})
		turns(ctx, 3)
		if sender.Done() {
			t.Error("it did not have to wait")
		}
		var got bytes.Buffer
		p := make([]byte, 100_000)
		for {
			n, err := b.RecvInto(ctx, p)
			if err == io.EOF {
				break
			}
			assert.NoError(t, err)
			got.Write(p[:n])
		}
		if !bytes.Equal(got.Bytes(), sent) {
			t.Errorf("%d bytes arrive, %d were sent", got.Len(), len(sent))
		}
		_, err := sender.Await(ctx)
		assert.NoError(t, err)
	})
}

// A cancelled wait takes nothing, whether the data comes before or after the
// cancel; a deadline of the context is one, too.
func TestSockCancelLosesNothing(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		recv := func(ctx context.Context) (string, error) {
			p, err := b.Recv(ctx, 100)
			return string(p), err
		}
		for _, before := range []bool{true, false} {
			waits := asyncio.CreateTask(ctx, recv)
			turns(ctx, 2)
			if before {
				a.SendAll(ctx, []byte("data"))
			}
			waits.Cancel()
			if !before {
				a.SendAll(ctx, []byte("data"))
			}
			_, err := waits.Await(ctx)
			assert.ErrorIs(t, err, asyncio.ErrCancelled)
			if got, err := recv(ctx); got != "data" || err != nil {
				t.Errorf("afterwards %q, %v", got, err)
			}
		}
		ended, end := context.WithCancel(ctx)
		l.CallLater(1, end)
		_, err := recv(ended)
		assert.ErrorIs(t, err, context.Canceled)
		ls := listening(t, "tcp", "127.0.0.1:0")
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := ls.Accept(ctx)
			return err
		})
		turns(ctx, 2)
		c := newSocket(t, "tcp")
		defer c.Close()
		connects := asyncio.Go(ctx, func(ctx context.Context) error { return c.Connect(ctx, ls.Addr().String()) })
		waits.Cancel()
		_, err = waits.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
		s, _, err := ls.Accept(ctx)
		assert.NoError(t, err)
		s.Close()
		_, err = connects.Await(ctx)
		assert.NoError(t, err)
	})
}

// Several tasks wait for one socket: each gets something.
func TestSockManyWait(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		const readers = 20
		var all []asyncio.AnyAwaitable
		sum := 0
		for range readers {
			all = append(all, asyncio.Go(ctx, func(ctx context.Context) error {
				p, err := b.Recv(ctx, 1)
				for _, c := range p {
					sum += int(c)
				}
				return err
			}))
		}
		turns(ctx, 2)
		want := 0
		for i := range readers {
			want += i
			if i%3 == 0 {
				turns(ctx, 1)
			}
			assert.NoError(t, a.SendAll(ctx, []byte{byte(i)}))
		}
		_, _, err := asyncio.Wait(ctx, all)
		assert.NoError(t, err)
		if sum != want {
			t.Errorf("the sum is %d, want %d", sum, want)
		}
	})
}

func TestSockErrors(t *testing.T) {
	var other *asyncio.Socket
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		other = newSocket(t, "udp")
		other.Bind("127.0.0.1:0")
		_, err := a.Recv(ctx, -1)
		if pyName(err) != "ValueError" {
			t.Error(err)
		}
		_, _, err = a.RecvFrom(ctx, -1)
		if pyName(err) != "ValueError" {
			t.Error(err)
		}
		// Reset.
		unix.SetsockoptLinger(b.Fd(), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := a.Recv(ctx, 1)
			return err
		})
		turns(ctx, 2)
		b.Close()
		_, err = waits.Await(ctx)
		assert.ErrorIs(t, err, syscall.ECONNRESET)
		assert.ErrorIs(t, a.SendAll(ctx, []byte("x")), syscall.EPIPE)
		// Closed while a task waits, in each direction.
		a, b = connectedSockets(ctx, t)
		reads := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := a.Recv(ctx, 1)
			return err
		})
		writes := asyncio.Go(ctx, func(ctx context.Context) error {
			return a.SendAll(ctx, make([]byte, 1<<26))
		})
		turns(ctx, 3)
		a.Close()
		_, err = reads.Await(ctx)
		assert.ErrorIs(t, err, net.ErrClosed)
		_, err = writes.Await(ctx)
		assert.ErrorIs(t, err, net.ErrClosed)
		// Calls on a closed one.
		_, err = a.Recv(ctx, 1)
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.ErrorIs(t, a.Listen(1), net.ErrClosed)
		_, err = a.SyscallConn()
		assert.ErrorIs(t, err, net.ErrClosed)
		// Addresses.
		c := newSocket(t, "tcp")
		defer c.Close()
		for _, addr := range []string{"127.0.0.1", "127.0.0.1:x:y", "[::1]:1", "name:1", "127.0.0.1:70000"} {
			if err := c.Bind(addr); err == nil {
				t.Errorf("bound to %q", addr)
			}
		}
		assert.ErrorIs(t, c.Connect(ctx, "127.0.0.1:1"), syscall.ECONNREFUSED)
		assert.ErrorIs(t, c.Bind(b.Addr().String()), syscall.EADDRINUSE)
		u := newSocket(t, "unix")
		defer u.Close()
		assert.ErrorIs(t, u.Connect(ctx, filepath.Join(t.TempDir(), "none")), syscall.ENOENT)
		// The waits of a loop that ends.
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := other.Recv(ctx, 1)
			assert.ErrorIs(t, err, asyncio.ErrCancelled)
			return err
		})
		turns(ctx, 2)
	})
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, err := other.Recv(ctx, 1)
		assert.ErrorIs(t, err, asyncio.ErrOtherLoop)
	})
	assert.NoError(t, other.Close())
	_, err := other.Recv(t.Context(), 1)
	assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop)
}

// SocketOf is a duplicate; SyscallConn gives options of the system.
func TestSocketOf(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		ls, err := asyncio.SocketOf(ln.(*net.TCPListener))
		assert.NoError(t, err)
		addr := ln.Addr().String()
		ln.Close()
		defer ls.Close()
		c := newSocket(t, "tcp")
		defer c.Close()
		assert.NoError(t, c.Connect(ctx, addr))
		s, _, err := ls.Accept(ctx)
		assert.NoError(t, err)
		defer s.Close()
		raw, err := s.SyscallConn()
		assert.NoError(t, err)
		kind := 0
		raw.Control(func(fd uintptr) { kind, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE) })
		if kind != unix.SOCK_STREAM {
			t.Errorf("its kind is %d", kind)
		}
		assert.ErrorIs(t, raw.Read(func(uintptr) bool { return false }), errors.ErrUnsupported)
		assert.NoError(t, raw.Write(func(uintptr) bool { return true }))
		again, err := asyncio.SocketOf(s)
		assert.NoError(t, err)
		s.Close()
		assert.NoError(t, again.SendAll(ctx, []byte("by the duplicate")))
		got, err := c.Recv(ctx, 100)
		if string(got) != "by the duplicate" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		again.Close()
		f, err := os.Open(os.DevNull)
		assert.NoError(t, err)
		defer f.Close()
		_, err = asyncio.SocketOf(f)
		assert.ErrorIs(t, err, syscall.ENOTSOCK)
	})
}

func TestSockSendFile(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		content := bytes.Repeat([]byte("0123456789"), 200_000)
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		require.NoError(t, err)
		defer f.Close()
		f.Write(content)
		for _, pieces := range []bool{false, true} {
			asyncio.SetSendfile(!pieces)
			for _, part := range []struct{ offset, count, sent int64 }{
				{0, 0, int64(len(content))},
				{5, 0, int64(len(content)) - 5},
				{7, 10, 10},
				{int64(len(content)) - 3, 100, 3},
				{int64(len(content)) + 3, 0, 0},
			} {
				a, b := connectedSockets(ctx, t)
				received := asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
					var all []byte
					for {
						p, err := b.Recv(ctx, 1<<16)
						if all = append(all, p...); err != nil {
							return all, nil
						}
					}
				})
				n, err := a.SendFile(ctx, f, part.offset, part.count)
				a.Close()
				got, _ := received.Await(ctx)
				want := content[min(part.offset, int64(len(content))):]
				want = want[:part.sent]
				if err != nil || n != part.sent || !bytes.Equal(got, want) {
					t.Errorf("by pieces %v, %+v: sent %d, received %d, %v", pieces, part, n, len(got), err)
				}
				if at, _ := f.Seek(0, io.SeekCurrent); at != part.offset+n {
					t.Errorf("the position in the file is %d, want %d", at, part.offset+n)
				}
			}
		}
		a, b := connectedSockets(ctx, t)
		_, err = a.SendFile(ctx, f, 0, 0, asyncio.SendFileFallback(false))
		if assert.ErrorIs(t, err, asyncio.ErrSendfileNotAvailable); pyName(err) != "SendfileNotAvailableError" {
			t.Errorf("%v", err)
		}
		asyncio.SetSendfile(true)
		for _, bad := range [][2]int64{{-1, 0}, {0, -1}} {
			if _, err := a.SendFile(ctx, f, bad[0], bad[1]); pyName(err) != "ValueError" {
				t.Errorf("%v: %v", bad, err)
			}
		}
		u := newSocket(t, "udp")
		defer u.Close()
		if _, err := u.SendFile(ctx, f, 0, 0); pyName(err) != "ValueError" {
			t.Errorf("by datagrams: %v", err)
		}
		b.Close()
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if _, err := a.SendFile(ctx, f, 0, 0); err != nil {
					return err
				}
			}
		})
		if _, err := waits.Await(ctx); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("to nobody: %v", err)
		}
		f.Close()
		_, err = a.SendFile(ctx, f, 0, 0)
		assert.ErrorIs(t, err, os.ErrClosed)
	})
}

// Sockets leave no descriptors, closed or forgotten.
func TestSockLeaks(t *testing.T) {
	before := fdsOpen()
	for range 5 {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			ls := newSocket(t, "tcp")
			ls.Bind("127.0.0.1:0")
			ls.Listen(0)
			c := newSocket(t, "tcp")
			c.Connect(ctx, ls.Addr().String())
			s, _, err := ls.Accept(ctx)
			assert.NoError(t, err)
			asyncio.WaitFor(ctx, 1, asyncio.Func(func(ctx context.Context) error {
				_, err := s.Recv(ctx, 1)
				return err
			}))
			for _, s := range []*asyncio.Socket{ls, c, s} {
				s.Close()
			}
		})
	}
	if after := fdsOpen(); after > before {
		t.Errorf("%d descriptors are open, %d were", after, before)
	}
}

func TestSockAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		p, one := make([]byte, 1), []byte("x")
		echo := asyncio.Go(ctx, func(ctx context.Context) error {
			q := make([]byte, 1)
			for {
				if _, err := b.RecvInto(ctx, q); err != nil {
					return nil
				}
				b.SendAll(ctx, q)
			}
		})
		n := testing.AllocsPerRun(200, func() {
			a.SendAll(ctx, one)
			a.RecvInto(ctx, p)
		})
		if n > 0 {
			t.Errorf("%v allocations for a round trip", n)
		}
		a.Close()
		echo.Await(ctx)
	}, asyncio.WithDebug(false))
}

// An echo server that makes the calls of sockets itself, and its client.
func ExampleSocket() {
	asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.NewSocket("tcp")
		if err != nil {
			return err
		}
		defer server.Close()
		if err := errors.Join(server.Bind("127.0.0.1:0"), server.Listen(0)); err != nil {
			return err
		}
		serving := asyncio.Go(ctx, func(ctx context.Context) error {
			conn, _, err := server.Accept(ctx)
			if err != nil {
				return err
			}
			defer conn.Close()
			for {
				data, err := conn.Recv(ctx, 100)
				if err != nil {
					return err // io.EOF
				}
				conn.SendAll(ctx, bytes.ToUpper(data))
			}
		})
		client, err := asyncio.NewSocket("tcp")
		if err != nil {
			return err
		}
		if err := client.Connect(ctx, server.Addr().String()); err != nil {
			return err
		}
		client.SendAll(ctx, []byte("hello"))
		answer, err := client.Recv(ctx, 100)
		fmt.Println(string(answer), err)
		client.Close()
		_, err = serving.Await(ctx)
		fmt.Println(err)
		return nil
	})
	// Output:
	// HELLO <nil>
	// EOF
}
