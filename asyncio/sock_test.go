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

	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

// listening returns a socket that accepts connections.
func listening(t *testing.T, network, addr string) *asyncio.Socket {
	t.Helper()
	s := newSocket(t, network)
	t.Cleanup(func() { s.Close() })
	if err := s.Bind(addr); err != nil {
		t.Fatal(err)
	}
	if err := s.Listen(5); err != nil {
		t.Fatal(err)
	}
	return s
}

// connectedSockets returns both sides of a connection.
func connectedSockets(ctx context.Context, t *testing.T) (a, b *asyncio.Socket) {
	t.Helper()
	ls := listening(t, "tcp", "127.0.0.1:0")
	a = newSocket(t, "tcp")
	if err := asyncio.SockConnect(ctx, a, ls.Addr().String()); err != nil {
		t.Fatal(err)
	}
	b, from, err := asyncio.SockAccept(ctx, ls)
	if err != nil {
		t.Fatal(err)
	}
	if from.String() != a.Addr().String() || a.RemoteAddr().String() != b.Addr().String() {
		t.Errorf("%v is connected to %v, %v to %v", a.Addr(), a.RemoteAddr(), from, b.Addr())
	}
	t.Cleanup(func() {
		a.Close()
		b.Close()
	})
	return a, b
}

// sockErr checks that err is want.
func sockErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) || want == nil && err != nil {
		t.Errorf("the error is %v, want %v", err, want)
	}
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
			sockErr(t, ls.Listen(0), nil)
			c := newSocket(t, network)
			sockErr(t, asyncio.SockConnect(ctx, c, ls.Addr().String()), nil)
			s, _, err := asyncio.SockAccept(ctx, ls)
			sockErr(t, err, nil)
			sockErr(t, asyncio.SockSendAll(ctx, c, []byte("there")), nil)
			got, err := asyncio.SockRecv(ctx, s, 3)
			if string(got) != "the" || err != nil {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			got, from, err := asyncio.SockRecvFrom(ctx, s, 10)
			if string(got) != "re" || err != nil {
				t.Errorf("%s: %q from %v, %v", network, got, from, err)
			}
			sockErr(t, c.CloseWrite(), nil)
			got, err = asyncio.SockRecv(ctx, s, 3)
			if got != nil || err != io.EOF {
				t.Errorf("%s: the end is %q, %v", network, got, err)
			}
			if _, _, err := asyncio.SockRecvFrom(ctx, s, 3); err != io.EOF {
				t.Errorf("%s: the end is %v", network, err)
			}
			for _, s := range []*asyncio.Socket{c, s, ls} {
				sockErr(t, s.Close(), nil)
				sockErr(t, s.Close(), nil)
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
			sockErr(t, a.Bind(addrs[0]), nil)
			sockErr(t, b.Bind(addrs[1]), nil)
			waits := asyncio.CreateTask(ctx, func(ctx context.Context) (string, error) {
				p := make([]byte, 10)
				n, from, err := asyncio.SockRecvFromInto(ctx, b, p)
				return fmt.Sprint(string(p[:n]), " ", from), err
			})
			turns(ctx, 2)
			n, err := asyncio.SockSendTo(ctx, a, []byte("datagram"), b.Addr())
			if n != 8 || err != nil {
				t.Error(n, err)
			}
			if got, err := waits.Await(ctx); got != "datagram "+a.Addr().String() || err != nil {
				t.Errorf("%s: %q, %v", network, got, err)
			}
			asyncio.SockSendTo(ctx, a, nil, b.Addr())
			if got, err := asyncio.SockRecv(ctx, b, 5); len(got) != 0 || err != nil {
				t.Errorf("%s: an empty datagram is %q, %v", network, got, err)
			}
			_, err = asyncio.SockSendTo(ctx, a, nil, nil)
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
			return asyncio.SockSendAll(ctx, a, sent)
		})
		turns(ctx, 3)
		if sender.Done() {
			t.Error("it did not have to wait")
		}
		var got bytes.Buffer
		p := make([]byte, 100_000)
		for {
			n, err := asyncio.SockRecvInto(ctx, b, p)
			if err == io.EOF {
				break
			}
			sockErr(t, err, nil)
			got.Write(p[:n])
		}
		if !bytes.Equal(got.Bytes(), sent) {
			t.Errorf("%d bytes arrive, %d were sent", got.Len(), len(sent))
		}
		_, err := sender.Await(ctx)
		sockErr(t, err, nil)
	})
}

