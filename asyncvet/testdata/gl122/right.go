package gl122

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func sumInTurns(ctx context.Context, all []int) (n int, err error) {
	err = asyncio.WithTimeout(ctx, time.Second, func(ctx context.Context, _ *asyncio.Timeout) error {
		for _, v := range all {
			n += v
			if err := asyncio.Sleep(ctx, 0); err != nil {
				return err
			}
		}
		return nil
	})
	return n, err
}
