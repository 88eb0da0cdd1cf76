//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asyncio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"github.com/go-greenlet/greenlet/asyncio"
)

func TestConnAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connected("tcp")(t, ctx)
		defer a.Close()
		echo := asyncio.Go(ctx, func(ctx context.Context) error {
			defer b.Close()
			p := make([]byte, 512)
			for {
				n, err := b.Read(p)
				if err != nil {
					return nil
				}
				b.Write(p[:n])
			}
		})
		p := make([]byte, 64)
		if n := testing.AllocsPerRun(1000, func() {
			a.Write(p)
			if n, err := a.Read(p); n != len(p) || err != nil {
				t.Fatal(n, err)
			}
		}); n > 0 {
			t.Errorf("a round trip: %v allocations", n)
		}
		later := time.Now().Add(time.Hour)
		if n := testing.AllocsPerRun(1000, func() {
			a.SetDeadline(later)
			a.Write(p)
			if n, err := a.Read(p); n != len(p) || err != nil {
				t.Fatal(n, err)
			}
		}); n > 0 {
			t.Errorf("a round trip with a deadline: %v allocations", n)
		}
		a.Close()
		echo.Await(ctx)
	}, asyncio.WithDebug(false))
}

// A peer that resets is told as package net tells it.
func TestConnReset(t *testing.T) {
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) {
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				a, b := connected("tcp")(t, ctx)
				defer a.Close()
				read := s.run(ctx, func(context.Context) {
					_, err := a.Read(make([]byte, 1))
					if !errors.Is(err, syscall.ECONNRESET) || !strings.HasPrefix(err.Error(), "read tcp 127.0.0.1:") {
						t.Error("Read:", err)
					}
					_, err = a.Write(make([]byte, 1))
					if !errors.Is(err, syscall.EPIPE) && !errors.Is(err, syscall.ECONNRESET) {
						t.Error("Write:", err)
					}
				})
				b.(interface{ SetLinger(int) error }).SetLinger(0)
				b.Close()
				read()
			})
		})
	}
}

func TestDialRefused(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := ln.Addr().String()
		ln.Close()
		for _, s := range sides {
			d := asyncio.Dialer{Loop: l}
			s.run(ctx, func(ctx context.Context) {
				_, err := d.DialContext(ctx, "tcp", addr)
				var op *net.OpError
				if !errors.Is(err, syscall.ECONNREFUSED) || !errors.As(err, &op) || op.Op != "dial" {
					t.Error(s.name, err)
				}
			})()
		}
		if _, err := asyncio.Dial(context.Background(), "tcp", addr); !errors.Is(err, syscall.ECONNREFUSED) {
			t.Error("by a hook with no task's context:", err)
		}
	})
	if _, err := asyncio.Dial(context.Background(), "tcp", "127.0.0.1:1"); !errors.Is(err, asyncio.ErrNoRunningLoop) {
		t.Error("without a loop:", err)
	}
}

// A Dial that is cancelled leaves nothing, whenever it is.
func TestDialCancel(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		before := descriptors(t)
		for i := range 50 {
			d := asyncio.CreateTask(ctx, func(ctx context.Context) (net.Conn, error) {
				return asyncio.Dial(ctx, "tcp", ln.Addr().String())
			})
			asyncio.Sleep(ctx, time.Duration(i)*5*time.Microsecond)
			d.Cancel()
			c, err := d.Await(ctx)
			if err == nil {
				c.Close()
			} else if !errors.Is(err, asyncio.ErrCancelled) {
				t.Error(err)
			}
		}
		ended, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := asyncio.Dial(ended, "tcp", ln.Addr().String()); !errors.Is(err, context.Canceled) {
			t.Error("an ended context:", err)
		}
		wantDescriptors(t, ctx, before)
	})
}