// A cancelled wait takes nothing, whether the data comes before or after the
// cancel; a deadline of the context is one, too.
func TestSockCancelLosesNothing(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connectedSockets(ctx, t)
		recv := func(ctx context.Context) (string, error) {
			p, err := asyncio.SockRecv(ctx, b, 100)
			return string(p), err
		}
		for _, before := range []bool{true, false} {
			waits := asyncio.CreateTask(ctx, recv)
			turns(ctx, 2)
			if before {
				asyncio.SockSendAll(ctx, a, []byte("data"))
			}
			waits.Cancel()
			if !before {
				asyncio.SockSendAll(ctx, a, []byte("data"))
			}
			_, err := waits.Await(ctx)
			sockErr(t, err, asyncio.ErrCancelled)
			if got, err := recv(ctx); got != "data" || err != nil {
				t.Errorf("afterwards %q, %v", got, err)
			}
		}
		ended, end := context.WithCancel(ctx)
		l.CallLater(1, end)
		_, err := recv(ended)
		sockErr(t, err, context.Canceled)
		ls := listening(t, "tcp", "127.0.0.1:0")
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, _, err := asyncio.SockAccept(ctx, ls)
			return err
		})
		turns(ctx, 2)
		c := newSocket(t, "tcp")
		defer c.Close()
		connects := asyncio.Go(ctx, func(ctx context.Context) error { return asyncio.SockConnect(ctx, c, ls.Addr().String()) })
		waits.Cancel()
		_, err = waits.Await(ctx)
		sockErr(t, err, asyncio.ErrCancelled)
		s, _, err := asyncio.SockAccept(ctx, ls)
		sockErr(t, err, nil)
		s.Close()
		_, err = connects.Await(ctx)
		sockErr(t, err, nil)
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
				p, err := asyncio.SockRecv(ctx, b, 1)
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
			sockErr(t, asyncio.SockSendAll(ctx, a, []byte{byte(i)}), nil)
		}
		_, _, err := asyncio.Wait(ctx, all)
		sockErr(t, err, nil)
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
		_, err := asyncio.SockRecv(ctx, a, -1)
		if pyName(err) != "ValueError" {
			t.Error(err)
		}
		_, _, err = asyncio.SockRecvFrom(ctx, a, -1)
		if pyName(err) != "ValueError" {
			t.Error(err)
		}
		// Reset.
		unix.SetsockoptLinger(b.Fd(), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.SockRecv(ctx, a, 1)
			return err
		})
		turns(ctx, 2)
		b.Close()
		_, err = waits.Await(ctx)
		sockErr(t, err, syscall.ECONNRESET)
		sockErr(t, asyncio.SockSendAll(ctx, a, []byte("x")), syscall.EPIPE)
		// Closed while a task waits, in each direction.
		a, b = connectedSockets(ctx, t)
		reads := asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.SockRecv(ctx, a, 1)
			return err
		})
		writes := asyncio.Go(ctx, func(ctx context.Context) error {
			return asyncio.SockSendAll(ctx, a, make([]byte, 1<<26))
		})
		turns(ctx, 3)
		a.Close()
		_, err = reads.Await(ctx)
		sockErr(t, err, net.ErrClosed)
		_, err = writes.Await(ctx)
		sockErr(t, err, net.ErrClosed)
		// Calls on a closed one.
		_, err = asyncio.SockRecv(ctx, a, 1)
		sockErr(t, err, net.ErrClosed)
		sockErr(t, a.Listen(1), net.ErrClosed)
		_, err = a.SyscallConn()
		sockErr(t, err, net.ErrClosed)
		// Addresses.
		c := newSocket(t, "tcp")
		defer c.Close()
		for _, addr := range []string{"127.0.0.1", "127.0.0.1:x:y", "[::1]:1", "name:1", "127.0.0.1:70000"} {
			if err := c.Bind(addr); err == nil {
				t.Errorf("bound to %q", addr)
			}
		}
		sockErr(t, asyncio.SockConnect(ctx, c, "127.0.0.1:1"), syscall.ECONNREFUSED)
		sockErr(t, c.Bind(b.Addr().String()), syscall.EADDRINUSE)
		u := newSocket(t, "unix")
		defer u.Close()
		sockErr(t, asyncio.SockConnect(ctx, u, filepath.Join(t.TempDir(), "none")), syscall.ENOENT)
		// The waits of a loop that ends.
		asyncio.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.SockRecv(ctx, other, 1)
			sockErr(t, err, asyncio.ErrCancelled)
			return err
		})
		turns(ctx, 2)
	})
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		_, err := asyncio.SockRecv(ctx, other, 1)
		sockErr(t, err, asyncio.ErrOtherLoop)
	})
	sockErr(t, other.Close(), nil)
	_, err := asyncio.SockRecv(t.Context(), other, 1)
	sockErr(t, err, asyncio.ErrNoRunningLoop)
}

