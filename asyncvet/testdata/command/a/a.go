// Package a is imported by another.
package a

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Nap blocks.
func Nap() {
	time.Sleep(1)
}

func both(ctx context.Context) error {
	time.Sleep(1)
	return asyncio.Sleep(ctx, 1)
}
