package simnet_test

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// busy is a run with all sorts of faults: it returns the hash of its events, and how
// many answers there were.
func busy(t testing.TB, seed uint64) (hash uint64, answers int) {
	var n *simnet.Network
	err := asynciotest.Simulate(seed, func(ctx context.Context) error {
		n = simnet.Of(ctx)
		var servers []*simnet.Host
		for i := range 3 {
			h := n.Host(fmt.Sprint("s", i))
			h.Start(echo)
			servers = append(servers, h)
		}
		for i := range 3 {
			n.Host(fmt.Sprint("c", i)).Go(ctx, func(ctx context.Context) error {
				for {
					server := servers[simnet.Rand(ctx).IntN(len(servers))].Name()
					err := asyncio.WithTimeout(ctx, 3*time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
						c, err := asyncio.Dial(ctx, "tcp", server+":7000")
						if err != nil {
							return err
						}
						defer c.Close()
						for range 5 {
							if _, err := ask(c, server); err != nil {
								return err
							}
							answers++
						}
						return nil
					})
					simnet.Note(ctx, err)
					if err := asyncio.Sleep(ctx, 50*ms); err != nil {
						return err
					}
				}
			})
		}
		return n.Play(ctx, simnet.Swarm(ctx, 20*time.Second, servers...))
	}, asynciotest.WithNetwork(simnet.Config{Latency: simnet.Exponential(ms, 20*ms), Loss: 0.02, Segment: 100}))
	require.NoError(t, err)
	return n.Hash(), answers
}

// The collector and the number of processors decide nothing.
func TestSeedDecides(t *testing.T) {
	seeds := uint64(50)
	if testing.Short() {
		seeds = 2
	}
	var hashes []uint64
	total := 0
	for seed := range seeds {
		hash, answers := busy(t, seed)
		assert.NotContains(t, hashes, hash)
		hashes = append(hashes, hash)
		total += answers
	}
	assert.Greater(t, total, 100, "something works")
	if os.Getenv("SIMNET_HASHES") != "" {
		t.Logf("%x", hashes)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	for _, where := range []struct{ processors, gc int }{{1, 5}, {2, -1}} {
		runtime.GOMAXPROCS(where.processors)
		debug.SetGCPercent(where.gc)
		for seed, want := range hashes {
			hash, _ := busy(t, uint64(seed))
			assert.Equal(t, want, hash, "seed %d, %v", seed, where)
		}
	}
}

// Crashes in the middle of anything leave nothing behind: Run would say so.
func TestCrashes(t *testing.T) {
	times := 300
	if testing.Short() {
		times = 50
	}
	simulate(t, simnet.Config{Latency: simnet.Uniform(0, 3*ms)}, func(ctx context.Context, n *simnet.Network) {
		server, client := n.Host("server"), n.Host("client")
		server.Start(echo)
		lock := asyncio.NewLock()
		client.Start(func(ctx context.Context) error {
			for {
				err := asyncio.WithTimeout(ctx, 100*ms, func(ctx context.Context, _ *asyncio.Timeout) error {
					return lock.Do(ctx, func() error {
						c, err := asyncio.Dial(ctx, "tcp", "server:7000")
						if err != nil {
							return err
						}
						defer c.Close()
						_, err = ask(c, "hello")
						simnet.Sometimes(ctx, "an answer", err == nil)
						return err
					})
				})
				if asyncio.Sleep(ctx, ms) != nil {
					return err
				}
			}
		})
		for range times {
			require.NoError(t, asyncio.Sleep(ctx, time.Duration(asynciotest.Rand(ctx).Int64N(int64(20*ms)))))
			h := []*simnet.Host{server, client}[asynciotest.Rand(ctx).IntN(2)]
			if asynciotest.Rand(ctx).IntN(2) == 0 {
				h.Crash()
			} else {
				h.Kill()
			}
			h.Restart()
		}
		assert.Positive(t, n.Reached()["an answer"])
	})
}

func BenchmarkEcho(b *testing.B) {
	simulate(b, simnet.Config{Keep: 1000}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(echo)
		asyncio.Sleep(ctx, 0)
		c := dial(b, ctx, "server:7000")
		p := make([]byte, 64)
		b.ReportAllocs()
		for b.Loop() {
			c.Write(p)
			c.Read(p)
		}
	})
}

func BenchmarkBulk(b *testing.B) {
	simulate(b, simnet.Config{Keep: 1000}, func(ctx context.Context, n *simnet.Network) {
		n.Host("server").Start(func(ctx context.Context) error {
			ln, err := asyncio.Listen(ctx, "tcp", ":7000")
			if err != nil {
				return err
			}
			c, err := ln.Accept()
			for p := make([]byte, 64<<10); err == nil; {
				_, err = c.Read(p)
			}
			return nil
		})
		asyncio.Sleep(ctx, 0)
		c := dial(b, ctx, "server:7000")
		p := make([]byte, 16<<10)
		b.SetBytes(int64(len(p)))
		b.ReportAllocs()
		for b.Loop() {
			c.Write(p)
		}
	})
}

func BenchmarkDatagram(b *testing.B) {
	simulate(b, simnet.Config{Keep: 1000}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("server")
		var pc net.PacketConn
		h.Go(ctx, func(ctx context.Context) (err error) {
			pc, err = asyncio.ListenPacket(ctx, "udp", ":7000")
			return err
		}).Await(ctx)
		c, err := asyncio.Dial(ctx, "udp", "server:7000")
		require.NoError(b, err)
		defer c.Close()
		p := make([]byte, 64)
		b.ReportAllocs()
		for b.Loop() {
			c.Write(p)
			pc.ReadFrom(p)
		}
	})
}
