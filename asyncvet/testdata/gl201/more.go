package gl201

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Said so, outside of a loop, deferred.
func said(ctx context.Context, w *asyncio.StreamWriter) {
	defer w.WaitClosed(ctx)
	for range 3 {
		_ = asyncio.Sleep(ctx, 1)
	}
	asyncio.Sleep(ctx, 1)
	w.Drain(ctx)
}

// In a function of its own within a loop it is not in the loop.
func within(ctx context.Context, each func(func())) error {
	for range 3 {
		each(func() { asyncio.Sleep(ctx, 1) })
	}
	return asyncio.Sleep(ctx, 1)
}
