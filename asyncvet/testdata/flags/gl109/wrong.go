package gl109

import (
	"context"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func read(ctx context.Context, name string) *asyncio.Task[[]byte] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) ([]byte, error) {
		return os.ReadFile(name) // want `GL109: os.ReadFile blocks the loop, in a function that asyncio.CreateTask runs: use ToThread`
	})
}
