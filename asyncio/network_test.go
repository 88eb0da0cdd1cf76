package asyncio_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// overNetwork makes the network on which tests run that use inTask and onSockets. Nil
// is the system's.
var overNetwork func() []asyncio.LoopOption

// loopsAlone is that the network of overNetwork is for tasks only.
var loopsAlone bool

// beneathOthers is how many runs were on another network than the system's.
var beneathOthers int

// beneath adds to opts what the tests run on.
func beneath(opts []asyncio.RunOption) []asyncio.RunOption {
	if overNetwork == nil {
		return opts
	}
	return append(opts[:len(opts):len(opts)], asyncio.WithLoopOptions(loopBeneath()...))
}

// loopBeneath is beneath for a test that makes its loop itself.
func loopBeneath() []asyncio.LoopOption {
	if overNetwork == nil {
		return nil
	}
	beneathOthers++
	return overNetwork()
}

// onSimNet is a simulated network in good order, which goroutines may use.
func onSimNet() []asyncio.LoopOption {
	return append(simnet.New(1, simnet.Config{Goroutines: true}).Options(), asyncio.WithClock(asynciotest.NewClock()))
}

// onSimNetByClock is one that goes by the system's clock, for goroutines that compute.
func onSimNetByClock() []asyncio.LoopOption {
	return simnet.New(1, simnet.Config{Goroutines: true}).Options()
}

func onMemNet(n *memNet) []asyncio.LoopOption {
	return []asyncio.LoopOption{asyncio.WithNetwork(n), asyncio.WithClock(asynciotest.NewClock())}
}

// The tests of connections, streams, servers and TLS hold on another network, as they
// are.
func TestOverNetwork(t *testing.T) {
	overNetwork, loopsAlone = func() []asyncio.LoopOption { return onMemNet(newMemNet(time.Millisecond)) }, true
	defer func() { overNetwork, loopsAlone = nil, false }()
	again(t,
		TestConnEcho,
		TestConnBulk,
		TestConnDeadlines,
		TestConnCloseWakes,
		TestConnWritesAreWhole,
		TestConnCancel,
		TestConnReadersShare,
		TestServerLife,
		TestServeForever,
		TestServeForeverClosesClients,
		TestServerClients,
		TestServerShutdown,
		TestServerHandlerFails,
		TestServerForgottenWriter,
		TestServerFactoryFails,
		TestTLSBothSides,
		TestStartTLSTwice,
	)
}

// onMem runs f on a network of latency 1 s, on virtual time.
func onMem(t *testing.T, f func(ctx context.Context, n *memNet)) {
	t.Helper()
	n := newMemNet(time.Second)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		require.Equal(t, asyncio.Network(n), l.Network())
		f(ctx, n)
	}, asyncio.WithLoopOptions(onMemNet(n)...))
}

func loopTime(ctx context.Context) time.Duration { return mustLoop(ctx).Time() }

// What goes over the network takes its time, to the nanosecond.
func TestNetworkTakesItsTime(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		ln, err := asyncio.Listen(ctx, "tcp", ":0")
		require.NoError(t, err)
		defer ln.Close()
		_, port, _ := net.SplitHostPort(ln.Addr().String())
		c, err := asyncio.Dial(ctx, "tcp", "localhost:"+port)
		require.NoError(t, err)
		defer c.Close()
		require.Equal(t, 3*time.Second, loopTime(ctx), "a look-up and a connection")
		s, err := ln.Accept()
		require.NoError(t, err)
		defer s.Close()
		assert.Equal(t, c.LocalAddr().String(), s.RemoteAddr().String())
		_, err = c.Write([]byte("hello"))
		require.NoError(t, err)
		p := make([]byte, 10)
		k, err := s.Read(p)
		require.NoError(t, err)
		assert.Equal(t, "hello", string(p[:k]))
		assert.Equal(t, 4*time.Second, loopTime(ctx))

		s.SetReadDeadline(time.Now().Add(time.Hour))
		_, err = s.Read(p)
		isTimeout(t, "a deadline in an hour", err)
		assert.Equal(t, time.Hour+4*time.Second, loopTime(ctx))
	})
}

