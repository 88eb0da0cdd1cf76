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

// A server that wants its address for itself must wait, or not want it, when it is started
// again and its connections were closed by it, or by the system of its host.
func TestTimeWaitOfServer(t *testing.T) {
	for _, c := range []struct {
		name   string
		reuse  bool
		wait   time.Duration
		served bool // and closed by the server
		down   func(*simnet.Host)
		again  bool // at once
	}{
		{"exclusive, closed", false, time.Minute, true, (*simnet.Host).Kill, false},
		{"exclusive, killed while open", false, time.Minute, false, (*simnet.Host).Kill, false},
		{"reuse", true, time.Minute, true, (*simnet.Host).Kill, true},
		{"off", false, 0, true, (*simnet.Host).Kill, true},
		{"crash", false, time.Minute, true, (*simnet.Host).Crash, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			simulate(t, simnet.Config{TimeWait: c.wait}, func(ctx context.Context, n *simnet.Network) {
				var tried []error
				h := n.Host("server")
				h.Start(func(ctx context.Context) error {
					for {
						srv, err := asyncio.StartServer(ctx, "tcp", ":7000", func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) error {
							if c.served {
								w.Close()
								return w.WaitClosed(ctx)
							}
							_, err := r.Read(ctx, 1)
							return err
						}, asyncio.WithReuseAddress(c.reuse))
						tried = append(tried, err)
						if err == nil {
							return srv.ServeForever(ctx)
						}
						if err := asyncio.Sleep(ctx, 10*time.Second); err != nil {
							return err
						}
					}
				})
				require.NoError(t, asyncio.Sleep(ctx, ms))
				conn := dial(t, ctx, "server:7000")
				require.NoError(t, asyncio.Sleep(ctx, 10*ms))
				if c.served {
					conn.Close()
					require.NoError(t, asyncio.Sleep(ctx, 10*ms))
				}
				tried = nil
				c.down(h)
				h.Restart()
				require.NoError(t, asyncio.Sleep(ctx, 10*ms))
				require.Len(t, tried, 1)
				if c.again {
					require.NoError(t, tried[0])
					return
				}
				require.ErrorIs(t, tried[0], syscall.EADDRINUSE)
				var told []string
				for _, e := range n.Events() {
					if e.Kind == simnet.Refused {
						told = append(told, e.String())
					}
				}
				require.Len(t, told, 1)
				assert.Contains(t, told[0], "refused    server 0.0.0.0:7000: address already in use")
				require.NoError(t, asyncio.Sleep(ctx, 50*time.Second))
				assert.Error(t, tried[len(tried)-1])
				require.NoError(t, asyncio.Sleep(ctx, 20*time.Second))
				assert.NoError(t, tried[len(tried)-1])
				dial(t, ctx, "server:7000")
			})
		})
	}
}

// A client that closes first cannot use the same pair of addresses again for that time: it
// may run out of ports, but only for the one server.
func TestTimeWaitOfClient(t *testing.T) {
	simulate(t, simnet.Config{TimeWait: time.Minute, Latency: simnet.Constant(time.Microsecond), Keep: 100}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(echo)
		n.Host("other").Start(echo)
		require.NoError(t, asyncio.Sleep(ctx, ms))
		from := asyncio.Dialer{Net: net.Dialer{LocalAddr: &net.TCPAddr{Port: 1234}}}
		c, err := from.DialContext(ctx, "tcp", "server:7000")
		require.NoError(t, err)
		_, err = from.DialContext(ctx, "tcp", "server:7000")
		require.ErrorIs(t, err, syscall.EADDRINUSE, "it is open")
		require.NoError(t, c.Close())
		require.NoError(t, asyncio.Sleep(ctx, ms))
		_, err = from.DialContext(ctx, "tcp", "server:7000")
		require.ErrorIs(t, err, syscall.EADDRINUSE, "it was open")
		require.NoError(t, asyncio.Sleep(ctx, time.Minute))
		c, err = from.DialContext(ctx, "tcp", "server:7000")
		require.NoError(t, err)
		c.Close()

		const ports = 60999 - 32768 + 1
		for range ports {
			c, err := asyncio.Dial(ctx, "tcp", "server:7000")
			require.NoError(t, err)
			c.Close()
			require.NoError(t, asyncio.Sleep(ctx, 10*time.Microsecond))
		}
		_, err = asyncio.Dial(ctx, "tcp", "server:7000")
		require.ErrorIs(t, err, syscall.EADDRNOTAVAIL)
		dial(t, ctx, "other:7000")
		require.NoError(t, asyncio.Sleep(ctx, time.Minute))
		dial(t, ctx, "server:7000")
	})
}

// Whoever closes second keeps nothing.
func TestTimeWaitIsOfWhoClosesFirst(t *testing.T) {
	simulate(t, simnet.Config{TimeWait: time.Minute}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", ":7000")
			if err != nil {
				return err
			}
			for {
				c, err := ln.Accept()
				if err != nil {
					return err
				}
				c.Close()
			}
		})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		from := asyncio.Dialer{Net: net.Dialer{LocalAddr: &net.TCPAddr{Port: 1234}}}
		for range 3 {
			c, err := from.DialContext(ctx, "tcp", "server:7000")
			require.NoError(t, err)
			_, err = c.Read(make([]byte, 1))
			require.Error(t, err)
			require.NoError(t, c.Close())
			require.NoError(t, asyncio.Sleep(ctx, 10*ms))
		}
	})
}
