package gl120

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func searchInTurns(ctx context.Context, found func(int) bool) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		n := 0
		for {
			n = collatz(n)
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
		}
	})
}
