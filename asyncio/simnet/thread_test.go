package simnet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// A task that waits for a thread when its host crashes leaves an error that nobody need
// look at; the context of the function ends.
func TestCrashWhileAThreadWorks(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("h")
		begun, end := make(chan bool), make(chan bool)
		h.Go(ctx, func(ctx context.Context) error {
			return asyncio.ToThreadFunc(ctx, func(inside context.Context) error {
				close(begun)
				<-inside.Done()
				<-end
				return errors.New("it was closed")
			})
		})
		require.NoError(t, asyncio.Sleep(ctx, 0))
		require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { <-begun; return nil }))
		h.Crash()
		close(end)
		require.NoError(t, asyncio.Sleep(ctx, time.Second)) // which does not pass before the thread has ended
	})
}

// What a killed task defers may wait for threads, with its context: the crash does not wait
// for them.
func TestCrashWithAPool(t *testing.T) {
	simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
		h := n.Host("h")
		begun, end := make(chan bool), make(chan bool)
		shut := false
		h.Go(ctx, func(ctx context.Context) error {
			l, err := asyncio.RunningLoop(ctx)
			require.NoError(t, err)
			pool := asyncio.NewThreadPool(1)
			defer func() {
				pool.Shutdown(ctx)
				shut = true
			}()
			_, err = asyncio.RunInExecutor(l, pool, func() (asyncio.None, error) {
				close(begun)
				<-end
				return asyncio.None{}, nil
			}).Await(ctx)
			return err
		})
		require.NoError(t, asyncio.Sleep(ctx, 0))
		require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { <-begun; return nil }))
		h.Crash()
		require.True(t, shut)
		close(end)
		require.NoError(t, asyncio.Sleep(ctx, time.Second))
	})
}
