//go:build (linux || darwin || dragonfly || freebsd || netbsd || openbsd) && !portable

package asynciotest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
	"github.com/go-greenlet/greenlet/asyncio/asynciotest"
)

// Virtual time and real sockets: a timeout does not come before data that is
// there, it does come if nothing is, and the loop is not idle while there is data.
func TestClockAndSockets(t *testing.T) {
	asynciotest.Run(t, func(ctx context.Context) {
		a, err := asyncio.NewSocket("udp")
		must(t, err)
		b, err := asyncio.NewSocket("udp")
		must(t, err)
		defer a.Close()
		defer b.Close()
		must(t, a.Bind("127.0.0.1:0"))
		must(t, b.Bind("127.0.0.1:0"))
		received := ""
		recv := func(ctx context.Context) error {
			return asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
				p, err := b.Recv(ctx, 10)
				received = string(p)
				return err
			})
		}
		for i := range 20 {
			received = ""
			reader := asyncio.Go(ctx, recv)
			must(t, asynciotest.WaitIdle(ctx))
			start := asynciotest.Now(ctx)
			_, err = a.SendTo(ctx, []byte("data"), b.Addr())
			must(t, err)
			if i%2 == 0 {
				must(t, asynciotest.WaitIdle(ctx))
				if received != "data" || !reader.Done() {
					t.Errorf("idle, and %q is received", received)
				}
			}
			if _, err := reader.Await(ctx); err != nil || asynciotest.Now(ctx) != start {
				t.Errorf("%v after %v", err, asynciotest.Now(ctx)-start)
			}
		}
		start := asynciotest.Now(ctx)
		if err := recv(ctx); !errors.Is(err, asyncio.ErrTimeout) || asynciotest.Now(ctx)-start != time.Second {
			t.Errorf("%v after %v", err, asynciotest.Now(ctx)-start)
		}
	})
}
