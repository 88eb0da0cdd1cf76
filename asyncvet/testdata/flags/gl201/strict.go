package gl201

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func dropped(ctx context.Context, w *asyncio.StreamWriter) error {
	defer w.WaitClosed(ctx)
	w.Drain(ctx) // want `GL201: the error of asyncio.StreamWriter.Drain is dropped, and with it a cancel: return it`
	_ = asyncio.Sleep(ctx, 1)
	return asyncio.Sleep(ctx, 1)
}
