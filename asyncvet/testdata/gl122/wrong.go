package gl122

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

func sum(ctx context.Context, all []int) (n int, err error) {
	err = asyncio.WithTimeout(ctx, time.Second, func(context.Context, *asyncio.Timeout) error { // want `GL122: a timeout of a function that does not wait ends nothing`
		for _, v := range all {
			n += v
		}
		return nil
	})
	return n, err
}
