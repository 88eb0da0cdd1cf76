package simnet_test

import (
	"context"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// listenUDP gives a host an end for datagrams.
func listenUDP(t *testing.T, ctx context.Context, h *simnet.Host, addr string) (pc net.PacketConn) {
	t.Helper()
	_, err := h.Go(ctx, func(ctx context.Context) (err error) {
		pc, err = asyncio.ListenPacket(ctx, "udp4", addr)
		return err
	}).Await(ctx)
	require.NoError(t, err)
	t.Cleanup(func() { pc.Close() })
	return pc
}

// came returns what comes within a second, in a byte each.
func came(ctx context.Context, pc net.PacketConn) (got []byte) {
	pc.SetReadDeadline(asyncio.Now(ctx).Add(time.Second))
	for p := make([]byte, 10); ; {
		n, _, err := pc.ReadFrom(p)
		if err != nil {
			return got
		}
		got = append(got, p[:n]...)
	}
}

// Datagrams get lost, come twice and in another order.
func TestDatagrams(t *testing.T) {
	sent := func(cfg simnet.Config) (got []byte) {
		simulate(t, cfg, func(ctx context.Context, n *simnet.Network) {
			pc := listenUDP(t, ctx, n.Host("server"), ":7000")
			c, err := asyncio.Dial(ctx, "udp", "server:7000")
			require.NoError(t, err)
			defer c.Close()
			for i := range byte(100) {
				_, err := c.Write([]byte{i})
				require.NoError(t, err)
			}
			got = came(ctx, pc)
		})
		return got
	}
	var all []byte
	for i := range byte(100) {
		all = append(all, i)
	}
	assert.Equal(t, all, sent(simnet.Config{}))
	lossy := sent(simnet.Config{Loss: 0.3})
	assert.InDelta(t, 70, len(lossy), 20)
	assert.IsIncreasing(t, lossy)
	assert.InDelta(t, 130, len(sent(simnet.Config{Duplicate: 0.3})), 20)
	mixed := sent(simnet.Config{Latency: simnet.Uniform(0, 500*ms)})
	assert.ElementsMatch(t, all, mixed)
	assert.NotEqual(t, all, mixed)
}

func TestDatagramsRefusedAndBroadcast(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		a, b := listenUDP(t, ctx, n.Host("a"), ":7000"), listenUDP(t, ctx, n.Host("b"), ":7000")
		c, err := asyncio.Dial(ctx, "udp", "a:1")
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write([]byte("hello?"))
		require.NoError(t, err)
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		_, err = a.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4bcast, Port: 7000})
		assert.ErrorIs(t, err, syscall.EACCES)
		_, err = a.WriteTo([]byte("x"), &net.UDPAddr{IP: net.IPv4(10, 9, 9, 9), Port: 7000})
		assert.ErrorIs(t, err, syscall.EHOSTUNREACH)
		tr, _, err := asyncio.CreateDatagramEndpoint(ctx, func() *asyncio.NopDatagramProtocol { return new(asyncio.NopDatagramProtocol) }, "udp4", asyncio.WithBroadcast(true))
		require.NoError(t, err)
		tr.SendTo([]byte("y"), &net.UDPAddr{IP: net.IPv4bcast, Port: 7000})
		assert.Equal(t, "y", string(came(ctx, a)))
		assert.Equal(t, "y", string(came(ctx, b)))
		tr.Close()
		require.NoError(t, asyncio.Sleep(ctx, 0))
	})
}

// Who is not accepted waits, and is told nothing.
func TestBacklog(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("server")
		var ln net.Listener
		_, err := h.Go(ctx, func(ctx context.Context) (err error) {
			ln, err = (&asyncio.ListenConfig{Backlog: 1}).Listen(ctx, "tcp", ":7000")
			return err
		}).Await(ctx)
		require.NoError(t, err)
		for range 2 {
			dial(t, ctx, "server:7000")
		}
		d := asyncio.Dialer{Net: net.Dialer{Timeout: 5 * time.Second}}
		_, err = d.DialContext(ctx, "tcp", "server:7000")
		assert.Error(t, err)
		began := since(ctx)
		asyncio.Go(ctx, func(ctx context.Context) error {
			asyncio.Sleep(ctx, 2*time.Second)
			c, err := ln.Accept()
			if err == nil {
				c.Close()
			}
			return err
		})
		dial(t, ctx, "server:7000")
		assert.Equal(t, 3*time.Second+2*ms, since(ctx)-began, "asked again after 1 s, and 2 s later")
		ln.Close()
	})
}

// What one host draws does not move another's numbers.
func TestRandIsOfTheHost(t *testing.T) {
	draw := func(before int) (x, y uint64) {
		simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
			for range before {
				simnet.Rand(n.Host("a").Context(ctx)).Uint64()
			}
			x, y = simnet.Rand(n.Host("a").Context(ctx)).Uint64(), simnet.Rand(n.Host("b").Context(ctx)).Uint64()
		})
		return x, y
	}
	a0, b0 := draw(0)
	a1, b1 := draw(1)
	assert.NotEqual(t, a0, a1)
	assert.Equal(t, b0, b1)
	assert.NotEqual(t, a0, b0)
}
