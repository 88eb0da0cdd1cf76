package gl112

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func outer(ctx context.Context) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		return asyncio.RunFunc(ctx, inner) // want `GL112: asyncio.RunFunc is refused in a function that asyncio.Go runs: a loop runs already; call the function itself`
	})
}

func inner(ctx context.Context) error { return asyncio.Sleep(ctx, 0) }
