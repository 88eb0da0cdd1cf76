package gl105

import (
	"context"
	"net/http"

	"github.com/go-greenlet/greenlet/asyncio"
)

func status(ctx context.Context, url string) *asyncio.Task[int] {
	return asyncio.CreateTask(ctx, func(ctx context.Context) (int, error) {
		r, err := http.Get(url) // want `GL105: http.Get blocks the loop, in a function that asyncio.CreateTask runs: use ToThread`
		if err != nil {
			return 0, err
		}
		defer r.Body.Close()
		return r.StatusCode, nil
	})
}
