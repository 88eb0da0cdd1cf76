package gl105

import (
	"context"
	"net/http"

	"github.com/go-greenlet/greenlet/asyncio"
)

func statusInThread(ctx context.Context, url string) *asyncio.Task[int] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
		return asyncio.ToThread(ctx, func(context.Context) (int, error) {
			r, err := http.Get(url)
			if err != nil {
				return 0, err
			}
			defer r.Body.Close()
			return r.StatusCode, nil
		})
	})
}
