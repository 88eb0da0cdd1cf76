package simnet_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// The first test of docs/simulation.md.
func TestFirst(t *testing.T) {
	asynciotest.Explore(t, 100, func(t testing.TB, ctx context.Context) {
		net := simnet.Of(ctx)
		net.Host("server").Start(echo) // your program, as in production
		asyncio.Sleep(ctx, time.Second)
		c, err := asyncio.Dial(ctx, "tcp", "server:7000")
		require.NoError(t, err)
		defer c.Close()
		io.WriteString(c, "hello")
		_, err = io.ReadFull(c, make([]byte, 5))
		require.NoError(t, err)
	}, asynciotest.WithNetwork(simnet.Config{Latency: simnet.Exponential(time.Millisecond, 20*time.Millisecond), Loss: 0.05}))
}
