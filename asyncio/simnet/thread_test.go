package simnet_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/simnet"
)

// A task that waits for a thread when its host crashes leaves an error that nobody need
// look at, whichever way it waits; the context of the function ends.
func TestCrashWhileAThreadWorks(t *testing.T) {
	failed := errors.New("it was closed")
	pool := asyncio.NewThreadPool(1)
	defer pool.Shutdown(context.Background())
	for name, wait := range map[string]func(ctx context.Context, f func(ctx context.Context) error) error{
		"ToThread": asyncio.ToThreadFunc,
		"Submit": func(ctx context.Context, f func(ctx context.Context) error) error {
			_, err := asyncio.Submit(pool, func() (int, error) { return 0, f(nil) }).Await(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			simulate(t, simnet.Config{}, func(ctx context.Context, n *simnet.Network) {
				h := n.Host("h")
				begun, end, ended := make(chan bool), make(chan bool), false
				h.Go(ctx, func(ctx context.Context) error {
					return wait(ctx, func(inside context.Context) error {
						close(begun)
						if inside != nil {
							<-inside.Done()
						}
						<-end
						return failed
					})
				})
				require.NoError(t, asyncio.Sleep(ctx, 0))
				require.NoError(t, asyncio.ToThreadFunc(ctx, func(context.Context) error { <-begun; return nil }))
				h.Crash()
				close(end)
				// Its end is posted before that of another one.
				_, err := asyncio.ToThread(ctx, func(context.Context) (int, error) { ended = true; return 0, nil })
				require.NoError(t, err)
				assert.True(t, ended)
				require.NoError(t, asyncio.Sleep(ctx, time.Second))
			})
		})
	}
}
