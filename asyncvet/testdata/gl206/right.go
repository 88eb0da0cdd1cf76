package gl206

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func closingWithContext(ctx context.Context, w *asyncio.StreamWriter) error {
	return w.WaitClosed(ctx)
}

// Not ended with ctx, but of the loop.
func closingAllTheSame(ctx context.Context, w *asyncio.StreamWriter) error {
	return w.WaitClosed(context.WithoutCancel(ctx))
}

func program() error {
	return asyncio.RunFunc(context.Background(), func(ctx context.Context) error { return asyncio.Sleep(ctx, 1) })
}
