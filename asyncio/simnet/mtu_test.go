package simnet_test

import (
	"context"
	"math/bits"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// sizes returns how long the datagrams are that come within a second.
func sizes(ctx context.Context, pc net.PacketConn) []int { return sizesWithin(ctx, time.Second, pc) }

func sizesWithin(ctx context.Context, d time.Duration, pc net.PacketConn) (all []int) {
	p := make([]byte, 1<<16)
	asyncio.WithTimeout(ctx, d, func(ctx context.Context, _ *asyncio.Timeout) error {
		for {
			n, _, err := pc.ReadFrom(p)
			if err != nil {
				return err
			}
			all = append(all, n)
		}
	})
	return all
}

// lostAs returns how many packets were lost so.
func lostAs(n *simnet.Network, text string) (times int) {
	for _, e := range n.Events() {
		if e.Kind == simnet.Lost && e.Text == text {
			times++
		}
	}
	return times
}

// A datagram that is longer than the MTU goes in pieces, and is lost if one of them is.
func TestMTU(t *testing.T) {
	arrive := func(network string, size int) int {
		var got []int
		simulate(t, simnet.Config{MTU: 1500, Loss: 0.3}, func(ctx context.Context, n *simnet.Network) {
			pc, err := asyncio.ListenPacket(n.Host("server").Context(ctx), network, ":7000")
			require.NoError(t, err)
			defer pc.Close()
			c, err := asyncio.Dial(ctx, network, "server:7000")
			require.NoError(t, err)
			defer c.Close()
			for range 500 {
				_, err := c.Write(make([]byte, size))
				require.NoError(t, err)
				require.NoError(t, asyncio.Sleep(ctx, 2*ms))
				for _, k := range sizesWithin(ctx, 0, pc) {
					require.Equal(t, size, k)
					got = append(got, k)
				}
			}
		})
		return len(got)
	}
	for _, c := range []struct {
		network string
		size    int
		want    float64 // of 500
	}{{"udp4", 1472, 350}, {"udp4", 1473, 245}, {"udp6", 1452, 350}, {"udp6", 1453, 245}, {"udp4", 5000, 120}} {
		assert.InDelta(t, c.want, arrive(c.network, c.size), 45, "%s, %d bytes", c.network, c.size)
	}
}

// What is too big for the way is lost, until the sender's system has heard of it.
func TestNarrowWay(t *testing.T) {
	for _, cfg := range []simnet.Config{{}, {MTU: 1500}} {
		simulate(t, cfg, func(ctx context.Context, n *simnet.Network) {
			h, me := n.Host("server"), n.Host(simnet.Outside)
			pc := listenUDP(t, ctx, h, ":7000")
			c, err := asyncio.Dial(ctx, "udp", "server:7000")
			require.NoError(t, err)
			defer c.Close()
			send := func(size int) {
				t.Helper()
				_, err := c.Write(make([]byte, size))
				require.NoError(t, err)
			}
			const tooBig = "datagram: too big"
			n.Link(me, h).SetMTU(1280)
			send(1252)
			send(1253)
			send(1253)
			assert.Equal(t, []int{1252}, sizes(ctx, pc))
			assert.Equal(t, 2, lostAs(n, tooBig))
			_, err = c.Read(make([]byte, 1))
			assert.ErrorIs(t, err, syscall.EMSGSIZE)
			assert.Empty(t, sizes(ctx, c.(net.PacketConn)), "one error for both of them")
			send(1253)
			send(5000)
			assert.Equal(t, []int{1253, 5000}, sizes(ctx, pc), "in pieces")

			require.NoError(t, asyncio.Sleep(ctx, 10*time.Minute))
			send(1400)
			assert.Empty(t, sizes(ctx, pc), "it tries what passes again")
			_, err = c.Read(make([]byte, 1))
			assert.ErrorIs(t, err, syscall.EMSGSIZE)

			require.NoError(t, asyncio.Sleep(ctx, 10*time.Minute))
			n.Link(h, me).Cut()
			send(1400)
			send(1400)
			assert.Empty(t, sizes(ctx, pc), "nobody tells it")
			assert.Equal(t, 5, lostAs(n, tooBig))
			n.HealAll()
			send(1400)
			assert.Equal(t, []int{1400}, sizes(ctx, pc))
			assert.Equal(t, 5, lostAs(n, tooBig))
		})
	}
}

// One that is not connected is not told, and its datagrams go in pieces, too.
func TestNarrowWayUnconnected(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("server")
		there := listenUDP(t, ctx, h, ":7000")
		here, err := asyncio.ListenPacket(ctx, "udp", ":7000")
		require.NoError(t, err)
		defer here.Close()
		n.Do(simnet.Fault{Do: simnet.SetMTU, On: "test | server", Bytes: 576})
		to := &net.UDPAddr{IP: h.Addr().AsSlice(), Port: 7000}
		for range 2 {
			_, err = here.WriteTo(make([]byte, 1000), to)
			require.NoError(t, err)
			require.NoError(t, asyncio.Sleep(ctx, 10*ms))
		}
		assert.Equal(t, []int{1000}, sizes(ctx, there))
		here.SetReadDeadline(asyncio.Now(ctx).Add(time.Second))
		_, _, err = here.ReadFrom(make([]byte, 1))
		assert.ErrorIs(t, err, os.ErrDeadlineExceeded)
	})
}

