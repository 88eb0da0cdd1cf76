package gl108

import (
	"bufio"
	"context"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func answersInThread(ctx context.Context, queue *asyncio.Queue[string]) error {
	lines := bufio.NewScanner(os.Stdin)
	for {
		more, err := asyncio.ToThread(ctx, func(context.Context) (bool, error) { return lines.Scan(), lines.Err() })
		if err != nil || !more {
			return err
		}
		if err := queue.Put(ctx, lines.Text()); err != nil {
			return err
		}
	}
}
