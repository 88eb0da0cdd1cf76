package gl112

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

func called(ctx context.Context) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		return inner(ctx)
	})
}

func anotherLoop(ctx context.Context) *asyncio.Task[asyncio.None] {
	return asyncio.Go(ctx, func(ctx context.Context) error {
		return asyncio.ToThreadFunc(ctx, func(context.Context) error {
			return asyncio.RunFunc(context.Background(), inner)
		})
	})
}
