// Package b imports another.
package b

import (
	"context"

	"example.com/faults/command/a"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Naps is a task that blocks.
func Naps(ctx context.Context) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		a.Nap()
		return nil
	})
}
