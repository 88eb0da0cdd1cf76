package gl120

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func search(ctx context.Context, found func(int) bool) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		n := 0
		for { // want `GL120: an endless loop without a wait: nothing else runs; call asyncio.Sleep\(ctx, 0\) now and then`
			n = collatz(n)
		}
	})
}

func collatz(n int) int {
	if n%2 == 1 {
		return 3*n + 1
	}
	return n / 2
}