// Damage is of datagrams only, one bit of each, and the seed's.
func TestCorruptedDatagrams(t *testing.T) {
	run := func(cfg simnet.Config) (hash uint64, flips []int) {
		simulate(t, cfg, func(ctx context.Context, n *simnet.Network) {
			h := n.Host("server")
			h.Start(echo)
			pc := listenUDP(t, ctx, h, ":7000")
			c, err := asyncio.Dial(ctx, "udp", "server:7000")
			require.NoError(t, err)
			defer c.Close()
			sent, got := []byte(strings.Repeat("x", 100)), make([]byte, 200)
			for range 200 {
				c.Write(sent)
				k, _, err := pc.ReadFrom(got)
				require.NoError(t, err)
				require.Equal(t, len(sent), k)
				flipped := 0
				for i := range sent {
					flipped += bits.OnesCount8(sent[i] ^ got[i])
				}
				flips = append(flips, flipped)
			}
			assert.Equal(t, strings.Repeat("x", 100), string(sent), "the sender's is as it was")
			answers(t, dial(t, ctx, "server:7000"), string(sent))
			told := 0
			for _, e := range n.Events() {
				if strings.HasSuffix(e.Text, "a bit has turned over") {
					assert.Equal(t, simnet.Delivered, e.Kind)
					told++
				}
			}
			damaged := 0
			for _, f := range flips {
				damaged += f
			}
			assert.Equal(t, damaged, told)
			hash = n.Hash()
		})
		return hash, flips
	}
	_, none := run(simnet.Config{})
	assert.NotContains(t, none, 1)
	hash, some := run(simnet.Config{Corrupt: 0.5})
	assert.Subset(t, []int{0, 1}, some)
	damaged := 0
	for _, f := range some {
		damaged += f
	}
	assert.InDelta(t, 100, damaged, 30)
	again, same := run(simnet.Config{Corrupt: 0.5})
	assert.Equal(t, hash, again)
	assert.Equal(t, some, same)
	simulate(t, simnet.Config{Corrupt: 1, Duplicate: 1}, func(ctx context.Context, n *simnet.Network) {
		pc := listenUDP(t, ctx, n.Host("server"), ":7000")
		c, err := asyncio.Dial(ctx, "udp", "server:7000")
		require.NoError(t, err)
		defer c.Close()
		c.Write([]byte{0})
		twins := came(ctx, pc)
		require.Len(t, twins, 2)
		assert.ElementsMatch(t, []bool{true, false}, []bool{twins[0] == 0, twins[1] == 0}, "the twin is whole")
	})
}

// Swarm narrows ways only where MTUs are simulated.
func TestSwarmOfMTU(t *testing.T) {
	narrow := func(cfg simnet.Config) (times int) {
		for seed := range uint64(20) {
			n := simnet.New(seed, cfg)
			require.NoError(t, asyncio.RunFunc(context.Background(), func(ctx context.Context) error {
				for _, f := range simnet.Swarm(ctx, 30*time.Second, n.Host("a"), n.Host("b")) {
					if f.Do == simnet.SetMTU {
						times++
						assert.LessOrEqual(t, f.Bytes, 1300)
					}
				}
				return nil
			}, asyncio.WithLoopOptions(n.Options()...)))
		}
		return times
	}
	assert.Zero(t, narrow(simnet.Config{}))
	assert.Positive(t, narrow(simnet.Config{MTU: 1300}))
}

// What the system knows of a way it has heard for a socket that was open then, and has
// forgotten after a crash, but not when only the program has ended.
func TestNarrowWayIsRemembered(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		pc := listenUDP(t, ctx, n.Host("server"), ":7000")
		h := n.Host("client")
		n.Link(h, n.Host("server")).SetMTU(1280)
		send := func(open time.Duration) []int {
			h.Go(ctx, func(ctx context.Context) error {
				c, err := asyncio.Dial(ctx, "udp", "server:7000")
				require.NoError(t, err)
				defer c.Close()
				_, err = c.Write(make([]byte, 1400))
				require.NoError(t, err)
				return asyncio.Sleep(ctx, open)
			})
			return sizes(ctx, pc)
		}
		assert.Empty(t, send(0))
		assert.Empty(t, send(100*ms), "the first one had no socket any more that it could be told to")
		assert.Equal(t, []int{1400}, send(0))
		h.Kill()
		h.Restart()
		assert.Equal(t, []int{1400}, send(0))
		h.Crash()
		h.Restart()
		assert.Empty(t, send(0))
	})
}

// Datagrams to a unix path may be longer than others.
func TestLongestDatagrams(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		pc, err := asyncio.ListenPacket(ctx, "unixgram", "/there")
		require.NoError(t, err)
		defer pc.Close()
		c, err := asyncio.Dial(ctx, "unixgram", "/there")
		require.NoError(t, err)
		defer c.Close()
		_, err = c.Write(make([]byte, 212961))
		assert.ErrorIs(t, err, syscall.EMSGSIZE)
		_, err = c.Write(make([]byte, 212960))
		require.NoError(t, err)
		k, _, err := pc.ReadFrom(make([]byte, 1<<18))
		require.NoError(t, err)
		assert.Equal(t, 212960, k)
	})
}