// SocketOf is a duplicate; SyscallConn gives options of the system.
func TestSocketOf(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		ls, err := asyncio.SocketOf(ln.(*net.TCPListener))
		sockErr(t, err, nil)
		addr := ln.Addr().String()
		ln.Close()
		defer ls.Close()
		c := newSocket(t, "tcp")
		defer c.Close()
		sockErr(t, asyncio.SockConnect(ctx, c, addr), nil)
		s, _, err := asyncio.SockAccept(ctx, ls)
		sockErr(t, err, nil)
		defer s.Close()
		raw, err := s.SyscallConn()
		sockErr(t, err, nil)
		kind := 0
		raw.Control(func(fd uintptr) { kind, _ = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_TYPE) })
		if kind != unix.SOCK_STREAM {
			t.Errorf("its kind is %d", kind)
		}
		sockErr(t, raw.Read(func(uintptr) bool { return false }), errors.ErrUnsupported)
		sockErr(t, raw.Write(func(uintptr) bool { return true }), nil)
		again, err := asyncio.SocketOf(s)
		sockErr(t, err, nil)
		s.Close()
		sockErr(t, asyncio.SockSendAll(ctx, again, []byte("by the duplicate")), nil)
		got, err := asyncio.SockRecv(ctx, c, 100)
		if string(got) != "by the duplicate" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		again.Close()
		f, err := os.Open(os.DevNull)
		sockErr(t, err, nil)
		defer f.Close()
		_, err = asyncio.SocketOf(f)
		sockErr(t, err, syscall.ENOTSOCK)
	})
}

func TestSockSendFile(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		content := bytes.Repeat([]byte("0123456789"), 200_000)
		f, err := os.Create(filepath.Join(t.TempDir(), "file"))
		if err != nil {
			t.Fatal(err)
		}
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
						p, err := asyncio.SockRecv(ctx, b, 1<<16)
						if all = append(all, p...); err != nil {
							return all, nil
						}
					}
				})
				n, err := asyncio.SockSendFile(ctx, a, f, part.offset, part.count)
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
		_, err = asyncio.SockSendFile(ctx, a, f, 0, 0, asyncio.SendFileFallback(false))
		if sockErr(t, err, asyncio.ErrSendfileNotAvailable); pyName(err) != "SendfileNotAvailableError" {
			t.Errorf("%v", err)
		}
		asyncio.SetSendfile(true)
		for _, bad := range [][2]int64{{-1, 0}, {0, -1}} {
			if _, err := asyncio.SockSendFile(ctx, a, f, bad[0], bad[1]); pyName(err) != "ValueError" {
				t.Errorf("%v: %v", bad, err)
			}
		}
		u := newSocket(t, "udp")
		defer u.Close()
		if _, err := asyncio.SockSendFile(ctx, u, f, 0, 0); pyName(err) != "ValueError" {
			t.Errorf("by datagrams: %v", err)
		}
		b.Close()
		waits := asyncio.Go(ctx, func(ctx context.Context) error {
			for {
				if _, err := asyncio.SockSendFile(ctx, a, f, 0, 0); err != nil {
					return err
				}
			}
		})
		if _, err := waits.Await(ctx); !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("to nobody: %v", err)
		}
		f.Close()
		_, err = asyncio.SockSendFile(ctx, a, f, 0, 0)
		sockErr(t, err, os.ErrClosed)
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
			asyncio.SockConnect(ctx, c, ls.Addr().String())
			s, _, err := asyncio.SockAccept(ctx, ls)
			sockErr(t, err, nil)
			asyncio.WaitFor(ctx, 1, asyncio.Func(func(ctx context.Context) error {
				_, err := asyncio.SockRecv(ctx, s, 1)
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
				if _, err := asyncio.SockRecvInto(ctx, b, q); err != nil {
					return nil
				}
				asyncio.SockSendAll(ctx, b, q)
			}
		})
		n := testing.AllocsPerRun(200, func() {
			asyncio.SockSendAll(ctx, a, one)
			asyncio.SockRecvInto(ctx, a, p)
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
	asyncio.RunMain(context.Background(), func(ctx context.Context) error {
		server, err := asyncio.NewSocket("tcp")
		if err != nil {
			return err
		}
		defer server.Close()
		if err := errors.Join(server.Bind("127.0.0.1:0"), server.Listen(0)); err != nil {
			return err
		}
		serving := asyncio.Go(ctx, func(ctx context.Context) error {
			conn, _, err := asyncio.SockAccept(ctx, server)
			if err != nil {
				return err
			}
			defer conn.Close()
			for {
				data, err := asyncio.SockRecv(ctx, conn, 100)
				if err != nil {
					return err // io.EOF
				}
				asyncio.SockSendAll(ctx, conn, bytes.ToUpper(data))
			}
		})
		client, err := asyncio.NewSocket("tcp")
		if err != nil {
			return err
		}
		if err := asyncio.SockConnect(ctx, client, server.Addr().String()); err != nil {
			return err
		}
		asyncio.SockSendAll(ctx, client, []byte("hello"))
		answer, err := asyncio.SockRecv(ctx, client, 100)
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
