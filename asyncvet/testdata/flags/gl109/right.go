package gl109

import (
	"context"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func readInThread(ctx context.Context, name string) *asyncio.Task[[]byte] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
		return asyncio.ToThread(ctx, func(context.Context) ([]byte, error) { return os.ReadFile(name) })
	})
}
