package gl121

import (
	"context"
	"time"

	"github.com/go-greenlet/greenlet/asyncio"
)

type job struct {
	done bool
}

func (j *job) wait(ctx context.Context) error {
	for !j.done { // want `GL121: a loop that only sleeps until its condition holds: use an asyncio.Event or Condition`
		if err := asyncio.Sleep(ctx, 10*time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}
