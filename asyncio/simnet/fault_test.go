package simnet_test

import (
	"context"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// withEcho runs f with an echo server, and a connection to it.
func withEcho(t *testing.T, cfg simnet.Config, f func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn)) {
	simulate(t, cfg, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, 0))
		f(ctx, n, server, dial(t, ctx, "server:7000"))
	})
}

func answers(t *testing.T, c net.Conn, what string) {
	t.Helper()
	got, err := ask(c, what)
	require.NoError(t, err)
	assert.Equal(t, what, got)
}

func TestCut(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		back := n.Link(server, n.Host(simnet.Outside))
		back.Cut()
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer back.Mend()
			return asyncio.Sleep(ctx, 5*time.Second)
		})
		began := since(ctx)
		answers(t, c, "hello")
		took := since(ctx) - began
		assert.Greater(t, took, 5*time.Second)
		assert.Less(t, took, 10*time.Second, "it is sent again, less and less often")
		d := asyncio.Dialer{Net: net.Dialer{Timeout: time.Minute}}
		n.Partition([]*simnet.Host{server}, n.Hosts()[:1])
		_, err := d.DialContext(ctx, "tcp", "server:7000")
		assert.Error(t, err)
		n.HealAll()
		answers(t, c, "and again")
	})
}

func TestHold(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		l := n.Link(n.Host(simnet.Outside), server)
		l.Hold()
		_, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		assert.Equal(t, 1, l.Waiting())
		l.Release()
		began := since(ctx)
		_, err = io.ReadFull(c, make([]byte, 5))
		require.NoError(t, err)
		assert.Equal(t, 2*ms, since(ctx)-began)
	})
}

func TestReset(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		answers(t, c, "hello")
		n.Link(n.Host(simnet.Outside), server).Reset()
		_, err := c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, syscall.ECONNRESET)
		_, err = c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF, "it is told once, as by the kernel")
		answers(t, dial(t, ctx, "server:7000"), "again")
	})
}

func TestKill(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		answers(t, c, "hello")
		server.Kill()
		_, err := c.Read(make([]byte, 1))
		assert.ErrorIs(t, err, io.EOF, "the system has ended the connection")
		assert.False(t, server.Running())
		server.Restart()
		require.NoError(t, asyncio.Sleep(ctx, ms))
		answers(t, dial(t, ctx, "server:7000"), "again")
	})
}

// Shutdown gives the program the time that it takes.
func TestShutdown(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("server")
		h.Start(func(ctx context.Context) error {
			err := asyncio.Sleep(ctx, time.Hour)
			asyncio.Sleep(ctx, time.Second)
			simnet.Note(ctx, "cleaned up")
			return err
		})
		h.Go(ctx, func(ctx context.Context) error { return asyncio.Sleep(ctx, 24*time.Hour) })
		require.NoError(t, asyncio.Sleep(ctx, ms))
		h.Shutdown()
		assert.True(t, h.Running())
		require.NoError(t, asyncio.Sleep(ctx, 2*time.Second))
		assert.False(t, h.Running())
		assert.Equal(t, []string{"cleaned up"}, notes(n))
	})
}

// A host that stands still misses nothing, and its sleeps end when it goes on.
func TestPause(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		var woken, begun time.Duration
		server.Go(ctx, func(ctx context.Context) error {
			begun = since(ctx)
			err := asyncio.Sleep(ctx, time.Second)
			woken = since(ctx)
			return err
		})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		server.Pause()
		asyncio.Go(ctx, func(ctx context.Context) error {
			defer server.Resume()
			return asyncio.Sleep(ctx, 10*time.Second)
		})
		answers(t, c, "hello")
		assert.Equal(t, begun+10*time.Second+ms, woken)
		assert.Equal(t, begun+10*time.Second+2*ms, since(ctx))
	})
}

func TestCrashWhilePaused(t *testing.T) {
	withEcho(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network, server *simnet.Host, c net.Conn) {
		server.Pause()
		_, err := c.Write([]byte("hello"))
		require.NoError(t, err)
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		server.Crash()
		server.Restart()
		require.NoError(t, asyncio.Sleep(ctx, ms))
		answers(t, dial(t, ctx, "server:7000"), "again")
	})
}

