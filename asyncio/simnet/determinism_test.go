package simnet_test

import (
	"context"
	"fmt"
	"math/bits"
	"net"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"syscall"
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

// hashes are those of the seeds from 0 on, in every build: both switches, with -race, every
// release of Go, 32 bits and 64, wasm. A change of what is simulated, or of the order of tasks,
// changes them; the test prints the new ones.
var hashes = []uint64{0x4f48ff727f51b144, 0x105466e7ac7cd999, 0x6b4448d48ef26cfc}

// The seed decides, and nothing else: not the build, not the system, not the collector,
// not the number of processors. SEEDS=1000 prints what so many come to.
func TestConformanceSeeds(t *testing.T) {
	if seeds, err := strconv.ParseUint(os.Getenv("SEEDS"), 10, 64); err == nil {
		var all uint64
		for seed := range seeds {
			hash, _ := busy(t, seed)
			all = bits.RotateLeft64(all, 5) ^ hash
		}
		t.Logf("%d seeds: %#x", seeds, all)
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(0))
	defer debug.SetGCPercent(debug.SetGCPercent(100))
	total := 0
	for i, where := range []struct{ processors, gc int }{{0, 100}, {1, 5}, {2, -1}, {8, 5}} {
		if i > 0 && testing.Short() {
			break
		}
		runtime.GOMAXPROCS(where.processors)
		debug.SetGCPercent(where.gc)
		got := make([]uint64, len(hashes))
		for seed := range got {
			var answers int
			got[seed], answers = busy(t, uint64(seed))
			total += answers
		}
		assert.Equal(t, hashes, got, "%v, the new ones: %#x", where, got)
	}
	assert.Greater(t, total, 100, "something works")
}

// Crashes in the middle of anything leave nothing behind: Run would say so.
func TestCrashes(t *testing.T) {
	times := 1000
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

// The words for errors are Linux's, whichever system it is: they are in the hash.
func TestErrorsInLinuxWords(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		for err, want := range map[error]string{
			syscall.ECONNRESET: "connection reset by peer", syscall.ECONNREFUSED: "connection refused", syscall.ETIMEDOUT: "connection timed out",
			syscall.ECONNABORTED: "software caused connection abort", syscall.EPIPE: "broken pipe", syscall.ENETDOWN: "network is down",
			syscall.ENETUNREACH: "network is unreachable", syscall.EHOSTUNREACH: "no route to host", syscall.EADDRINUSE: "address already in use",
			syscall.EADDRNOTAVAIL: "cannot assign requested address", syscall.ENOTCONN: "transport endpoint is not connected",
			syscall.EDESTADDRREQ: "destination address required", syscall.EMSGSIZE: "message too long", syscall.ENOENT: "no such file or directory",
			syscall.EEXIST: "file exists", syscall.EISDIR: "is a directory", syscall.ENOTDIR: "not a directory", syscall.ENOTEMPTY: "directory not empty",
			syscall.EACCES: "permission denied", syscall.EINVAL: "invalid argument", syscall.EIO: "input/output error", syscall.ENOSPC: "no space left on device",
		} {
			simnet.Note(ctx, "it says", fmt.Errorf("dial: %w", err), nil)
			events := n.Events()
			assert.Equal(t, "it says dial: "+want+" <nil>", events[len(events)-1].Text)
			if runtime.GOOS == "linux" {
				assert.Equal(t, err.Error(), want)
			}
		}
		n.Host("fails").Start(func(context.Context) error { return syscall.ENOSPC })
		l, err := asyncio.RunningLoop(ctx)
		require.NoError(t, err)
		l.SetExceptionHandler(func(*asyncio.Loop, asyncio.ExceptionContext) {})
		require.NoError(t, asyncio.Sleep(ctx, ms))
		events := n.Events()
		assert.Equal(t, "no space left on device", events[len(events)-1].Text)
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