// Connections with faults of all kinds leave nothing behind.
func TestConnLeaks(t *testing.T) {
	rounds := 1500
	if testing.Short() || raceEnabled {
		rounds = 200
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		serve := func(c net.Conn) {
			defer c.Close()
			p := make([]byte, 16)
			n, err := c.Read(p)
			if err != nil {
				return
			}
			switch p[0] % 5 {
			case 0: // forgotten by the peer
			case 1:
				c.(interface{ SetLinger(int) error }).SetLinger(0)
			case 2:
				c.SetReadDeadline(time.Now().Add(-1))
				c.Read(p)
			case 3:
				c.(interface{ CloseWrite() error }).CloseWrite()
				c.Read(p)
			default:
				c.Write(p[:n])
			}
		}
		warm, first := connected("tcp")(t, ctx) // the pollers have descriptors, too
		watch(t, ctx, warm)
		warm.Close()
		first.Close()
		before, goroutines := descriptors(t), runtime.NumGoroutine()
		server := asyncio.Go(ctx, func(ctx context.Context) error {
			for i := range rounds {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				if i%2 == 0 {
					asyncio.Go(ctx, func(context.Context) error { serve(c); return nil })
				} else {
					go serve(c)
				}
			}
			return nil
		})
		for i := range rounds {
			c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
			require.NoError(t, err)
			use := func() {
				c.Write([]byte{byte(i / 2)})
				c.SetReadDeadline(time.Now().Add(time.Minute))
				c.Read(make([]byte, 16))
			}
			switch i % 3 {
			case 0:
				use()
				c.Close()
			case 1:
				go func() { use(); c.Close() }()
			case 2:
				asyncio.Go(ctx, func(context.Context) error { use(); go c.Close(); return nil })
			}
		}
		if _, err := server.Await(ctx); err != nil {
			t.Error(err)
		}
		wantDescriptors(t, ctx, before)
		ln.Close()
		for start := time.Now(); runtime.NumGoroutine() > goroutines+20; asyncio.Sleep(ctx, 5*time.Millisecond) { // some workers stay with the loop
			if time.Since(start) > tooLate {
				t.Errorf("%d goroutines, before there were %d", runtime.NumGoroutine(), goroutines)
				return
			}
		}
	})
}

// watch has the loop watch c from now on, as somebody has waited for it.
func watch(t *testing.T, ctx context.Context, c net.Conn) {
	t.Helper()
	waiting := asyncio.Go(ctx, func(context.Context) error {
		_, err := c.Read(make([]byte, 1))
		isTimeout(t, "Read", err)
		return nil
	})
	asyncio.Sleep(ctx, 0)
	c.SetReadDeadline(time.Unix(1, 0))
	waiting.Await(ctx)
	c.SetReadDeadline(time.Time{})
}

// A loop that is closed, or does not run, takes nothing from its connections.
func TestConnOutlivesLoop(t *testing.T) {
	var a, b net.Conn
	var ln net.Listener
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b = connected("tcp")(t, ctx)
		a.Write([]byte("x"))
		b.Read(make([]byte, 10))
		watch(t, ctx, b)
		var err error
		if ln, err = asyncio.Listen(ctx, "tcp", "127.0.0.1:0"); err != nil {
			t.Fatal(err)
		}
	})
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.Copy(b, b)
		isClosed(t, "Close twice", errors.Join(b.Close(), b.Close()))
	}()
	for range 10 {
		p := []byte("hello")
		a.Write(p)
		if _, err := io.ReadFull(a, p); string(p) != "hello" || err != nil {
			t.Error(string(p), err)
		}
	}
	a.Close()
	<-done
	go func() {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err == nil {
			c.Close()
		}
	}()
	c, err := ln.Accept()
	require.NoError(t, err)
	if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Error(n, err)
	}
	c.Close()
	ln.Close()
}

// Tasks that are killed in a Write while others wait for their turn leave a
// connection that works.
func TestConnLoopClosedInWrite(t *testing.T) {
	l := asyncio.NewLoop(loopBeneath()...)
	l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
	var a, b net.Conn
	_, err := asyncio.RunUntilComplete(l, asyncio.Coro[int](func(ctx context.Context) (int, error) {
		a, b = connected("tcp")(t, ctx)
		for range 3 {
			asyncio.Go(ctx, func(context.Context) error {
				_, err := a.Write(make([]byte, 64<<20))
				return err
			})
		}
		asyncio.Sleep(ctx, 5*time.Millisecond)
		return 0, nil
	}))
	require.NoError(t, err)
	require.NoError(t, l.Close())
	go func() {
		a.Write([]byte("end"))
		a.Close()
	}()
	got, err := io.ReadAll(b)
	if err != nil || !strings.HasSuffix(string(got), "\x00end") {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	b.Close()
}

func TestListener(t *testing.T) {
	for _, s := range sides {
		t.Run(s.name, func(t *testing.T) {
			inTask(t, func(ctx context.Context, l *asyncio.Loop) {
				path := filepath.Join(t.TempDir(), "s")
				ln, err := asyncio.Listen(ctx, "unix", path)
				require.NoError(t, err)
				ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Now().Add(2 * time.Millisecond))
				s.run(ctx, func(context.Context) {
					_, err := ln.Accept()
					isTimeout(t, "Accept", err)
				})()
				ln.(interface{ SetDeadline(time.Time) error }).SetDeadline(time.Time{})
				accept := s.run(ctx, func(context.Context) {
					_, err := ln.Accept()
					isClosed(t, "Accept", err)
				})
				asyncio.Sleep(ctx, 2*time.Millisecond)
				if _, err := os.Stat(path); err != nil {
					t.Error(err)
				}
				ln.Close()
				accept()
				if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
					t.Error("the file is still there:", err)
				}
			})
		})
	}
}

