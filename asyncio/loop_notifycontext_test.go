//go:build unix

package asyncio_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
)

// TestNotifyContext: one interrupt that also ends the context of the run is one
// request, and the clean-up that it begins is not cut off by it.
func TestNotifyContext(t *testing.T) {
	for range 20 {
		for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
			seen := make(chan os.Signal, 1)
			signal.Notify(seen, sig)
			ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
			err := asyncio.RunFunc(ctx, func(ctx context.Context) error {
				asyncio.CurrentTask(ctx).Loop().CallSoon(func() { syscall.Kill(os.Getpid(), sig) })
				err := asyncio.Sleep(ctx, time.Hour)
				outside := context.WithoutCancel(ctx)
				require.NoError(t, asyncio.ToThreadFunc(outside, func(context.Context) error {
					<-ctx.Done()
					<-seen
					return nil
				}), "the clean-up")
				require.NoError(t, asyncio.Sleep(outside, time.Millisecond), "the clean-up")
				require.Equal(t, 1, asyncio.CurrentTask(ctx).Cancelling())
				return err
			})
			require.ErrorIs(t, err, context.Canceled)
			if sig == syscall.SIGINT {
				require.ErrorIs(t, err, asyncio.ErrKeyboardInterrupt)
			} else {
				require.NotErrorIs(t, err, asyncio.ErrKeyboardInterrupt)
			}
			stop()
			signal.Stop(seen)
		}
	}
}

// After a SIGTERM that has ended the context, an interrupt is a request of its own.
func TestInterruptAfterNotifyContext(t *testing.T) {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	asyncio.RunFunc(ctx, func(ctx context.Context) error {
		for i, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT} {
			asyncio.CurrentTask(ctx).Loop().CallSoon(func() { syscall.Kill(os.Getpid(), sig) })
			require.ErrorIs(t, asyncio.Sleep(ctx, time.Hour), asyncio.ErrCancelled)
			require.Equal(t, i+1, asyncio.CurrentTask(ctx).Cancelling())
		}
		return nil
	})
}