// Errors of the network are in the words of package net.
func TestNetworkErrors(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		var op *net.OpError
		_, err := asyncio.Dial(ctx, "tcp", "127.0.0.1:1")
		require.ErrorAs(t, err, &op)
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		assert.Equal(t, "dial tcp 127.0.0.1:1: connect: connection refused", err.Error())
		_, _, err = asyncio.OpenConnection(ctx, "tcp", "127.0.0.1:1")
		require.ErrorAs(t, err, &op)
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)

		ln, err := asyncio.Listen(ctx, "tcp4", ":0")
		require.NoError(t, err)
		defer ln.Close()
		_, err = asyncio.Listen(ctx, "tcp4", ln.Addr().String())
		assert.ErrorIs(t, err, syscall.EADDRINUSE)
		require.ErrorAs(t, err, &op)
		_, err = asyncio.StartServer(ctx, "tcp", ln.Addr().String(), echo)
		assert.ErrorIs(t, err, syscall.EADDRINUSE)
		_, err = asyncio.ListenPacket(ctx, "tcp", ":0")
		assert.Error(t, err)

		var dns *net.DNSError
		_, err = asyncio.Dial(ctx, "tcp", "nowhere:1")
		require.ErrorAs(t, err, &dns)
		assert.True(t, dns.IsNotFound)

		// The time that a Dial may take goes by the loop's clock.
		before := loopTime(ctx)
		d := asyncio.Dialer{Net: net.Dialer{Timeout: time.Second}}
		_, err = d.DialContext(ctx, "tcp", ln.Addr().String())
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
		assert.Equal(t, before+time.Second, loopTime(ctx))

		dial := asyncio.CreateTask(ctx, func(ctx context.Context) (net.Conn, error) {
			return asyncio.Dial(ctx, "tcp", ln.Addr().String())
		})
		asyncio.Sleep(ctx, 0)
		dial.Cancel()
		_, err = dial.Await(ctx)
		assert.ErrorIs(t, err, asyncio.ErrCancelled)
	})
}

func TestNetworkDatagrams(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		pc, err := asyncio.ListenPacket(ctx, "udp4", "127.0.0.1:0")
		require.NoError(t, err)
		defer pc.Close()
		c, err := asyncio.Dial(ctx, "udp", pc.LocalAddr().String())
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("question"))
		require.NoError(t, err)
		p := make([]byte, 4)
		k, from, err := pc.ReadFrom(p)
		require.NoError(t, err)
		assert.Equal(t, "ques", string(p[:k]))
		assert.Equal(t, c.LocalAddr().String(), from.String())
		assert.Equal(t, time.Second, loopTime(ctx))
		_, err = pc.WriteTo([]byte("yes"), from)
		require.NoError(t, err)
		k, err = c.Read(p)
		require.NoError(t, err)
		assert.Equal(t, "yes", string(p[:k]))
		_, err = c.(net.PacketConn).WriteTo(p, from)
		assert.ErrorIs(t, err, net.ErrWriteToConnected)
		_, err = pc.WriteTo(p, &net.UnixAddr{})
		assert.ErrorIs(t, err, syscall.EINVAL)
		_, err = pc.(net.Conn).Write(p)
		assert.ErrorIs(t, err, syscall.EDESTADDRREQ)
		_, err = c.Write(make([]byte, 1<<17))
		assert.ErrorIs(t, err, syscall.EMSGSIZE)
	})
}

func TestNetworkUnix(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		const path = "/no/such/folder/s"
		server, err := asyncio.StartUnixServer(ctx, path, echo)
		require.NoError(t, err)
		asked(t, ctx, "unix", path)
		_, err = asyncio.StartUnixServer(ctx, path, echo)
		assert.ErrorIs(t, err, syscall.EADDRINUSE)
		server.Close()
		server, err = asyncio.StartUnixServer(ctx, path, echo)
		require.NoError(t, err, "the path is free again")
		server.Close()
	})
}

func TestNetworkNames(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		all, err := asyncio.GetAddrInfo(ctx, "tcp", "elsewhere", "80")
		require.NoError(t, err)
		assert.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("10.0.0.1:80")}, all)
		all, err = asyncio.GetAddrInfo(ctx, "udp4", "", "")
		require.NoError(t, err)
		assert.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:0")}, all)
		all, err = asyncio.GetAddrInfo(ctx, "tcp", "::1", "1")
		require.NoError(t, err)
		assert.Equal(t, []netip.AddrPort{netip.MustParseAddrPort("[::1]:1")}, all)
		_, err = asyncio.GetAddrInfo(ctx, "tcp6", "elsewhere", "1")
		assert.Error(t, err)
		host, service, err := asyncio.GetNameInfo(ctx, netip.MustParseAddrPort("10.0.0.1:80"), asyncio.NumericService)
		require.NoError(t, err)
		assert.Equal(t, "elsewhere", host)
		assert.Equal(t, "80", service)
		_, _, err = asyncio.GetNameInfo(ctx, netip.MustParseAddrPort("10.0.0.2:80"), asyncio.NameRequired)
		assert.Error(t, err)
		assert.Equal(t, 4*time.Second, loopTime(ctx), "each look-up asks the network")
	})
}

func TestNow(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		n.skew = -100 * 365 * 24 * time.Hour
		assert.Less(t, asyncio.Now(ctx).Year(), 2000)
		assert.Less(t, asyncio.Now(context.Background()).Year(), 2000, "of the loop that runs here")
	})
	before := time.Now()
	now := asyncio.Now(context.Background())
	assert.False(t, now.Before(before) || now.After(time.Now()))
}

