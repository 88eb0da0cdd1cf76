package gl120

import (
	"bufio"
	"context"
	"net"
	"runtime"
	"sync/atomic"

	"github.com/go-greenlet/greenlet/asyncio"
)

func spins(ctx context.Context, ready *atomic.Bool, t *asyncio.Task[int]) error {
	for !ready.Load() { // want `GL120: a loop that looks at !ready.Load\(\) and does not wait`
		runtime.Gosched()
	}
	for !t.Done() { // want `GL120`
	}
	return asyncio.Sleep(ctx, 0)
}

// There is a way out, or what is called may wait.
func ways(ctx context.Context, f func(), conn net.Conn, in *bufio.Reader) error {
	for n := 0; ; n++ {
		if collatz(n) == 1 {
			break
		}
	}
	asyncio.Go(ctx, func(context.Context) error {
		for {
			f()
		}
	})
	asyncio.Go(ctx, func(context.Context) error {
		for {
			conn.Write(nil)
		}
	})
	asyncio.Go(ctx, func(context.Context) error {
		for {
			in.ReadString(' ')
		}
	})
	asyncio.Go(ctx, func(context.Context) error {
		for n := 0; ; n++ {
			if n > 9 {
				panic("too many")
			}
		}
	})
	for n := 9; n > 0; n-- {
	}
	return asyncio.Sleep(ctx, 0)
}

// Not on the loop.
func goroutine() {
	go func() {
		for {
		}
	}()
}
