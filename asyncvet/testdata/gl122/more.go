package gl122

import (
	"context"
	"io"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

// What is called may wait.
func calls(ctx context.Context, f func(), r io.Reader) error {
	err := asyncio.WithTimeout(ctx, time.Second, func(context.Context, *asyncio.Timeout) error {
		f()
		return nil
	})
	if err != nil {
		return err
	}
	return asyncio.WithTimeout(ctx, time.Second, func(context.Context, *asyncio.Timeout) error {
		_, err := io.ReadAll(r)
		return err
	})
}
