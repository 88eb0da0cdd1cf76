package gl203

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func log(ctx context.Context, send func(ctx context.Context) error) {
	asyncio.Go(ctx, func(ctx context.Context) error { // want `GL203: the task is dropped, and with it its error: keep it and await it, or use a TaskGroup`
		return send(ctx)
	})
}