func TestClocks(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("late", simnet.WithClockSkew(-time.Minute))
		at := func() time.Duration { return asyncio.Now(h.Context(ctx)).Sub(asyncio.Now(ctx)) }
		assert.Equal(t, "2000-01-01T00:00:00Z", asyncio.Now(ctx).Format(time.RFC3339))
		assert.Equal(t, -time.Minute, at())
		h.Drift(ms)
		require.NoError(t, asyncio.Sleep(ctx, 10*time.Second+500*ms))
		assert.Equal(t, -time.Minute+10500*time.Microsecond, at())
		h.Step(time.Hour)
		assert.Equal(t, 59*time.Minute+10500*time.Microsecond, at())
		h.Skew(0)
		require.NoError(t, asyncio.Sleep(ctx, time.Hour))
		assert.Equal(t, time.Duration(0), at())
	})
}

// A crash ends tasks where they wait, and nothing of them reaches anybody.
func TestCrashRunsDeferred(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		server := n.Host("server")
		server.Start(echo)
		client := n.Host("client")
		var after []error
		client.Start(func(ctx context.Context) error {
			c, err := asyncio.Dial(ctx, "tcp", "server:7000")
			if err != nil {
				return err
			}
			defer func() {
				_, err := c.Write([]byte("farewell"))
				after = append(after, err, c.Close(), asyncio.Sleep(ctx, time.Second))
				asyncio.Go(ctx, func(ctx context.Context) error {
					after = append(after, nil)
					return asyncio.Sleep(ctx, time.Hour)
				})
			}()
			return asyncio.Sleep(ctx, time.Hour)
		})
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		client.Crash()
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
		require.Len(t, after, 3, "no task of it begins")
		assert.ErrorIs(t, after[0], syscall.ENETDOWN)
		assert.NoError(t, after[1])
		assert.ErrorIs(t, after[2], asyncio.ErrLoopClosed)
		for _, e := range n.Events() {
			assert.NotEqual(t, len("farewell"), e.Size)
		}
	})
}

func TestPlan(t *testing.T) {
	p := simnet.Plan{
		{At: ms, Do: simnet.Cut, On: "a b > c"},
		{At: 2 * ms, Do: simnet.SetLatency, Latency: simnet.Uniform(ms, time.Second)},
		{At: 3 * ms, Do: simnet.Crash, On: "a"},
		{At: 4 * ms, Do: simnet.HealAll},
	}
	assert.Equal(t, `simnet.Plan{
	{At: 1*time.Millisecond, Do: "cut", On: "a b > c"},
	{At: 2*time.Millisecond, Do: "set latency", Latency: simnet.Uniform(1*time.Millisecond, 1*time.Second)},
	{At: 3*time.Millisecond, Do: "crash", On: "a"},
	{At: 4*time.Millisecond, Do: "heal all"},
}`, p.String())
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		for _, name := range []string{"a", "b", "c"} {
			n.Host(name).Start(echo)
		}
		require.NoError(t, n.Play(ctx, p))
		assert.Equal(t, 4*ms, since(ctx))
		assert.True(t, n.Host("a").Running())
		require.NoError(t, asyncio.Sleep(ctx, ms))
		answers(t, dial(t, ctx, "a:7000"), "hello")
		var cut int
		for _, e := range n.Events() {
			if e.Kind == simnet.LinksSet && e.Text == "cut" {
				cut++
			}
		}
		assert.Equal(t, 2, cut)
		assert.Equal(t, []simnet.Plan{p}, n.Played())
	})
}

func TestShrink(t *testing.T) {
	var p simnet.Plan
	for i := range 50 {
		p = append(p, simnet.Fault{At: time.Duration(i)})
	}
	needs := func(p simnet.Plan, all ...time.Duration) bool {
		found := 0
		for _, f := range p {
			for _, at := range all {
				if f.At == at {
					found++
				}
			}
		}
		return found == len(all)
	}
	small := simnet.Shrink(p, func(p simnet.Plan) bool { return needs(p, 3, 17, 44) })
	assert.Equal(t, simnet.Plan{{At: 3}, {At: 17}, {At: 44}}, small)
	assert.Empty(t, simnet.Shrink(p, func(simnet.Plan) bool { return true }))
	assert.Equal(t, p, simnet.Shrink(p, func(simnet.Plan) bool { return false }))
}

// A plan of Swarm is the seed's, and not the same for all seeds.
func TestSwarm(t *testing.T) {
	plan := func() (p simnet.Plan) {
		simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
			p = simnet.Swarm(ctx, 30*time.Second, n.Host("a"), n.Host("b"), n.Host("c"))
		})
		return p
	}
	assert.Equal(t, plan(), plan())
	assert.Greater(t, len(plan()), 5)
}
