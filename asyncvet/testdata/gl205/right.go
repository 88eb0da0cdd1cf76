package gl205

import (
	"context"
	"errors"

	"github.com/go-greenlet/greenlet/asyncio"
)

func endedByIs(ctx context.Context, t *asyncio.Task[string]) (string, bool) {
	text, err := t.Await(ctx)
	return text, errors.Is(err, asyncio.ErrCancelled)
}