// What is accepted has the options of package net, and its types of addresses.
func TestConnOptions(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connected("tcp")(t, ctx)
		defer a.Close()
		defer b.Close()
		for _, c := range []net.Conn{a, b} {
			local, ok1 := c.LocalAddr().(*net.TCPAddr)
			remote, ok2 := c.RemoteAddr().(*net.TCPAddr)
			if !ok1 || !ok2 || local.Port == 0 || remote.Port == 0 || !local.IP.IsLoopback() {
				t.Error(c.LocalAddr(), c.RemoteAddr())
			}
			raw, err := c.(syscall.Conn).SyscallConn()
			require.NoError(t, err)
			raw.Control(func(fd uintptr) {
				for what, option := range map[string][2]int{
					"keep-alive": {unix.SOL_SOCKET, unix.SO_KEEPALIVE}, "no delay": {unix.IPPROTO_TCP, unix.TCP_NODELAY},
				} {
					if on, err := unix.GetsockoptInt(int(fd), option[0], option[1]); on == 0 || err != nil {
						t.Errorf("%s is off: %v", what, err)
					}
				}
			})
			if _, ok := c.(net.PacketConn); ok {
				t.Error("a stream is a net.PacketConn")
			}
		}
		if a.LocalAddr().String() != b.RemoteAddr().String() || a.RemoteAddr().String() != b.LocalAddr().String() {
			t.Error("the addresses differ")
		}
	})
}

func TestSyscallConn(t *testing.T) {
	eachConn(t, func(t *testing.T, ctx context.Context, a, b net.Conn, here, there side) {
		raw, err := a.(syscall.Conn).SyscallConn()
		require.NoError(t, err)
		var got []byte
		both(ctx, here, there, func(context.Context) {
			calls := 0 // as drivers ask whether a connection is alive
			err := raw.Read(func(fd uintptr) bool { calls++; return true })
			if err != nil || calls != 1 {
				t.Error(calls, err)
			}
			err = raw.Read(func(fd uintptr) bool {
				p := make([]byte, 10)
				n, err := syscall.Read(int(fd), p)
				if err == syscall.EAGAIN {
					return false
				}
				got = p[:n]
				return true
			})
			if string(got) != "raw" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
		}, func(context.Context) { b.Write([]byte("raw")) })
		a.Close()
		isClosed(t, "Control", raw.Control(func(uintptr) { t.Error("called") }))
		isClosed(t, "Read", raw.Read(func(uintptr) bool { t.Error("called"); return true }))
	})
}

func TestPacketConn(t *testing.T) {
	for _, network := range []string{"udp", "udp6", "unixgram"} {
		for _, s := range sides {
			t.Run(network+"/"+s.name, func(t *testing.T) {
				inTask(t, func(ctx context.Context, l *asyncio.Loop) { testPacketConn(t, ctx, network, s) })
			})
		}
	}
}

func testPacketConn(t *testing.T, ctx context.Context, network string, s side) {
	addr := func() string {
		switch network {
		case "unixgram":
			return filepath.Join(t.TempDir(), "s")
		case "udp6":
			return "[::1]:0"
		}
		return "127.0.0.1:0"
	}
	a, err := asyncio.ListenPacket(ctx, network, addr())
	if err != nil {
		if network == "udp6" {
			t.Skip("no IPv6 here: ", err)
		}
		t.Fatal(err)
	}
	defer a.Close()
	b, err := asyncio.ListenPacket(ctx, network, addr())
	require.NoError(t, err)
	defer b.Close()
	echo := s.run(ctx, func(context.Context) {
		p := make([]byte, 100)
		for range 3 {
			n, from, err := b.ReadFrom(p)
			if err != nil || from.String() != a.LocalAddr().String() {
				t.Errorf("ReadFrom: %v, %v", from, err)
				return
			}
			if m, err := b.WriteTo(p[:n], from); m != n || err != nil {
				t.Error("WriteTo:", m, err)
			}
		}
	})
	s.run(ctx, func(context.Context) {
		p := make([]byte, 100)
		for _, want := range []string{"one", "", "three"} {
			if _, err := a.WriteTo([]byte(want), b.LocalAddr()); err != nil {
				t.Error("WriteTo:", err)
			}
			n, _, err := a.ReadFrom(p)
			if string(p[:n]) != want || err != nil {
				t.Errorf("%q, %v", p[:n], err)
			}
		}
		a.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, _, err := a.ReadFrom(p)
		isTimeout(t, "ReadFrom", err)
		_, err = a.WriteTo(p, &net.IPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err == nil {
			t.Error("a wrong type of address goes unnoticed")
		}
	})()
	echo()
	if network == "unixgram" {
		return
	}
	c, err := asyncio.Dial(ctx, "udp", b.LocalAddr().String())
	require.NoError(t, err)
	defer c.Close()
	if _, ok := c.(net.PacketConn); !ok {
		t.Error("a connection of datagrams is no net.PacketConn")
	}
	if _, ok := c.RemoteAddr().(*net.UDPAddr); !ok {
		t.Errorf("%T", c.RemoteAddr())
	}
	s.run(ctx, func(context.Context) {
		p := make([]byte, 100)
		c.SetReadDeadline(time.Now().Add(time.Millisecond))
		_, err := c.Read(p)
		isTimeout(t, "Read", err)
		c.SetReadDeadline(time.Time{})
		b.WriteTo([]byte("one"), c.LocalAddr())
		b.WriteTo([]byte("two"), c.LocalAddr())
		for _, want := range []string{"one", "two"} { // a short read is not the last
			if n, err := c.Read(p); string(p[:n]) != want || err != nil {
				t.Errorf("%q, %v", p[:n], err)
			}
		}
	})()
	s.run(ctx, func(context.Context) {
		p := make([]byte, 2)
		c.Write([]byte("long"))
		_, from, _ := b.ReadFrom(p)
		b.WriteTo([]byte("long"), from)
		b.WriteTo([]byte("next"), from)
		for _, want := range []string{"lo", "ne"} {
			if n, err := c.Read(p); string(p[:n]) != want || err != nil {
				t.Errorf("%q, %v", p[:n], err)
			}
		}
	})()
}

func TestReusePort(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		c := asyncio.ListenConfig{ReusePort: true, Backlog: 10}
		a, err := c.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer a.Close()
		b, err := c.Listen(ctx, "tcp", a.Addr().String())
		require.NoError(t, err)
		b.Close()
		if _, err := asyncio.Listen(ctx, "tcp", a.Addr().String()); !errors.Is(err, syscall.EADDRINUSE) {
			t.Error("without the option:", err)
		}
	})
}

