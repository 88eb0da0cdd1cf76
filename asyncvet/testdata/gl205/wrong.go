package gl205

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func ended(ctx context.Context, t *asyncio.Task[string]) (string, bool) {
	text, err := t.Await(ctx)
	return text, err == asyncio.ErrCancelled // want `GL205: == with ErrCancelled is never true of a cancel: use errors.Is`
}
