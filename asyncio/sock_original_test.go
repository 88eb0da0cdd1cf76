//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What WithSocket was given and nobody has closed keeps the connection open. Debug
// mode says so, for connections, servers and datagrams; without it nobody is told.
func TestWithSocketLeftOpen(t *testing.T) {
	var log bytes.Buffer
	before := slog.Default()
	slog.SetDefault(slog.New(slog.NewTextHandler(&log, nil)))
	defer slog.SetDefault(before)
	const said = "what WithSocket was given is still open"
	for _, debug := range []bool{true, false} {
		inTask(t, func(ctx context.Context, l *asyncio.Loop) {
			for _, leave := range []bool{true, false} {
				check := func(what string, given io.Closer, end func()) {
					log.Reset()
					if !leave {
						given.Close()
					}
					end()
					for range 5 {
						asyncio.Sleep(ctx, 0)
					}
					if got := strings.Contains(log.String(), said); got != (debug && leave) {
						t.Errorf("%s, debug %v, left open %v: %q", what, debug, leave, log.String())
					}
					given.Close()
				}
				ln, err := net.Listen("tcp", "127.0.0.1:0")
				require.NoError(t, err)
				c, err := net.Dial("tcp", ln.Addr().String())
				require.NoError(t, err)
				tr, _, err := asyncio.CreateConnection(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, "", "", asyncio.WithSocket(c.(*net.TCPConn)))
				require.NoError(t, err)
				check("a connection", c, func() { tr.Abort() })
				srv, err := asyncio.CreateServer(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, "", "", asyncio.WithSocket(ln.(*net.TCPListener)))
				require.NoError(t, err)
				check("a server", ln, srv.Close)
				pc, err := net.ListenPacket("udp", "127.0.0.1:0")
				require.NoError(t, err)
				d, _, err := asyncio.CreateDatagramEndpoint(ctx, func() asyncio.NopDatagramProtocol { return asyncio.NopDatagramProtocol{} }, "", asyncio.WithSocket(pc.(*net.UDPConn)))
				require.NoError(t, err)
				check("datagrams", pc, func() { d.Abort() })
			}
		}, asyncio.WithDebug(debug))
	}
}

// A Socket that was accepted is made a transport's, and closed.
func TestConnectAcceptedSocketOfSock(t *testing.T) {
	watchesOnly(t)
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		require.NoError(t, err)
		defer ln.Close()
		listens, err := asyncio.SocketOf(ln.(*net.TCPListener))
		require.NoError(t, err)
		defer listens.Close()
		c, err := net.Dial("tcp", ln.Addr().String())
		require.NoError(t, err)
		s, _, err := listens.Accept(ctx)
		require.NoError(t, err)
		tr, _, err := asyncio.ConnectAcceptedSocket(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, s)
		require.NoError(t, err)
		tr.Write([]byte("hello"))
		tr.Close()
		asyncio.ToThreadFunc(ctx, func(context.Context) error {
			if got, err := io.ReadAll(c); string(got) != "hello" || err != nil {
				t.Errorf("%q, %v", got, err)
			}
			return nil
		})
		if s.Fd() != -1 {
			t.Error("the Socket is open")
		}
		if _, _, err := asyncio.ConnectAcceptedSocket(ctx, func() asyncio.NopProtocol { return asyncio.NopProtocol{} }, io.NopCloser(nil)); err == nil {
			t.Error("what is no connection is taken")
		}
	})
}

// A connection of messages is a net.PacketConn, too, as package net's, dialed and
// accepted; messages stay whole, and the end is one.
func TestConnUnixpacket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	if ln, err := net.Listen("unixpacket", path); err != nil {
		t.Skip(err)
	} else {
		ln.Close()
	}
	inTask(t, func(ctx context.Context, l *asyncio.Loop) {
		ln, err := asyncio.Listen(ctx, "unixpacket", path)
		require.NoError(t, err)
		defer ln.Close()
		a, err := asyncio.Dial(ctx, "unixpacket", path)
		require.NoError(t, err)
		b, err := ln.Accept()
		require.NoError(t, err)
		defer b.Close()
		if _, err := a.(net.PacketConn).WriteTo([]byte("x"), &net.UnixAddr{Name: path, Net: "unixpacket"}); !errors.Is(err, net.ErrWriteToConnected) {
			t.Error("WriteTo on a connection:", err)
		}
		p := make([]byte, 100)
		for _, c := range []net.Conn{a, b} {
			if _, ok := c.(net.PacketConn); !ok {
				t.Fatalf("%T is no net.PacketConn", c)
			}
		}
		for range 2 { // the second is there when the first is read
			a.Write([]byte("one"))
			a.Write([]byte("three"))
			for _, want := range []string{"one", "three"} {
				if n, err := b.Read(p); string(p[:n]) != want || err != nil {
					t.Errorf("%q, %v", p[:n], err)
				}
			}
		}
		a.Write([]byte("from"))
		if n, from, err := b.(net.PacketConn).ReadFrom(p); string(p[:n]) != "from" || from != nil && from.String() != "" || err != nil {
			t.Errorf("ReadFrom: %q, %v, %v", p[:n], from, err)
		}
		a.Close()
		if n, err := b.Read(p); n != 0 || err != io.EOF {
			t.Errorf("at the end: %d, %v", n, err)
		}
	})
}
