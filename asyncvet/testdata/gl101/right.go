package gl101

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func patient(ctx context.Context) error {
	for range 3 {
		if err := asyncio.Sleep(ctx, time.Second); err != nil {
			return err
		}
	}
	return nil
}

func inThread(ctx context.Context) error {
	return asyncio.ToThreadFunc(ctx, func(context.Context) error {
		time.Sleep(time.Second)
		return nil
	})
}
