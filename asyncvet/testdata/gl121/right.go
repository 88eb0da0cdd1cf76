package gl121

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

type work struct {
	done *asyncio.Event
}

func (w *work) wait(ctx context.Context) error {
	return w.done.Wait(ctx)
}
