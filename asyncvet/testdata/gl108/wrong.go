package gl108

import (
	"bufio"
	"context"
	"os"

	"github.com/go-greenlet/greenlet/asyncio"
)

func answers(ctx context.Context, queue *asyncio.Queue[string]) error {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() { // want `GL108: bufio.Scanner.Scan blocks the loop, in a task, as it calls asyncio.Queue.Put: use asyncio.ConnectReadPipe, or ToThread`
		if err := queue.Put(ctx, lines.Text()); err != nil {
			return err
		}
	}
	return lines.Err()
}