// A connection that was accepted elsewhere is given a transport.
func TestNetworkAcceptedSocket(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		s, err := ln.Accept()
		require.NoError(t, err)
		tr, p, err := asyncio.ConnectAcceptedSocket(ctx, newRecorder, s)
		require.NoError(t, err)
		_, err = s.Read(make([]byte, 1))
		isClosed(t, "it is the transport's", err)
		c.Write([]byte("data"))
		p.until(ctx, "data")
		require.NoError(t, tr.Write([]byte("back")))
		tr.Close()
		got, err := io.ReadAll(c)
		require.NoError(t, err)
		assert.Equal(t, "back", string(got))
	})
}

// unsupported checks that something is refused, with a sentence.
func unsupported(t *testing.T, what string, err error) {
	t.Helper()
	assert.ErrorIs(t, err, errors.ErrUnsupported, what)
	if err != nil {
		assert.Contains(t, err.Error(), "network", what)
	}
}

// What only the system has is refused.
func TestNetworkRefuses(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		l := mustLoop(ctx)
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		require.NoError(t, err)
		defer c.Close()
		_, err = c.(syscall.Conn).SyscallConn()
		unsupported(t, "SyscallConn", err)
		_, err = c.(interface{ File() (*os.File, error) }).File()
		unsupported(t, "File", err)
		_, err = ln.(syscall.Conn).SyscallConn()
		unsupported(t, "SyscallConn of a listener", err)
		r, w, err := asyncio.OpenConnection(ctx, "tcp", ln.Addr().String())
		require.NoError(t, err)
		_ = r
		raw := w.ExtraInfo("socket").(syscall.RawConn)
		unsupported(t, "Control of a transport", raw.Control(func(uintptr) {}))
		w.Close()

		unsupported(t, "AddReader", l.AddReader(0, func() {}))
		unsupported(t, "AddWriter", l.AddWriter(0, func() {}))
		_, _, err = asyncio.ConnectReadPipe(ctx, newRecorder, os.Stdin)
		unsupported(t, "ConnectReadPipe", err)
		_, _, err = asyncio.ConnectWritePipe(ctx, newRecorder, os.Stdout)
		unsupported(t, "ConnectWritePipe", err)
		_, err = asyncio.CreateSubprocessExec(ctx, []string{os.Args[0]})
		unsupported(t, "a child process", err)
		pool := asyncio.NewProcessPool(1)
		defer pool.Close()
		_, err = asyncio.RunInProcess(ctx, pool, square, 1)
		unsupported(t, "RunInProcess", err)

		d := asyncio.Dialer{Net: net.Dialer{Control: func(string, string, syscall.RawConn) error { return nil }}}
		_, err = d.DialContext(ctx, "tcp", ln.Addr().String())
		unsupported(t, "Dialer.Net.Control", err)
		d = asyncio.Dialer{Net: net.Dialer{Resolver: &net.Resolver{}}}
		_, err = d.DialContext(ctx, "tcp", ln.Addr().String())
		unsupported(t, "Dialer.Net.Resolver", err)
		lc := asyncio.ListenConfig{Net: net.ListenConfig{Control: func(string, string, syscall.RawConn) error { return nil }}}
		_, err = lc.Listen(ctx, "tcp", ":0")
		unsupported(t, "ListenConfig.Net.Control", err)
		_, err = lc.ListenPacket(ctx, "udp", ":0")
		unsupported(t, "ListenConfig.Net.Control", err)

		system, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer system.Close()
		_, err = asyncio.AdoptListener(ctx, system)
		unsupported(t, "AdoptListener", err)
		_, err = asyncio.StartServer(ctx, "", "", echo, asyncio.WithSocket(system.(syscall.Conn)))
		unsupported(t, "WithSocket of a listener", err)
		other, err := net.Dial("tcp", system.Addr().String())
		require.NoError(t, err)
		defer other.Close()
		_, err = asyncio.Adopt(ctx, other)
		unsupported(t, "Adopt", err)
		_, _, err = asyncio.OpenConnection(ctx, "", "", asyncio.WithSocket(other.(syscall.Conn)))
		unsupported(t, "WithSocket", err)
		_, _, err = asyncio.ConnectAcceptedSocket(ctx, newRecorder, other)
		unsupported(t, "ConnectAcceptedSocket", err)
		packets, err := net.ListenPacket("udp", "127.0.0.1:0")
		require.NoError(t, err)
		defer packets.Close()
		_, _, err = asyncio.CreateDatagramEndpoint(ctx, func() *asyncio.NopDatagramProtocol { return new(asyncio.NopDatagramProtocol) }, "", asyncio.WithSocket(packets.(syscall.Conn)))
		unsupported(t, "WithSocket of datagrams", err)
	})
}

