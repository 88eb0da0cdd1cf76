//go:build linux || darwin || dragonfly || freebsd || netbsd || openbsd

package asyncio_test

import (
	"context"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// The tests of datagrams hold on another network, as they are.
func TestOverNetworkDatagrams(t *testing.T) {
	overNetwork, loopsAlone = func() []asyncio.LoopOption { return onMemNet(newMemNet(time.Millisecond)) }, true
	defer func() { overNetwork, loopsAlone = nil, false }()
	t.Run("Datagrams", TestDatagrams)
	t.Run("Ends", TestDatagramEnds)
}

// A file goes by pieces: there is no system to send it.
func TestNetworkSendFile(t *testing.T) {
	content := counted(1_000_000)
	f := testFile(t, content)
	onMem(t, func(ctx context.Context, n *memNet) {
		var all []byte
		server := serving(t, ctx, func(ctx context.Context, r *asyncio.StreamReader, w *asyncio.StreamWriter) (err error) {
			defer w.Close()
			all, err = r.Read(ctx, -1)
			return err
		})
		defer server.Close()
		r, w, err := asyncio.OpenConnection(ctx, "tcp", server.Addr().String())
		require.NoError(t, err)
		_, err = w.Transport().Loop().SendFile(ctx, w.Transport(), f, 0, 0, asyncio.SendFileFallback(false))
		require.ErrorIs(t, err, asyncio.ErrSendfileNotAvailable)
		sent, err := w.Transport().Loop().SendFile(ctx, w.Transport(), f, 0, 0)
		require.NoError(t, err)
		require.EqualValues(t, len(content), sent)
		w.WriteEOF()
		_, err = r.Read(ctx, -1)
		require.ErrorIs(t, err, io.EOF, "the server has closed")
		require.Equal(t, content, all)
		w.Close()
	})
}
