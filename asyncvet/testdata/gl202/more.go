package gl202

import (
	"context"

	"github.com/go-greenlet/greenlet/asyncio"
)

// One that was made for the purpose is meant, and so is one of a function that has
// none itself.
func meant(ctx context.Context, lock *asyncio.Lock) error {
	ended, cancel := context.WithCancel(ctx)
	defer cancel()
	t := asyncio.Go(ctx, func(context.Context) error { return asyncio.Sleep(ended, 1) })
	if err := lock.Do(ctx, func() error { return asyncio.Sleep(ctx, 1) }); err != nil {
		return err
	}
	_, err := t.Await(ctx)
	return err
}

// To make something of it is no wait.
func values(ctx context.Context, of func(context.Context) string) *asyncio.Task[string] {
	return asyncio.CreateTask(ctx, func(context.Context) (string, error) { return of(ctx), nil })
}