// Sockets are refused where there are any.
func TestNetworkRefusesSockets(t *testing.T) {
	s, err := asyncio.NewSocket("tcp")
	if err != nil {
		require.ErrorIs(t, err, errors.ErrUnsupported)
		return
	}
	defer s.Close()
	onMem(t, func(ctx context.Context, n *memNet) {
		unsupported(t, "SockConnect", s.Connect(ctx, "127.0.0.1:1"))
		_, err := s.Recv(ctx, 1)
		unsupported(t, "SockRecv", err)
		_, _, err = s.Accept(ctx)
		unsupported(t, "SockAccept", err)
	})
}

// A goroutine that waits for a loop whose task waits for that goroutine, which no clock and
// no deadline ends, is told of.
func TestGoroutineWaitsForStandingLoop(t *testing.T) {
	defer asyncio.SetOutsidePatience(time.Millisecond)()
	log := captureLog(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		done := make(chan error)
		dial := func() {
			_, err := (&asyncio.Dialer{Loop: l}).DialContext(ctx, "tcp", "127.0.0.1:1")
			done <- err
		}
		go dial()
		log.waitFor("a goroutine waits for the loop") // which stands still meanwhile
		err := asyncio.ToThreadFunc(ctx, func(context.Context) error { return <-done })
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
	}, asyncio.WithLoopOptions(onSimNet()...))
}

// Only the loop uses its network, and a callback does not wait for it.
func TestNetworkIsTheLoops(t *testing.T) {
	onMem(t, func(ctx context.Context, n *memNet) {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		addr := ln.Addr().String()
		c, err := asyncio.Dial(ctx, "tcp", addr)
		require.NoError(t, err)
		p, l := make([]byte, 1), mustLoop(ctx)
		err = asyncio.ToThreadFunc(ctx, func(ctx context.Context) error {
			_, err := c.Read(p)
			unsupported(t, "Read", err)
			_, err = c.Write(p)
			unsupported(t, "Write", err)
			unsupported(t, "SetDeadline", c.SetDeadline(time.Now()))
			unsupported(t, "Close", c.Close())
			unsupported(t, "CloseWrite", c.(interface{ CloseWrite() error }).CloseWrite())
			_, err = ln.Accept()
			unsupported(t, "Accept", err)
			_, err = (&asyncio.Dialer{Loop: l}).DialContext(ctx, "tcp", addr)
			unsupported(t, "Dial", err)
			_, err = (&asyncio.ListenConfig{Loop: l}).Listen(ctx, "tcp", "127.0.0.1:0")
			unsupported(t, "Listen", err)
			return nil
		})
		require.NoError(t, err)
		done := asyncio.NewEvent()
		l.CallSoon(func() {
			defer done.Set()
			_, err := c.Read(p)
			assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "Read")
			n, err := c.Write(p)
			assert.NoError(t, err, "there is room")
			assert.Equal(t, 1, n)
			_, err = asyncio.Dial(ctx, "tcp", addr)
			assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "Dial")
			_, err = asyncio.Listen(ctx, "tcp", "localhost:0")
			assert.ErrorIs(t, err, asyncio.ErrNoRunningLoop, "Listen by name")
			more, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
			if assert.NoError(t, err, "Listen waits for nothing") {
				more.Close()
			}
		})
		require.NoError(t, done.Wait(ctx))
		require.NoError(t, c.Close())
		isClosed(t, "Close twice", c.Close())
		require.NoError(t, ln.Close())
		_, err = ln.Accept()
		isClosed(t, "Accept", err)
	})
}

// A goroutine that reads a connection of another network keeps no run from ending: its
// reads fail, the one under way and those that it begins when the tasks have ended.
func TestRunEndsThoughAThreadReads(t *testing.T) {
	var errs []error
	begun := make(chan struct{})
	err := asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
		ln, err := asyncio.Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		c, err := asyncio.Dial(ctx, "tcp", ln.Addr().String())
		if err != nil {
			return err
		}
		asyncio.RunInExecutor(asyncio.CurrentTask(ctx).Loop(), nil, func() (asyncio.None, error) {
			close(begun)
			for range 3 {
				_, err := c.Read(make([]byte, 1))
				errs = append(errs, err)
			}
			return asyncio.None{}, nil
		})
		<-begun
		return nil
	}, asyncio.WithLoopOptions(onSimNet()...))
	require.NoError(t, err)
	require.Len(t, errs, 3)
	for _, err := range errs {
		assert.ErrorIs(t, err, net.ErrClosed)
		assert.NotErrorIs(t, err, asyncio.ErrCancelled)
	}
}
