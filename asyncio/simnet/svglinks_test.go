package simnet_test

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
	"github.com/stretchr/testify/require"
)

// What is done to many links at a time is one line.
func TestPictureOfLinks(t *testing.T) {
	require.NoError(t, asynciotest.Simulate(1, func(ctx context.Context) error {
		net := simnet.Of(ctx)
		a, b, c := net.Host("a"), net.Host("b"), net.Host("c")
		net.Partition([]*simnet.Host{a}, []*simnet.Host{b, c})
		asks := a.Go(ctx, func(ctx context.Context) error {
			_, err := asyncio.Dial(ctx, "tcp", "b:80")
			return err
		})
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
		asks.Cancel()
		net.Link(a, b).Hold()
		net.Link(c, b).Hold()
		var svg bytes.Buffer
		if err := net.WriteSVG(&svg, simnet.Picture{}); err != nil {
			return err
		}
		all := parsed(t, svg.String())
		texts := strings.Join(all["text"], "\n")
		require.Contains(t, texts, "cut: a | b c\n")
		require.Contains(t, texts, "held: a c > b")
		require.Contains(t, strings.Join(all["title"], "\n"), "a > b: SYN: cut")
		require.Contains(t, svg.String(), `class="packet lost opens"`)
		return nil
	}, asynciotest.WithNetwork(simnet.Config{})))
}