// A callback may try, and must not wait.
func TestConnInCallback(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		a, b := connected("tcp")(t, ctx)
		defer a.Close()
		defer b.Close()
		done := asyncio.NewEvent()
		l.CallSoon(func() {
			defer done.Set()
			if _, err := a.Read(make([]byte, 1)); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Error("Read:", err)
			}
			if n, err := a.Write([]byte("x")); n != 1 || err != nil {
				t.Error("Write:", n, err)
			}
			if _, err := asyncio.Dial(ctx, "tcp", "127.0.0.1:1"); !errors.Is(err, asyncio.ErrNoRunningLoop) {
				t.Error("Dial:", err)
			}
		})
		done.Wait(ctx)
		if n, err := b.Read(make([]byte, 9)); n != 1 || err != nil {
			t.Error(n, err)
		}
	})
}

// The number of a descriptor that is closed under way is not used again: the
// bytes of one connection never get to another.
func TestConnCloseRace(t *testing.T) {
	rounds := 300
	switch {
	case overNetwork != nil:
		rounds = 5 // it has no descriptors, and sends each byte by itself
	case testing.Short():
		rounds = 50
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		for i := range rounds {
			a, b := connected("tcp")(t, ctx)
			mark := byte(i)
			var wait sync.WaitGroup
			wait.Add(2)
			go func() { defer wait.Done(); a.Close() }()
			go func() {
				defer wait.Done()
				for {
					if _, err := a.Write([]byte{mark}); err != nil {
						return
					}
				}
			}()
			asyncio.Go(ctx, func(context.Context) error {
				for {
					if _, err := a.Write([]byte{mark}); err != nil {
						isClosed(t, "Write", err)
						return nil
					}
				}
			})
			got, err := io.ReadAll(b)
			assert.NoError(t, err)
			for _, c := range got {
				if c != mark {
					t.Fatalf("%d among %d", c, mark)
				}
			}
			b.Close()
			assert.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { wait.Wait(); return nil })) // another network needs the loop for them
		}
	})
}

// The number of a descriptor that was closed by a goroutine may be another's
// before the loop knows.
func TestConnNumberUsedAgain(t *testing.T) {
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		for range 20 {
			a, b := connected("tcp")(t, ctx)
			watch(t, ctx, a)
			c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
			require.NoError(t, err)
			closed := make(chan struct{})
			go func() { defer close(closed); a.Close() }()
			<-closed // the loop stands still
			d, err := ln.Accept()
			require.NoError(t, err)
			write := asyncio.Go(ctx, func(ctx context.Context) error {
				asyncio.Sleep(ctx, time.Millisecond)
				_, err := c.Write([]byte("x"))
				return err
			})
			if n, err := d.Read(make([]byte, 1)); n != 1 || err != nil {
				t.Error(n, err)
			}
			write.Await(ctx)
			for _, c := range []net.Conn{b, c, d} {
				c.Close()
			}
		}
	})
}
