package simnet_test

import (
	"context"
	"errors"
	"io"
	"net"
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

// simulate runs f on a network, from the host of the test.
func simulate(t testing.TB, cfg simnet.Config, f func(ctx context.Context, n *simnet.Network), opts ...asynciotest.Option) {
	t.Helper()
	opts = append(opts, asynciotest.WithSeed(1), asynciotest.WithNetwork(cfg))
	asynciotest.Run(t, func(ctx context.Context) { f(ctx, simnet.Of(ctx)) }, opts...)
}

// echo serves at :7000 and sends back what comes.
func echo(ctx context.Context) error {
	ln, err := asyncio.Listen(ctx, "tcp", ":7000")
	if err != nil {
		return err
	}
	defer ln.Close()
	for {
		c, err := ln.Accept()
		if err != nil {
			return err
		}
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer c.Close()
			io.Copy(c, c)
			return nil
		})
	}
}

// ask sends what and reads as much.
func ask(c net.Conn, what string) (string, error) {
	if _, err := c.Write([]byte(what)); err != nil {
		return "", err
	}
	p := make([]byte, len(what))
	n, err := io.ReadFull(c, p)
	return string(p[:n]), err
}

func dial(t testing.TB, ctx context.Context, addr string) net.Conn {
	t.Helper()
	c, err := asyncio.Dial(ctx, "tcp", addr)
	require.NoError(t, err)
	t.Cleanup(func() { c.Close() })
	return c
}

const ms = time.Millisecond

func since(ctx context.Context) time.Duration { return asynciotest.Now(ctx) }

func TestEcho(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, 0))
		c := dial(t, ctx, "server:7000")
		assert.Equal(t, 2*ms, since(ctx), "a SYN and its answer")
		got, err := ask(c, "hello")
		require.NoError(t, err)
		assert.Equal(t, "hello", got)
		assert.Equal(t, 4*ms, since(ctx))
		assert.Equal(t, "10.0.0.1", c.LocalAddr().(*net.TCPAddr).IP.String())
		assert.Equal(t, "10.0.0.2:7000", c.RemoteAddr().String())
	})
}

// Something that is lost comes again, and all arrives in order.
func TestLoss(t *testing.T) {
	for _, cfg := range []simnet.Config{
		{Loss: 0.3},
		{Loss: 0.1, Latency: simnet.Uniform(0, 300*ms), Segment: 700},
		{Latency: simnet.Exponential(ms, 500*ms), Segment: 1},
		{Bandwidth: 10_000, Queue: 3000, Segment: 500},
		{Window: 10, Loss: 0.2},
	} {
		simulate(t, cfg, func(ctx context.Context, n *simnet.Network) {
			n.Host("server").Start(echo)
			require.NoError(t, asyncio.Sleep(ctx, 0))
			c := dial(t, ctx, "server:7000")
			what := make([]byte, 5000)
			for i := range what {
				what[i] = byte(i * 7)
			}
			writer := asyncio.Go(ctx, func(ctx context.Context) error {
				if _, err := c.Write(what); err != nil {
					return err
				}
				return c.(interface{ CloseWrite() error }).CloseWrite()
			})
			got, err := io.ReadAll(c)
			require.NoError(t, err)
			assert.Equal(t, what, got)
			_, err = writer.Await(ctx)
			require.NoError(t, err)
		})
	}
}

func TestRefused(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server")
		_, err := asyncio.Dial(ctx, "tcp", "server:1")
		assert.ErrorIs(t, err, syscall.ECONNREFUSED)
		_, err = asyncio.Dial(ctx, "tcp", "10.9.9.9:1")
		assert.ErrorIs(t, err, syscall.EHOSTUNREACH)
		var dns *net.DNSError
		_, err = asyncio.Dial(ctx, "tcp", "nowhere:1")
		require.ErrorAs(t, err, &dns)
		assert.True(t, dns.IsNotFound)
	})
}

// A host that is down is silent: who connects gives up after Linux's time.
func TestGiveUp(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, ms))
		c := dial(t, ctx, "server:7000")
		server.Crash()
		_, err := c.Write([]byte("is anybody there?"))
		require.NoError(t, err, "it is sent")
		began := since(ctx)
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ETIMEDOUT)
		assert.InDelta(t, (15 * time.Minute).Seconds(), (since(ctx) - began).Seconds(), 120)
		began = since(ctx)
		_, err = asyncio.Dial(ctx, "tcp", "server:7000")
		assert.ErrorIs(t, err, syscall.ETIMEDOUT)
		assert.Equal(t, 127*time.Second, since(ctx)-began)

		d := asyncio.Dialer{Net: net.Dialer{Timeout: time.Second}}
		_, err = d.DialContext(ctx, "tcp", "server:7000")
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

// A host that is up again knows nothing of its former connections.
func TestRestartResets(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, ms))
		c, idle := dial(t, ctx, "server:7000"), dial(t, ctx, "server:7000")
		server.Crash()
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		server.Restart()
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		_, err := ask(c, "hello?")
		assert.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = c.Write([]byte("hello?"))
		assert.ErrorIs(t, err, syscall.EPIPE)
		_, err = idle.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ECONNRESET, "keep-alive finds it out")
		assert.Less(t, since(ctx), 20*time.Second)
		got, err := ask(dial(t, ctx, "server:7000"), "again")
		require.NoError(t, err)
		assert.Equal(t, "again", got)
	})
}

// Nothing comes from a peer that is gone for good, and only keep-alive tells.
func TestHalfOpen(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, ms))
		c := dial(t, ctx, "server:7000")
		d := asyncio.Dialer{Net: net.Dialer{KeepAlive: -1}}
		deaf, err := d.DialContext(ctx, "tcp", "server:7000")
		require.NoError(t, err)
		defer deaf.Close()
		began := since(ctx)
		server.Crash()
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ETIMEDOUT)
		assert.InDelta(t, 150, (since(ctx) - began).Seconds(), 1, "15 s, and nine probes")
		err = asyncio.WithTimeout(ctx, 24*time.Hour, func(ctx context.Context, _ *asyncio.Timeout) error {
			_, err := deaf.Read(make([]byte, 1))
			return err
		})
		assert.True(t, errors.Is(err, asyncio.ErrTimeout), "%v", err)
	})
}

// notes returns the texts of the notes.
func notes(n *simnet.Network) (all []string) {
	for _, e := range n.Events() {
		if e.Kind == simnet.Noted {
			all = append(all, e.Text)
		}
	}
	return all
}

// A writer waits as long as nobody reads, and nobody is taken for dead.
func TestBackpressure(t *testing.T) {
	simulate(t, simnet.Config{Window: 1000}, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", ":7000")
			if err != nil {
				return err
			}
			c, err := ln.Accept()
			if err != nil {
				return err
			}
			if err := asyncio.Sleep(ctx, 24*time.Hour); err != nil {
				return err
			}
			k, err := io.Copy(io.Discard, c)
			simnet.Note(ctx, "read", k)
			return err
		})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		c := dial(t, ctx, "server:7000")
		k, err := c.Write(make([]byte, 5000))
		require.NoError(t, err)
		assert.Equal(t, 5000, k)
		assert.Greater(t, since(ctx), 24*time.Hour)
		assert.Less(t, since(ctx), 24*time.Hour+100*ms)
		c.Close()
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		assert.Equal(t, []string{"read 5000"}, notes(n))
	})
}
