// Package c blocks only by files.
package c

import (
	"context"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

// Read is a task that reads a file.
func Read(ctx context.Context, name string) *asyncio.Task[[]byte] {
	return asyncio.CreateTask(ctx, func(context.Context) ([]byte, error) { return os.ReadFile(name) })
}
